//! `renew` in a staged tree: what hooks hand over, who gets it, and what happens when it is wrong,
//! twice, or cut short. `tests/acme/` has the real clients, `tests/booted/` the real services.
#![cfg(feature = "install")]
#![allow(clippy::disallowed_methods, reason = "these tests look at a tree")]

mod handed;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const NAME: &str = "meet.example.org";
const COPIES: [&str; 3] = [
    "etc/jitsi/certs/meet.example.org",
    "etc/prosody/certs/meet.example.org",
    "etc/jitsi/videobridge/jvb.p12",
];

struct Desk(tempfile::TempDir);

/// What a certificate is like.
struct Wish<'a> {
    names: &'a [&'a str],
    /// Days from now: first and last.
    days: (i64, i64),
}

const GOOD: Wish<'static> = Wish {
    names: &[NAME],
    days: (-1, 89),
};

impl Desk {
    fn new(source: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(desk.path("r")).unwrap();
        desk.site(source);
        let said = desk.run("apply --yes -q", &[]);
        assert!(said.status.success(), "{}", text(&said));
        desk
    }

    fn site(&self, source: &str) {
        let site = format!(
            "schema = 1\ndomain = \"{NAME}\"\n[certificates]\n{source}\n[videobridge]\nwebsockets = true\n"
        );
        std::fs::write(self.path("s.toml"), site).unwrap();
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
        command
            .args(verb.split(' '))
            .args("--site s.toml --root r --family debian".split(' '))
            .current_dir(self.0.path());
        command
    }

    fn run(&self, verb: &str, env: &[(&str, &str)]) -> Output {
        self.command(verb)
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    /// Writes a certificate, signed by itself, and its key; gives its fingerprint.
    fn issue(&self, wish: &Wish<'_>, chain: &str, key: &str) -> String {
        let pair = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = wish.names.iter().map(ToString::to_string).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now + time::Duration::days(wish.days.0);
        params.not_after = now + time::Duration::days(wish.days.1);
        let certificate = params.self_signed(&pair).unwrap();
        for (path, text) in [(chain, certificate.pem()), (key, pair.serialize_pem())] {
            let path = self.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        jitsi_install::keystore::describe(certificate.der())
            .unwrap()
            .fingerprint_sha256
    }

    /// The fingerprint that all copies have; panics when they differ or do not fit their keys.
    #[track_caller]
    fn shown(&self) -> String {
        let secrets =
            std::fs::read_to_string(self.path("r/etc/jitsi-install/secrets.toml")).unwrap();
        let secrets: toml::Table = toml::from_str(&secrets).unwrap();
        let password = secrets["keystore_password"].as_str().unwrap();
        let mut found = Vec::new();
        for copy in &COPIES[..2] {
            let read =
                |ending: &str| std::fs::read(self.path(&format!("r/{copy}.{ending}"))).unwrap();
            let pair =
                jitsi_install::keystore::KeyPair::from_pem(&read("crt"), &read("key")).unwrap();
            let store = std::fs::read(self.path(&format!("r/{}", COPIES[2]))).unwrap();
            let alias = jitsi_install::keystore::Alias::parse("jvb").unwrap();
            let password = jitsi_install::keystore::Password::parse(password).unwrap();
            assert!(
                jitsi_install::keystore::pkcs12_holds(&store, &pair, &alias, &password),
                "the keystore has another key than {copy}"
            );
            found.push(pair.fingerprint());
        }
        assert_eq!(found[0], found[1]);
        found.remove(0)
    }

    /// Inode and time of every file and folder that is not of the books.
    fn stamps(&self) -> BTreeMap<PathBuf, (u64, i64, i64)> {
        let mut stamps = BTreeMap::new();
        let mut folders = vec![self.path("r")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = std::fs::symlink_metadata(&path).unwrap();
                if path.ends_with("var/lib/jitsi-install") {
                    continue;
                }
                if meta.is_dir() {
                    folders.push(path.clone());
                }
                stamps.insert(path, (meta.ino(), meta.mtime(), meta.mtime_nsec()));
            }
        }
        stamps
    }
}

fn text(said: &Output) -> String {
    String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr)
}

#[track_caller]
fn succeeds(said: &Output, words: &str) {
    let text = text(said);
    assert!(said.status.success() && text.contains(words), "{text}");
}

