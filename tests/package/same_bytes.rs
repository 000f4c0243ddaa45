//! The same package is the same bytes: at any time, in any folder, under any umask, on any number of
//! processors.

use std::fs::File;
use std::io::{Cursor, Write};
use std::process::Command;
use std::time::Duration;

use jitsi_install::package::{Content, Node, PackagePath, Tree, deb};

use crate::upstream::ALL;
use crate::{ours, shell};

/// More than xz packs in one block, so that processors share the work.
const LARGE: usize = 18 << 20;

/// Long runs, so that packing is quick, and a number now and then.
fn large() -> Vec<u8> {
    let mut bytes = vec![b'x'; LARGE];
    for (at, page) in bytes.chunks_mut(4096).enumerate() {
        page[..8].copy_from_slice(&(at * at).to_le_bytes());
    }
    bytes
}

/// A tree whose large file waits in the spool behind `before` bytes of something else.
fn written(before: usize, threads: u32) -> Vec<u8> {
    let mut spool = tempfile::tempfile().unwrap();
    spool.write_all(&vec![7; before]).unwrap();
    spool.write_all(&large()).unwrap();
    let mut tree = ours::tree(ALL[0], "1.0-1183");
    let content = Content::Spooled {
        at: before as u64,
        len: LARGE as u64,
    };
    let path = PackagePath::parse("usr/share/large").unwrap();
    tree.put(
        path,
        Node::File {
            mode: 0o644,
            content,
        },
    )
    .unwrap();
    let meta = ours::meta("jicofo", "1.0-1183");
    let out = deb::write(&meta, &tree, &mut spool, threads, Cursor::new(Vec::new()));
    out.unwrap().into_inner()
}

#[test]
fn processors_do_not_matter() {
    let one = written(0, 1);
    assert!(one.len() > 10_000, "{}", one.len());
    for threads in [2, 4] {
        assert!(written(1000, threads) == one, "{threads} threads");
    }
}

/// Run by the test below in processes of their own.
#[test]
#[ignore = "a part of `time_place_and_umask_do_not_matter`"]
fn child() {
    let mut out = File::create(std::env::var_os("OUT").unwrap()).unwrap();
    for upstream in ALL {
        let meta = ours::meta(upstream.package, "1.0-1183");
        let bytes = ours::written(&meta, &ours::tree(upstream, "1.0-1183"));
        out.write_all(&bytes).unwrap();
    }
}

#[test]
fn time_place_and_umask_do_not_matter() {
    let mut found = Vec::new();
    for (umask, zone) in [
        ("022", "UTC"),
        ("077", "Asia/Tokyo"),
        ("000", "America/Lima"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let run = "umask $1; cd \"$2\"; shift 2; exec \"$@\"";
        let child = shell::done(
            Command::new("sh")
                .args(["-c", run, "sh", umask])
                .arg(place.path())
                .arg(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "same_bytes::child"])
                .env("OUT", &out)
                .env("TZ", zone)
                .env("SOURCE_DATE_EPOCH", "1"),
        );
        child.unwrap();
        found.push(std::fs::read(&out).unwrap());
        std::thread::sleep(Duration::from_millis(1100));
    }
    assert!(found[0].len() > 5000, "{}", found[0].len());
    assert!(found[0] == found[1] && found[1] == found[2]);
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let good = ours::meta("jicofo", "1.0-1183");
    let tree = ours::tree(ALL[0], "1.0-1183");
    let said = |change: &dyn Fn(&mut jitsi_install::package::Meta), tree: &Tree| {
        let mut meta = good.clone();
        change(&mut meta);
        let mut out = Cursor::new(Vec::new());
        let mut none = Cursor::new(Vec::new());
        let said = deb::write(&meta, tree, &mut none, 1, &mut out).expect_err("it is refused");
        assert!(out.into_inner().is_empty());
        said.to_string()
    };
    let path = |text: &str| PackagePath::parse(text).unwrap();
    type Change<'a> = &'a dyn Fn(&mut jitsi_install::package::Meta);
    let cases: [(Change<'_>, &str); 13] = [
        (
            &|meta| meta.name = "Jicofo".to_owned(),
            "the package `Jicofo`: `Jicofo` is no name of a package",
        ),
        (
            &|meta| meta.version = "v1".to_owned(),
            "the package `jicofo`: `v1-1+ji1` is no version",
        ),
        (
            &|meta| meta.version = "1 0".to_owned(),
            "the package `jicofo`: `1 0-1+ji1` is no version",
        ),
        (
            &|meta| meta.depends = vec!["a b".to_owned()],
            "the package `jicofo`: `a b` is no relation to a package",
        ),
        (
            &|meta| meta.replaces = vec!["b\nX: y".to_owned()],
            "the package `jicofo`: `b\\nX: y` is no relation to a package",
        ),
        (
            &|meta| meta.summary = "a\nb".to_owned(),
            "the package `jicofo`: its summary is not one line",
        ),
        (
            &|meta| meta.summary = "x".repeat(81),
            "the package `jicofo`: its summary is longer than 80 characters",
        ),
        (
            &|meta| meta.description = "\n\n".to_owned(),
            "the package `jicofo`: it has no description",
        ),
        (
            &|meta| meta.homepage = "github".to_owned(),
            "the package `jicofo`: its homepage is no URL",
        ),
        (
            &|meta| meta.licence = "Apache (2.0)".to_owned(),
            "the package `jicofo`: its licence is no list of SPDX's names",
        ),
        (
            &|meta| meta.copyright = String::new(),
            "the package `jicofo`: its copyright is not one line",
        ),
        (
            &|meta| meta.time = u64::MAX,
            "the package `jicofo`: its time is out of reach",
        ),
        (
            &|meta| meta.config = vec![path("etc/none")],
            "the package `jicofo`: `etc/none` is no file below /etc in it",
        ),
    ];
    for (change, why) in cases {
        assert_eq!(said(change, &tree), why);
    }
    let to = |target: &str| {
        let target = target.to_owned();
        move |meta: &mut jitsi_install::package::Meta| {
            meta.links_that_were_folders[0].1 = target.clone();
        }
    };
    assert_eq!(
        said(&to("elsewhere"), &tree),
        "the package `jicofo`: `usr/share/jicofo` is no link to `elsewhere` in it"
    );
    // a link's text stands in a script
    let mut odd = Tree::new();
    let target = "x;reboot".to_owned();
    odd.put(path("usr/share/jicofo"), Node::Link { target })
        .unwrap();
    assert_eq!(
        said(&to("x;reboot"), &odd),
        "the package `jicofo`: `usr/share/jicofo` cannot become a link"
    );
    let mut taken = tree.clone();
    ours::put(&mut taken, "usr/share/doc/jicofo/copyright", 0o644, b"");
    assert_eq!(
        said(&|_| {}, &taken),
        "`usr/share/doc/jicofo/copyright`: it is there twice"
    );
}
