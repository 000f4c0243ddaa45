//! Runs the shell sessions of a document: fenced blocks marked `console`, lines that begin with
//! `$ ` are typed, what follows is the output. A line `...` stands for any lines, `[..]` for any
//! characters within one. All blocks of a document share one folder, in their order.

use std::path::Path;
use std::process::{Command, Stdio};

/// One command and what it should print.
struct Step {
    line: usize,
    command: String,
    wanted: Vec<String>,
}

/// Runs every session of `text` and says what differs.
pub(crate) fn run(document: &str, text: &str, folder: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for step in steps(text) {
        let printed = shell(&step.command, folder);
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let wanted: Vec<&str> = step.wanted.iter().map(String::as_str).collect();
        if !lines_match(&wanted, &printed) {
            wrong.push(format!(
                "{document} line {}: $ {}\n--- it says\n{}\n--- what is printed now\n{}",
                step.line,
                step.command,
                wanted.join("\n"),
                printed.join("\n")
            ));
        }
    }
    wrong
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_inside = false;
    for (place, line) in text.lines().enumerate() {
        match (is_inside, line) {
            (false, "```console") => is_inside = true,
            (true, "```") => is_inside = false,
            (true, line) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    line: place + 1,
                    command: command.to_owned(),
                    wanted: Vec::new(),
                }),
                (None, Some(step)) => step.wanted.push(line.trim_end().to_owned()),
                (None, None) => panic!("line {}: output before any command", place + 1),
            },
            (false, _) => {}
        }
    }
    steps
}

/// What a command prints on stdout and stderr, in the order in which it does.
fn shell(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_jitsi-install"));
    let bin = program.parent().expect("a program stands in a folder");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("output in UTF-8")
}

fn lines_match(wanted: &[&str], printed: &[&str]) -> bool {
    match wanted.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others)),
    }
}

fn line_matches(wanted: &str, line: &str) -> bool {
    match wanted.split_once("[..]") {
        None => wanted == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|cut| tail.is_char_boundary(*cut))
                .any(|cut| line_matches(rest, &tail[cut..]))
        }),
    }
}

#[test]
fn wildcards_stand_for_words_and_lines() {
    assert!(line_matches("a [..] c[..]", "a b b c"));
    assert!(!line_matches("a [..] c", "a b d"));
    assert!(lines_match(&["a", "...", "z"], &["a", "b", "c", "z"]));
    assert!(lines_match(&["...", "z"], &["z"]));
    assert!(!lines_match(&["a", "..."], &["b"]));
    assert!(!lines_match(&["a"], &["a", "b"]));
}