#[track_caller]
fn fails(said: &Output, words: &str) {
    let text = text(said);
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_rollback_brings_no_old_certificate_back() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let wish = Wish {
        days: (-3, 60),
        ..GOOD
    };
    desk.issue(&wish, &format!("{home}.crt"), &format!("{home}.key"));
    succeeds(&desk.run("renew", &[]), "renewed");
    let site = std::fs::read_to_string(desk.path("s.toml")).unwrap();
    std::fs::write(
        desk.path("s.toml"),
        site.clone() + "[meet]\napp_name = \"Talk\"\n",
    )
    .unwrap();
    succeeds(&desk.run("apply --yes", &[]), "generation 2");
    let issued = desk.issue(&GOOD, &format!("{home}.crt"), &format!("{home}.key"));
    succeeds(&desk.run("renew", &[]), "renewed");
    let said = text(&desk.run("rollback --yes", &[]));
    assert!(said.contains("back at generation 1"), "{said}");
    assert_eq!(desk.shown(), issued);
    std::fs::write(desk.path("s.toml"), site).unwrap();
    succeeds(&desk.run("apply --yes", &[]), "nothing had to be changed");
    let said = text(&desk.run("uninstall --yes --purge", &[]));
    assert!(!desk.path("r/etc/jitsi").exists(), "{said}");
    assert!(
        !said.contains("kept what stood"),
        "the copies are known as ours: {said}"
    );
}

#[test]
fn the_private_certificate_changes_on_both_sides_at_once() {
    let desk = Desk::new("source = \"lego\"");
    let own = desk.shown();
    let auth = desk.path("r/etc/prosody/certs/auth.meet.example.org.crt");
    let first = std::fs::read_to_string(&auth).unwrap();
    // As it will be in ten years less three weeks.
    let wish = Wish {
        names: &["auth.meet.example.org"],
        days: (-3600, 21),
    };
    desk.issue(&wish, "auth.crt", "auth.key");
    let read = |path: &str| std::fs::read_to_string(desk.path(path)).unwrap();
    let path = desk.path("r/etc/jitsi-install/secrets.toml");
    let mut secrets: toml::Table =
        toml::from_str(&read("r/etc/jitsi-install/secrets.toml")).unwrap();
    secrets["auth_certificate"]["certificate"] = read("auth.crt").into();
    secrets["auth_certificate"]["key"] = read("auth.key").into();
    std::fs::write(&path, toml::to_string(&secrets).unwrap()).unwrap();
    let said = desk.run("renew", &[]);
    succeeds(&said, "auth.meet.example.org: renewed (3 files)");
    succeeds(&said, "nginx: in order");
    let now = std::fs::read_to_string(&auth).unwrap();
    assert!(now != first && now != read("auth.crt"), "a new one");
    // What Prosody shows is what Jicofo and the bridge trust, and what the secrets say.
    let store = std::fs::read(desk.path("r/etc/jitsi/truststore.p12")).unwrap();
    let store = jitsi_install::keystore::Store::open(&store, Some("changeit")).unwrap();
    let der = jitsi_install::keystore::certificates(now.as_bytes()).unwrap();
    assert_eq!(store.entries.len(), 1);
    assert_eq!(store.entries[0].chain, der);
    let leaf = jitsi_install::keystore::describe(&der[0]).unwrap();
    assert!(leaf.validity.not_after - leaf.validity.not_before > 3649 * 86_400);
    assert!(read("r/etc/jitsi-install/secrets.toml").contains(now.lines().nth(1).unwrap()));
    assert_eq!(desk.shown(), own, "nobody else hears of it");
    succeeds(&desk.run("renew", &[]), "nothing to do");
    succeeds(&desk.run("apply --yes", &[]), "nothing had to be changed");
}

