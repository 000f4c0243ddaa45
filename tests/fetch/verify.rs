//! `package verify`: what is said of a file.

use std::io::Cursor;
use std::process::Output;

use jitsi_install::package::meta::{Arch, Meta};
use jitsi_install::package::{Content, Node, PackagePath, Tree, txz};
use serde_json::Value;

use crate::proving::said;
use crate::signed::{Key, Repository};
use crate::stage::{Piece, Stage, Upstream, bytes};

fn verify(stage: &Stage, args: &[&str]) -> (Option<i32>, String) {
    let output = stage.run(&[&["verify"], args].concat());
    (output.status.code(), said(&output))
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn against_the_catalogue() {
    let (file, other) = (bytes(2_000, 100), bytes(2_000, 101));
    let stage = Stage::one("https://example.org/pool/a.bin".to_owned(), &file);
    let put = |name: &str, bytes: &[u8]| {
        let path = stage.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let right = put("a.bin", &file);
    assert_eq!(
        verify(&stage, &[&right]),
        (Some(0), format!("{right}: right by the catalogue\n"))
    );
    // Under any name.
    let renamed = put("download (1)", &file);
    assert_eq!(verify(&stage, &[&renamed]).0, Some(0));
    // What has a known name has to be that, and no other known file.
    put("a.bin", &other);
    let (code, text) = verify(&stage, &[&right, &renamed]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("a.bin: WRONG by the catalogue"), "{text}");
    assert!(
        text.contains("1 of 2 files are not what they should be"),
        "{text}"
    );
    let unknown = put("b.bin", &other);
    let (code, text) = verify(&stage, &[&unknown]);
    assert!(
        code == Some(1) && text.contains("not in the catalogue"),
        "{text}"
    );
    let (code, text) = verify(&stage, &["/no/such/file"]);
    assert!(
        code == Some(1) && text.contains("`/no/such/file`"),
        "{text}"
    );
}

#[test]
fn against_the_signed_index() {
    let (file, other) = (bytes(2_000, 102), bytes(2_000, 103));
    let stage = Stage::one("https://example.org/a".to_owned(), b"a");
    let Some(key) = Key::new(&stage.path("gnupg")) else {
        return;
    };
    let repository = Repository::new(
        &stage.path("stable"),
        &[
            ("jicofo", "1.0-1189-1", &file, ""),
            ("lobby", "1-1", &other, ""),
        ],
    );
    repository.sign(&key);
    key.export(&stage.path("key.asc"), true);
    let upstream = |index: String| Upstream {
        index,
        fingerprint: key.fingerprint.clone(),
        ..Upstream::default()
    };
    let folder = Upstream::default().index;
    let (index, key_file) = (repository.folder.to_str().unwrap(), stage.path("key.asc"));
    let signed = ["--index", index, "--key", key_file.to_str().unwrap()];
    let name = "jicofo_1.0-1189-1_all.deb";
    let piece = |index: &str| Piece::of("jicofo", format!("{index}{name}"), &file);
    stage.catalogue_of(&upstream(folder.clone()), &[piece(&folder)]);
    let path = repository.folder.join(name);
    let path = path.to_str().unwrap();
    let (code, text) = verify(&stage, &[&[path], &signed[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("right by the catalogue; right by upstream's signed index"),
        "{text}"
    );
    // Of what the catalogue does not have, the index alone knows.
    let lobby = repository.folder.join("lobby_1-1_all.deb");
    let (code, text) = verify(&stage, &[&[lobby.to_str().unwrap()], &signed[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("not in the catalogue; right by upstream's signed index"),
        "{text}"
    );
    // The catalogue has been led astray; the index tells.
    stage.catalogue_of(
        &upstream(folder.clone()),
        &[Piece::of("jicofo", format!("{folder}{name}"), &other)],
    );
    std::fs::write(path, &other).unwrap();
    let output = stage.run(&[&["verify", path, "--json"], &signed[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let row = &json(&output)["files"][0];
    assert_eq!(row["catalogue"], "right");
    assert_eq!(row["form"], "not-asked");
    // Nobody reaches upstream: what the catalogue says is said, and that nobody else was asked.
    let gone = "https://127.0.0.1:1/stable/";
    stage.catalogue_of(
        &upstream(gone.to_owned()),
        &[Piece::of("jicofo", format!("{gone}{name}"), &other)],
    );
    let (code, text) = verify(&stage, &[path]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("upstream's index was not asked"), "{text}");
    // Unless it was named.
    let (code, text) = verify(&stage, &[path, "--index", gone]);
    assert!(code == Some(1) && text.contains("refused"), "{text}");
}

fn package() -> Vec<u8> {
    let meta = Meta {
        name: "jicofo".to_owned(),
        version: "1.0-1189".to_owned(),
        build: 1,
        arch: Arch::Any,
        summary: "conference focus".to_owned(),
        description: "It is one.".to_owned(),
        homepage: "https://example.org/".to_owned(),
        licence: "Apache-2.0".to_owned(),
        copyright: "them".to_owned(),
        depends: Vec::new(),
        replaces: Vec::new(),
        config: Vec::new(),
        links_that_were_folders: Vec::new(),
        time: 1_780_000_000,
    };
    let mut tree = Tree::new();
    let node = Node::File {
        mode: 0o644,
        content: Content::Bytes(bytes(5_000, 104)),
    };
    tree.put(
        PackagePath::parse("usr/share/jicofo/jicofo.jar").unwrap(),
        node,
    )
    .unwrap();
    txz::write(&meta, &tree, &mut Cursor::new(Vec::new()), 1, Vec::new()).unwrap()
}

#[test]
fn packages_by_their_form() {
    let stage = Stage::one("https://example.org/pool/a.bin".to_owned(), b"a");
    let good = package();
    let put = |name: &str, bytes: &[u8]| {
        let path = stage.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let path = put("jicofo-1.0_1189-noarch-1.txz", &good);
    let (code, text) = verify(&stage, &[&path]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("a package without a fault"), "{text}");
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    for (name, bytes) in [
        ("jicofo-1.0_1189-noarch-1.txz", &bad[..]),
        ("jicofo-1.0_1189-noarch-1.txz", &good[..middle]),
        ("jicofo.txz", &good[..]),
        ("jicofo_1.0-1189-1_all.deb", &good[..]),
        ("jicofo_1.0-1189-1_all.deb", b"!<arch>\n"),
    ] {
        let path = put(name, bytes);
        let (code, text) = verify(&stage, &[&path]);
        assert_eq!(code, Some(1), "{text}");
        assert!(
            text.contains("a package with FAULTS") && text.contains("warning: "),
            "{text}"
        );
    }
}
