//! What the writer writes, the checker reads without a fault; what pkgtools cannot carry is never written.

use std::io::Cursor;

use super::{Listing, check, file_name, write};
use crate::package::meta::Arch;
use crate::package::{Content, Meta, Node, PackageError, PackagePath, Tree};

fn path(text: &str) -> PackagePath {
    PackagePath::parse(text).expect("a path")
}

fn file(text: &str, mode: u32) -> Node {
    let content = Content::Bytes(text.as_bytes().to_vec());
    Node::File { mode, content }
}

fn link(target: &str) -> Node {
    let target = target.to_owned();
    Node::Link { target }
}

fn tree(nodes: &[(&str, Node)]) -> Tree {
    let mut tree = Tree::new();
    for (at, node) in nodes {
        tree.put(path(at), node.clone()).expect("it fits");
    }
    tree
}

fn meta() -> Meta {
    Meta {
        name: "toy".to_owned(),
        version: "1.0-3".to_owned(),
        build: 2,
        arch: Arch::Any,
        summary: "a package for tests".to_owned(),
        description: "It has a file of every kind.".to_owned(),
        homepage: "https://example.org/toy".to_owned(),
        licence: "MIT".to_owned(),
        copyright: "nobody".to_owned(),
        depends: Vec::new(),
        replaces: Vec::new(),
        config: vec![path("etc/toy.conf"), path("etc/rc.d/rc.toy")],
        links_that_were_folders: Vec::new(),
        time: 1_780_272_000,
    }
}

fn toy() -> Tree {
    tree(&[
        ("etc/toy.conf", file("a = 1\n", 0o640)),
        ("etc/rc.d/rc.toy", file("#!/bin/sh\n", 0o755)),
        ("usr/bin/toy", file("#!/bin/sh\n", 0o755)),
        ("usr/share/toy-1.0-3/a file", file("x", 0o644)),
        ("usr/share/toy-1.0-3/empty", Node::Dir { mode: 0o755 }),
        ("usr/share/toy", link("toy-1.0-3")),
        ("usr/share/toy.d/$(id)", file("", 0o644)),
    ])
}

fn written(meta: &Meta, tree: &Tree) -> Result<Vec<u8>, PackageError> {
    write(meta, tree, &mut Cursor::new(Vec::new()), 2, Vec::new())
}

fn read(meta: &Meta, tree: &Tree) -> Listing {
    let bytes = written(meta, tree).expect("a package");
    let name = file_name(meta, "_ji").expect("a name");
    check(&name, bytes.as_slice()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn what_is_written_has_no_fault() {
    let listing = read(&meta(), &toy());
    assert_eq!(
        file_name(&meta(), "_ji").expect("a name"),
        "toy-1.0_3-noarch-2_ji.txz"
    );
    assert_eq!(
        (listing.name.as_str(), listing.build.as_str()),
        ("toy", "2_ji")
    );
    let files: Vec<&str> = listing.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            "etc/rc.d/rc.toy.new",
            "etc/toy.conf.new",
            "install/doinst.sh",
            "install/slack-desc",
            "usr/bin/toy",
            "usr/share/toy-1.0-3/a file",
            "usr/share/toy.d/$(id)",
        ]
    );
    assert!(listing.folders.contains("usr/share/toy-1.0-3/empty"));
    assert_eq!(listing.links["usr/share/toy"], "toy-1.0-3");
    assert_eq!(listing.description[0], "toy (a package for tests)");
    assert_eq!(listing.description[10], "https://example.org/toy");
}