#[test]
fn the_list_tells_what_is_old_ends_or_is_gone() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    fails(
        &desk.run("certificates status", &[]),
        "browsers do not know it, and lego has no other yet\n     now: browsers warn of the site\n",
    );
    let wish = Wish {
        days: (-1, 10),
        ..GOOD
    };
    let soon = desk.issue(&wish, &format!("{home}.crt"), &format!("{home}.key"));
    let said = desk.run("certificates status", &[]);
    for words in [
        "bad  lego                   certificate  until ",
        "     it ends in ",
        "bad  nginx                  certificate  until ",
        "     it is not the newest\n",
        "on: browsers do not reach the bridge's websockets\n     hint: `jitsi-install renew` hands it over\n",
        "ok   auth.meet.example.org  truststore   until ",
    ] {
        fails(&said, words);
    }
    succeeds(&desk.run("renew", &[]), "renewed");
    succeeds(&desk.run("certificates status --days 5", &[]), &soon[..16]);
    let said = desk.run("certificates status --json --days 5 --textfile m.prom", &[]);
    let list: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(list["ok"], true);
    let rows = list["certificates"].as_array().unwrap();
    let held = rows
        .iter()
        .filter(|row| row["fingerprint_sha256"] == soon.as_str());
    assert_eq!(held.count(), 4, "{list}");
    let metrics = std::fs::read_to_string(desk.path("m.prom")).unwrap();
    assert!(metrics.contains(
        "jitsi_install_certificate_ok{domain=\"meet.example.org\",consumer=\"videobridge\",form=\"keystore\",path=\"/etc/jitsi/videobridge/jvb.p12\"} 1\n"
    ));
    assert_eq!(
        metrics
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count(),
        12
    );
    // A key that does not fit, a store that is cut, a file that is gone.
    desk.issue(&GOOD, "x.crt", "r/etc/prosody/certs/meet.example.org.key");
    let store = desk.path(&format!("r/{}", COPIES[2]));
    let bytes = std::fs::read(&store).unwrap();
    std::fs::write(&store, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::remove_file(desk.path("r/etc/jitsi/truststore.p12")).unwrap();
    let said = desk.run("certificates status --days 5", &[]);
    for words in [
        "does not match the certificate",
        "now: browsers do not reach the bridge's websockets",
        "now: Jicofo and the bridge do not log in, and no meeting begins",
    ] {
        fails(&said, words);
    }
}

#[test]
fn two_at_once_take_turns() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let issued = desk.issue(&GOOD, &format!("{home}.crt"), &format!("{home}.key"));
    let all: Vec<_> = (0..4)
        .map(|_| {
            let mut command = desk.command("renew");
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let said: Vec<String> = all
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", text(&output));
            text(&output)
        })
        .collect();
    let busy = said.iter().filter(|text| text.contains("nginx: renewed"));
    assert_eq!(busy.count(), 1, "{said:?}");
    assert_eq!(desk.shown(), issued);
}

/// `strace` ends the program at its N-th write to the disk, as a power cut would, for every N; and
/// once more in what follows. The next run must always lead to the new certificate everywhere.
#[test]
fn a_power_cut_at_every_step_is_recovered() {
    let has = Command::new("strace").arg("-V").output();
    if !has.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
            "`strace` is not installed"
        );
        eprintln!("SKIPPED: `strace` is not installed");
        return;
    }
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let mut cuts = 0;
    for call in ["renameat", "renameat2", "fsync", "unlinkat", "mkdirat"] {
        for number in 1..500 {
            let wish = Wish {
                days: (-1, 30 + number),
                ..GOOD
            };
            let issued = desk.issue(&wish, &format!("{home}.crt"), &format!("{home}.key"));
            let mut cut = Command::new("strace");
            cut.args(["-f", "-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={call}"))
                .arg("-e")
                .arg(format!("inject={call}:signal=SIGKILL:when={number}"))
                .arg(env!("CARGO_BIN_EXE_jitsi-install"))
                .args("renew --bridge now --site s.toml --root r --family debian".split(' '))
                .current_dir(desk.path(""));
            let said = cut.output().unwrap();
            let is_over = said.status.success();
            succeeds(&desk.run("renew", &[]), "");
            let history = text(&desk.run("history", &[]));
            assert_eq!(history.lines().count(), 1, "{history}");
            assert_eq!(desk.shown(), issued, "{call} {number}");
            let plan = text(&desk.run("plan", &[]));
            assert!(
                plan.contains("0 to create, 0 to change, 0 to remove"),
                "{plan}"
            );
            assert_eq!(leftovers(&desk.path("r/etc")), Vec::<PathBuf>::new());
            if is_over {
                break;
            }
            cuts += 1;
        }
    }
    eprintln!("{cuts} power cuts");
    assert!(cuts >= 30, "{cuts}");
}

fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(leftovers(&path));
        } else if path.extension().is_some_and(|ending| ending == "new") {
            found.push(path);
        }
    }
    found
}
