//! The floors of `src/lib.rs`: which room may name which. The sources are read, code of tests
//! aside, and every `crate::X` (or `super::` that climbs out of its room) is looked up in one table.
//!
//! To add a room: its line in [`FLOORS`], below every room that it may name.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test looks at the disk itself, and says what it skips"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may name; in the order of `src/lib.rs`.
const FLOORS: &[(&str, &[&str])] = &[
    // GROUND
    ("command", &[]),
    ("name", &[]),
    ("reader", &["name"]),
    ("secret", &[]),
    // FIRST
    ("keystore", &["name", "secret"]),
    ("recipe", &["name", "secret", "keystore"]),
    ("render", &["name"]),
    ("site", &["name", "reader", "secret"]),
    ("platform", &["name", "site"]),
    ("token", &["name", "secret"]),
    ("package", &["name", "render"]),
    // SECOND
    ("resource", &["name", "secret", "recipe"]),
    // `plan` sees the machine through a trait of its own: it must not know host, journal or apply.
    (
        "plan",
        &["command", "name", "secret", "recipe", "render", "resource"],
    ),
    ("journal", &["name", "resource", "plan"]),
    (
        "service",
        &[
            "name", "secret", "recipe", "render", "site", "platform", "resource",
        ],
    ),
    // Judges what it is told of a machine; looks at none.
    (
        "doctor",
        &[
            "name", "secret", "keystore", "recipe", "site", "platform", "package", "resource",
            "service",
        ],
    ),
    ("account", &["name", "reader", "secret", "render"]),
    // THIRD. The service that faces the Internet has no door to the machine.
    ("web", &["name", "secret", "render", "account"]),
    (
        "layout",
        &["name", "secret", "site", "platform", "resource", "service"],
    ),
    ("apply", &["name", "recipe", "resource", "plan", "journal"]),
    // FOURTH; it knows nothing of `layout` and `token`: it decides nothing about Jitsi.
    (
        "host",
        &[
            "name", "secret", "keystore", "recipe", "render", "site", "platform", "package",
            "resource", "plan", "journal", "service", "doctor", "apply",
        ],
    ),
    (
        "desk",
        &[
            "command", "name", "reader", "secret", "render", "account", "web",
        ],
    ),
    // ROOF
    (
        "cli",
        &[
            "command", "name", "secret", "keystore", "recipe", "render", "site", "platform",
            "token", "package", "resource", "plan", "journal", "service", "doctor", "layout",
            "apply", "host",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below a folder, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The text with comments and modules of tests blanked, line by line, so that numbers stay right.
fn code(text: &str) -> String {
    let mut out = String::new();
    let (mut is_test, mut in_test) = (false, false);
    for line in text.lines() {
        if line == "#[cfg(test)]" {
            is_test = true;
        } else if is_test && !in_test && line.starts_with("mod ") {
            in_test = line.ends_with('{');
            is_test = in_test;
        } else if in_test && line == "}" {
            (is_test, in_test) = (false, false);
        } else if !in_test {
            out.push_str(line.split("//").next().unwrap_or_default());
        }
        out.push('\n');
    }
    out
}

/// Line and first word of every path that begins at the crate's root, for a file whose own module
/// stands `depth` below it.
fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let climb = "super::".repeat(depth);
    for start in ["crate::", climb.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            let glued = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'));
            let line = 1 + code[..at].matches('\n').count();
            if !glued {
                found.extend(
                    words(&code[at + start.len()..])
                        .into_iter()
                        .map(|word| (line, word)),
                );
            }
        }
    }
    found
}

/// `a::b` is `a`; `{a::{b, c}, d}` is `a` and `d`.
fn words(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let (mut words, mut open, mut is_start) = (Vec::new(), 1, true);
    for (at, c) in group.char_indices() {
        if is_start && !c.is_whitespace() && c != '}' {
            words.push(word(&group[at..]));
            is_start = false;
        }
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => is_start = true,
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    words
}

/// The module path of a file below `src`: `cli/trial/mod.rs` is `cli`, `trial`.
fn module(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

#[test]
fn imports_go_downstairs() {
    let src = root().join("src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let place = format!("src/{}", inside.display());
        let text = code(&fs::read_to_string(&file).unwrap());
        let path = module(inside);
        if path == ["lib"] || path.last().is_some_and(|last| last == "tests") {
            continue;
        }
        let room = path[0].as_str();
        if room == "bin" {
            for (line, name) in imports(&text.replace("jitsi_install::", "crate::"), 99) {
                if name != "cli" && name != "desk" {
                    wrong.push(format!(
                        "{place}:{line}: a front door opens `cli` or `desk`, not `{name}`"
                    ));
                }
            }
            continue;
        }
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!(
                "{place}:1: the room `{room}` has no line in tests/floors.rs"
            ));
            continue;
        };
        for (line, name) in imports(&text, path.len()) {
            seen += 1;
            if name != room && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{place}:{line}: `{room}` must not name `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(
        seen > 100,
        "only {seen} imports were found: is the reader broken?"
    );
}

#[test]
fn the_table_is_in_the_order_of_lib() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let listed: Vec<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        names(&listed),
        names(&declared),
        "the table and src/lib.rs name other rooms"
    );
    for (room, allowed) in FLOORS {
        let place = |name: &str| declared.iter().position(|other| *other == name);
        for name in *allowed {
            assert!(
                place(name) < place(room),
                "`{room}` may name `{name}`, which stands after it in src/lib.rs"
            );
        }
    }
}

#[test]
fn architecture_md_names_every_room() {
    let Ok(text) = fs::read_to_string(root().join("ARCHITECTURE.md")) else {
        println!("SKIPPED: there is no ARCHITECTURE.md yet");
        return;
    };
    let missing: Vec<&str> = FLOORS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| {
            let forms = [
                format!("`{name}`"),
                format!("{name}.rs"),
                format!("{name}/"),
            ];
            !forms.iter().any(|form| text.contains(form.as_str()))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name {missing:?}"
    );
}

#[test]
fn the_reader_sees_groups_and_climbers() {
    let text = "use crate::{a::{b, c}, d};\nfn f() { crate::e::g(); }\n// crate::h\n\
                use super::super::i::j;\nuse super::k;\n#[cfg(test)]\nmod tests {\n    use crate::l;\n}\n\
                use crate::{\n    m,\n    n::o,\n};\n";
    let found = imports(&code(text), 2);
    let found: Vec<(usize, &str)> = found
        .iter()
        .map(|(line, word)| (*line, word.as_str()))
        .collect();
    assert_eq!(
        found,
        [(1, "a"), (1, "d"), (2, "e"), (10, "m"), (10, "n"), (4, "i")]
    );
}
