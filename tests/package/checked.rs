//! Finished packages are checked, and every fault is named.

use std::io::Cursor;

use jitsi_install::package::Limits;
use jitsi_install::package::deb::{self, Summary};
use tar::EntryType;

use crate::archives::{Tar, gzip, header, xz};
use crate::ours;
use crate::upstream::{ALL, JICOFO};
use crate::upstreams_debs::{CONTROL, made, with};

fn check(bytes: &[u8]) -> Result<Summary, Vec<String>> {
    let mut spool = Cursor::new(Vec::new());
    let checked = deb::check("a.deb", bytes, &Limits::default(), &mut spool);
    checked.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn what_is_written_has_no_fault() {
    for upstream in ALL {
        let meta = ours::meta(upstream.package, "1.0-1183");
        let tree = ours::tree(upstream, "1.0-1183");
        let bytes = ours::written(&meta, &tree);
        let summary = check(&bytes).unwrap();
        assert_eq!(summary.package, upstream.package);
        assert_eq!(
            (summary.version.as_str(), summary.arch.as_str()),
            ("1.0-1183-1+ji1", "all")
        );
        let scripts = 3 * meta.links_that_were_folders.len();
        assert_eq!(summary.scripts.len(), scripts, "{:?}", summary.scripts);
        assert!(summary.files > 4 && summary.bytes > 500, "{summary:?}");
    }
}

/// Every byte of a package matters: who changes one is found out, or has changed what nobody reads.
#[test]
fn a_changed_byte_is_noticed() {
    let bytes = ours::written(
        &ours::meta("jicofo", "1.0-1183"),
        &ours::tree(&JICOFO, "1.0-1183"),
    );
    assert!(check(&bytes).is_ok());
    let mut unnoticed = Vec::new();
    for at in 0..bytes.len() {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x11;
        if check(&spoiled).is_ok() {
            unnoticed.push(at);
        }
    }
    // digits of times, owners and modes in the headers of the three members
    let headers = [8, 8 + 64, 72 + 60 + size(&bytes, 72).next_multiple_of(2)];
    unnoticed.retain(|at| {
        !headers
            .iter()
            .any(|header| (header + 16..header + 48).contains(at))
    });
    assert_eq!(unnoticed, Vec::<usize>::new());
    for len in (0..bytes.len()).step_by(7) {
        assert!(check(&bytes[..len]).is_err(), "{len}");
    }
}

fn size(bytes: &[u8], header: usize) -> usize {
    let field = std::str::from_utf8(&bytes[header + 48..header + 58]).unwrap();
    field.trim().parse().unwrap()
}

#[test]
fn a_check_finds_all_faults_at_once() {
    let beside = Tar::default()
        .file("control", CONTROL.as_bytes())
        .file(
            "conffiles",
            b"/etc/none\nrelative\n/usr/f\nremove-on-upgrade /etc/old\n",
        )
        .member(b"postinst", EntryType::Regular, "", 0o755, b"rm -rf /\n")
        .member(b"postrm", EntryType::Regular, "", 0o755, b"#! /bin/sh\n")
        .member(b"prerm", EntryType::Regular, "", 0o644, b"#!/bin/sh\n");
    let data = Tar::default()
        .member(b"usr/f", EntryType::Regular, "", 0o666, b"")
        .folder("etc");
    let faults = check(&with(&gzip(&beside.end()), &xz(&data.end()))).unwrap_err();
    assert_eq!(
        faults,
        [
            "`a.deb`: it has no md5sums",
            "`a.deb`: `postinst` is no program that dpkg could run",
            "`a.deb`: `prerm` is no program that dpkg could run",
            "`a.deb`: conffiles: `etc/none` is no file below /etc",
            "`a.deb`: conffiles: `relative` is no path of a file",
            "`a.deb`: conffiles: `usr/f` is no file below /etc",
            "`a.deb`: `usr/f` may be written by others: mode 666",
        ]
    );
    let mut header = header(b"usr/f", EntryType::Regular, 0o644, 0);
    header.set_uid(1000);
    let owned = check(&made(CONTROL, None, Tar::default().block(&mut header))).unwrap_err();
    assert_eq!(
        owned,
        ["`a.deb: data.tar.xz: usr/f`: it does not belong to root"]
    );
}
