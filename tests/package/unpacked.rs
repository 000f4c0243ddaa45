//! What good archives become.

use std::io::{Cursor, Read};

use jitsi_install::package::{Content, Node, PackagePath};
use tar::EntryType;

use crate::archives::{Tar, ar, attributes, gzip, open, xz};

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
        (&b"BZh91AY"[..], "bzip2"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"!<arch>\n", "ar archive"),
    ] {
        assert!(open("x", magic).unwrap_err().contains(word));
    }
}

#[test]
fn a_deb_is_no_archive_of_sources() {
    let said = open("a.deb", &ar(&[("debian-binary", b"2.0\n")])).unwrap_err();
    assert!(
        said.contains("it is an ar archive, as `.deb` is one"),
        "{said}"
    );
}
