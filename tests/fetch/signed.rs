//! Upstream's signed index, with a key and a repository of the tests' own, made by the real `gpg`.
//!
//! Over 400 lines: the cases stand with the repository that they spoil.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::proving::{program, run, said};
use crate::server::{Server, answer};
use crate::stage::{Piece, Stage, Upstream, bytes, sha256};
use crate::tls::authority;

/// A key, in a folder of its own.
pub struct Key {
    home: PathBuf,
    pub fingerprint: String,
    /// Moves gpg's clock.
    time: Option<&'static str>,
}

impl Key {
    /// A new one that lasts; `None` when there is no `gpg`.
    pub fn new(home: &Path) -> Option<Self> {
        Self::made(home, "never", None)
    }

    fn made(home: &Path, expires: &str, time: Option<&'static str>) -> Option<Self> {
        use std::os::unix::fs::PermissionsExt;
        program("gpg", "gnupg")?;
        program("gpgv", "gpgv")?;
        std::fs::create_dir(home).unwrap();
        std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut key = Self {
            home: home.to_owned(),
            fingerprint: String::new(),
            time,
        };
        let user = "Tests <tests@example.org>";
        run(key.gpg().args([
            "--passphrase",
            "",
            "--quick-generate-key",
            user,
            "ed25519",
            "sign",
            expires,
        ]));
        let list = run(key.gpg().args(["--with-colons", "--list-keys"]));
        let line = list.lines().find(|line| line.starts_with("fpr:")).unwrap();
        key.fingerprint = line.split(':').nth(9).unwrap().to_owned();
        assert_eq!(key.fingerprint.len(), 40);
        Some(key)
    }

    fn gpg(&self) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", &self.home)
            .args(["--batch", "--quiet", "--yes"]);
        if let Some(time) = self.time {
            gpg.args(["--faked-system-time", time]);
        }
        gpg.stdin(Stdio::null());
        gpg
    }

    /// Writes the public key, in armour or without.
    pub fn export(&self, to: &Path, armour: bool) {
        let mut gpg = self.gpg();
        if armour {
            gpg.arg("--armor");
        }
        run(gpg.arg("--output").arg(to).arg("--export"));
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let mut stop = Command::new("gpgconf");
        stop.env("GNUPGHOME", &self.home)
            .args(["--kill", "gpg-agent"]);
        let _ = stop.output();
    }
}

/// A flat repository like upstream's.
pub struct Repository {
    pub folder: PathBuf,
}

impl Repository {
    /// With these packages, each with its bytes and what it needs; not signed yet.
    pub fn new(folder: &Path, packages: &[(&str, &str, &[u8], &str)]) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut text = String::new();
        for (package, version, file, depends) in packages {
            let name = format!("{package}_{version}_all.deb");
            std::fs::write(folder.join(&name), file).unwrap();
            text.push_str(&format!(
                "Package: {package}\nVersion: {version}\nArchitecture: all\nDepends: {depends}\n\
                 Filename: stable/{name}\nSize: {}\nSHA256: {}\nDescription: x\n y\n\n",
                file.len(),
                sha256(file)
            ));
        }
        let repository = Self {
            folder: folder.to_owned(),
        };
        repository.put("Packages", text.as_bytes());
        let mut xz = jitsi_install::package::xz::writer(Vec::new(), 1).unwrap();
        std::io::Write::write_all(&mut xz, text.as_bytes()).unwrap();
        repository.put("Packages.xz", &xz.finish().unwrap());
        repository.release("");
        repository
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.join(name)).unwrap();
    }

    fn release(&self, more: &str) {
        let mut text = format!("Origin: tests\nSuite: stable\n{more}SHA256:\n");
        for name in ["Packages", "Packages.xz"] {
            let bytes = std::fs::read(self.folder.join(name)).unwrap();
            text.push_str(&format!(" {} {} {name}\n", sha256(&bytes), bytes.len()));
        }
        self.put("Release", text.as_bytes());
    }

    /// Signs it in both ways.
    pub fn sign(&self, key: &Key) {
        let release = self.folder.join("Release");
        let to = |name: &str| self.folder.join(name);
        run(key
            .gpg()
            .arg("--output")
            .arg(to("InRelease"))
            .arg("--clearsign")
            .arg(&release));
        run(key
            .gpg()
            .arg("--output")
            .arg(to("Release.gpg"))
            .args(["--armor", "--detach-sign"])
            .arg(&release));
    }
}

struct Scene {
    stage: Stage,
    key: Key,
    repository: Repository,
}

impl Scene {
    fn new() -> Option<Self> {
        let stage = Stage::one("https://example.org/a".to_owned(), b"a");
        let key = Key::new(&stage.path("gnupg"))?;
        Self::with(stage, key)
    }

