//! SQLite's file in WAL mode, as the account service has it, read by Prosody's user through the group:
//! while the service runs, after its end, and after it was killed.
//!
//! The service is the program `sqlite3` here, held open.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::unistd::{Gid, Uid, User, chown};

use super::cases::{Cases, skip};
use super::databases::{Database, Kind};
use super::logins::ALL;
use super::people::{self, PASSWORD, Person};
use super::place::{self, Prosody, Way};
use super::xmpp::Login;

/// Nobody else's number.
const SERVICE: u32 = 64_321;

struct Service(Child, BufReader<ChildStdout>);

impl Service {
    fn start(file: &Path, group: Gid) -> Self {
        let mut child = Command::new("sqlite3")
            .arg(file)
            .uid(SERVICE)
            .gid(group.as_raw())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite3 starts");
        let stdout = child.stdout.take().expect("a pipe");
        Service(child, BufReader::new(stdout))
    }

    /// Until it is done.
    fn say(&mut self, sql: &str) {
        let mut stdin = self.0.stdin.as_ref().expect("a pipe");
        writeln!(stdin, "{sql}\n.system echo done").unwrap();
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert!(
                self.1.read_line(&mut line).unwrap() > 0,
                "sqlite3 ended at {sql}"
            );
        }
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }

    fn die(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// How many files of this name Prosody has open; another Prosody may run elsewhere, out of sight.
fn open_files(prosody: &Prosody, name: &str) -> usize {
    let pid = fs::read_to_string(prosody.folder.join("pid")).unwrap_or_default();
    let files = fs::read_dir(format!("/proc/{}/fd", pid.trim()))
        .into_iter()
        .flatten()
        .flatten();
    let paths = files.filter_map(|entry| fs::read_link(entry.path()).ok());
    paths
        .filter(|path| path.to_string_lossy().contains(name))
        .count()
}

fn newcomer(name: &'static str) -> String {
    people::insert(&Person {
        name,
        is_enabled: true,
        password: "!".to_owned(),
        scram_sha_1: Some(people::scram_sha_1(PASSWORD, b"0123456789abcdef", 4096)),
        scram_sha_256: None,
    })
}

#[test]
fn a_file_in_wal_mode_is_read_by_the_group() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    if !nix::unistd::geteuid().is_root() {
        skip("only root can be another user");
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("SQLite in WAL mode");
    let group = User::from_name("prosody")
        .unwrap()
        .expect("Prosody's package makes it")
        .gid;
    let (file, folder) = (
        database.file(),
        database.file().parent().unwrap().to_owned(),
    );
    let beside = |ending: &str| file.with_file_name(format!("accounts.sqlite-{ending}"));
    // what the installer lays out: the service's own, Prosody's group may read, and the group is inherited
    for (path, mode) in [(&file, 0o640), (&folder, 0o2750)] {
        chown(path, Some(Uid::from_raw(SERVICE)), Some(group)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let prosody = Prosody::start(
        place.path(),
        &format!(
            "{ALL}\nsql_hashed_database = {}",
            database.settings(place.path())
        ),
    );
    let is_in = |name: &str| {
        prosody
            .sign_in(Way::Bosh, &Login::scram_sha_1(name, PASSWORD))
            .map_err(|refusal| refusal.condition)
    };
    let get_in = |cases: &mut Cases, when: &str, names: &[&str]| {
        for name in names {
            let answer = is_in(name);
            cases.holds(&format!("{when}: {name}"), answer.is_ok(), || {
                format!("{answer:?}")
            });
        }
        // the next question is a new one after a bad one
        std::thread::sleep(Duration::from_millis(if is_in("ann").is_ok() {
            0
        } else {
            1200
        }));
    };
    get_in(&mut cases, "before the service", &["ann"]);

    let mut service = Service::start(&file, Gid::from_raw(SERVICE));
    service.say("PRAGMA journal_mode = WAL;");
    service.say(&newcomer("during"));
    let wal = fs::metadata(beside("wal")).map(|data| (data.mode() & 0o777, data.gid()));
    cases.same(
        "its log is for the group",
        wal.ok(),
        Some((0o640, group.as_raw())),
    );
    get_in(&mut cases, "while it runs", &["ann", "during"]);
    service.end();
    cases.holds(
        "it tidies up though Prosody was there",
        !beside("wal").exists(),
        String::new,
    );
    get_in(&mut cases, "after its end", &["ann", "during"]);
    cases.holds(
        "Prosody leaves nothing behind",
        !beside("wal").exists() && !beside("shm").exists(),
        String::new,
    );

    let mut service = Service::start(&file, Gid::from_raw(SERVICE));
    service.say(&newcomer("later"));
    service.die();
    cases.holds("its log is left", beside("wal").exists(), String::new);
    get_in(
        &mut cases,
        "after it was killed",
        &["ann", "during", "later"],
    );
    fs::remove_file(beside("shm")).unwrap();
    let answer = is_in("ann").map_err(|condition| condition == "temporary-auth-failure");
    cases.same(
        "without the index of its log nothing can be told",
        answer,
        Err(true),
    );
    std::thread::sleep(Duration::from_millis(1200));

    let mut service = Service::start(&file, Gid::from_raw(SERVICE));
    service.say(&newcomer("again"));
    get_in(
        &mut cases,
        "when it runs again",
        &["ann", "during", "later", "again"],
    );
    // Prosody asks all the time while somebody writes
    for one in 0..20 {
        service.say(&format!(
            "UPDATE people SET enabled = enabled WHERE username <> '{one}';"
        ));
        let answer = is_in("ann");
        cases.holds("while it writes", answer.is_ok(), || format!("{answer:?}"));
    }
    service.say("PRAGMA wal_checkpoint(TRUNCATE);");
    get_in(&mut cases, "after a checkpoint", &["again"]);
    service.end();
    get_in(&mut cases, "after the last end", &["again"]);
    cases.same("one word of it", prosody.says("cannot be asked").len(), 1);
    cases.same(
        "no file is left open",
        open_files(&prosody, "accounts.sqlite"),
        0,
    );
    cases.finish();
}
