//! Archives that are damaged, or meant to do harm: each is refused in words that say what and where.

use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

use jitsi_install::package::{Content, Limits, Node, PackagePath, Tree, unpack};
use tar::EntryType;

use crate::archives::{Tar, ar, attributes, gzip, header, xz};

fn open(name: &str, bytes: &[u8]) -> Result<(Tree, Vec<u8>), String> {
    let mut spool = Cursor::new(Vec::new());
    let tree = unpack(name, bytes, &Limits::default(), &mut spool);
    tree.map(|tree| (tree, spool.into_inner()))
        .map_err(|error| error.to_string())
}

/// What is said of an archive that is refused, plain and packed alike.
fn said(bytes: Vec<u8>) -> String {
    let plain = open("a.tar", &bytes).expect_err("it is refused");
    for packed in [gzip(&bytes), xz(&bytes)] {
        assert_eq!(open("a.tar", &packed).unwrap_err(), plain);
    }
    assert!(!plain.contains(|c: char| c.is_control()), "{plain:?}");
    plain
}

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
fn what_leads_out_is_refused() {
    let t = Tar::default;
    for (tar, why) in [
        (
            t().file("/etc/passwd", b"x"),
            "`a.tar: /etc/passwd`: it is absolute",
        ),
        (
            t().file("a/../../etc/passwd", b"x"),
            "`a.tar: a/../../etc/passwd`: a part of it is empty, `.` or `..`",
        ),
        (
            t().file("..", b"x"),
            "`a.tar: ..`: a part of it is empty, `.` or `..`",
        ),
        (
            t().link("d", "e").file("d/f", b"x"),
            "`a.tar: d`: something below it, and it is no folder",
        ),
        (
            t().link("d", "/etc").file("d/passwd", b"x"),
            "`a.tar: d`: something below it, and it is no folder",
        ),
        (
            t().file("d/f", b"x").link("d", "e"),
            "`a.tar: d`: it is there twice",
        ),
        (
            t().link("l", "../x"),
            "`a.tar: l`: the link to `../x` leads out",
        ),
        (
            t().link("a/b/l", "../../../x"),
            "`a.tar: a/b/l`: the link to `../../../x` leads out",
        ),
        (
            t().folder("a/b")
                .link("a/b/up", "../..")
                .link("x", "a/b/up/../y"),
            "`a.tar: x`: the link to `a/b/up/../y` leads out",
        ),
        (
            t().link("l", "/etc/passwd"),
            "`a.tar: l`: the link to `/etc/passwd` is absolute",
        ),
        (
            t().link("l", ""),
            "`a.tar: l`: where it leads is empty, too long or has a control character",
        ),
        (
            t().link("l", "a\nb"),
            "`a.tar: l`: where it leads is empty, too long or has a control character",
        ),
        (
            t().link("l", "m").link("m", "l"),
            "`a.tar: l`: the link to `m` leads in circles",
        ),
        (t().same("h", "/etc/passwd"), "`a.tar: h`: it is absolute"),
        (
            t().same("h", "../x"),
            "`a.tar: h`: a part of it is empty, `.` or `..`",
        ),
        (
            t().same("h", "later").file("later", b""),
            "`a.tar: h`: it is another name of a file that is not in the archive before it",
        ),
        (
            t().link("l", "x").same("h", "l"),
            "`a.tar: h`: it is another name of a file that is not in the archive before it",
        ),
        (
            t().folder("d").same("h", "d"),
            "`a.tar: h`: it is another name of a file that is not in the archive before it",
        ),
    ] {
        assert_eq!(said(tar.end()), why);
    }
}

