//! Packages of ours in the hands of pkgtools: installed, changed by the administrator, upgraded,
//! installed again and removed.

use std::io::Cursor;

use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Content, Meta, Node, PackagePath, Tree, txz};

use super::cases::Cases;
use super::machine::{Machine, Said};

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

/// Puts a package into the machine and says where.
fn brought(machine: &Machine, version: &str, nodes: &[(String, Node)]) -> String {
    let mut tree = Tree::new();
    for (at, node) in nodes {
        tree.put(path(at), node.clone()).expect("it fits");
    }
    let config = tree
        .iter()
        .filter(|(at, node)| at.as_str().starts_with("etc/") && matches!(node, Node::File { .. }))
        .map(|(at, _)| at.clone())
        .collect();
    let meta = Meta {
        name: "toy".to_owned(),
        version: version.to_owned(),
        build: 1,
        arch: Arch::Any,
        summary: "a package for tests".to_owned(),
        description: "It has a file of every kind.".to_owned(),
        homepage: "https://example.org/toy".to_owned(),
        licence: "MIT".to_owned(),
        copyright: "nobody".to_owned(),
        depends: Vec::new(),
        replaces: Vec::new(),
        config,
        links_that_were_folders: Vec::new(),
        time: 1_780_272_000,
    };
    let none = &mut Cursor::new(Vec::new());
    let bytes = txz::write(&meta, &tree, none, 2, Vec::new()).expect("a package");
    let name = txz::file_name(&meta, "_ji").expect("a name");
    txz::check(&name, bytes.as_slice()).expect("no fault");
    let place = format!("/root/{name}");
    std::fs::write(machine.path(&place), bytes).expect("it is written");
    place
}

/// The toy's files in one version.
fn toy(version: &str) -> Vec<(String, Node)> {
    let home = format!("usr/share/toy-{version}");
    [
        (
            "etc/toy.conf",
            file(&format!("version = {version}\n"), 0o640),
        ),
        ("etc/same.conf", file("never changes\n", 0o644)),
        (
            "etc/rc.d/rc.toy",
            file(&format!("#!/bin/sh\n# {version}\n"), 0o755),
        ),
        (&format!("{home}/lib/a-{version}.jar"), file(version, 0o644)),
        (&format!("{home}/toy.jar"), file(version, 0o644)),
        ("usr/share/toy", link(&format!("toy-{version}"))),
        ("usr/bin/toy", link("../share/toy/toy.jar")),
        ("toy-at-the-top", link("usr/share/toy")),
        ("var/lib/toy", Node::Dir { mode: 0o755 }),
    ]
    .map(|(at, node)| (at.to_owned(), node))
    .to_vec()
}

/// Names that a shell would read otherwise.
const ODD: &[&str] = &[
    "a b",
    "it's",
    "say \"x\"",
    "$(touch ran)",
    "`touch ran`",
    "x & touch ran",
    "a  b )",
    "#x",
    "~",
    "*",
    "[a-z]",
    "a)b",
    "!x",
    "{a,b}",
    "<x>",
    "a|b",
    "%n",
    "x --",
];

pub(crate) fn take() {
    let machine = Machine::start();
    let mut cases = Cases::new("packages in the hands of pkgtools");
    journey(&machine, &mut cases);
    from_a_folder(&machine, &mut cases);
    odd_names(&machine, &mut cases);
    cases.finish();
    let left = machine.end();
    assert!(left.is_empty(), "{left:?}");
}

fn well(cases: &mut Cases, name: &str, said: &Said) {
    cases.holds(name, said.code == 0 && said.err.is_empty(), || said.whole());
}

