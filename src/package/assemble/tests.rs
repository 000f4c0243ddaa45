//! Sources of a toy piece become trees of both families.

use std::io::{Cursor, Read as _};

use super::{Family, Order, assemble};
use crate::package::meta::Arch;
use crate::package::{Catalogue, Content, Meta, Node, PackagePath, Tree};

const HEAD: &str = r#"
schema = 1
[upstream]
index = "https://example.org/"
key = "https://example.org/key"
fingerprint = "0000000000000000000000000000000000000000"
metapackage = "toys"
[[piece]]
name = "toy"
debian = "toy2"
summary = "a toy"
description = "It is played with."
licence = "MIT"
copyright = "nobody"
homepage = "https://example.org/toy"
style = "upstream-deb"
depends = ["openssl"]
debian_depends = ["jre"]
"#;

const RELEASE: &str = r#"
[[piece.release]]
version = "1.0-3"
time = 1780272000
source = [{ url = "https://example.org/toy.deb", sha256 = "0000000000000000000000000000000000000000000000000000000000000000", record = "computed" }]
"#;

const PLACES: &str = r#"
place = [
  { from = "usr/share/toy", to = "usr/share/toy-{version}" },
  { from = "usr/share/man/man1/toy.1", to = "usr/share/man/man1/toy.1" },
  { from = "etc/toy.conf", to = "etc/toy/toy.conf", mode = 0o640 },
]
link = [{ path = "usr/share/toy", target = "toy-{version}" }]
config = ["etc/toy/toy.conf"]
"#;

fn path(text: &str) -> PackagePath {
    PackagePath::parse(text).expect("a path")
}

fn file(bytes: &[u8], mode: u32) -> Node {
    let content = Content::Bytes(bytes.to_vec());
    Node::File { mode, content }
}

fn tree(nodes: &[(&str, Node)]) -> Tree {
    let mut tree = Tree::new();
    for (at, node) in nodes {
        tree.put(path(at), node.clone()).expect("it fits");
    }
    tree
}

fn upstream() -> Tree {
    let link = |target: &str| Node::Link {
        target: target.to_owned(),
    };
    tree(&[
        ("etc/toy.conf", file(b"a = 1\n", 0o644)),
        ("lib/systemd/system/toy.service", file(b"[Unit]\n", 0o644)),
        ("usr/share/doc/toy/README.md", file(b"read\n", 0o600)),
        ("usr/share/doc/toy/copyright", file(b"MIT\n", 0o644)),
        ("usr/share/man/man1/toy.1", file(b".TH toy 1\n", 0o644)),
        ("usr/share/toy/lib/a.jar", file(b"jar", 0o666)),
        ("usr/share/toy/lib/b.jar", link("a.jar")),
        ("usr/share/toy/toy.sh", file(b"#!/bin/sh\n", 0o700)),
    ])
}

fn made(places: &str, family: Family, sources: &[Tree]) -> Result<(Meta, Tree), String> {
    let text = format!("{HEAD}{places}{RELEASE}");
    let catalogue = Catalogue::parse(&text).map_err(|error| error.to_string())?;
    let piece = catalogue.piece("toy").ok_or("no piece")?;
    let release = &piece.releases[0];
    let order = Order {
        piece,
        release,
        family,
        arch: Arch::X86_64,
        build: 1,
        time: None,
    };
    assemble(&order, sources, None, &mut Cursor::new(Vec::new())).map_err(|error| error.to_string())
}

fn paths(tree: &Tree) -> Vec<String> {
    tree.iter()
        .filter(|(_, node)| !matches!(node, Node::Dir { .. }))
        .map(|(path, node)| match node {
            Node::File { mode, .. } => format!("{path} {mode:o}"),
            Node::Link { target } => format!("{path} -> {target}"),
            Node::Dir { .. } => String::new(),
        })
        .collect()
}

#[test]
fn each_family_has_its_own_places() {
    let (meta, tree) = made(PLACES, Family::Slackware, &[upstream()]).expect("a tree");
    assert_eq!(
        paths(&tree),
        [
            "etc/toy/toy.conf 640",
            "usr/doc/toy-1.0_3/README.md 644",
            "usr/doc/toy-1.0_3/copyright 644",
            "usr/man/man1/toy.1.gz 644",
            "usr/share/toy -> toy-1.0-3",
            "usr/share/toy-1.0-3/lib/a.jar 644",
            "usr/share/toy-1.0-3/lib/b.jar -> a.jar",
            "usr/share/toy-1.0-3/toy.sh 755",
        ]
    );
    assert_eq!(
        (meta.name.as_str(), meta.depends.as_slice()),
        ("toy", &["openssl".to_owned()][..])
    );
    assert_eq!(meta.config, [path("etc/toy/toy.conf")]);
    assert_eq!((meta.time, meta.arch), (1_780_272_000, Arch::Any));
    assert!(meta.links_that_were_folders.is_empty());

    let (meta, tree) = made(PLACES, Family::Debian, &[upstream()]).expect("a tree");
    assert_eq!(
        paths(&tree),
        [
            "etc/toy/toy.conf 640",
            "usr/share/doc/toy2/README.md 644",
            "usr/share/man/man1/toy.1.gz 644",
            "usr/share/toy -> toy-1.0-3",
            "usr/share/toy-1.0-3/lib/a.jar 644",
            "usr/share/toy-1.0-3/lib/b.jar -> a.jar",
            "usr/share/toy-1.0-3/toy.sh 755",
        ]
    );
    assert_eq!(
        (meta.name.as_str(), meta.depends.as_slice()),
        ("toy2", &["jre".to_owned()][..])
    );
    assert_eq!(
        meta.links_that_were_folders,
        [(path("usr/share/toy"), "toy-1.0-3".to_owned())]
    );
}