    fn with(stage: Stage, key: Key) -> Option<Self> {
        let (jicofo, newer, other) = (bytes(1_000, 90), bytes(1_000, 91), bytes(1_000, 92));
        let depends = "jicofo (= 1.0-1189-1), nginx | caddy";
        let repository = Repository::new(
            &stage.path("stable"),
            &[
                ("jicofo", "1.0-1183-1", &jicofo, ""),
                ("jicofo", "1.0-1189-1", &newer, ""),
                ("jitsi-meet-web", "1.0.9365-1", &other, ""),
                ("jitsi-meet", "2.0.11146-1", b"meta", depends),
            ],
        );
        repository.sign(&key);
        key.export(&stage.path("key.asc"), true);
        let scene = Self {
            stage,
            key,
            repository,
        };
        scene.known(&Upstream {
            fingerprint: scene.key.fingerprint.clone(),
            ..Upstream::default()
        });
        Some(scene)
    }

    fn known(&self, upstream: &Upstream) {
        let url = |name: &str| format!("{}{name}", upstream.index);
        self.stage.catalogue_of(
            upstream,
            &[
                Piece::of(
                    "jicofo",
                    url("jicofo_1.0-1183-1_all.deb"),
                    &bytes(1_000, 90),
                ),
                Piece::of(
                    "jitsi-meet-web",
                    url("jitsi-meet-web_1.0.9365-1_all.deb"),
                    &bytes(1_000, 92),
                ),
            ],
        );
    }

    fn asks(&self, more: &[&str]) -> Output {
        let (folder, key) = (self.repository.folder.clone(), self.stage.path("key.asc"));
        let mut args = vec![
            "outdated",
            "--index",
            folder.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ];
        args.extend(more);
        self.stage.run(&args)
    }

