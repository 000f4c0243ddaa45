//! Sets of Jitsi: built from the cache, installed by upgradepkg, moved in one generation, and back.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::cases::Cases;
use super::journey::{SITE, all_run, machine as plain, site};
use super::machine::{Machine, Said, library};
use super::sets_of_standins::{self, SETS};

const STORE: &str = "/var/cache/jitsi-install/packages";
const SOURCES: &str = "/var/cache/jitsi-install/sources";
const CATALOGUE: &str = "/etc/jitsi-install/catalogue.toml";

/// The stand-ins, made once in a run.
fn made() -> &'static (PathBuf, String) {
    static MADE: OnceLock<(PathBuf, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("slackware-sets");
        let _ = fs::remove_dir_all(&folder);
        let catalogue = sets_of_standins::make(&library(), &folder);
        let catalogue = sets_of_standins::with_toys(&catalogue, &folder);
        (folder, catalogue)
    })
}

/// A machine whose store lacks Jitsi, and whose cache has both sets.
fn machine() -> Machine {
    let machine = plain();
    let (folder, catalogue) = made();
    machine.write(CATALOGUE, catalogue);
    let away = format!(
        "rm {STORE}/jicofo-* {STORE}/jitsi-* {STORE}/lua-cjson-*; mkdir -p -m 755 {SOURCES}; chmod 755 /var/cache/jitsi-install {SOURCES}"
    );
    assert_eq!(machine.sh(&away).code, 0);
    for entry in fs::read_dir(folder).expect("stand-ins") {
        let file = entry.expect("a file").path();
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let to = machine.path(&format!("{SOURCES}/{name}"));
        fs::copy(&file, to).expect("a copy");
    }
    machine
}

fn pin(machine: &Machine, set: &str) {
    machine.write(SITE, &site(&[("packages.set", &format!("\"{set}\""))]));
}

/// How the machine stands: records of Jitsi, where the links lead, jars and titles of any version.
fn stands(machine: &Machine) -> BTreeMap<&'static str, String> {
    let say = |line: &str| machine.sh(line).out;
    BTreeMap::from([
        (
            "records",
            say("cd /var/lib/pkgtools/packages && ls | grep -E '^(jicofo|jitsi-)'"),
        ),
        (
            "links",
            say("readlink /usr/share/jicofo /usr/share/jitsi-videobridge"),
        ),
        (
            "jars",
            say(
                "find -L /usr/share/jicofo* /usr/share/jitsi-videobridge* -name 'standin-*.jar' -printf '%f\\n' | sort -u",
            ),
        ),
        (
            "folders",
            say("cd /usr/share && ls -d jicofo* jitsi-videobridge*"),
        ),
        (
            "web",
            say("cat /usr/share/jitsi-meet/title.html; ls /usr/share/jitsi-meet/libs | grep '^1'"),
        ),
        (
            "plugins",
            say("cat /usr/share/jitsi-meet/prosody-plugins/standin_version.txt"),
        ),
    ])
}

fn is_set(number: usize) -> BTreeMap<&'static str, String> {
    let [_, jicofo, bridge, web] = SETS[number];
    let (j, b) = (jicofo.replace('-', "_"), bridge.replace('-', "_"));
    BTreeMap::from([
        (
            "records",
            format!(
                "jicofo-{j}-noarch-1_ji\njitsi-meet-prosody-{web}-noarch-1_ji\njitsi-meet-web-{web}-noarch-1_ji\njitsi-videobridge-{b}-noarch-1_ji\n"
            ),
        ),
        (
            "links",
            format!("jicofo-{jicofo}\njitsi-videobridge-{bridge}\n"),
        ),
        (
            "jars",
            format!("standin-{jicofo}.jar\nstandin-{bridge}.jar\n"),
        ),
        (
            "folders",
            format!("jicofo\njicofo-{jicofo}\njitsi-videobridge\njitsi-videobridge-{bridge}\n"),
        ),
        ("web", format!("{}{web}.js\n", sets_of_standins::title(web))),
        (
            "plugins",
            format!("jitsi-meet-prosody {web}: a stand-in of jitsi-install's tests\n"),
        ),
    ])
}

