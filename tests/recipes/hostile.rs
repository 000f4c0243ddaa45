//! A catalogue that wants more than its place: refused, or carried as data.

use std::process::Command;

use jitsi_install::package::Catalogue;
use jitsi_install::package::catalogue::Build;
use jitsi_install::package::recipe::{self, Form};

use super::{catalogue, run};

/// Words that no file name or path may be, and that a `make` may well be given.
const WORDS: &[&str] = &[
    "$(touch HURT)",
    "`touch HURT`",
    "; touch HURT",
    "\"; touch HURT; \"",
    "x && touch HURT",
    "$HOME",
    "${DESTDIR}",
    "a  b",
    "*",
    "~",
    "-rf /",
    "\\",
    "!!",
    "#x",
    "A=\"$(touch HURT)\"",
    "ä",
];

/// What the script's `make` was called with.
fn called_with(word: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut piece = catalogue().piece("luaexpat").unwrap().clone();
    piece.build = Some(Build {
        make: vec![word.to_owned(), "end".to_owned()],
        ..Build::default()
    });
    piece.docs.clear();
    let mut release = piece.releases[0].clone();
    release.sources[0].root = Some(".".to_owned());
    let script = recipe::build_script(&piece, &release, Form::SlackBuild)
        .unwrap()
        .unwrap();
    // `make` writes down what it is called with.
    let make = "make() { printf '%s\\n' \"$@\" >> ../words; echo -- >> ../words; }\n";
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("{make}{script}"));
    run(command
        .current_dir(&work)
        .env("DESTDIR", "/nowhere")
        .env("HOME", "/root"));
    assert_eq!(
        std::fs::read_dir(&work).unwrap().count(),
        0,
        "`{word}` left something behind"
    );
    let words = std::fs::read_to_string(folder.path().join("words")).unwrap();
    words
        .split("--\n")
        .next()
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn words_of_a_build_are_only_words() {
    for word in WORDS {
        if word.contains("${") {
            continue;
        }
        assert_eq!(called_with(word), ["-j1", word, "end"], "{word}");
    }
    assert_eq!(called_with("A={dest}/{lib}$(x)")[1], "A=/nowhere/lib64$(x)");
}

#[test]
fn what_a_shell_cannot_carry_is_refused() {
    let mut piece = catalogue().piece("luaexpat").unwrap().clone();
    for word in ["it's", "two\nlines", "bell\u{7}"] {
        piece.docs = vec![word.to_owned()];
        let release = piece.releases[0].clone();
        for form in [Form::SlackBuild, Form::Debian] {
            assert!(recipe::write(&piece, &release, form).is_err(), "{word}");
        }
    }
}

#[test]
fn a_hostile_catalogue_is_refused_before_anything_is_written() {
    let own = include_str!("../../slackbuilds/catalogue.toml");
    let quoted = |word: &str| format!("'''{word}'''");
    for word in WORDS.iter().filter(|word| **word != "x && touch HURT") {
        for (from, key) in [
            ("\"README.md\"]\n[piece.build]", "docs"),
            ("\"1.5.2\"", "version"),
            ("\"luaexpat-1.5.2\"", "source.root"),
            ("\"usr/share/acme.sh/acme.sh\"", "place.to"),
            ("\"../share/acme.sh/acme.sh\"", "link.target"),
            ("\"usr/sbin/go-mmproxy\"", "build.program"),
            ("\"/var/lib/caddy\"", "account.home"),
        ] {
            let end = if key == "docs" {
                "]\n[piece.build]"
            } else {
                ""
            };
            let text = own.replacen(from, &format!("{}{end}", quoted(word)), 1);
            assert!(text != own, "{from}");
            let Err(error) = Catalogue::parse(&text) else {
                panic!("`{word}` for `{key}` was taken");
            };
            assert!(
                error.to_string().contains(key),
                "`{word}` for `{key}`: {error}"
            );
        }
    }
}
