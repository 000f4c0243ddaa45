//! Documents cannot rot: their sessions are run, and their lists are compared with the program.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "these tests read the sources, run the program and say what they skip"
)]

#[path = "documents/transcript.rs"]
mod transcript;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
}

/// Names of what stands in a folder of the sources.
fn listed(folder: &str) -> BTreeSet<String> {
    fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("`{folder}`: {error}"))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Every document, by its path below the sources.
fn documents() -> Vec<String> {
    let top = listed(".");
    let docs = listed("docs")
        .into_iter()
        .map(|name| format!("docs/{name}"));
    top.into_iter()
        .chain(docs)
        .filter(|name| name.ends_with(".md"))
        .collect()
}

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
        .args(args)
        .env_clear()
        .output()
        .expect("the program itself")
}

fn stdout(args: &[&str]) -> String {
    let output = program(args);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {words}");
    String::from_utf8(output.stdout).expect("output in UTF-8")
}

/// The words that stand in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The part of a document below a heading.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n## {heading}\n")).expect(heading);
    text[start + 1..].split("\n## ").next().unwrap()
}

/// The first cell of every table row, when it is one name in backticks.
fn rows(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn set<T: ToString>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

/// Names under `Commands:` of a help text.
fn verbs_of(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every verb as it is typed, those of `token` and `keystore` too.
fn verbs() -> Vec<Vec<String>> {
    let mut verbs = Vec::new();
    for verb in verbs_of(&stdout(&["--help"])) {
        let below = verbs_of(&stdout(&[&verb, "--help"]));
        verbs.extend(below.into_iter().map(|name| vec![verb.clone(), name]));
        verbs.push(vec![verb]);
    }
    assert!(verbs.len() > 12, "{verbs:?}");
    verbs
}

/// The long options of a verb.
fn options(verb: &[String]) -> BTreeSet<String> {
    let mut args: Vec<&str> = verb.iter().map(String::as_str).collect();
    args.push("--help");
    stdout(&args)
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")))
        .map(str::to_owned)
        .collect()
}

#[test]
fn sessions_print_what_the_documents_say() {
    let mut wrong = Vec::new();
    for document in documents() {
        let folder = tempfile::tempdir().unwrap();
        wrong.extend(transcript::run(&document, &read(&document), folder.path()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(read("README.md").contains("```console\n$ "));
}

#[test]
fn every_site_key_is_described_and_no_other() {
    let text = read("docs/site-file.md");
    let tables = text
        .lines()
        .filter_map(|line| line.strip_prefix("## `[")?.strip_suffix("]`"))
        .map(|name| name.trim_matches(['[', ']']).to_owned());
    let described: BTreeSet<String> = rows(&text).into_iter().chain(tables).collect();
    assert_eq!(described, jitsi_install::site::keys());
}

#[test]
fn every_template_and_variable_is_described_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let stage = folder.path().to_str().unwrap();
    let own = folder.path().join("etc/jitsi-install/templates/meet");
    fs::create_dir_all(&own).unwrap();
    // Tera's own name for everything that a template may use.
    fs::write(
        own.join("interface_config.js"),
        "<< __tera_context | safe >>",
    )
    .unwrap();
    stdout(&["init", "meet.example.org", "--root", stage]);
    stdout(&["apply", "--yes", "--root", stage, "--family", "debian"]);
    let made = folder
        .path()
        .join("etc/jitsi/meet/meet.example.org-interface_config.js");
    let values: serde_json::Value =
        serde_json::from_slice(&fs::read(made).unwrap()).expect("the variables as JSON");

    let mut known = set(jitsi_install::render::OWN.iter().map(|(name, _)| name));
    for (name, value) in values.as_object().unwrap() {
        match value.as_object() {
            Some(group) => known.extend(group.keys().map(|key| format!("{name}.{key}"))),
            None => known.extend([name.clone()]),
        }
    }
    let text = read("docs/templates.md");
    let mut described = rows(text.split("\n## ").next().unwrap());
    described.extend(rows(section(&text, "Variables")));
    assert_eq!(described, known);
}

#[test]
fn every_escaper_is_described_and_no_other() {
    let extensions = jitsi_install::render::OWN
        .iter()
        .filter_map(|(name, _)| name.rsplit('.').next());
    let text = read("docs/templates.md");
    assert_eq!(rows(section(&text, "The literal rule")), set(extensions));
}

#[test]
fn every_room_is_in_the_architecture_and_no_other() {
    let text = read("ARCHITECTURE.md");
    let named = section(&text, "The floors")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split('|').nth(1))
        .filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'));
    let mut rooms = listed("src");
    rooms.retain(|name| name != "lib.rs" && name != "bin");
    let rooms = rooms.iter().map(|name| name.trim_end_matches(".rs"));
    assert_eq!(set(named), set(rooms));
}

#[test]
fn every_place_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document).parent().unwrap().to_owned();
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|link| !link.contains("://"))
            .map(|link| folder.join(link.split('#').next().unwrap()));
        let sources = [
            "src/",
            "tests/",
            "templates/",
            "examples/",
            "rc.d/",
            "benches/",
        ];
        let places = quoted(&text)
            .filter(|word| sources.iter().any(|start| word.starts_with(start)))
            .filter(|word| !word.contains(char::is_uppercase))
            .map(|word| root().join(word));
        let all: Vec<PathBuf> = links.chain(places).collect();
        let gone = all.into_iter().filter(|path| !path.exists());
        missing.extend(gone.map(|path| format!("{document}: `{}`", path.display())));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_verb_and_option_is_described() {
    let all: String = documents().iter().map(|name| read(name)).collect();
    let everywhere = options(&[]);
    for verb in verbs() {
        let typed = verb.join(" ");
        assert!(
            all.contains(&format!("`{typed}")) || all.contains(&format!("jitsi-install {typed}")),
            "no document speaks of `{typed}`"
        );
        let document = match verb[0].as_str() {
            "keystore" => "docs/keystores.md",
            "token" => "docs/tokens.md",
            "try" => "docs/try.md",
            _ => continue,
        };
        for option in options(&verb).difference(&everywhere) {
            assert!(
                read(document).contains(option),
                "{document} does not speak of `{option}` of `{typed}`"
            );
        }
    }
}

#[test]
fn the_changelog_has_unreleased_on_top() {
    let text = read("CHANGELOG.md");
    let first = text.lines().find(|line| line.starts_with("## "));
    assert_eq!(first, Some("## Unreleased"));
}

#[test]
fn no_document_is_half_done() {
    // Put together, so that this file does not find itself.
    let words = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["lorem", " ipsum"],
        ["T", "BD"],
    ];
    for document in documents() {
        let text = read(&document);
        for word in words.map(|parts| parts.concat()) {
            assert!(!text.contains(&word), "{document} has `{word}`");
        }
        assert!(text.starts_with("# "), "{document} begins with its title");
        assert!(
            text.ends_with('\n') && !text.ends_with("\n\n"),
            "{document}"
        );
    }
}

