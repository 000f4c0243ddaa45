//! Packages of upstream's kind are taken apart; those that lie are named for it.

use std::fs;
use std::io::{Cursor, Read};
use std::process::Command;

use jitsi_install::package::deb::{self, Expected};
use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Limits, Node};
use tar::EntryType;

use crate::archives::{Tar, ar, gzip, xz};
use crate::cases::{Cases, are_here};
use crate::shell;
use crate::upstream::ALL;

const EXPECTED: Expected<'_> = Expected {
    package: "jicofo",
    version: "1.0-1183",
    arch: Arch::Any,
};

/// A control file that is in order.
pub(crate) const CONTROL: &str = "Package: jicofo\nVersion: 1.0-1183-1\nArchitecture: all\n\
                       Maintainer: A <a@example.org>\nDescription: x\n y\n";

fn read(bytes: &[u8]) -> Result<usize, String> {
    let mut spool = Cursor::new(Vec::new());
    let parts = deb::read("a.deb", bytes, &EXPECTED, &Limits::default(), &mut spool);
    parts
        .map(|(_, tree)| tree.len())
        .map_err(|error| error.to_string())
}

/// A package with this control file, sums and data.
pub(crate) fn made(control: &str, sums: Option<&str>, data: Tar) -> Vec<u8> {
    let mut beside = Tar::default().file("./control", control.as_bytes());
    if let Some(sums) = sums {
        beside = beside.file("./md5sums", sums.as_bytes());
    }
    with(&gzip(&beside.end()), &xz(&data.end()))
}

/// A package of these members.
pub(crate) fn with(control: &[u8], data: &[u8]) -> Vec<u8> {
    ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", control),
        ("data.tar.xz", data),
    ])
}

#[test]
fn upstreams_packages_become_trees() {
    if !are_here(&["dpkg-deb", "md5sum"]) {
        return;
    }
    let mut cases = Cases::new("upstream's packages");
    let place = tempfile::tempdir().unwrap();
    for upstream in ALL {
        let version = "1.0-1183";
        let Some(file) = cases.must(upstream.package, upstream.build(version, place.path())) else {
            continue;
        };
        let bytes = fs::read(&file).unwrap();
        let expected = Expected {
            package: upstream.package,
            ..EXPECTED
        };
        let mut spool = Cursor::new(Vec::new());
        let parts = deb::read(
            "a.deb",
            bytes.as_slice(),
            &expected,
            &Limits::default(),
            &mut spool,
        );
        let Some((control, tree)) = cases.must(upstream.package, parts) else {
            continue;
        };
        cases.same("version", control.field("Version"), Some("1.0-1183-1"));
        let mut found = std::collections::BTreeMap::new();
        for (path, node) in tree.iter() {
            if let Node::File { content, .. } = node {
                let mut bytes = Vec::new();
                content
                    .open(&mut spool)
                    .unwrap()
                    .read_to_end(&mut bytes)
                    .unwrap();
                found.insert(path.to_string(), bytes);
            }
        }
        cases.same("files", found, upstream.files(version));
        // the other ways in which dpkg-deb packs
        for option in ["-Zgzip", "-Znone", "-Zzstd"] {
            let again = place.path().join("again.deb");
            let shell = "rm -rf x && dpkg-deb -R \"$1\" x && dpkg-deb --root-owner-group \"$2\" -b x again.deb";
            let built = shell::done(
                Command::new("sh")
                    .args(["-c", shell, "sh"])
                    .arg(&file)
                    .arg(option)
                    .current_dir(place.path()),
            );
            cases.must(option, built);
            let bytes = fs::read(&again).unwrap();
            let mut spool = Cursor::new(Vec::new());
            let again = deb::read(
                "a.deb",
                bytes.as_slice(),
                &expected,
                &Limits::default(),
                &mut spool,
            );
            match (option, again) {
                ("-Zzstd", Err(error)) => cases.holds(
                    option,
                    error.to_string().contains("packed with zstd"),
                    || error.to_string(),
                ),
                (_, again) => cases.same(
                    option,
                    again.ok().map(|(_, tree)| tree.len()),
                    Some(tree.len()),
                ),
            }
        }
    }
    cases.finish();
}