/// All services run; what the site file asks for is another set.
fn four_run(machine: &Machine, cases: &mut Cases, when: &str) {
    let pids = machine.pids("nginx");
    cases.holds(&format!("all services run {when}"), pids.len() == 4, || {
        format!("{pids:?}")
    });
}

fn generations(machine: &Machine) -> usize {
    machine.installer(&["history"]).out.lines().count()
}

fn succeeds(machine: &Machine, cases: &mut Cases, what: &str, words: &[&str]) -> Said {
    let said = machine.installer(words);
    cases.holds(what, said.code == 0, || said.whole());
    said
}

pub(crate) fn take() {
    let machine = machine();
    let mut cases = Cases::new("Slackware, sets of packages");
    first(&machine, &mut cases);
    a_part_does_not_move(&machine, &mut cases);
    second(&machine, &mut cases);
    back(&machine, &mut cases);
    spoiled(&machine, &mut cases);
    killed(&machine, &mut cases);
    without_a_pin(&machine, &mut cases);
    let left = machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}

fn first(machine: &Machine, cases: &mut Cases) {
    pin(machine, "2.0.1");
    let said = machine.installer(&["plan"]);
    cases.holds(
        "a set that nobody knows is a mistake of the site file",
        said.code == 65 && said.err.contains("2.0.90002, 2.0.90001"),
        || said.whole(),
    );
    pin(machine, SETS[0][0]);
    let source = format!("{SOURCES}/jicofo_{}-1_all.deb", SETS[0][1]);
    machine.sh(&format!("mv {source} /root/j.deb"));
    let said = machine.installer(&["apply", "--yes"]);
    let command = format!("`jitsi-install package fetch --set {} jicofo`", SETS[0][0]);
    cases.holds(
        "a source that is not in the cache is named, with what brings it",
        said.code == 1 && said.err.contains(&command),
        || said.whole(),
    );
    machine.sh(&format!(
        "mv /root/j.deb {source}; mv {SOURCES}/toy-base-9.tar.gz /root/"
    ));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "so is what another needs",
        said.code == 1
            && said.err.contains("package lua-cjson")
            && said.err.contains("it needs `toy-base`"),
        || said.whole(),
    );
    machine.sh(&format!("mv /root/toy-base-9.tar.gz {SOURCES}/"));
    succeeds(
        machine,
        cases,
        "the first apply builds and installs a set",
        &["apply", "--yes"],
    );
    cases.same("it is there", stands(machine), is_set(0));
    let compiled =
        machine.sh("cd /var/lib/pkgtools/packages && ls | grep -E '^(toy-base|lua-cjson)-'");
    cases.same(
        "what has to be compiled is, and what it needs before it",
        compiled.out.as_str(),
        "lua-cjson-9-noarch-1_ji\ntoy-base-9-noarch-1_ji\n",
    );
    all_run(machine, "nginx", cases, "with the first set");
    let sboms = machine.sh(&format!("ls {STORE}/*.cdx.json | wc -l"));
    cases.same("each package has its list beside it", sboms.out.trim(), "6");
    let again = succeeds(machine, cases, "once more", &["apply", "--yes"]);
    cases.holds(
        "nothing is left to do",
        again.err.contains("in order"),
        || again.whole(),
    );
}

fn a_part_does_not_move(machine: &Machine, cases: &mut Cases) {
    pin(machine, SETS[1][0]);
    for (option, why) in [
        (&["--only", "jicofo"][..], "as a whole"),
        (&["--no-restart"][..], "leave out"),
    ] {
        let said = machine.installer(&[&["apply", "--yes"], option].concat());
        cases.holds(
            &format!("{} does not move a set", option[0]),
            said.code == 1 && said.err.contains(why),
            || said.whole(),
        );
    }
    cases.same("nothing has moved", stands(machine), is_set(0));
}

