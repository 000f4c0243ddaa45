//! The hostile texts, how they are written into TOML, and random ones.

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

/// Texts that end a string, a comment, a directive, a script or a path somewhere.
pub fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        " x",
        "x ",
        "\"",
        "'",
        "a\"b'c",
        "\\",
        "\\\\\"",
        "x\\",
        "a\nb",
        "\r\n",
        "a\tb",
        "\u{0}",
        "a\u{0}b",
        "\u{7f}",
        "\u{85}",
        "\u{1b}[31m",
        "]]",
        "]==]",
        "[[x]]",
        "${x}",
        "${?HOME}",
        "$host",
        "$(id)",
        "`id`",
        "--",
        "--[[",
        "-- x\nos.exit()",
        "#{",
        "# x",
        "//x",
        "/*",
        "*/",
        "<<",
        "<< domain >>",
        "<% raw %>",
        "<# x #>",
        "{{",
        "{% x %}",
        "</script><script>alert(1)</script>",
        "</SCRIPT >",
        "<!--",
        "-->",
        "<!--# include virtual=\"/etc/passwd\" -->",
        "<!--# echo var=\"x\" -->",
        "{env.HOME}",
        "{$HOME}",
        "{http.request.host}",
        "{",
        "}",
        ";}",
        "; rm -rf /",
        "}\nserver {",
        "%i",
        "%%",
        "%00",
        "%2e%2e",
        "../..",
        "/../../etc/passwd",
        "..",
        ".",
        "/",
        "~",
        "*",
        "?",
        "&",
        "|",
        "!",
        "@",
        "=",
        ",",
        "-",
        "+",
        "ü",
        "Ελλάδα 中文 🎥",
        "\u{202e}gnp.exe",
        "\u{2028}",
        "\u{2029}",
        "\u{feff}x",
        "\u{fffd}",
        "\u{10ffff}",
        "\\n",
        "\\u0000",
        "\\x41",
        "__proto__",
        "constructor",
        "x' onload='alert(1)",
        "jаvascript:alert(1)",
        "example.org:0",
        "a..b",
        "-x-",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(10_000));
    texts.push("\"".repeat(10_000));
    texts.push("ü".repeat(201));
    texts
}

/// A basic TOML string, with escapes for whatever TOML or an editor would trip over.
pub fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Random text made of hostile pieces and of any characters at all.
pub fn any_text() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = hostile()
        .into_iter()
        .filter(|text| text.len() < 100)
        .collect();
    let piece = prop_oneof![
        2 => prop::sample::select(pieces),
        2 => prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        1 => "[ -~]{0,12}",
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// The hostile texts of usual length, and random ones until there are `count`; the random ones
/// differ at each run, and every failure shows the text.
pub fn many_texts(count: usize) -> Vec<String> {
    let mut texts: Vec<String> = hostile()
        .into_iter()
        .filter(|text| text.len() < 1000)
        .collect();
    texts.extend(samples(any_text(), count.saturating_sub(texts.len())));
    texts
}

/// Random values of a strategy.
pub fn samples<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    });
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// A folder that goes away; whoever runs a server may look into it.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new()
        .prefix("jitsi-install-hostile.")
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}