#[test]
fn there_is_a_man_page_with_every_option_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    stdout(&["man", folder.path().to_str().unwrap()]);
    let page = |verb: &[String]| {
        let name = [&["jitsi-install".to_owned()], verb].concat().join("-");
        fs::read_to_string(folder.path().join(format!("{name}.8")))
            .unwrap_or_else(|error| panic!("`{name}.8`: {error}"))
            .replace("\\-", "-")
    };
    // What every verb understands stands in the program's own page.
    let main = page(&[]);
    for verb in verbs() {
        let text = page(&verb);
        assert!(text.contains(".SH SYNOPSIS"), "{verb:?}");
        for option in options(&verb) {
            let is_there = text.contains(&option) || main.contains(&option);
            assert!(is_there, "{verb:?} has no {option} in its page");
        }
    }
}

#[test]
fn completions_are_read_by_their_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(verb.last().unwrap()), "{shell}: {verb:?}");
        }
        let reader = Command::new(shell)
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut reader) = reader else {
            assert!(
                shell != "bash" || std::env::var_os("CHECK_STRICT").is_none_or(|on| on != "1"),
                "`bash` is missing"
            );
            eprintln!("SKIPPED: `{shell}` is missing, so its completions were not read by it");
            continue;
        };
        let mut input = reader.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        let output = reader.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && words.is_empty(),
            "{shell}: {words}"
        );
    }
}
