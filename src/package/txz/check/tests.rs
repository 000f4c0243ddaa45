//! One good package, and one for each rule that is spoiled in nothing else.

use std::io::Write;

use liblzma::write::XzEncoder;

use super::{check, check_within};
use crate::package::txz::member::{Member, padding};

const NAME: &str = "toy-1.0-noarch-1_ji.txz";
const SCRIPT: &str = "\
config etc/toy.conf.new
config etc/rc.d/rc.toy.new
( cd usr/share ; rm -rf toy )
( cd usr/share ; ln -sf toy-1.0 toy )
( cd usr/share/a\\ b ; rm -rf \\$x )
( cd usr/share/a\\ b ; ln -sf /etc/x \\$x )
";

fn desc(name: &str, lines: usize) -> String {
    let mut out = format!("# a comment\n   |-----handy-ruler---|\n{name}: {name} (a toy)\n");
    out.push_str(&format!("{name}:\n").repeat(lines - 1));
    out
}

/// A member: path, permissions, contents, and bytes that are set in its header afterwards.
#[derive(Clone)]
struct Part {
    path: String,
    mode: u32,
    content: Vec<u8>,
    spoil: Vec<(usize, Vec<u8>)>,
}

fn part(path: &str, content: &str) -> Part {
    Part {
        path: path.to_owned(),
        mode: if path.ends_with('/') { 0o755 } else { 0o644 },
        content: content.as_bytes().to_vec(),
        spoil: Vec::new(),
    }
}

