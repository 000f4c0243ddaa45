//! `try` itself: what it prints, how it ends, what it leaves.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::cases::{Cases, are_here, find, say};
use super::site::{DOMAIN, Server, Site, Trial, token_in};

/// An ended trial should have left nothing.
fn left_nothing(trial: &Trial, cases: &mut Cases) {
    cases.same("the folder is gone", trial.left_over(), Vec::new());
    cases.same("nothing runs", trial.processes(), Vec::new());
}

#[test]
fn staged_and_left() {
    let mut cases = Cases::new("try --no-start --keep");
    let mut trial = Trial::start(&["--no-start", "--keep"], None);
    let said = cases
        .must("it prints JSON", trial.said())
        .unwrap_or_default();
    cases.same(
        "it ends well",
        trial.wait().and_then(|status| status.code()),
        Some(0),
    );
    cases.same("domain", said["domain"].as_str(), Some(DOMAIN));
    cases.same(
        "nothing runs",
        said["running"].as_array().map(Vec::len),
        Some(0),
    );
    cases.same("no address", &said["url"], &Value::Null);
    let folder = said["folder"].as_str().unwrap_or_default().to_owned();
    let stderr = trial.stderr();
    for words in [format!("left `{folder}`"), "look at".to_owned()] {
        cases.holds("it says how to look", stderr.contains(&words), || {
            stderr.clone()
        });
    }
    let left: Vec<String> = trial
        .left_over()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    cases.same("the folder stays", left, vec![folder.clone()]);
    let secrets = fs::metadata(format!("{folder}/etc/jitsi-install/secrets.toml"));
    let mode = secrets
        .map(|found| found.mode() & 0o777)
        .map_err(|error| error.to_string());
    cases.same("the secrets are closed", mode, Ok(0o600));
    mint_in(&folder, &trial, &mut cases);
    cases.finish();
}

