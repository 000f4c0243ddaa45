//! `package build` as it is typed: what is made, what others read in it, that it is the same bytes again, and
//! that nothing is left when it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::cases::{Cases, are_here};
use super::upstream;

const VERSION: &str = "1.0-9001";

/// A folder with a catalogue, sources and a cache.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["sources", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A catalogue with a piece: what stands before its releases, and its sources.
    pub(crate) fn catalogue(&self, piece: &str, version: &str, files: &[(&str, &str)]) {
        let mut text = format!(
            "schema = 1\n[upstream]\nindex = \"https://example.org/\"\nkey = \"https://example.org/key\"\n\
             fingerprint = \"0000000000000000000000000000000000000000\"\nmetapackage = \"toys\"\n{piece}\n\
             [[piece.release]]\nversion = \"{version}\"\ntime = 1780000000\nsource = [\n"
        );
        for (file, more) in files {
            let bytes = fs::read(self.path("sources").join(file)).expect("a source");
            let hash: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            text.push_str(&format!(
                "{{ url = \"https://example.org/{file}\", sha256 = \"{hash}\", size = {}, record = \"computed\"{more} }},\n",
                bytes.len()
            ));
        }
        text.push_str("]\n");
        fs::write(self.path("catalogue.toml"), text).expect("a catalogue");
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
        command
            .args(["--quiet", "package"])
            .args(words)
            .arg("--catalogue")
            .arg(self.path("catalogue.toml"))
            .arg("--cache")
            .arg(self.path("cache"))
            .env_remove("SOURCE_DATE_EPOCH");
        command
    }

    pub(crate) fn fetch(&self) {
        let from = self.path("sources");
        let output = self
            .command(&["fetch"])
            .arg("--from")
            .arg(from)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
    }

    pub(crate) fn build(&self, name: &str, format: &str, out: &Path) -> Output {
        self.command(&["build", name, "--format", format])
            .arg("--out")
            .arg(out)
            .output()
            .expect("it runs")
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

const PIECE: &str = r#"
[[piece]]
name = "jicofo"
summary = "conference focus"
description = "A stand-in is taken apart."
licence = "Apache-2.0"
copyright = "nobody"
homepage = "https://example.org/jicofo"
style = "upstream-deb"
place = [{ from = "usr/share/jicofo", to = "usr/share/jicofo-{version}" }]
link = [{ path = "usr/share/jicofo", target = "jicofo-{version}" }]
file = [{ from = "rc.jicofo", to = "etc/rc.d/rc.jicofo" }]
config = ["etc/rc.d/rc.jicofo"]
"#;

const TXZ: &str = "jicofo-1.0_9001-noarch-1_ji.txz";
const DEB: &str = "jicofo_1.0-9001-1+ji1_all.deb";

/// With upstream's stand-in among the sources.
fn desk() -> Desk {
    let desk = Desk::new();
    let file = upstream::JICOFO
        .build(VERSION, &desk.path("sources"))
        .expect("a stand-in");
    let name = file
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    desk.catalogue(PIECE, VERSION, &[(&name, "")]);
    desk
}

fn sh(cases: &mut Cases, what: &str, folder: &Path, line: &str) {
    let output = Command::new("bash")
        .args(["-ec", line])
        .current_dir(folder)
        .output()
        .expect("bash runs");
    cases.holds(what, output.status.success(), || said(&output));
}

#[test]
fn others_read_what_is_built_and_it_is_the_same_again() {
    if !are_here(&["dpkg-deb", "ar", "xz", "tar", "shellcheck"]) {
        return;
    }
    let mut cases = Cases::new("package build");
    let desk = desk();
    desk.fetch();
    let out = desk.path("out");
    for format in ["txz", "deb"] {
        let output = desk.build("jicofo", format, &out);
        cases.holds(format, output.status.success(), || said(&output));
    }
    let list = |name: &str| {
        name.rsplit_once('.')
            .map(|(stem, _)| format!("{stem}.cdx.json"))
    };
    let expected: Vec<String> = [TXZ, DEB]
        .iter()
        .flat_map(|name| [list(name).unwrap(), (*name).to_owned()])
        .collect();
    cases.same(
        "packages and their lists, and nothing else",
        names(&out),
        expected,
    );
    for (what, line) in [
        ("xz", format!("xz -t {TXZ}")),
        (
            "tar",
            format!("tar -tvJf {TXZ} | head -n 1 | grep -q ' \\./$'"),
        ),
        (
            "shellcheck",
            format!(
                "tar -xJOf {TXZ} install/doinst.sh > d.sh && shellcheck -s sh -e SC2164 d.sh; rm d.sh"
            ),
        ),
        (
            "bash",
            format!("tar -xJOf {TXZ} install/doinst.sh | bash -n"),
        ),
        (
            "ar",
            format!(
                "test \"$(ar t {DEB} | tr '\\n' ' ')\" = 'debian-binary control.tar.xz data.tar.xz '"
            ),
        ),
        (
            "dpkg-deb",
            format!("dpkg-deb -I {DEB} && dpkg-deb -c {DEB}"),
        ),
        (
            "modes",
            format!("test \"$(stat -c %a {TXZ} {DEB} | sort -u)\" = 644"),
        ),
    ] {
        sh(&mut cases, &format!("{what} reads it"), &out, &line);
    }
    // Another umask, folder, time, zone, and number of processors.
    std::thread::sleep(Duration::from_millis(1100));
    let other = desk.path("another folder");
    fs::create_dir(&other).expect("a folder");
    for format in ["txz", "deb"] {
        let line = format!(
            "umask 077; cd /; exec taskset -c 0 {} --quiet package build jicofo --format {format} --out '{}' --catalogue '{}' --cache '{}'",
            env!("CARGO_BIN_EXE_jitsi-install"),
            other.display(),
            desk.path("catalogue.toml").display(),
            desk.path("cache").display(),
        );
        let output = Command::new("bash")
            .args(["-c", &line])
            .env("TZ", "Asia/Tokyo")
            .output()
            .expect("bash runs");
        cases.holds(
            &format!("{format} once more"),
            output.status.success(),
            || said(&output),
        );
    }
    for name in [TXZ, DEB] {
        let same = fs::read(out.join(name)).unwrap() == fs::read(other.join(name)).unwrap();
        cases.holds(&format!("{name} is the same"), same, String::new);
    }
    let later = desk.path("later");
    fs::create_dir(&later).expect("a folder");
    let output = desk
        .command(&["build", "jicofo", "--format", "txz"])
        .arg("--out")
        .arg(&later)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .expect("it runs");
    cases.holds("with SOURCE_DATE_EPOCH", output.status.success(), || {
        said(&output)
    });
    let line = format!("TZ=UTC tar -tvJf {TXZ} | grep -v 2023-11-14 && exit 1; true");
    sh(&mut cases, "everything has that time", &later, &line);
    cases.finish();
}

/// Each leaves the folder of packages as it was.
#[test]
fn nothing_is_left_of_a_build_that_fails() {
    if !are_here(&["dpkg-deb"]) {
        return;
    }
    let mut cases = Cases::new("package build that fails");
    let refused = |cases: &mut Cases, desk: &Desk, what: &str, part: &str| {
        for format in ["txz", "deb"] {
            let output = desk.build("jicofo", format, &desk.path("out"));
            let words = said(&output);
            let is_told =
                !output.status.success() && words.contains(part) && words.contains("hint:");
            cases.holds(&format!("{what} ({format})"), is_told, || words);
            let left = names(&desk.path("out"));
            cases.same(&format!("{what}: nothing is left"), left, Vec::new());
        }
    };
    let bare = desk();
    refused(&mut cases, &bare, "no source", "is not there yet");
    let file = names(&bare.path("sources")).remove(0);

    let spoiled = desk();
    spoiled.fetch();
    let cached = spoiled.path("cache").join(&file);
    let mut bytes = fs::read(&cached).expect("a source");
    bytes[200] ^= 1;
    fs::write(&cached, &bytes).expect("a source");
    let output = spoiled.build("jicofo", "txz", &spoiled.path("out"));
    cases.holds(
        "a source that was changed",
        !output.status.success(),
        || said(&output),
    );
    cases.same("nothing is left", names(&spoiled.path("out")), Vec::new());
    cases.holds("and it is not used again", !cached.exists(), String::new);

    // The hash is right, and what is in it is not what it should be.
    for (what, edit, part) in [
        (
            "a source cut short",
            "head -c -300 -- \"$1\" > x && mv x \"$1\"",
            "`",
        ),
        ("another program's package", "", "Package"),
        ("a place that is not there", "", "it is in no source"),
    ] {
        let desk = Desk::new();
        let made = upstream::JICOFO
            .build(VERSION, &desk.path("sources"))
            .expect("a stand-in");
        let name = made
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !edit.is_empty() {
            let done = Command::new("bash")
                .args(["-ec", edit, "-"])
                .arg(&made)
                .current_dir(desk.folder.path())
                .status();
            assert!(done.expect("bash runs").success());
        }
        let piece = match part {
            "Package" => PIECE.replace("name = \"jicofo\"", "name = \"jicofo\"\ndebian = \"toy\""),
            "it is in no source" => {
                PIECE.replace("from = \"usr/share/jicofo\"", "from = \"usr/share/other\"")
            }
            _ => PIECE.to_owned(),
        };
        desk.catalogue(&piece, VERSION, &[(&name, "")]);
        desk.fetch();
        refused(&mut cases, &desk, what, part);
    }

    let nowhere = desk();
    nowhere.fetch();
    let output = nowhere.build("jicofo", "deb", &nowhere.path("nowhere"));
    let told = said(&output);
    cases.holds("no such folder", told.contains("mkdir -p"), || told.clone());
    cases.finish();
}

#[test]
fn a_full_disk_leaves_nothing() {
    if !are_here(&["dpkg-deb", "unshare"]) || !nix::unistd::geteuid().is_root() {
        return;
    }
    let mut cases = Cases::new("package build on a full disk");
    let desk = desk();
    desk.fetch();
    for format in ["txz", "deb"] {
        // The stand-in is small: room for less than it takes.
        let line = format!(
            "mount -t tmpfs -o size=12k tmpfs '{out}' && {program} --quiet package build jicofo --format {format} --out '{out}' \
             --catalogue '{catalogue}' --cache '{cache}'; echo \"exit $?\"; ls -A '{out}' | wc -l",
            out = desk.path("out").display(),
            program = env!("CARGO_BIN_EXE_jitsi-install"),
            catalogue = desk.path("catalogue.toml").display(),
            cache = desk.path("cache").display(),
        );
        let output = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "bash", "-c", &line])
            .output()
            .expect("unshare runs");
        let words = said(&output);
        let is_refused = words.contains("exit 1\n0\n") && words.contains("No space left");
        cases.holds(
            &format!("{format}: refused, and nothing is left"),
            is_refused,
            || words,
        );
    }
    cases.finish();
}