fn second(machine: &Machine, cases: &mut Cases) {
    let before = (machine.pids("nginx"), generations(machine));
    let plan = succeeds(
        machine,
        cases,
        "a plan for the second set",
        &["plan", "--no-diff"],
    );
    let lines = plan.out.lines().filter(|line| line.contains(" → "));
    let changes: Vec<&str> = lines.filter(|line| line.contains("package ")).collect();
    cases.holds("it shows four packages", changes.len() == 4, || {
        plan.whole()
    });
    succeeds(
        machine,
        cases,
        "an apply moves the set",
        &["apply", "--yes"],
    );
    cases.same(
        "the second set is there, and nothing of the first",
        stands(machine),
        is_set(1),
    );
    all_run(machine, "nginx", cases, "with the second set");
    let pids = machine.pids("nginx");
    for name in ["jicofo", "jitsi-videobridge", "prosody"] {
        let is_new = before.0.get(name) != pids.get(name);
        cases.holds(&format!("{name} was restarted"), is_new, || {
            format!("{pids:?}")
        });
    }
    cases.same("nginx was not", pids.get("nginx"), before.0.get("nginx"));
    cases.same("it is one generation", generations(machine), before.1 + 1);
}

fn back(machine: &Machine, cases: &mut Cases) {
    succeeds(machine, cases, "a rollback", &["rollback", "--yes"]);
    cases.same("goes back to the first set", stands(machine), is_set(0));
    four_run(machine, cases, "after the rollback");
    succeeds(
        machine,
        cases,
        "and an apply goes forth again",
        &["apply", "--yes"],
    );
    cases.same("to the second", stands(machine), is_set(1));
}

fn spoiled(machine: &Machine, cases: &mut Cases) {
    pin(machine, SETS[0][0]);
    let before = generations(machine);
    // The web application comes after Jicofo and the bridge.
    let source = format!("{SOURCES}/jitsi-meet-web_{}-1_all.deb", SETS[0][3]);
    let spoil = format!(
        "rm {STORE}/jitsi-meet-web-{}-*; cp {source} /root/web.deb; printf x | dd of={source} bs=1 seek=900 conv=notrunc",
        SETS[0][3]
    );
    cases.same("a source can be spoiled", machine.sh(&spoil).code, 0);
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "a source that was changed is not used",
        said.code == 1 && said.err.contains("not what the catalogue says"),
        || said.whole(),
    );
    cases.same("and the set stays whole", stands(machine), is_set(1));
    four_run(machine, cases, "after an apply that failed");
    cases.same("no generation came of it", generations(machine), before);
    machine.sh(&format!("rm -f {source}*; mv /root/web.deb {source}"));
}

fn killed(machine: &Machine, cases: &mut Cases) {
    // The program is killed while its second package is installed; pkgtools end their work.
    let wrapper = "#!/bin/bash\ncount=$(cat /root/count 2>/dev/null || echo 0)\necho $((count + 1)) > /root/count\n\
        [ \"$count\" = 1 ] && kill -9 $PPID\nexec /root/real/upgradepkg \"$@\"\n";
    let place = machine
        .sh("readlink -f \"$(command -v upgradepkg)\"")
        .out
        .trim()
        .to_owned();
    machine.sh(&format!(
        "mkdir /root/real; mv {place} /root/real/upgradepkg"
    ));
    machine.program(&place, wrapper);
    let said = machine.installer(&["apply", "--yes"]);
    machine.sh(&format!("mv /root/real/upgradepkg {place}"));
    cases.holds(
        "an apply is killed",
        said.code == 137 || said.code == -1,
        || said.whole(),
    );
    let now = stands(machine);
    cases.holds(
        "half of the set has moved",
        now != is_set(1) && now != is_set(0),
        || format!("{now:?}"),
    );
    pin(machine, SETS[1][0]);
    succeeds(
        machine,
        cases,
        "the next apply takes it back",
        &["apply", "--yes"],
    );
    cases.same("to the set that was whole", stands(machine), is_set(1));
    all_run(machine, "nginx", cases, "after the recovery");
    pin(machine, SETS[0][0]);
    succeeds(
        machine,
        cases,
        "and the one after moves the set",
        &["apply", "--yes"],
    );
    cases.same("wholly", stands(machine), is_set(0));
}

fn without_a_pin(machine: &Machine, cases: &mut Cases) {
    machine.write(SITE, &site(&[]));
    succeeds(machine, cases, "without a pin", &["apply", "--yes"]);
    cases.same("what is there stays", stands(machine), is_set(0));
    machine.sh(&format!(
        "removepkg jicofo; rm {STORE}/jicofo-*; cp /usr/share/jitsi-meet/title.html /root/"
    ));
    succeeds(machine, cases, "what is missing", &["apply", "--yes"]);
    cases.same("comes in the set of the rest", stands(machine), is_set(0));
}