#[test]
fn what_no_package_carries_is_refused() {
    let t = Tar::default;
    let of = |kind: u8| t().member(b"m", EntryType::new(kind), "", 0o644, b"");
    let mode = |mode| t().member(b"m", EntryType::Regular, "", mode, b"");
    for (tar, why) in [
        (of(b'3'), "`a.tar: m`: a device is not unpacked"),
        (of(b'4'), "`a.tar: m`: a device is not unpacked"),
        (of(b'6'), "`a.tar: m`: a pipe is not unpacked"),
        (
            of(b'7'),
            "`a.tar: m`: a member of an unknown kind is not unpacked",
        ),
        (of(b'S'), "`a.tar: m`: a file with holes is not unpacked"),
        (
            of(b'V'),
            "`a.tar: m`: a member of an unknown kind is not unpacked",
        ),
        (
            of(0xff),
            "`a.tar: m`: a member of an unknown kind is not unpacked",
        ),
        (
            mode(0o4755),
            "`a.tar: m`: it would run as another user or group, or is sticky",
        ),
        (
            mode(0o2755),
            "`a.tar: m`: it would run as another user or group, or is sticky",
        ),
        (
            t().member(b"m", EntryType::Directory, "", 0o1777, b""),
            "`a.tar: m`: it would run as another user or group, or is sticky",
        ),
        (
            t().file("m", b"1").file("./m", b"2"),
            "`a.tar: ./m`: it is there twice",
        ),
        (
            t().folder("m/").folder("m"),
            "`a.tar: m`: it is there twice",
        ),
        (
            t().member(b"\xff\xfe", EntryType::Regular, "", 0o644, b""),
            "`a.tar: \u{fffd}\u{fffd}`: its path is not UTF-8",
        ),
        (
            t().file("a\x1b[2Jb", b""),
            "`a.tar: a\\u{1b}[2Jb`: it has a control character in it",
        ),
        (t().file("", b""), "`a.tar: `: it is empty"),
        (
            t().file(".", b""),
            "`a.tar: .`: the root of an archive is a folder",
        ),
        (
            t().member(b"m", EntryType::Symlink, "x", 0o777, b"content"),
            "`a.tar: m`: it is no file and yet has a content",
        ),
        (
            t().member(b"m/", EntryType::Directory, "", 0o755, b"content"),
            "`a.tar: m/`: it is no file and yet has a content",
        ),
    ] {
        assert_eq!(said(tar.end()), why);
    }
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    let pax = |pairs: &[(&str, &str)]| {
        Tar::default().member(b"p", EntryType::XHeader, "", 0o644, &attributes(pairs))
    };
    let global = |pairs: &[(&str, &str)]| {
        Tar::default().member(
            b"g",
            EntryType::XGlobalHeader,
            "",
            0o644,
            &attributes(pairs),
        )
    };
    let long = |tar: Tar, name: &str| {
        tar.member(
            b"././@LongLink",
            EntryType::GNULongName,
            "",
            0o644,
            name.as_bytes(),
        )
    };
    for (tar, why) in [
        (
            pax(&[("size", "1")]).file("m", b"12"),
            "`a.tar: m`: it has two sizes",
        ),
        (
            pax(&[("size", "x")]).file("m", b"12"),
            "`a.tar`: a size is no number",
        ),
        (
            pax(&[("path", "a"), ("path", "b")]).file("m", b""),
            "`a.tar`: a name or a size is given twice",
        ),
        (
            long(pax(&[("path", "a")]), "b\0").file("m", b""),
            "`a.tar`: a name or a size is given twice",
        ),
        (
            pax(&[("path", "../a")]).file("m", b""),
            "`a.tar: ../a`: a part of it is empty, `.` or `..`",
        ),
        (
            pax(&[("path", "/a")]).file("m", b""),
            "`a.tar: /a`: it is absolute",
        ),
        (
            long(Tar::default(), "a\0b\0").file("m", b""),
            "`a.tar: a\\0b`: it has a control character in it",
        ),
        (
            long(Tar::default(), "/etc/passwd\0").file("m", b""),
            "`a.tar: /etc/passwd`: it is absolute",
        ),
        (
            pax(&[("linkpath", "../../x")]).link("m", "n"),
            "`a.tar: m`: the link to `../../x` leads out",
        ),
        (
            pax(&[("GNU.sparse.major", "1")]).file("m", b""),
            "`a.tar`: a file with holes is not unpacked",
        ),
        (
            pax(&[("hdrcharset", "BINARY")]).file("m", b""),
            "`a.tar`: its names are not UTF-8",
        ),
        (
            global(&[("path", "a")]).file("m", b""),
            "`a.tar`: `path` is given for all members at once",
        ),
        (
            pax(&[("path", "a")]),
            "`a.tar`: it ends with a name that no member has",
        ),
        (
            Tar::default()
                .member(b"p", EntryType::XHeader, "", 0o644, b"9999 path=a\n")
                .file("m", b""),
            "`a.tar`: an attribute is damaged",
        ),
        (
            Tar::default()
                .member(b"p", EntryType::XHeader, "", 0o644, &vec![b'x'; 70_000])
                .file("m", b""),
            "`a.tar`: a name or an attribute is too long",
        ),
        (
            long(Tar::default(), &"n/".repeat(600)).file("m", b""),
            &format!("`a.tar: {}…`: its path is too long", "n/".repeat(30)),
        ),
    ] {
        assert_eq!(said(tar.end()), why);
    }
}