    fn believes(&self) -> Value {
        let output = self.asks(&["--json"]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refuses(&self, words: &str) {
        let output = self.asks(&[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
        assert!(text.contains("hint: "), "{text}");
        assert_eq!(output.stdout, b"", "{text}");
    }
}

#[test]
fn both_ways_of_signing() {
    let Some(scene) = Scene::new() else { return };
    let json = scene.believes();
    assert_eq!(json["is_signed"], true);
    assert_eq!(json["set"], "2.0.11146-1");
    let (jicofo, web) = (&json["pieces"][0], &json["pieces"][1]);
    assert_eq!(
        (&jicofo["state"], &jicofo["upstream"]),
        (&"outdated".into(), &"1.0-1189-1".into())
    );
    assert_eq!(jicofo["releases"][0]["hash"], "confirmed");
    assert_eq!(web["state"], "current");
    let output = scene.asks(&["--exit-code"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("jicofo         1.0-1183   1.0-1189-1") || text.contains("outdated"),
        "{text}"
    );

    scene.repository.remove("InRelease");
    assert_eq!(scene.believes(), json);
    // Without armour; and a list that is not packed.
    scene.key.export(&scene.stage.path("key.asc"), false);
    scene.repository.remove("Packages.xz");
    assert_eq!(scene.believes(), json);
    // With Windows' line ends in between, as a text-minded mirror would have it.
    scene.repository.sign(&scene.key);
    let text = scene.repository.read("InRelease").replace('\n', "\r\n");
    scene.repository.put("InRelease", text.as_bytes());
    assert_eq!(scene.believes(), json);
}

#[test]
fn from_a_server_as_the_catalogue_says() {
    let Some(scene) = Scene::new() else { return };
    let read = |name: &str| std::fs::read(scene.repository.folder.join(name)).unwrap();
    let (pem, config) = authority("127.0.0.1");
    std::fs::write(scene.stage.path("authority.pem"), pem).unwrap();
    let (index, list) = (read("InRelease"), read("Packages.xz"));
    let key = std::fs::read(scene.stage.path("key.asc")).unwrap();
    let server = Server::start_tls(config, move |request, wire, number| {
        match request.path.as_str() {
            "/stable/InRelease" => answer(wire, "200 OK", &[], &index),
            "/stable/Packages.xz" => answer(wire, "200 OK", &[], &list),
            "/key" if number < 3 => answer(wire, "200 OK", &[], &key),
            // A page instead of a key.
            _ => answer(wire, "200 OK", &[], b"<html>sign in</html>"),
        }
    });
    scene.known(&Upstream {
        index: server.url("stable/"),
        key: server.url("key"),
        fingerprint: scene.key.fingerprint.clone(),
    });
    let ask = || {
        let mut command = scene.stage.command(&["outdated"]);
        command
            .env("SSL_CERT_FILE", scene.stage.path("authority.pem"))
            .output()
            .unwrap()
    };
    let output = ask();
    assert!(output.status.success(), "{}", said(&output));
    let asked: Vec<String> = server
        .log()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(asked, ["/stable/InRelease", "/key", "/stable/Packages.xz"]);
    let output = ask();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("it is no OpenPGP key"),
        "{}",
        said(&output)
    );
}

#[test]
fn changed_after_signing() {
    let Some(scene) = Scene::new() else { return };
    let good = scene.repository.read("InRelease");
    for (from, to) in [
        ("Origin: tests", "Origin: toasts"),
        ("Suite: stable\n", "Suite: stable\nExtra: x\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        scene.repository.put("InRelease", bad.as_bytes());
        scene.refuses("its signature is wrong: it was changed");
    }
    // Words around what was signed.
    scene
        .repository
        .put("InRelease", format!("Origin: x\n\n{good}").as_bytes());
    scene.refuses("it is not signed");
    scene
        .repository
        .put("InRelease", format!("{good}SHA256:\n").as_bytes());
    scene.refuses("something follows its signature");
    // A detached signature for another text.
    scene.repository.remove("InRelease");
    let release = scene.repository.read("Release");
    scene
        .repository
        .put("Release", release.replace("tests", "toasts").as_bytes());
    scene.refuses("its signature is wrong: it was changed");
    scene.repository.put("Release", release.as_bytes());
    scene.believes();
    // The lists.
    for name in ["Packages.xz", "Packages"] {
        let list = std::fs::read(scene.repository.folder.join(name)).unwrap();
        scene.repository.put(name, &[&list[..], b"\n"].concat());
        scene.refuses(&format!("{name}`: the signed list has another hash"));
        scene.repository.remove(name);
    }
    scene.refuses("Packages`: there is no such file");
}

#[test]
fn signed_by_nobody() {
    let Some(scene) = Scene::new() else { return };
    let release = scene.repository.read("Release");
    scene.repository.put("InRelease", release.as_bytes());
    scene.refuses("InRelease`: it is not signed");
    scene.repository.remove("InRelease");
    scene.repository.remove("Release.gpg");
    scene.refuses("Release`: it is not signed");
    scene.repository.put("Release.gpg", b"");
    scene.refuses("its signature cannot be read");
    scene.repository.put(
        "Release.gpg",
        b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
    );
    scene.refuses("its signature cannot be read");
}

#[test]
fn signed_by_somebody_else() {
    let Some(scene) = Scene::new() else { return };
    let other = Key::new(&scene.stage.path("other")).unwrap();
    // Another repository in the place of this one, its own key with it.
    scene.repository.sign(&other);
    scene.refuses("it is signed by another key");
    other.export(&scene.stage.path("key.asc"), true);
    scene.refuses(&format!(
        "it is signed by {}, not by {}",
        other.fingerprint, scene.key.fingerprint
    ));
    // The other's key for this one's signature.
    scene.repository.sign(&scene.key);
    scene.refuses("it is signed by another key");
}

#[test]
fn keys_and_lists_that_are_over() {
    let stage = Stage::one("https://example.org/a".to_owned(), b"a");
    let Some(old) = Key::made(&stage.path("gnupg"), "2d", Some("20200101T000000")) else {
        return;
    };
    let scene = Scene::with(stage, old).unwrap();
    scene.refuses("the key that signed it has expired");

    let Some(scene) = Scene::new() else { return };
    scene
        .repository
        .release("Valid-Until: Thu, 01 Jan 2026 00:00:00 UTC\n");
    scene.repository.sign(&scene.key);
    scene.refuses("it was valid until Thu, 01 Jan 2026");
    scene
        .repository
        .release("Valid-Until: Thu, 01 Jan 2099 00:00:00 UTC\n");
    scene.repository.sign(&scene.key);
    scene.believes();
    // gpg makes a paper with which the key can be revoked, for a rainy day.
    let paper = scene.stage.path(&format!(
        "gnupg/openpgp-revocs.d/{}.rev",
        scene.key.fingerprint
    ));
    let text = std::fs::read_to_string(&paper)
        .unwrap()
        .replace(":-----BEGIN", "-----BEGIN");
    std::fs::write(&paper, text).unwrap();
    run(scene.key.gpg().arg("--import").arg(&paper));
    scene.key.export(&scene.stage.path("key.asc"), true);
    scene.refuses("the key that signed it was revoked");
}

#[test]
fn without_gpgv() {
    let Some(scene) = Scene::new() else { return };
    let (folder, key) = (scene.repository.folder.clone(), scene.stage.path("key.asc"));
    let mut command = scene
        .stage
        .command(&["outdated", "--index", folder.to_str().unwrap()]);
    let output = command
        .arg("--key")
        .arg(key)
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("`gpgv`, which verifies upstream's signature, is not here"),
        "{text}"
    );
    assert!(text.contains("hint: install the package `gpgv`"), "{text}");
}

#[test]
fn a_saved_list() {
    let Some(scene) = Scene::new() else { return };
    let list = scene.repository.folder.join("Packages.xz");
    let output = scene
        .stage
        .run(&["outdated", "--index", list.to_str().unwrap()]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("is not signed: nobody vouches"), "{text}");
    // Another hash for the same file is no matter of age.
    let packages = scene.repository.read("Packages");
    let bad = packages.replacen(&sha256(&bytes(1_000, 90)), &"0".repeat(64), 1);
    scene.repository.put("Packages", bad.as_bytes());
    let list = scene.repository.folder.join("Packages");
    let output = scene
        .stage
        .run(&["outdated", "--index", list.to_str().unwrap()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("jicofo 1.0 has another hash in upstream's index"),
        "{text}"
    );
    assert!(text.contains("DIFFERS"), "{text}");
    std::fs::write(&list, b"\xfd7zXZ\0garbage").unwrap();
    let output = scene
        .stage
        .run(&["outdated", "--index", list.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}