fn journey(machine: &Machine, cases: &mut Cases) {
    let one = brought(machine, "1.0-1", &toy("1.0-1"));
    let two = brought(machine, "1.0-2", &toy("1.0-2"));
    let read = |at: &str| machine.read(at);
    let is_there = |at: &str| machine.sh(&format!("test -e {at} -o -L {at}")).code == 0;

    well(cases, "installpkg", &machine.run(&["installpkg", &one]));
    cases.same(
        "its configuration is there",
        read("/etc/toy.conf"),
        "version = 1.0-1\n".to_owned(),
    );
    cases.same("with its permissions", machine.mode("/etc/toy.conf"), 0o640);
    cases.same(
        "its service is off",
        machine.mode("/etc/rc.d/rc.toy"),
        0o644,
    );
    for new in [
        "/etc/toy.conf.new",
        "/etc/same.conf.new",
        "/etc/rc.d/rc.toy.new",
        "/install",
    ] {
        cases.same(&format!("no {new} is left"), is_there(new), false);
    }
    let jar = |at: &str| machine.sh(&format!("cat {at}")).out;
    for at in [
        "/usr/bin/toy",
        "/usr/share/toy/toy.jar",
        "/toy-at-the-top/toy.jar",
    ] {
        cases.same(
            &format!("{at} leads to the jar"),
            jar(at),
            "1.0-1".to_owned(),
        );
    }
    let record = read("/var/lib/pkgtools/packages/toy-1.0_1-noarch-1_ji");
    cases.holds(
        "its record",
        record.contains("FILE LIST:\n./\netc/\n"),
        || record.clone(),
    );

    machine.write("/etc/toy.conf", "mine\n");
    machine.sh("chmod 755 /etc/rc.d/rc.toy; echo mine > /var/lib/toy/state");
    well(cases, "upgradepkg", &machine.run(&["upgradepkg", &two]));
    cases.same(
        "an edited file stays",
        read("/etc/toy.conf"),
        "mine\n".to_owned(),
    );
    cases.same(
        "the new one is beside it",
        read("/etc/toy.conf.new"),
        "version = 1.0-2\n".to_owned(),
    );
    cases.same("an equal one is not", is_there("/etc/same.conf.new"), false);
    cases.same(
        "the script that runs stays",
        read("/etc/rc.d/rc.toy"),
        "#!/bin/sh\n# 1.0-1\n".to_owned(),
    );
    cases.same("and is on", machine.mode("/etc/rc.d/rc.toy"), 0o755);
    cases.same(
        "the new script is on too",
        machine.mode("/etc/rc.d/rc.toy.new"),
        0o755,
    );
    cases.same(
        "the old folder is gone",
        is_there("/usr/share/toy-1.0-1"),
        false,
    );
    cases.same(
        "the link is switched",
        jar("/usr/bin/toy"),
        "1.0-2".to_owned(),
    );

    let again = machine.run(&["upgradepkg", &two]);
    well(cases, "upgradepkg again", &again);
    cases.holds("does nothing", again.out.starts_with("Skipping"), || {
        again.whole()
    });
    machine.sh("rm /usr/share/toy-1.0-2/toy.jar /usr/bin/toy");
    let again = machine.run(&["upgradepkg", "--install-new", "--reinstall", &two]);
    well(cases, "upgradepkg --reinstall", &again);
    cases.same("mends it", jar("/usr/bin/toy"), "1.0-2".to_owned());
    cases.same(
        "and keeps what was edited",
        read("/etc/toy.conf"),
        "mine\n".to_owned(),
    );

    well(
        cases,
        "back to the older one",
        &machine.run(&["upgradepkg", &one]),
    );
    cases.same(
        "the link is switched back",
        jar("/usr/bin/toy"),
        "1.0-1".to_owned(),
    );

    well(cases, "removepkg", &machine.run(&["removepkg", "toy"]));
    for gone in [
        "/usr/share/toy",
        "/usr/share/toy-1.0-1",
        "/usr/bin/toy",
        "/toy-at-the-top",
        "/etc/toy.conf.new",
        "/etc/rc.d/rc.toy.new",
    ] {
        cases.same(&format!("{gone} is gone"), is_there(gone), false);
    }
    cases.same(
        "what was edited stays",
        read("/etc/toy.conf"),
        "mine\n".to_owned(),
    );
    cases.same(
        "and what it kept",
        read("/var/lib/toy/state"),
        "mine\n".to_owned(),
    );
    machine.sh("rm -r /etc/toy.conf /etc/same.conf /etc/rc.d/rc.toy /var/lib/toy");
}

/// A package of others under the same name, with a folder where ours has a link.
fn from_a_folder(machine: &Machine, cases: &mut Cases) {
    let theirs = vec![
        ("usr/share/toy/lib/old.jar".to_owned(), file("old", 0o644)),
        ("usr/share/toy/toy.jar".to_owned(), file("old", 0o644)),
    ];
    let theirs = brought(machine, "0.9", &theirs);
    let ours = brought(machine, "1.0-1", &toy("1.0-1"));
    well(
        cases,
        "with a folder",
        &machine.run(&["installpkg", &theirs]),
    );
    well(
        cases,
        "a link in its place",
        &machine.run(&["upgradepkg", &ours]),
    );
    let list = machine
        .sh("cd /usr/share && readlink toy && find toy-1.0-1 -type f | sort")
        .out;
    let want = "toy-1.0-1\ntoy-1.0-1/lib/a-1.0-1.jar\ntoy-1.0-1/toy.jar\n";
    cases.same("and all of ours below it", list, want.to_owned());
    well(cases, "removed", &machine.run(&["removepkg", "toy"]));
    machine.sh("rm -rf /etc/toy.conf /etc/same.conf /etc/rc.d/rc.toy /var/lib/toy");
}

fn odd_names(machine: &Machine, cases: &mut Cases) {
    let mut nodes = Vec::new();
    for (number, name) in ODD.iter().enumerate() {
        nodes.push((format!("odd/{name}/file {name}."), file("x", 0o644)));
        nodes.push((
            format!("odd/{name}/l{name}."),
            link(&format!("file {name}.")),
        ));
        nodes.push((format!("etc/odd/{name}."), file("x", 0o644)));
        nodes.push((format!("odd/text {number}"), link(&format!("{name};x"))));
    }
    let odd = brought(machine, "2", &nodes);
    well(cases, "odd names", &machine.run(&["installpkg", &odd]));
    let count = |what: &str| {
        machine
            .sh(&format!("find /odd /etc/odd {what} | wc -l"))
            .out
    };
    let all = ODD.len();
    cases.same("all files", count("-type f"), format!("{}\n", 2 * all));
    cases.same("all links", count("-type l"), format!("{}\n", 2 * all));
    let broken = count("-path '*/l*' -xtype l");
    cases.same("all links lead to their files", broken, "0\n".to_owned());
    for (number, name) in ODD.iter().enumerate() {
        let text = std::fs::read_link(machine.path(&format!("/odd/text {number}")));
        let text = text
            .map(|text| text.display().to_string())
            .unwrap_or_default();
        cases.same(&format!("a link to {name}"), text, format!("{name};x"));
    }
    well(
        cases,
        "odd names again",
        &machine.run(&["upgradepkg", "--reinstall", &odd]),
    );
    cases.same(
        "no .new of them is left",
        count("-name '*.new'"),
        "0\n".to_owned(),
    );
    let ran = machine
        .sh("find / -xdev -name 'ran*' -not -path '/proc/*' -not -path '/usr/*'")
        .out;
    cases.same("nothing was run", ran, String::new());
    well(
        cases,
        "odd names removed",
        &machine.run(&["removepkg", "toy"]),
    );
    let left = machine.sh("find /odd").out;
    cases.same("nothing is left", left, String::new());
}