#[test]
fn damage_is_noticed() {
    let good = Tar::default().file("a", &[b'x'; 700]).file("b", b"y");
    let whole = good.clone().end();
    let cut = "`a.tar`: it is cut off: its end is missing";
    assert_eq!(said(good.clone().without_end()), cut);
    assert_eq!(said(whole[..whole.len() - 512].to_vec()), cut);
    for len in [600, 900, 1500, 1600, 1700, 2100] {
        let words = said(whole[..len].to_vec());
        assert!(
            ["cut off", "unexpected", "failed to"]
                .iter()
                .any(|word| words.contains(word)),
            "{len}: {words}"
        );
    }
    let mut more = whole.clone();
    more.extend_from_slice(&[0; 9 * 512]);
    assert!(open("a.tar", &more).is_ok(), "tar fills up to 10 KiB");
    more.push(b'x');
    assert_eq!(said(more), "`a.tar`: something follows its end");
    let again = [whole.clone(), whole.clone()].concat();
    assert_eq!(said(again), "`a.tar`: something follows its end");
    let mut spoiled = whole.clone();
    spoiled[1536 + 3] = b'z';
    assert_eq!(said(spoiled), "`a.tar`: archive header checksum mismatch");
    // a packed one that is cut, has a wrong checksum, or something behind it
    for packed in [gzip(&whole), xz(&whole)] {
        for len in [packed.len() - 1, packed.len() - 10, packed.len() / 2] {
            assert!(open("a.tar", &packed[..len]).is_err());
        }
        for at in [packed.len() / 2, packed.len() - 6] {
            let mut spoiled = packed.clone();
            spoiled[at] ^= 0x55;
            assert!(open("a.tar", &spoiled).is_err(), "{at}");
        }
        let more = [packed.clone(), b"more".to_vec()].concat();
        assert!(open("a.tar", &more).is_err());
    }
}

#[test]
fn numbers_may_not_be_too_large() {
    let mut large = header(b"m", EntryType::Regular, 0o644, 1 << 40);
    assert!(
        said(Tar::default().block(&mut large).end())
            .contains("with it there are more than 2147483648 bytes")
    );
    // base 256, nearly the largest
    let mut field = [0xff; 12];
    field[0] = 0x80;
    large.as_gnu_mut().unwrap().size = field;
    let words = said(Tar::default().block(&mut large).end());
    assert!(
        words.contains("overflow") || words.contains("more than"),
        "{words}"
    );
    let mut odd = header(b"m", EntryType::Regular, 0o644, 0);
    odd.as_gnu_mut().unwrap().size = *b"99999999999\0";
    assert!(said(Tar::default().block(&mut odd).end()).contains("numeric field was not a number"));
    odd.set_size(0);
    odd.as_gnu_mut().unwrap().mode = *b"rwxr-xr\0";
    assert_eq!(
        said(Tar::default().block(&mut odd).end()),
        "`a.tar: m`: its mode is no number"
    );
}

#[test]
fn limits_hold() {
    let tight = Limits {
        bytes: 10_000,
        entries: 5,
        path: 20,
        memory: 100 << 20,
    };
    let say = |tar: Tar| {
        let mut spool = Cursor::new(Vec::new());
        let said = unpack("a.tar", tar.end().as_slice(), &tight, &mut spool)
            .unwrap_err()
            .to_string();
        assert!(spool.into_inner().len() <= 10_000);
        said
    };
    let t = Tar::default;
    assert!(say(t().file("a", &[0; 9_000])).contains("it holds more than 10000 bytes"));
    assert!(say(t().file("a", &[0; 11_000])).contains("with it there are more than 10000 bytes"));
    assert!(
        say(t().file("a", &[0; 4_000]).same("b", "a").same("c", "a"))
            .contains("more than 10000 bytes")
    );
    assert!(say(t().file("a/b/c/d/e/f", b"")).contains("too many files and folders"));
    assert!(say(t().file("a-name-of-21-letters-", b"")).contains("its path is too long"));
    let hungry = Limits {
        memory: 1 << 20,
        ..Limits::default()
    };
    let packed = xz(&t().file("a", b"").end());
    let words = unpack(
        "a.tar",
        packed.as_slice(),
        &hungry,
        &mut Cursor::new(Vec::new()),
    )
    .unwrap_err()
    .to_string();
    assert!(words.contains("memory"), "{words}");
}

/// Ten gigabytes of zeros in one file, packed and packed again where that makes it smaller.
#[test]
fn a_trap_ends_soon() {
    let size: u64 = 10 << 30;
    let mut start = header(b"zeros", EntryType::Regular, 0o644, size);
    let start = Tar::default().block(&mut start).without_end();
    // a stream of zeros that is cut off: who reads on to find out has lost already
    let zeros = vec![0; 32 << 20];
    for packed in [
        gzip(&[start.clone(), zeros.clone()].concat()),
        xz(&[start, zeros].concat()),
    ] {
        assert!(packed.len() < 64 << 10, "{}", packed.len());
        let mut spool = Cursor::new(Vec::new());
        let generous = Limits {
            bytes: 20 << 30,
            ..Limits::default()
        };
        let begun = Instant::now();
        let said = unpack("a.tar", packed.as_slice(), &generous, &mut spool)
            .unwrap_err()
            .to_string();
        let took = begun.elapsed();
        assert!(said.contains("it is a trap"), "{said}");
        assert!(took < Duration::from_millis(900), "{took:?}");
        assert!(spool.into_inner().len() < 20 << 20);
        // the size alone is enough for the usual limits
        let said = open("a.tar", &packed).unwrap_err();
        assert!(
            said.contains("zeros`: with it there are more than"),
            "{said}"
        );
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
