//! What the user types and sees: every message, exit code and stream, pinned.
#![cfg(feature = "install")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod files;
mod sites;
mod tokens;

use std::path::Path;
use std::process::{Command, Output};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn run_in(folder: &Path, args: &str) -> Said {
    let args: Vec<&str> = args.split_whitespace().collect();
    let output: Output = Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
        .args(&args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a staged root `r` and a site file `s.toml`.
fn desk(site: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("r")).unwrap();
    std::fs::write(folder.path().join("s.toml"), site).unwrap();
    folder
}

const SMALL: &str = "schema = 1\ndomain = \"meet.example.org\"\n";
const STAGED: &str = "--site s.toml --root r --family debian";

#[track_caller]
fn refuses(folder: &Path, args: &str, code: i32, err: &str) {
    let said = run_in(folder, args);
    assert_eq!(said.err, err, "{args}");
    assert_eq!((said.code, said.out.as_str()), (code, ""), "{args}");
}

#[test]
fn the_machine_itself_is_for_root() {
    // Nothing here ever changes the machine that runs the tests: `plan` only, and not as root.
    let desk = desk(SMALL);
    let as_nobody = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .args([env!("CARGO_BIN_EXE_jitsi-install"), "plan", "--root", "/"])
        .current_dir("/")
        .output();
    match as_nobody {
        Ok(output) if output.status.code() == Some(77) => {
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                err,
                "error: the machine itself is for root\n  hint: run it as root, or with `sudo`; or give `--root DIR` \
                 to lay out a tree to look at, copy or package\n"
            );
        }
        other => eprintln!("SKIPPED: nobody could not be asked: {other:?}"),
    }
    refuses(
        desk.path(),
        "plan --site s.toml --root nowhere",
        1,
        "error: there is no folder `nowhere`\n  hint: make it first: `mkdir -p nowhere`\n",
    );
    refuses(
        desk.path(),
        "plan --site s.toml --root r",
        64,
        "error: the tree does not say which system it is\n  hint: name its family: `--family debian` or `--family slackware`\n",
    );
}

#[test]
fn events_tell_when_they_happened() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes --json"));
    assert_eq!(said.code, 0, "{}", said.err);
    let events: Vec<serde_json::Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let at: Vec<u64> = events
        .iter()
        .map(|event| event["ms"].as_u64().unwrap())
        .collect();
    assert!(at.is_sorted() && at.len() > 50, "{at:?}");
    let (first, last) = (at[0], at[at.len() - 1]);
    assert!(0 < first && first < last && last < 120_000, "{at:?}");
    assert_eq!(events[at.len() - 1]["event"], "result");
}

#[test]
fn a_session_from_plan_to_rollback() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), &format!("plan {STAGED} --exit-code"));
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.out
            .contains("+++ /etc/prosody/conf.d/meet.example.org.cfg.lua")
    );
    assert!(said.out.contains("+  app_secret = \"••••••\""));
    assert!(said.out.contains("(secret contents, not shown)"));
    assert_eq!(
        std::fs::read_dir(desk.path().join("r")).unwrap().count(),
        0,
        "a plan writes nothing"
    );

    let said = run_in(desk.path(), &format!("apply {STAGED}"));
    assert_eq!(said.code, 64);
    assert_eq!(
        said.err,
        "error: there is no terminal to ask on, and nothing was changed\n  hint: say yes beforehand: `jitsi-install apply --yes`\n"
    );
    assert!(!desk.path().join("r/etc").exists());

    let said = run_in(desk.path(), &format!("apply {STAGED} --yes"));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("[1/") && said.err.contains("generation 1: "),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes"));
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        said.err,
        "everything is in order: nothing had to be changed\n"
    );
    let said = run_in(desk.path(), &format!("plan {STAGED} --exit-code"));
    assert_eq!(said.code, 0);
    assert!(said.out.contains("0 to create, 0 to change, 0 to remove"));

    std::fs::write(
        desk.path().join("s.toml"),
        format!("{SMALL}[prosody]\nlog_level = \"debug\"\n"),
    )
    .unwrap();
    let said = run_in(desk.path(), &format!("plan {STAGED} --json"));
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["summary"]["change"], 1);
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes --only jicofo"));
    assert_eq!(
        said.err, "everything is in order: nothing had to be changed\n",
        "the change is Prosody's"
    );
    let said = run_in(
        desk.path(),
        &format!("apply {STAGED} --yes --only prosody -q"),
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let said = run_in(desk.path(), "history --root r");
    let titles: Vec<&str> = said
        .out
        .lines()
        .map(|line| line.rsplit("  ").next().unwrap())
        .collect();
    assert_eq!(titles, ["apply", "apply"]);
    let said = run_in(desk.path(), "rollback --root r --yes");
    assert_eq!(said.code, 0);
    assert!(
        said.err
            .ends_with("back at generation 1; this is generation 3, 1 steps\n"),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), "rollback 7 --root r --yes");
    assert_eq!(
        said.err,
        "error: there is no generation 7 to go back to\n  hint: `jitsi-install history` lists them\n"
    );
    assert_eq!(said.code, 1);
    let said = run_in(desk.path(), "rollback 0 --root r --yes -q");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(!desk.path().join("r/etc/jitsi").exists());
    assert!(
        desk.path()
            .join("r/etc/jitsi-install/secrets.toml")
            .exists(),
        "secrets are kept"
    );
}

#[test]
fn usage_errors_are_64_and_help_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        "",
        "plna",
        "plan --nonsense",
        "apply --only nothing",
        "token",
        "keystore build",
        "plan -v -q",
    ] {
        let said = run_in(folder.path(), args);
        assert_eq!((said.code, said.out.as_str()), (64, ""), "`{args}`");
        assert!(!said.err.is_empty());
    }
    for args in [
        "--help",
        "--version",
        "plan --help",
        "help apply",
        "token mint --help",
    ] {
        let said = run_in(folder.path(), args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "`{args}`");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let desk = desk(SMALL);
    assert!(
        !run_in(desk.path(), &format!("plan {STAGED}"))
            .out
            .contains('\x1b')
    );
    assert!(
        run_in(desk.path(), &format!("plan {STAGED} --color always"))
            .out
            .contains("\x1b[32m+")
    );
    assert!(
        run_in(desk.path(), "plan --color always")
            .err
            .starts_with("\x1b[31merror\x1b[0m: ")
    );
}