impl Part {
    fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.spoil.push((at, bytes.to_vec()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let member = Member {
            path: &self.path,
            mode: self.mode,
            size: self.content.len() as u64,
            time: 1,
        };
        let mut out = member.header().expect("a header");
        for (at, bytes) in &self.spoil {
            out[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        if !self.spoil.is_empty() && self.spoil[0].0 != 148 {
            out[148..156].copy_from_slice(b"        ");
            let sum: u32 = out[..512].iter().copied().map(u32::from).sum();
            out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        out.extend_from_slice(&self.content);
        out.resize(out.len() + padding(self.content.len() as u64), 0);
        out
    }
}

fn good() -> Vec<Part> {
    vec![
        part("./", ""),
        part("etc/", ""),
        part("etc/rc.d/", ""),
        part("etc/rc.d/rc.toy.new", "#!/bin/sh\n"),
        part("etc/toy.conf.new", "a = 1\n").mode(0o600),
        part("install/", ""),
        part("install/doinst.sh", SCRIPT),
        part("install/slack-desc", &desc("toy", 11)),
        part("usr/", ""),
        part("usr/share/", ""),
        part("usr/share/a b/", ""),
        part("usr/share/toy-1.0/", ""),
        part("usr/share/toy-1.0/it's $(id)", "x"),
        part("var/", ""),
        part("var/tmp/", "").mode(0o1777),
    ]
}

fn xz(tar: &[u8]) -> Vec<u8> {
    let mut xz = XzEncoder::new(Vec::new(), 1);
    xz.write_all(tar).expect("memory");
    xz.finish().expect("memory")
}

fn tar(parts: &[Part]) -> Vec<u8> {
    let mut tar: Vec<u8> = parts.iter().flat_map(Part::bytes).collect();
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn faults(name: &str, package: &[u8]) -> Vec<String> {
    match check(name, package) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// Exactly this fault, and no other.
fn is_named(parts: &[Part], want: &str) {
    let found = faults(NAME, &xz(&tar(parts)));
    assert_eq!(found.len(), 1, "{want}: {found:?}");
    assert!(found[0].contains(want), "{want}: {found:?}");
}

/// The good one with a part in another's place.
fn with(at: &str, other: Part) -> Vec<Part> {
    let mut parts = good();
    let place = parts
        .iter()
        .position(|part| part.path == at)
        .expect("it is there");
    parts[place] = other;
    parts
}

/// The good one with something more after a part.
fn after(at: &str, more: Part) -> Vec<Part> {
    let mut parts = good();
    let place = parts
        .iter()
        .position(|part| part.path == at)
        .expect("it is there");
    parts.insert(place + 1, more);
    parts
}

#[test]
fn a_good_package_is_listed() {
    let listing = check(NAME, xz(&tar(&good())).as_slice()).expect("no fault");
    assert_eq!(listing.name, "toy");
    assert_eq!(
        (listing.version.as_str(), listing.arch.as_str()),
        ("1.0", "noarch")
    );
    assert_eq!(listing.links["usr/share/toy"], "toy-1.0");
    assert_eq!(listing.links["usr/share/a b/$x"], "/etc/x");
    assert_eq!(listing.files["usr/share/toy-1.0/it's $(id)"], 1);
    assert!(listing.folders.contains("var/tmp") && !listing.folders.contains("."));
    assert_eq!(listing.description[0], "toy (a toy)");
}

#[test]
fn members_break_rules() {
    let end = "var/tmp/";
    let file = || part("var/x", "");
    is_named(&good()[1..], "the first member is not `./`");
    is_named(
        &after(end, part("./var/x", "")),
        "only the first member begins with `./`",
    );
    is_named(&after(end, part("./", "")), "there twice");
    is_named(&after(end, part("/var/x", "")), "absolute");
    is_named(&after(end, part("var/../x", "")), "leads out of the root");
    is_named(&after(end, part("var//x", "")), "empty or `.`");
    is_named(&after(end, part("var/\u{e4}", "")), "cannot carry");
    is_named(&after(end, part("var/x", "").with(4, b"\xff")), "not ASCII");
    is_named(&after(end, part("var/x\\", "")), "cannot carry");
    is_named(&after(end, part("var/x ", "")), "space");
    is_named(&after(end, part("var/tmp/", "")), "there twice");
    is_named(&after(end, part("usr/x", "")), "order");
    is_named(&after("./", part("+x", "")), "before `./`");
    is_named(&after(end, part("var/u/x", "")), "folder around it");
    is_named(
        &after(end, part("var/x", "").with(156, b"5")),
        "ends with `/`",
    );
    is_named(
        &after(end, part("var/x/", "").with(156, b"0")),
        "only a folder",
    );
    for (letter, want) in [
        (b"1", "hard link"),
        (b"2", "symbolic link"),
        (b"3", "device"),
        (b"4", "device"),
        (b"6", "pipe"),
        (b"7", "neither file nor folder"),
        (b"K", "neither file nor folder"),
        (b"x", "pax"),
    ] {
        is_named(&after(end, file().with(156, letter)), want);
    }
    is_named(&after(end, file().mode(0o4755)), "set-id");
    is_named(&after(end, file().mode(0o2755)), "set-id");
    is_named(&after(end, file().mode(0o666)), "everybody");
    is_named(&after(end, file().with(108, b"0001750")), "0:0");
    is_named(&after(end, file().with(116, b"0001750")), "0:0");
    is_named(&after(end, file().with(265, b"user")), "named root:root");
    is_named(
        &after(end, file().with(257, b"tar    ")),
        "neither ustar nor GNU",
    );
    let folder = part("var/x/", "").with(124, b"00000000100");
    let listed = check(NAME, xz(&tar(&after(end, folder))).as_slice());
    assert!(listed.is_ok(), "a folder's size says nothing: {listed:?}");
    is_named(
        &with(
            "etc/rc.d/rc.toy.new",
            part("etc/rc.d/rc.toy.new", "").mode(0o755),
        ),
        "executable bit",
    );
    is_named(
        &after("etc/rc.d/rc.toy.new", part("etc/rc.d/rc.z", "")),
        "comes as `.new`",
    );
    is_named(
        &after("etc/toy.conf.new", part("etc/z.new", "")),
        "leaves `etc/z.new`",
    );
    is_named(
        &after("install/slack-desc", part("install/x", "")),
        "stay in the root",
    );
}

#[test]
fn descriptions_break_rules() {
    let at = "install/slack-desc";
    let spoiled = |text: &str, want: &str| is_named(&with(at, part(at, text)), want);
    spoiled(&desc("toy", 10), "has 10 lines");
    spoiled(&desc("toy", 12), "has 12 lines");
    spoiled(
        &format!("{}toys: x\n", desc("toy", 11)),
        "does not begin with `toy:`",
    );
    spoiled(
        &desc("toy", 11).replace("toy (a toy)", "a toy"),
        "first line",
    );
    spoiled(
        &desc("toy", 11).replace("toy (a toy)", "toy ()"),
        "first line",
    );
    let long = format!("{}toy: {}\n", desc("toy", 10), "x".repeat(71));
    spoiled(&long, "longer than 70");
    spoiled(
        &format!("{}toy: x \n", desc("toy", 10)),
        "ends with a space",
    );
    is_named(
        &with(at, part(at, "").with(156, b"5").with(18, b"/")),
        "no `install/slack-desc`",
    );
    let mut latin = part(at, &desc("toy", 11));
    latin.content[3] = 0xff;
    is_named(&with(at, latin), "not UTF-8");
    let none: Vec<Part> = good().into_iter().filter(|part| part.path != at).collect();
    is_named(&none, "there is no `install/slack-desc`");
}

#[test]
fn scripts_break_rules() {
    let at = "install/doinst.sh";
    let spoiled =
        |text: &str, want: &str| is_named(&with(at, part(at, &format!("{SCRIPT}{text}"))), want);
    spoiled("cp x /etc/y\n", "absolute path `/etc/y`");
    spoiled("cp x \"/etc/y\" 2> /dev/null\n", "absolute path `/etc/y`");
    spoiled("x=/usr/bin/y\n", "absolute path `/usr/bin/y`");
    spoiled("( cd /usr ; rm -rf x )\n", "leads out of the root");
    spoiled("( cd usr/.. ; rm -rf x )\n", "leads out of the root");
    spoiled("( cd usr ; ln -sf y x )\n", "without removing it first");
    spoiled("( cd usr ; rm -rf $x )\n", "do not understand");
    spoiled("( cd usr ; rm -rf x y )\n", "do not understand");
    spoiled(
        "( cd var ; rm -rf tmp )\n( cd var ; ln -sf y tmp )\n",
        "also a member",
    );
    spoiled(
        "( cd opt ; rm -rf x )\n( cd opt ; ln -sf y x )\n",
        "not in the package",
    );
    spoiled(
        "( cd usr/share ; rm -rf toy )\n( cd usr/share ; ln -sf x toy )\n",
        "twice",
    );
    let fine = format!("{SCRIPT}# /etc\nif [ -x usr/bin/y ]; then usr/bin/y > /dev/null; fi\n");
    assert_eq!(faults(NAME, &xz(&tar(&with(at, part(at, &fine))))), [""; 0]);
}

#[test]
fn names_of_files_break_rules() {
    let package = xz(&tar(&good()));
    for (name, want) in [
        ("toy.txz", "not named"),
        ("toy-1.0-noarch-1.tgz", "not named"),
        ("toy-1.0-noarch-a.txz", "no build number"),
        ("toy-1.0-no arch-1.txz", "no architecture"),
        ("toy-1.0%2-noarch-1.txz", "no version"),
        ("-toy-1.0-noarch-1.txz", "no name"),
        ("../toy-1.0-noarch-1.txz", "no name"),
        ("toys-1.0-noarch-1.txz", "has 0 lines of `toys:`"),
    ] {
        let found = faults(name, &package);
        assert!(
            found.iter().any(|fault| fault.contains(want)),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn damage_and_bombs_are_noticed() {
    let is_damaged = |package: &[u8], want: &str| {
        let found = faults(NAME, package);
        assert_eq!(found.len(), 1, "{want}: {found:?}");
        assert!(found[0].contains(want), "{want}: {found:?}");
    };
    let whole = tar(&good());
    let package = xz(&whole);
    is_damaged(b"", "cannot be read");
    is_damaged(b"PK\x03\x04", "cannot be read");
    is_damaged(&package[..package.len() - 1], "cannot be read");
    let mut flipped = package.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    is_damaged(&flipped, "cannot be read");
    is_damaged(
        &[package.as_slice(), b"more"].concat(),
        "follows the end of the xz",
    );
    is_damaged(
        &xz(&[whole.as_slice(), b"more"].concat()),
        "follows the end of the tarball",
    );
    is_damaged(&xz(&whole[..whole.len() - 512]), "two empty records");
    is_damaged(&xz(&whole[..whole.len() - 1024]), "cannot be read");
    is_damaged(&xz(&whole[..700]), "cannot be read");
    let spoiled = with("usr/", part("usr/", "").with(148, b"0000000\0"));
    is_damaged(&xz(&tar(&spoiled)), "checksum");
    let spoiled = with("usr/", part("usr/", "").with(124, b"\x80"));
    is_damaged(&xz(&tar(&spoiled)), "octal");
    let huge = part("var/x", "").with(124, b"77777777777");
    is_damaged(&xz(&tar(&[good(), vec![huge]].concat())), "cannot be read");
    let long = part(&"x".repeat(120), "").with(124, b"00000010001");
    is_damaged(
        &xz(&tar(&[good(), vec![long]].concat())),
        "longer than 4096",
    );
    let mut waiting = tar(&good());
    waiting.truncate(waiting.len() - 1024);
    waiting.extend(&part(&format!("var/{}", "x".repeat(120)), "").bytes()[..1024]);
    waiting.resize(waiting.len() + 1024, 0);
    is_damaged(&xz(&waiting), "ends after a long path");
    let text = part("install/doinst.sh", "").with(124, b"00010000000");
    is_damaged(
        &xz(&tar(&with("install/doinst.sh", text))),
        "larger than 1 MiB",
    );
    // 64 MiB of nothing, in ten kilobytes.
    let mut head = tar(&good());
    head.truncate(head.len() - 1024);
    head.extend(part("var/x", "").with(124, b"00400000000").bytes());
    head.resize(head.len() + (64 << 20) + 1024, 0);
    let bomb = xz(&head);
    assert!(bomb.len() < 100_000 && check(NAME, bomb.as_slice()).is_ok());
    let most = 1 << 20;
    let found = check_within(most, NAME, bomb.as_slice()).expect_err("a bomb");
    assert!(
        found[0].what.contains("unpacks to 1048576 bytes"),
        "{found:?}"
    );
}
