//! `examples/ci`: judged by the schemas of GitHub and GitLab and by shellcheck, and run. The program is this
//! one, with a catalogue, a mirror and an index of its own; curl and the scanner are stand-ins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::cases::{self, Cases};
use super::rootfs::digest;
use super::shell::{done, told};
use super::{python, root};

/// Each pipeline, and by which schema it is judged.
const PIPELINES: [(&str, &[&str]); 2] = [
    (
        "github-actions.yml",
        &["--builtin-schema", "vendor.github-workflows"],
    ),
    (
        "gitlab-ci.yml",
        &[
            "--builtin-schema",
            "vendor.gitlab-ci",
            "--data-transform",
            "gitlab-ci",
        ],
    ),
];

const TO_JSON: &str = "
import json, sys
from ruamel.yaml import YAML
json.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)
";

fn place(name: &str) -> PathBuf {
    root().join("examples/ci").join(name)
}

#[test]
fn pipelines_are_what_their_readers_expect() {
    let (Some(judge), Some(python)) = (
        python::program("check-jsonschema"),
        python::program("python"),
    ) else {
        return;
    };
    if !cases::are_here(&["shellcheck"]) {
        return;
    }
    let mut cases = Cases::new("pipelines");
    let shellcheck = done(Command::new("shellcheck").arg(place("nightly")));
    cases.must("shellcheck has nothing against `nightly`", shellcheck);
    for (name, schema) in PIPELINES {
        let judged = |file: &Path| done(Command::new(&judge).args(schema).arg(file));
        cases.must(name, judged(&place(name)));
        let text = fs::read_to_string(place(name)).unwrap_or_default();
        let folder = tempfile::tempdir().unwrap();
        let spoiled = folder.path().join(name);
        let keys = [
            ("runs-on:", "runs-of:"),
            ("interruptible: true", "interruptible: perhaps"),
        ];
        let wrong = keys
            .iter()
            .fold(text, |text, (right, wrong)| text.replace(right, wrong));
        fs::write(&spoiled, wrong).unwrap();
        let refused = judged(&spoiled).is_err();
        cases.holds(name, refused, || "what is wrong is not refused".to_owned());
        let json = told(Command::new(&python).args(["-c", TO_JSON]).arg(place(name)));
        if let Some(json) = cases.must(name, json) {
            let pipeline: Value = serde_json::from_str(&json).unwrap();
            is_careful(&mut cases, name, &pipeline);
        }
    }
    cases.finish();
}

/// Nothing moves behind our back, nothing downloaded goes into a shell, and no token may write.
fn is_careful(cases: &mut Cases, name: &str, pipeline: &Value) {
    let (mut lines, mut images) = (Vec::new(), 0);
    walk(pipeline, "", &mut |key, value| match (key, value) {
        ("run" | "script" | "before_script" | "after_script", Value::String(line)) => {
            lines.push(line.clone());
        }
        ("uses", Value::String(action)) => {
            let commit = action.split('@').nth(1).unwrap_or_default();
            let is_one = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            cases.holds(name, is_one, || format!("{action} can move"));
        }
        ("image", Value::String(image)) | ("name", Value::String(image))
            if image.contains('/') || key == "image" =>
        {
            images += 1;
            let is_one = image
                .split("@sha256:")
                .nth(1)
                .is_some_and(|d| d.len() == 64);
            cases.holds(name, is_one, || format!("{image} can move"));
        }
        ("contents" | "packages" | "id-token" | "actions", Value::String(right)) => {
            cases.same(name, right.as_str(), "read");
        }
        _ => {}
    });
    cases.holds(name, images > 0 && lines.len() >= 4, || {
        format!("{images} {lines:?}")
    });
    if name.starts_with("github") {
        let rights = &pipeline["permissions"];
        cases.same(name, rights, &serde_json::json!({}));
    }
    let steps = fs::read_to_string(place("nightly")).unwrap_or_default();
    for line in lines {
        let script = tempfile::Builder::new().suffix(".sh").tempfile().unwrap();
        fs::write(script.path(), format!("#!/bin/sh\n{line}\n")).unwrap();
        cases.must(&line, done(Command::new("shellcheck").arg(script.path())));
        if let Some((_, step)) = line.split_once("./nightly ") {
            let known = steps.contains(&format!("\n  {step}) "));
            cases.holds(&line, known, || "no such step".to_owned());
        }
    }
}