#[test]
fn a_page_is_compressed_the_same_each_time() {
    let page = |tree: &Tree| match tree.get(&path("usr/man/man1/toy.1.gz")) {
        Some(Node::File { content, .. }) => content.clone(),
        other => panic!("{other:?}"),
    };
    let (_, one) = made(PLACES, Family::Slackware, &[upstream()]).expect("a tree");
    let (_, two) = made(PLACES, Family::Slackware, &[upstream()]).expect("a tree");
    assert_eq!(page(&one), page(&two));
    let Content::Bytes(bytes) = page(&one) else {
        panic!("it is small");
    };
    let mut text = String::new();
    let mut gz = flate2::read::GzDecoder::new(bytes.as_slice());
    gz.read_to_string(&mut text).expect("gzip");
    assert_eq!(text, ".TH toy 1\n");
    assert_eq!(gz.header().map(flate2::GzHeader::mtime), Some(0));
}

#[test]
fn what_was_built_stays_where_it_is() {
    let built = tree(&[
        ("usr/share/man/man1/toy.1", file(b".TH\n", 0o644)),
        ("usr/share/doc/toy/changelog.gz", file(b"", 0o644)),
        ("usr/bin/toy", file(b"#!/bin/sh\n", 0o755)),
    ]);
    let catalogue = Catalogue::parse(&format!("{HEAD}{PLACES}{RELEASE}")).expect("a catalogue");
    let piece = &catalogue.pieces[0];
    let release = &piece.releases[0];
    for (family, wanted) in [
        (
            Family::Slackware,
            &[
                "usr/bin/toy 755",
                "usr/doc/toy-1.0_3/changelog.gz 644",
                "usr/man/man1/toy.1.gz 644",
                "usr/share/toy -> toy-1.0-3",
            ][..],
        ),
        (
            Family::Debian,
            &[
                "usr/bin/toy 755",
                "usr/share/man/man1/toy.1.gz 644",
                "usr/share/toy -> toy-1.0-3",
            ],
        ),
    ] {
        let order = Order {
            piece,
            release,
            family,
            arch: Arch::X86_64,
            build: 1,
            time: None,
        };
        let mut spool = Cursor::new(Vec::new());
        let (_, tree) = assemble(&order, &[], Some(&built), &mut spool).expect("a tree");
        assert_eq!(paths(&tree), wanted);
    }
}

#[test]
fn a_script_of_a_service_comes_with_its_piece_on_slackware_only() {
    let places = r#"place = [{ from = "usr/share/toy", to = "usr/share/toy" }]"#;
    let places = format!(
        "{places}\nfile = [{{ from = \"rc.jicofo\", to = \"etc/rc.d/rc.jicofo\" }}]\nconfig = [\"etc/rc.d/rc.jicofo\"]"
    );
    let text = format!("{HEAD}{places}{RELEASE}").replace("\"toy\"", "\"jicofo\"");
    let catalogue = Catalogue::parse(&text).expect("a catalogue");
    let piece = catalogue.piece("jicofo").expect("the piece");
    for (family, has_script) in [(Family::Slackware, true), (Family::Debian, false)] {
        let release = &piece.releases[0];
        let order = Order {
            piece,
            release,
            family,
            arch: Arch::X86_64,
            build: 1,
            time: Some(5),
        };
        let sources = [upstream()];
        let (meta, tree) =
            assemble(&order, &sources, None, &mut Cursor::new(Vec::new())).expect("a tree");
        let script = path("etc/rc.d/rc.jicofo");
        assert_eq!(tree.get(&script).is_some(), has_script);
        assert_eq!(meta.config.contains(&script), has_script);
        assert_eq!(meta.time, 5);
    }
}

#[test]
fn mistakes_are_named() {
    let wrong = |places: &str, part: &str| {
        let error = made(places, Family::Slackware, &[upstream()]).expect_err(places);
        assert!(error.contains(part), "{places}: {error}");
    };
    wrong(
        r#"place = [{ from = "usr/share/toi", to = "usr/a" }]"#,
        "place `usr/share/toi`: it is in no source of 1.0-3; at their top are `etc`, `lib`, `usr`",
    );
    wrong(
        r#"place = [{ from = "etc/toy.conf", to = "usr/a" }, { from = "usr/share/toy/toy.sh", to = "usr/a" }]"#,
        "`usr/a` is there twice",
    );
    wrong(
        r#"place = [{ from = "etc/toy.conf", to = "usr/share/toy" }, { from = "usr/share/toy", to = "usr/share/toy/x" }]"#,
        "it is no folder",
    );
    wrong(
        r#"place = [{ from = "usr/share/toy", to = "usr/a", mode = 0o644 }]"#,
        "`mode` is for a file",
    );
    wrong(
        r#"place = [{ from = "etc/{name}", to = "usr/a" }]"#,
        "is no path in an archive",
    );
    wrong(
        r#"place = [{ from = "../etc", to = "usr/a" }]"#,
        "is no path in an archive",
    );
    wrong(
        r#"link = [{ path = "usr/a", target = "../../etc" }]"#,
        "it leads out of the root",
    );
}

#[test]
fn programs_are_for_one_machine() {
    let elf = |machine: u8| {
        let mut head = vec![0; 64];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[18] = machine;
        head
    };
    let places = r#"place = [{ from = "toy", to = "usr/bin/toy" }]"#;
    let source = |machine| [tree(&[("toy", file(&elf(machine), 0o755))])];
    let (meta, _) = made(places, Family::Slackware, &source(62)).expect("a tree");
    assert_eq!(meta.arch, Arch::X86_64);
    let error = made(places, Family::Slackware, &source(183)).expect_err("another machine");
    assert!(error.contains("another machine than x86_64"), "{error}");
}
