//! `doctor` on a staged tree: well after `apply`, and every way to break it is named by its id.
#![cfg(feature = "install")]
#![allow(clippy::disallowed_methods, reason = "a test looks at the disk itself")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jitsi_install::doctor::QUESTIONS;
use serde_json::Value;

/// A tree after `apply`.
struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = format!("schema = 1\ndomain = \"meet.example.org\"\n{more}");
        fs::write(folder.path().join("site.toml"), &site).unwrap();
        let tree = Self { folder };
        let said = tree.run(&["apply", "--yes"]);
        assert!(said.status.success(), "{said:?}");
        tree
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
            .args(args)
            .arg("--root")
            .arg(self.folder.path())
            .args(["--family", "debian", "--site"])
            .arg(self.folder.path().join("site.toml"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "`{from}` is not in {path}");
        fs::write(self.path(path), text.replace(from, to)).unwrap();
    }

    /// What `doctor --json` says, and its exit code.
    fn examined(&self) -> (Vec<Value>, Option<i32>) {
        let said = self.run(&["doctor", "--json"]);
        let text = String::from_utf8(said.stdout).unwrap();
        let mut json: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{:?}", String::from_utf8(said.stderr)));
        let is_well = said.status.code() == Some(0);
        assert_eq!(json["ok"].as_bool(), Some(is_well));
        let checks = json["checks"].take();
        (checks.as_array().unwrap().clone(), said.status.code())
    }

    /// The ids with this verdict.
    fn ids(&self, verdict: &str) -> BTreeSet<String> {
        let (checks, _) = self.examined();
        checks
            .iter()
            .filter(|check| check["verdict"] == verdict)
            .map(|check| check["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

const AUTH: &str = "var/lib/prosody/auth%2emeet%2eexample%2eorg";
const HOST: &str = "etc/prosody/conf.d/meet.example.org.cfg.lua";

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A certificate for the site that ended long ago, signed by itself.
fn expired() -> (String, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["meet.example.org".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn a_fresh_tree_is_well() {
    let tree = Tree::new("[videobridge]\nwebsockets = true\n");
    let (checks, code) = tree.examined();
    assert_eq!(code, Some(0));
    let titles = |all: &[Value]| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.iter()
            .map(|one| (text(&one["id"]), text(&one["title"])))
            .collect()
    };
    let known: Vec<(String, String)> = QUESTIONS
        .iter()
        .map(|one| (one.id.to_owned(), one.title.to_owned()))
        .collect();
    assert_eq!(titles(&checks), known);
    assert_eq!(tree.ids("bad"), set(&[]));
    assert_eq!(tree.ids("warn"), set(&["D-12"]), "self-signed");
    for id in ["D-01", "D-05", "D-28", "D-33"] {
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
        assert_eq!(
            (check["verdict"].as_str(), check["evidence"].as_str()),
            (Some("skip"), Some("not a running machine")),
            "{id}"
        );
    }
}

#[test]
fn lines_are_for_people() {
    let tree = Tree::new("");
    fs::set_permissions(
        tree.path("etc/jitsi/certs/meet.example.org.key"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let said = tree.run(&["doctor"]);
    let (out, err) = (
        String::from_utf8(said.stdout).unwrap(),
        String::from_utf8(said.stderr).unwrap(),
    );
    assert_eq!(said.status.code(), Some(1));
    assert!(
        out.contains(
            "bad   D-46  secrets are long and private: `/etc/jitsi/certs/meet.example.org.key` has mode 0644\n  hint: `chmod o= FILE`"
        ),
        "{out}"
    );
    assert!(out.contains(
        "skip  D-01  Prosody's Lua finds what token log-in needs: not a running machine\n"
    ));
    assert!(err.contains(", 1 wrong, "), "{err}");
}

#[test]
fn before_an_apply_there_is_nothing_to_examine() {
    let folder = tempfile::tempdir().unwrap();
    let site = "schema = 1\ndomain = \"meet.example.org\"\n";
    fs::write(folder.path().join("site.toml"), site).unwrap();
    let tree = Tree { folder };
    let said = tree.run(&["doctor"]);
    assert_eq!(said.status.code(), Some(1));
    let err = String::from_utf8(said.stderr).unwrap();
    assert!(
        err.starts_with("error: nothing was applied here yet"),
        "{err}"
    );
    assert!(err.contains("hint: `jitsi-install plan`"), "{err}");
}

#[test]
fn every_breakage_is_named_by_its_id() {
    type Break = fn(&Tree);
    let cases: &[(&str, Break)] = &[
        ("D-06", |tree| {
            fs::write(
                tree.path(&format!("{AUTH}/accounts/focus.dat")),
                "return {};\n",
            )
            .unwrap();
        }),
        ("D-07", |tree| {
            fs::write(
                tree.path(&format!("{AUTH}/roster/focus.dat")),
                "return {};\n",
            )
            .unwrap();
        }),
        ("D-08", |tree| {
            tree.replace("etc/jitsi/jicofo/jicofo.conf", "jvbbrewery@", "brewery@");
        }),
        ("D-10", |tree| {
            fs::copy(
                tree.path("etc/prosody/certs/meet.example.org.crt"),
                tree.path("etc/prosody/certs/auth.meet.example.org.crt"),
            )
            .unwrap();
        }),
        ("D-11", |tree| {
            let other = Tree::new("");
            let store = "etc/jitsi/truststore.p12";
            fs::copy(other.path(store), tree.path(store)).unwrap();
        }),
        ("D-12", |tree| {
            let (certificate, key) = expired();
            fs::write(
                tree.path("etc/jitsi/certs/meet.example.org.crt"),
                certificate,
            )
            .unwrap();
            fs::write(tree.path("etc/jitsi/certs/meet.example.org.key"), key).unwrap();
        }),
        ("D-13", |tree| {
            let (certificate, _) = expired();
            fs::write(
                tree.path("etc/prosody/certs/meet.example.org.crt"),
                certificate,
            )
            .unwrap();
        }),
        ("D-14", |tree| {
            fs::write(tree.path("etc/jitsi/videobridge/jvb.p12"), "no store").unwrap();
        }),
        ("D-17", |tree| {
            let lib = tree.path("usr/share/jitsi-videobridge/lib");
            fs::create_dir_all(&lib).unwrap();
            for jar in [
                "jitsi-media-transform-2.3-1.jar",
                "jitsi-media-transform-2.3-2.jar",
            ] {
                fs::write(lib.join(jar), "").unwrap();
            }
        }),
        ("D-19", |tree| {
            tree.replace(
                HOST,
                "allow_empty_token = false",
                "allow_empty_token = true",
            );
        }),
        ("D-20", |tree| {
            tree.replace(HOST, "\"jitsi-anonymous\"", "\"anonymous\"");
        }),
        ("D-21", |tree| {
            tree.replace(HOST, "; \"muc_filter_access\"", "")
        }),
        ("D-22", |tree| {
            tree.replace(
                "etc/jitsi/jicofo/jicofo.conf",
                "enable-auto-owner = false",
                "enable-auto-owner = true",
            );
        }),
        ("D-26", |tree| {
            fs::write(
                tree.path("etc/jitsi/meet/meet.example.org-config.js"),
                "var config = {};",
            )
            .unwrap();
        }),
        ("D-36", |tree| {
            tree.replace(
                "etc/jitsi/videobridge/jvb.conf",
                "enabled = true",
                "enabled = false",
            );
        }),
        ("D-47", |tree| {
            tree.replace(
                "etc/nginx/sites-available/meet.example.org.conf",
                "proxy_set_header Authorization",
                "proxy_set_header X-Authorization",
            );
        }),
        ("D-46", |tree| {
            let secrets = tree.path("etc/jitsi-install/secrets.toml");
            let text = fs::read_to_string(&secrets).unwrap();
            let shortened = text.lines().map(|line| match line.split_once(" = ") {
                Some(("jvb_password", _)) => "jvb_password = \"hunter2\"",
                _ => line,
            });
            fs::write(&secrets, shortened.collect::<Vec<_>>().join("\n")).unwrap();
        }),
        ("D-54", |tree| {
            let own = "usr/local/share/jitsi-install/prosody-plugins/mod_guests_bring_no_token.lua";
            fs::remove_file(tree.path(own)).unwrap();
        }),
    ];
    for (id, spoil) in cases {
        let tree = Tree::new("[videobridge]\nwebsockets = true\n");
        spoil(&tree);
        let (checks, code) = tree.examined();
        assert_eq!(code, Some(1), "{id}");
        let named = checks
            .iter()
            .any(|check| check["id"] == *id && check["verdict"] == "bad");
        assert!(named, "{id} is not bad: {checks:#?}");
        let text = serde_json::to_string(&checks).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn what_is_left_over_or_drifted_is_a_warning() {
    let tree = Tree::new("");
    let old = "etc/jitsi/jicofo/sip-communicator.properties";
    fs::write(tree.path(old), "org.jitsi.jicofo.BRIDGE_MUC=x\n").unwrap();
    let conf = tree.path("etc/prosody/prosody.cfg.lua");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, format!("{text}-- by hand\n")).unwrap();
    assert_eq!(tree.examined().1, Some(0));
    assert_eq!(tree.ids("warn"), set(&["D-12", "D-43", "D-50"]));
}

#[test]
fn every_question_is_in_the_document_and_no_other() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md");
    let text = fs::read_to_string(place).unwrap();
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `D-")?.split(" | ");
            let id = cells.next()?.trim_end_matches('`');
            Some((id, cells.next()?))
        })
        .collect();
    let known: Vec<(&str, &str)> = QUESTIONS
        .iter()
        .map(|one| (one.id.trim_start_matches("D-"), one.title))
        .collect();
    assert_eq!(rows, known);
}
