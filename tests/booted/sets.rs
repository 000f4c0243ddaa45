//! Sets of Jitsi on a machine whose repository has other versions: built from the cache, installed
//! by apt, moved in one generation, and back to what the repository gave.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cases::Cases;
use super::container::{Container, Said};
use super::debs::{self, library};
use super::journey::{DOMAIN, SITE};
use super::rootfs::Release;
use super::services::{self, Ports, Server};
use super::sets_of_standins::{self, SETS};

const CACHE: &str = "/var/cache/jitsi-install";
const PACKAGES: &str = "jicofo jitsi-meet-prosody jitsi-meet-web jitsi-videobridge2";

/// The stand-ins, made once in a run.
fn made() -> &'static (PathBuf, String) {
    static MADE: OnceLock<(PathBuf, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-sets");
        let _ = fs::remove_dir_all(&folder);
        let catalogue = sets_of_standins::make(&library(), &folder);
        (folder, catalogue)
    })
}

struct Sets {
    machine: Container,
    cases: Cases,
}

/// One machine, from the repository's versions to two sets and back again.
pub(crate) fn take(release: Release) {
    let debs = debs::built().unwrap_or_else(|error| panic!("no stand-ins: {error}"));
    let mut cases = Cases::new(&format!("sets of packages on {}", release.name()));
    let booted = Container::boot(release, "sets", debs);
    let Some(machine) = cases.must("it boots", booted) else {
        return cases.finish();
    };
    let mut all = Sets { machine, cases };
    all.stock();
    if all.what_the_repository_has() {
        all.the_first_set();
        all.the_second_set();
        all.a_changed_source();
        all.and_back();
    }
    all.cases.finish();
}

impl Sets {
    fn stock(&mut self) {
        let (folder, catalogue) = made();
        let made = self
            .machine
            .sh(&format!("mkdir -p -m 755 {CACHE} {CACHE}/sources"));
        self.cases.same("a cache", made.code, 0);
        let place = "/etc/jitsi-install/catalogue.toml";
        let put = self.machine.put(place, catalogue.as_bytes(), 0o644);
        self.cases.must("a catalogue", put);
        for entry in fs::read_dir(folder).expect("stand-ins") {
            let file = entry.expect("a file").path();
            let name = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let bytes = fs::read(&file).expect("a stand-in");
            let place = format!("{CACHE}/sources/{name}");
            let put = self.machine.put(&place, &bytes, 0o644);
            self.cases.must("a source", put);
        }
    }

    fn pin(&mut self, set: Option<&str>) {
        let mut text = format!(
            "schema = 1\ndomain = \"{DOMAIN}\"\n[jicofo]\nmemory = 256\n\
             [videobridge]\nmemory = 256\nrequire_valid_address = false\n"
        );
        if let Some(set) = set {
            text.push_str(&format!("[packages]\nset = \"{set}\"\n"));
        }
        let put = self.machine.put(SITE, text.as_bytes(), 0o644);
        self.cases.must("the site file can be written", put);
    }

    fn says(&self, words: &[&str]) -> Said {
        let mut command = vec!["jitsi-install"];
        command.extend(words);
        self.machine.run(&command)
    }

    fn succeeds(&mut self, what: &str, words: &[&str]) -> Said {
        let said = self.says(words);
        self.cases.holds(what, said.code == 0, || said.whole());
        said
    }

    /// Versions by dpkg, jars of any set, what the links lead to, and what dpkg misses of its files.
    fn stands(&self) -> String {
        let look = format!(
            "dpkg-query -W -f '${{Package}} ${{Version}} ${{db:Status-Abbrev}}\\n' {PACKAGES}; \
             find -L /usr/share/jicofo* /usr/share/jitsi-videobridge* -name 'standin-*.jar' -printf '%f\\n' | sort -u; \
             readlink /usr/share/jicofo /usr/share/jitsi-videobridge; \
             cat /usr/share/jitsi-meet/prosody-plugins/standin_version.txt 2>/dev/null; dpkg -V {PACKAGES}"
        );
        self.machine.sh(&look).out
    }

    fn is_set(number: usize) -> String {
        let [_, jicofo, bridge, web] = SETS[number];
        format!(
            "jicofo {jicofo}-1+ji1 ii \njitsi-meet-prosody {web}-1+ji1 ii \njitsi-meet-web {web}-1+ji1 ii \n\
             jitsi-videobridge2 {bridge}-1+ji1 ii \nstandin-{jicofo}.jar\nstandin-{bridge}.jar\n\
             jicofo-{jicofo}\njitsi-videobridge-{bridge}\n\
             jitsi-meet-prosody {web}: a stand-in of jitsi-install's tests\n"
        )
    }

