//! What good archives become.

use std::io::{Cursor, Read};

use jitsi_install::package::{Content, Node, PackagePath};
use tar::EntryType;

use crate::archives::{Tar, ar, attributes, bzip2, gzip, open, xz};

fn path(text: &str) -> PackagePath {
    PackagePath::parse(text).unwrap()
}

#[test]
fn good_archives_become_trees() {
    let long = format!("d/{}/file", "n".repeat(200));
    let tar = Tar::default()
        .folder("./")
        .folder("./d/")
        .file("./d/a", b"one")
        .same("d/b", "./d/a")
        .link("d/c", "a")
        .member(
            b"././@LongLink",
            EntryType::GNULongName,
            "",
            0o644,
            format!("{long}\0").as_bytes(),
        )
        .file("d/cut", b"long")
        .member(
            b"pax",
            EntryType::XHeader,
            "",
            0o644,
            &attributes(&[("path", "d/ü"), ("mtime", "1.5")]),
        )
        .member(b"d/u", EntryType::Regular, "", 0o755, b"three")
        .member(
            b"g",
            EntryType::XGlobalHeader,
            "",
            0o644,
            &attributes(&[("comment", "a commit")]),
        )
        .member(b"v7/", EntryType::Regular, "", 0o700, b"")
        .end();
    for bytes in [
        tar.clone(),
        gzip(&tar),
        bzip2(&tar),
        [bzip2(&tar[..700]), bzip2(&tar[700..])].concat(),
        xz(&tar),
        [gzip(&tar[..700]), gzip(&tar[700..])].concat(),
    ] {
        let (tree, spool) = open("a.tar", &bytes).unwrap();
        let found: Vec<String> = tree
            .iter()
            .map(|(path, node)| match node {
                Node::Dir { mode } => format!("{path}/ {mode:o}"),
                Node::Link { target } => format!("{path} -> {target}"),
                Node::File { mode, content } => {
                    let mut text = String::new();
                    let mut spool = Cursor::new(&spool);
                    content
                        .open(&mut spool)
                        .unwrap()
                        .read_to_string(&mut text)
                        .unwrap();
                    format!("{path} {mode:o} {text}")
                }
            })
            .collect();
        assert_eq!(
            found,
            [
                "d/ 755".to_owned(),
                "d/a 644 one".to_owned(),
                "d/b 644 one".to_owned(),
                "d/c -> a".to_owned(),
                format!("d/{}/ 755", "n".repeat(200)),
                format!("{long} 644 long"),
                "d/ü 755 three".to_owned(),
                "v7/ 700".to_owned(),
            ]
        );
        // another name costs nothing
        assert_eq!(spool.len(), 3 + 4 + 5);
    }
}

#[test]
fn a_file_is_a_file() {
    for (name, bytes, is) in [
        ("a.jar", b"PK\x03\x04...".to_vec(), "a.jar"),
        ("prog.gz", gzip(b"\x7fELF"), "prog"),
        ("prog.xz", xz(b"\x7fELF"), "prog"),
    ] {
        let (tree, _) = open(name, &bytes).unwrap();
        let found: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(found, [is]);
        let spooled = matches!(
            tree.get(&path(is)),
            Some(Node::File {
                content: Content::Spooled { at: 0, .. },
                ..
            })
        );
        assert!(spooled, "{name}");
    }
    assert!(open("x", b"").unwrap_err().contains("it is empty"));
    for (magic, word) in [
        (&b"\x1f\x9d\x90"[..], "compress"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"!<arch>\n", "ar archive"),
    ] {
        assert!(open("x", magic).unwrap_err().contains(word));
    }
}

#[test]
fn bzip2_is_read_within_the_limits() {
    let whole = bzip2(&[0; 100_000]);
    let cut = open("a.tar.bz2", &whole[..whole.len() - 5]);
    assert!(cut.is_err(), "a cut one was taken");
    let mut spoiled = whole.clone();
    let middle = spoiled.len() / 2;
    spoiled[middle] ^= 0x10;
    assert!(
        open("a.tar.bz2", &spoiled).is_err(),
        "a spoiled one was taken"
    );
    // Ten gigabytes of nothing would be some thousand bytes: the limits end it.
    let bomb = bzip2(&vec![b'x'; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    let said = open("bomb.bz2", &bomb).unwrap_err();
    assert!(said.contains("bomb.bz2"), "{said}");
}

#[test]
fn a_deb_is_no_archive_of_sources() {
    let said = open("a.deb", &ar(&[("debian-binary", b"2.0\n")])).unwrap_err();
    assert!(
        said.contains("it is an ar archive, as `.deb` is one"),
        "{said}"
    );
}