fn walk(value: &Value, key: &str, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(all) => all.iter().for_each(|(key, value)| walk(value, key, see)),
        Value::Array(all) => all.iter().for_each(|value| walk(value, key, see)),
        _ => see(key, value),
    }
}

/// Writes down what the program was asked.
const WRITTEN_DOWN: &str = "#!/bin/sh\necho \"$*\" >>\"$ASKED\"\nexec \"$REAL\" \"$@\"\n";

/// One piece, as upstream releases it; its hash comes behind.
const CATALOGUE: &str = r#"
schema = 1
[upstream]
index = "https://download.example.org/stable/"
key = "https://download.example.org/key"
fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
metapackage = "jitsi-meet"
[[piece]]
name = "jicofo"
summary = "conference focus"
description = "Manages sessions."
licence = "Apache-2.0"
copyright = "Somebody"
homepage = "https://www.example.org/"
style = "upstream-deb"
place = [{ from = "usr/share/jicofo", to = "usr/share/jicofo-{version}" }]
link = [{ path = "usr/share/jicofo", target = "jicofo-{version}" }]
[[piece.release]]
version = "1.0-1"
set = "2.0.1"
time = 1780272000
[[piece.release.source]]
url = "https://download.example.org/stable/jicofo_1.0-1_all.deb"
record = "upstream"
sha256 = "#;

const CONTROL: &str = "Package: jicofo\nVersion: 1.0-1\nArchitecture: all\n\
    Maintainer: Somebody <somebody@example.org>\nDescription: conference focus\n";

/// Hands out what lies in a folder, if it is asked in the way that is meant.
const CURL: &str = r#"#!/bin/sh
case "$*" in
  *"--proto =https --output program.tar.xz https://download.example.org/x.tar.xz") cp "$HANDED_OUT" program.tar.xz ;;
  *) exit 1 ;;
esac
"#;

const SCANNER: &str = "#!/bin/sh\necho \"$*\" >>\"$ASKED\"\n";

#[test]
fn the_night_goes_step_by_step() {
    if !cases::are_here(&["jq", "tar", "xz", "sha256sum", "dpkg-deb"]) {
        return;
    }
    let mut cases = Cases::new("a night");
    let night = Night::falls();
    let ask = |step: &str, more: &[(&str, &str)]| night.ask(step, more);
    let code = |output: &Output| output.status.code();

    let wrong = ask("get", &[("JITSI_INSTALL_SHA256", &"0".repeat(64))]);
    cases.holds(
        "another program is refused",
        !wrong.status.success(),
        || format!("{wrong:?}"),
    );
    cases.holds(
        "and not unpacked",
        !night.path("program").exists(),
        String::new,
    );
    let got = ask("get", &[]);
    cases.holds("the program is there", got.status.success(), || {
        format!("{got:?}")
    });
    let fresh = ask("outdated", &[]);
    cases.holds("in order", code(&fresh) == Some(0), || format!("{fresh:?}"));
    night.index("1.1-1", "2.0.2-1");
    cases.same("outdated", code(&ask("outdated", &[])), Some(2));
    night.index("1.0-1", "2.0.1-1");
    let broken = ask("build", &[("PIECES", "no-such-piece")]);
    cases.holds(
        "a failed build is a failure",
        !broken.status.success(),
        || format!("{broken:?}"),
    );
    let sums = night.path("packages/SHA256SUMS");
    cases.holds("and nothing is summed up", !sums.exists(), String::new);
    let built = ask("build", &[]);
    cases.holds("packages are built", built.status.success(), || {
        format!("{built:?}")
    });
    let sums = fs::read_to_string(sums).unwrap_or_default();
    for name in [
        "jicofo-1.0_1-noarch-1_ji.txz",
        "jicofo-1.0_1-noarch-1_ji.cdx.json",
        "jicofo_1.0-1-1+ji1_all.deb",
        "jicofo_1.0-1-1+ji1_all.cdx.json",
        "jitsi-install.cdx.json",
    ] {
        cases.holds(name, sums.contains(&format!("  {name}\n")), || sums.clone());
    }
    let again = (sums.clone(), ask("build", &[]).status.success());
    let sums_again = fs::read_to_string(night.path("packages/SHA256SUMS"));
    cases.same(
        "the next night",
        (sums_again.unwrap_or_default(), true),
        again,
    );
    cases.same("scanned", code(&ask("scan", &[])), Some(0));
    let asked = fs::read_to_string(night.path("asked")).unwrap_or_default();
    let last = asked.lines().last().unwrap_or_default();
    let lists = last.matches("--lockfile packages/").count();
    cases.same(
        "every list is scanned",
        lists,
        sums.matches(".cdx.json\n").count(),
    );
    cases.same("an unknown step", code(&ask("party", &[])), Some(64));
    cases.finish();
}

