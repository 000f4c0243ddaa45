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

#[test]
fn long_paths_are_carried() {
    let folder = format!("usr/share/{}", "d".repeat(90));
    let paths: Vec<String> = [80, 120, 200]
        .map(|count| format!("{folder}/{}/{}", "e".repeat(60), "f".repeat(count)))
        .to_vec();
    let nodes: Vec<(&str, Node)> = paths
        .iter()
        .map(|path| (path.as_str(), file("x", 0o644)))
        .collect();
    let plain = Meta {
        config: Vec::new(),
        ..meta()
    };
    let listing = read(&plain, &tree(&nodes));
    for path in &paths {
        assert_eq!(listing.files.get(path), Some(&1), "{path}");
    }
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let mut tree = toy();
    // More than one block of xz, and not all zeros.
    let large: Vec<u8> = (0..9_000_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    let spooled = Node::File {
        mode: 0o644,
        content: Content::Spooled {
            at: 5,
            len: large.len() as u64 - 5,
        },
    };
    tree.put(path("usr/share/large"), spooled).expect("it fits");
    let mut spool = Cursor::new(large);
    let mut packed =
        |threads| write(&meta(), &tree, &mut spool, threads, Vec::new()).expect("a package");
    let one = packed(1);
    assert!(one == packed(2) && one == packed(4));
    let listing = check("toy-1.0_3-noarch-2.txz", one.as_slice()).expect("no fault");
    assert_eq!(listing.files["usr/share/large"], 9_000_000 - 5);
}

#[test]
fn a_description_fits_the_ruler() {
    let words = |count: usize| "seventy ".repeat(count);
    let unbroken = "x".repeat(200);
    for (summary, description) in [
        ("a toy".to_owned(), String::new()),
        (words(12), words(300)),
        (
            "short".to_owned(),
            format!("one\n\ntwo\n\n{unbroken} {}", words(20)),
        ),
        (unbroken.clone(), "tab\there, bell\u{7} there".to_owned()),
        ("émigré – ünï".to_owned(), "é ".repeat(500)),
    ] {
        let meta = Meta {
            summary,
            description,
            ..meta()
        };
        let listing = read(&meta, &toy());
        assert_eq!(listing.description.len(), 11);
        assert!(
            listing
                .description
                .iter()
                .all(|line| line.chars().count() <= 70)
        );
    }
    let long = Meta {
        description: words(300),
        ..meta()
    };
    let last = read(&long, &toy()).description.pop().expect("a line");
    assert!(last.ends_with(" ..."), "{last}");
}

#[test]
fn what_pkgtools_cannot_carry_is_refused_before_a_byte_is_written() {
    /// Counts what it is given.
    #[derive(Default)]
    struct Count(usize);
    impl std::io::Write for &mut Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let refused = |meta: &Meta, tree: &Tree, part: &str| {
        let mut count = Count::default();
        let said = write(meta, tree, &mut Cursor::new(Vec::new()), 1, &mut count);
        let said = said.map(drop).expect_err(part).to_string();
        assert!(said.contains(part), "{part}: {said}");
        assert_eq!(count.0, 0, "{part}");
    };
    let plain = Meta {
        config: Vec::new(),
        ..meta()
    };
    for (at, part) in [
        ("usr/ä", "not ASCII"),
        ("usr/a\\b", "backslashes"),
        ("usr/a ", "space"),
        (" a", "space"),
        ("-a/b", "before `./`"),
        (".+", "before `./`"),
        ("install/x", "for pkgtools"),
        ("etc/rc.d/rc.toy", "configuration"),
    ] {
        refused(&plain, &tree(&[(at, file("", 0o644))]), part);
    }
    for (at, text, part) in [
        ("usr/a;b/c", "x", "`;`"),
        ("usr/-rf", "x", "option"),
        ("usr/a", "-x", "begins with `-`"),
        ("usr/a", "", "empty"),
        ("usr/a", "x\ny", "control character"),
    ] {
        refused(&plain, &tree(&[(at, link(text))]), part);
    }
    for (mode, part) in [(0o4755, "set-id"), (0o2755, "set-id"), (0o666, "everybody")] {
        refused(&plain, &tree(&[("usr/a", file("", mode))]), part);
    }
    refused(
        &meta(),
        &tree(&[("usr/a", file("", 0o644))]),
        "no file of the package",
    );
    let twice = tree(&[
        ("etc/toy.conf", file("", 0o644)),
        ("etc/toy.conf.new", file("", 0o644)),
    ]);
    let config = vec![path("etc/toy.conf")];
    refused(&Meta { config, ..meta() }, &twice, "twice");
    let huge = Node::File {
        mode: 0o644,
        content: Content::Spooled {
            at: 0,
            len: 1 << 33,
        },
    };
    refused(&plain, &tree(&[("usr/a", huge)]), "8 GiB");
    for (name, version) in [
        ("", "1"),
        ("-a", "1"),
        ("a b", "1"),
        ("a/b", "1"),
        ("a", "1%2"),
        ("a", ""),
    ] {
        let (name, version) = (name.to_owned(), version.to_owned());
        let named = Meta {
            name,
            version,
            ..plain.clone()
        };
        refused(&named, &Tree::new(), "`: a ");
    }
    for tag in ["ji", "_", "_a-b", "_a b"] {
        assert_eq!(file_name(&plain, tag).is_ok(), tag == "_", "{tag}");
    }
    let short = Node::File {
        mode: 0o644,
        content: Content::Spooled { at: 0, len: 9 },
    };
    let said = written(&plain, &tree(&[("usr/a", short)])).expect_err("the spool is empty");
    assert!(said.to_string().contains("spool"), "{said}");
}