/// `token mint` finds the secret of a staged tree.
fn mint_in(folder: &str, trial: &Trial, cases: &mut Cases) {
    let site = trial.place.path().join("site.toml");
    let text = format!("schema = 1\ndomain = \"{DOMAIN}\"\n");
    cases.must("a site file", fs::write(&site, text));
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
        command
            .args(words)
            .args(["--root", folder, "--site"])
            .arg(&site);
        let output = command.output().expect("the binary starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, token, words) = run(&["token", "mint", "--room", "Hall"]);
    cases.holds("token mint", code == Some(0), || words);
    let (code, text, words) = run(&["token", "inspect", &token, "--room", "hall"]);
    let accepted = code == Some(0) && text.contains("the site accepts it");
    cases.holds("token inspect accepts it", accepted, || {
        format!("{text}\n{words}")
    });
}

#[test]
fn staged_and_removed() {
    let mut cases = Cases::new("try --no-start");
    let mut trial = Trial::start(&["--no-start"], None);
    cases.must("it prints JSON", trial.said());
    cases.same(
        "it ends well",
        trial.wait().and_then(|status| status.code()),
        Some(0),
    );
    left_nothing(&trial, &mut cases);
    cases.finish();
}

/// Prosody lies in `/usr/bin`, and `try` looks beside the `PATH` only where system programs are.
#[test]
fn without_prosody_it_says_so() {
    if ["/usr/local/sbin", "/usr/sbin", "/sbin"]
        .iter()
        .any(|place| fs::exists(format!("{place}/prosody")).unwrap_or(false))
    {
        say("SKIPPED: prosody cannot be hidden here");
        return;
    }
    let mut cases = Cases::new("try without prosody");
    let place = super::site::public_folder();
    let output = Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
        .args(["try", "--domain", DOMAIN])
        .env("PATH", "/nonexistent")
        .env("TMPDIR", place.path())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the binary starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    cases.same("it ends well", output.status.code(), Some(0));
    for wanted in [
        "nothing was started: `prosody` is not on this machine",
        "look at",
        "removed `",
    ] {
        cases.holds(wanted, words.contains(wanted), || words.clone());
    }
    let left = fs::read_dir(place.path()).into_iter().flatten().count();
    cases.same("nothing is left", left, 0);
    cases.finish();
}

#[test]
fn nonsense_is_refused() {
    let mut cases = Cases::new("try with nonsense");
    let table: [(&[&str], i32, &str); 4] = [
        (&["--web", "apache"], 64, "apache"),
        (&["--nonsense"], 64, "--nonsense"),
        (&["--no-start", "--room", "a/b"], 64, "a/b"),
        (&["--plugins", "/nonexistent"], 1, "/nonexistent"),
    ];
    for (args, code, words) in table {
        let mut trial = Trial::start(args, None);
        let name = args.join(" ");
        cases.same(
            &name,
            trial.wait().and_then(|status| status.code()),
            Some(code),
        );
        let stderr = trial.stderr();
        cases.holds(&name, stderr.contains(words), || stderr.clone());
        left_nothing(&trial, &mut cases);
    }
    cases.finish();
}

#[test]
fn both_signals_end_it_and_keep_keeps() {
    if !are_here(&["prosody", "nginx"]) {
        return;
    }
    let mut cases = Cases::new("try, ended from outside");
    for (signal, keep) in [(Signal::SIGTERM, false), (Signal::SIGINT, true)] {
        let args: &[&str] = if keep {
            &["--web", "nginx", "--keep"]
        } else {
            &["--web", "nginx"]
        };
        let trial = Trial::start(args, None);
        let Some(mut site) = cases.must("a site", Site::of(trial, Server::Nginx)) else {
            continue;
        };
        let link = token_in(&site.url);
        cases.holds("the address holds a token", link.is_some(), || {
            site.url.clone()
        });
        cases.same(
            "both run",
            (site.pid("prosody").is_some(), site.pid("nginx").is_some()),
            (true, true),
        );
        site.trial.signal(signal);
        let code = site.trial.wait().and_then(|status| status.code());
        cases.same(&format!("{signal} ends it well"), code, Some(0));
        cases.same("nothing runs", site.still_running(), Vec::new());
        let stays = site.folder.join("etc/prosody/prosody.cfg.lua").is_file();
        cases.same("the folder stays as asked", stays, keep);
        if keep {
            let stderr = site.trial.stderr();
            let words = "the folder stays";
            cases.holds(words, stderr.contains(words), || stderr.clone());
        }
    }
    cases.finish();
}

#[test]
fn a_killed_prosody_ends_it() {
    if !are_here(&["prosody", "nginx"]) {
        return;
    }
    let mut cases = Cases::new("try, when a server dies");
    for server in ["prosody", "nginx"] {
        let mut site = Site::start(Server::Nginx);
        let pid = site.pid(server).and_then(|pid| i32::try_from(pid).ok());
        cases.must("it runs", pid.ok_or("no pid"));
        // zero would be this process's own group
        let _ = pid
            .filter(|pid| *pid > 1)
            .map(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL));
        cases.same(
            "it ends with an error",
            site.trial.wait().and_then(|status| status.code()),
            Some(1),
        );
        let stderr = site.trial.stderr();
        let words = format!("error: {server} has ended; its last words:");
        cases.holds(&words, stderr.contains(&words), || stderr.clone());
        cases.same("the folder is gone", site.trial.left_over(), Vec::new());
        cases.same("nothing runs", site.still_running(), Vec::new());
    }
    cases.finish();
}

/// A server that does not come up: its words are shown, and nothing is left.
#[test]
fn a_server_that_fails_is_quoted() {
    if find("nginx").is_none() {
        return;
    }
    let ours = super::site::public_folder();
    let script = ours.path().join("prosody");
    let mut cases = Cases::new("try, when a server fails");
    cases.must(
        "a script",
        fs::write(&script, "#!/bin/sh\necho no such luck >&2\nexit 3\n"),
    );
    let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    cases.must("is a program", fs::set_permissions(&script, open));
    let mut trial = Trial::start(&["--web", "nginx"], Some(ours.path()));
    cases.same(
        "it ends with an error",
        trial.wait().and_then(|status| status.code()),
        Some(1),
    );
    let stderr = trial.stderr();
    for words in [
        "prosody did not come up",
        "no such luck",
        "--no-start --keep",
    ] {
        cases.holds(words, stderr.contains(words), || stderr.clone());
    }
    left_nothing(&trial, &mut cases);
    cases.finish();
}