/// A folder with the script, and a path of stand-ins.
struct Night(tempfile::TempDir);

impl Night {
    fn falls() -> Self {
        let night = Night(tempfile::tempdir().unwrap());
        night.program("bin/curl", CURL);
        night.program("bin/osv-scanner", SCANNER);
        night.program("release/jitsi-install-1/sbin/jitsi-install", WRITTEN_DOWN);
        night.mirror();
        night.index("1.0-1", "2.0.1-1");
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(night.path("release")).arg("-cJf");
        done(tar.arg(night.path("release.tar.xz")).arg("jitsi-install-1")).unwrap();
        night
    }

    /// Upstream's package, and a catalogue that knows it.
    fn mirror(&self) {
        let file = "mirror/jicofo_1.0-1_all.deb";
        fs::create_dir_all(self.path("upstream/usr/share/jicofo/lib")).unwrap();
        fs::create_dir_all(self.path("upstream/DEBIAN")).unwrap();
        fs::create_dir_all(self.path("mirror")).unwrap();
        fs::write(self.path("upstream/DEBIAN/control"), CONTROL).unwrap();
        let jar = self.path("upstream/usr/share/jicofo/lib/small-1.2.jar");
        fs::write(jar, "no archive").unwrap();
        let mut pack = Command::new("dpkg-deb");
        pack.args(["--build", "--root-owner-group"]);
        done(pack.arg(self.path("upstream")).arg(self.path(file))).unwrap();
        let sum = digest(&fs::read(self.path(file)).unwrap());
        fs::write(
            self.path("catalogue.toml"),
            format!("{CATALOGUE}\"{sum}\"\n"),
        )
        .unwrap();
    }

    /// What upstream has: a version of Jicofo, and of the set around it.
    fn index(&self, jicofo: &str, set: &str) {
        let deb = fs::read(self.path("mirror/jicofo_1.0-1_all.deb")).unwrap();
        let stanza = |name: &str, version: &str, more: &str| {
            let (size, sum) = (deb.len(), digest(&deb));
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\n{more}\
                 Filename: stable/{name}_{version}_all.deb\nSize: {size}\nSHA256: {sum}\n\n"
            )
        };
        let pin = format!("Depends: jicofo (= {jicofo})\n");
        let index = stanza("jicofo", jicofo, "") + &stanza("jitsi-meet", set, &pin);
        fs::write(self.path("Packages"), index).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn ask(&self, step: &str, more: &[(&str, &str)]) -> Output {
        let release = fs::read(self.path("release.tar.xz")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new(place("nightly"))
            .arg(step)
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("REAL", env!("CARGO_BIN_EXE_jitsi-install"))
            .env("ASKED", self.path("asked"))
            .env("JITSI_INSTALL_CATALOGUE", self.path("catalogue.toml"))
            .env("JITSI_INSTALL_INDEX", self.path("Packages"))
            .env("JITSI_INSTALL_FROM", self.path("mirror"))
            .env("HANDED_OUT", self.path("release.tar.xz"))
            .env("JITSI_INSTALL_URL", "https://download.example.org/x.tar.xz")
            .env("JITSI_INSTALL_SHA256", digest(&release))
            .envs(more.iter().copied())
            .output()
            .unwrap()
    }
}