    /// As the repository has them. dpkg unpacks a folder through a link that stands there, so that a link
    /// may stay.
    fn is_repository(&self) -> bool {
        let each = PACKAGES
            .split(' ')
            .map(|name| format!("{name} 1.0-0standin ii \n"));
        let stands = self.stands();
        let others = stands.strip_prefix(&each.collect::<String>());
        others.is_some_and(|rest| !rest.contains("standin"))
    }

    fn is_well(&mut self, when: &str) {
        let unwell = services::unwell_at_last(&self.machine, Ports::default(), DOMAIN);
        let title = format!("all is well {when}");
        self.cases.same(&title, unwell, Vec::new());
    }

    fn generations(&self) -> usize {
        self.says(&["history"]).out.lines().count()
    }

    fn what_the_repository_has(&mut self) -> bool {
        self.pin(None);
        let said = self.succeeds("without a pin, an apply", &["apply", "--yes"]);
        let (is_there, stands) = (self.is_repository(), self.stands());
        self.cases
            .holds("installs what the repository has", is_there, || stands);
        said.code == 0
    }

    fn the_first_set(&mut self) {
        self.pin(Some(SETS[0][0]));
        let before = (
            self.generations(),
            services::units(&self.machine, Server::Nginx),
        );
        let plan = self.succeeds("a plan for a set", &["plan", "--no-diff"]);
        let lines = plan
            .out
            .lines()
            .filter(|line| line.contains("package ") && line.contains(" → "));
        self.cases
            .holds("it shows four packages", lines.count() == 4, || {
                plan.whole()
            });
        self.succeeds(
            "an apply builds the set and installs it",
            &["apply", "--yes"],
        );
        let stands = self.stands();
        let title = "it is there, folders have become links, and dpkg knows every file";
        self.cases.same(title, stands, Self::is_set(0));
        self.is_well("with the first set");
        let units = services::units(&self.machine, Server::Nginx);
        let awoken = services::awoken(&before.1, &units).into_iter();
        let awoken: Vec<&str> = awoken
            .filter(|(_, how)| *how == "restart")
            .map(|(name, _)| name)
            .collect();
        let expected = vec!["jicofo", "jitsi-videobridge2", "prosody"];
        self.cases
            .same("who runs with it was told", awoken, expected);
        self.cases
            .same("it is one generation", self.generations(), before.0 + 1);
        let again = self.succeeds("once more", &["apply", "--yes"]);
        self.cases.holds(
            "nothing is left to do",
            again.err.contains("in order"),
            || again.whole(),
        );
        let doctor = self.says(&["doctor", "--json"]);
        let is_one = doctor
            .out
            .contains(&format!("all are of set {}", SETS[0][0]));
        self.cases
            .holds("the doctor knows the set", is_one, || doctor.whole());
    }

    fn the_second_set(&mut self) {
        self.pin(Some(SETS[1][0]));
        self.succeeds("an apply moves the set", &["apply", "--yes"]);
        let stands = self.stands();
        self.cases
            .same("nothing of the first is left", stands, Self::is_set(1));
        self.is_well("with the second set");
    }

    /// Back to the first set is cut short: what was built of it is gone, and a source is another.
    fn a_changed_source(&mut self) {
        self.pin(Some(SETS[0][0]));
        let before = self.generations();
        let web = SETS[0][3];
        let source = format!("{CACHE}/sources/jitsi-meet-web_{web}-1_all.deb");
        let spoil = format!(
            "rm {CACHE}/packages/jitsi-meet-web_{web}-*.deb; cp {source} /root/web.deb; \
             printf x | dd of={source} bs=1 seek=900 conv=notrunc"
        );
        self.cases
            .same("a source can be spoiled", self.machine.sh(&spoil).code, 0);
        let said = self.says(&["apply", "--yes"]);
        let refused = said.code == 1 && said.err.contains("not what the catalogue says");
        self.cases.holds("it is not used", refused, || said.whole());
        let stands = self.stands();
        self.cases
            .same("the set stays whole", stands, Self::is_set(1));
        self.is_well("after an apply that failed");
        self.cases
            .same("no generation came of it", self.generations(), before);
        self.machine
            .sh(&format!("rm -f {source}*; mv /root/web.deb {source}"));
    }

    fn and_back(&mut self) {
        self.succeeds("a rollback", &["rollback", "--yes"]);
        let stands = self.stands();
        self.cases
            .same("leads to the first set", stands, Self::is_set(0));
        self.is_well("after a rollback");
        self.succeeds("a rollback to the beginning", &["rollback", "1", "--yes"]);
        let (is_there, stands) = (self.is_repository(), self.stands());
        self.cases
            .holds("leads to what the repository had", is_there, || stands);
        self.is_well("after all");
        let state = self.machine.state();
        self.cases
            .same("the machine runs", state.as_str(), "running");
    }
}