#[test]
fn packages_that_lie_are_refused() {
    let t = Tar::default;
    let file = || t().folder("./").file("./usr/f", b"content\n");
    let sum = "f75b8179e4bbe7e2b4a074dcef62de95  usr/f\n";
    assert_eq!(read(&made(CONTROL, Some(sum), file())), Ok(2));
    assert_eq!(read(&made(CONTROL, None, file())), Ok(2));
    for (from, to, why) in [
        (
            "jicofo",
            "jigasi",
            "`a.deb`: its Package is `jigasi`, and not `jicofo`",
        ),
        (
            "1.0-1183-1",
            "1.0-1174-1",
            "`a.deb`: its Version is `1.0-1174-1`, and not `1.0-1183`",
        ),
        (
            "1.0-1183-1",
            "1.0-11831",
            "`a.deb`: its Version is `1.0-11831`, and not `1.0-1183`",
        ),
        (
            "1.0-1183-1",
            "1.0-1183-1-2",
            "`a.deb`: its Version is `1.0-1183-1-2`, and not `1.0-1183`",
        ),
        (
            ": all",
            ": amd64",
            "`a.deb`: its Architecture is `amd64`, and not `all`",
        ),
        (
            "Package",
            "package\t",
            "`a.deb: control.tar.gz`: line 1 is no field: `package\\t: jicofo`",
        ),
    ] {
        let control = CONTROL.replacen(from, to, 1);
        assert_eq!(read(&made(&control, Some(sum), file())).unwrap_err(), why);
    }
    for (sums, why) in [
        (
            "0123456789abcdef0123456789abcdef  usr/f\n",
            "`a.deb`: `usr/f` is not what md5sums says",
        ),
        ("", "`a.deb`: `usr/f` is not in md5sums"),
        (
            "x  usr/f\n",
            "`a.deb`: md5sums: `x  usr/f` is no line of it",
        ),
        (
            &sum.replace("usr/f", "/usr/f"),
            "`a.deb`: md5sums: `f75b8179e4bbe7e2b4a074dcef62de95  /usr/f` is no line of it",
        ),
        (
            &format!("{sum}{sum}"),
            "`a.deb`: md5sums: `usr/f` is there twice",
        ),
        (
            &format!("{sum}{}", sum.replace("/f", "/g")),
            "`a.deb`: md5sums: `usr/g` is no file of the package",
        ),
    ] {
        assert_eq!(read(&made(CONTROL, Some(sums), file())).unwrap_err(), why);
    }
    for (data, why) in [
        (
            file().link("./usr/l", "/etc/alternatives/java"),
            "`a.deb: data.tar.xz: usr/l`: the link to `/etc/alternatives/java` is absolute, and what it leads to is not in the archive",
        ),
        (
            file().link("./usr/l", "../../etc"),
            "`a.deb: data.tar.xz: usr/l`: the link to `../../etc` leads out",
        ),
        (
            file().file("../x", b""),
            "`a.deb: data.tar.xz: ../x`: a part of it is empty, `.` or `..`",
        ),
        (
            t().member(b"./usr/su", EntryType::Regular, "", 0o4755, b""),
            "`a.deb: data.tar.xz: ./usr/su`: it would run as another user or group, or is sticky",
        ),
    ] {
        assert_eq!(read(&made(CONTROL, None, data)).unwrap_err(), why);
    }
    assert_eq!(
        read(&made(CONTROL, None, file().link("./usr/l", "/usr/f"))),
        Ok(3)
    );
}

#[test]
fn members_are_in_their_places() {
    let control = gzip(&Tar::default().file("./control", CONTROL.as_bytes()).end());
    let data = xz(&Tar::default().folder("./").file("./f", b"").end());
    let (format, control, data) = (
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar.gz", &control[..]),
        ("data.tar.xz", &data[..]),
    );
    assert_eq!(read(&ar(&[format, control, data])), Ok(1));
    assert_eq!(
        read(&ar(&[format, ("_gpgorigin", b"odd"), control, data])),
        Ok(1)
    );
    let more = |name: &'static str| (name, data.1);
    for (members, why) in [
        (&[][..], "`a.deb`: it is no Debian package"),
        (&[control, format, data], "`a.deb`: it is no Debian package"),
        (
            &[("debian-binary", b"3.0\n"), control, data],
            "`a.deb`: its format is `3.0\\n`, and not 2.0",
        ),
        (
            &[format, data, control],
            "`a.deb`: `data.tar.xz` is out of place",
        ),
        (&[format, control], "`a.deb`: a part of it is missing"),
        (
            &[format, control, control, data],
            "`a.deb`: `control.tar.gz` is out of place",
        ),
        (
            &[format, control, data, data],
            "`a.deb`: `data.tar.xz` is out of place",
        ),
        (
            &[format, control, data, ("more", b"")],
            "`a.deb`: `more` is out of place",
        ),
        (
            &[format, control, more("data.tar.gz")],
            "`a.deb: data.tar.gz`: it is not packed as its name says",
        ),
        (
            &[format, control, more("data.tar")],
            "`a.deb: data.tar`: it is not packed as its name says",
        ),
        (
            &[format, control, more("data.tar.zst")],
            "`a.deb: data.tar.zst`: it is packed with zstd: packages of Ubuntu's are not read",
        ),
        (
            &[format, control, more("data.tar.bz2")],
            "`a.deb: data.tar.bz2`: it is packed with something else than xz or gzip",
        ),
        (
            &[format, control, ("data.tar", b"nothing")],
            "`a.deb: data.tar`: it is no tar archive",
        ),
    ] {
        assert_eq!(read(&ar(members)).unwrap_err(), why);
    }
    for (beside, why) in [
        (
            Tar::default().file("control", b""),
            "`a.deb: control.tar.gz`: line 1 is no field: ``",
        ),
        (
            Tar::default().file("md5sums", b""),
            "`a.deb: control.tar.gz`: there is no control file",
        ),
        (
            Tar::default()
                .file("control", CONTROL.as_bytes())
                .file("x", b""),
            "`a.deb: control.tar.gz`: `x` is unknown",
        ),
        (
            Tar::default().folder("control"),
            "`a.deb: control.tar.gz`: `control` is no file",
        ),
        (
            Tar::default().file("control", &vec![b'x'; 17 << 20]),
            "`a.deb: control.tar.gz: control`: with it there are more than 16777216 bytes",
        ),
    ] {
        assert_eq!(read(&with(&gzip(&beside.end()), data.1)).unwrap_err(), why);
    }
}

/// A package that unpacks to far more than it should.
#[test]
fn a_trap_in_a_package_ends_soon() {
    let data = xz(&Tar::default().file("zeros", &vec![0; 64 << 20]).end());
    let control = gzip(&Tar::default().file("control", CONTROL.as_bytes()).end());
    let begun = std::time::Instant::now();
    let said = read(&with(&control, &data)).unwrap_err();
    assert!(said.contains("it is a trap"), "{said}");
    assert!(begun.elapsed() < std::time::Duration::from_millis(900));
}
