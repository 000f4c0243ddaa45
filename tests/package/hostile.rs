//! Archives that are meant to do harm: each is refused in words that say what and where.

use tar::EntryType;

use crate::archives::{Tar, attributes, said};

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
