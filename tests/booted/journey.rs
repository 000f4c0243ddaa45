//! One machine from bare to uninstalled, in the order in which an administrator would meet it.
//!
//! The steps stand on each other, so that one boot serves them all; every question has its own line
//! in the end. When the first apply fails there is nothing more to ask.

use std::collections::BTreeMap;

use super::cases::Cases;
use super::container::{Container, Said};
use super::debs::{self, Debs};
use super::reference;
use super::rootfs::Release;
use super::services::{self, Ports, Server};
use super::tree::{self, Tree, is_below};

pub(super) const DOMAIN: &str = "meet.example.org";
pub(super) const SITE: &str = "/etc/jitsi-install/site.toml";

/// What a case may change: `key = value` lines of the site file.
pub(super) fn site(server: Server, changes: &[(&str, &str)]) -> String {
    let mut values = BTreeMap::from([
        ("web.server", format!("\"{}\"", server.name())),
        ("jicofo.memory", "256".to_owned()),
        ("videobridge.memory", "256".to_owned()),
        // there is no network in a container
        ("videobridge.require_valid_address", "false".to_owned()),
    ]);
    values.extend(
        changes
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned())),
    );
    let mut text = format!("schema = 1\ndomain = \"{DOMAIN}\"\n");
    for (key, value) in values {
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

pub(super) struct Journey<'a> {
    pub(super) machine: Container,
    pub(super) server: Server,
    pub(super) debs: &'a Debs,
    /// With the packages alone.
    pub(super) reference: Tree,
    pub(super) cases: Cases,
}

/// All of it.
pub(crate) fn take(release: Release, server: Server) {
    with(release, server, |journey| {
        let bare = journey.tree();
        journey.a_package_is_missing(&bare);
        if journey.the_first_apply() {
            journey.another_truststore();
            journey.once_more();
            journey.after_a_reboot();
            journey.the_doctor_comes();
            journey.changes_wake_whom_they_concern();
            journey.a_broken_template();
            journey.a_taken_port();
            journey.away();
            journey.away_for_good();
        }
    });
}

/// What another web server changes, and a machine that is spoiled in every way.
pub(crate) fn take_spoiled(release: Release, server: Server) {
    with(release, server, |journey| {
        journey.write_site(&[]);
        journey.a_masked_unit();
        journey.packages_are_cut_short();
        if journey.the_first_apply() {
            journey.once_more();
            journey.is_healthy("behind another web server");
            journey.nothing_keeps_services_down();
            journey.our_own_unit_masked();
            journey.users_are_deleted();
            journey.a_packages_user_is_deleted();
            journey.wrong_owners();
            journey.prosodys_port_is_taken();
            journey.prosody_starts_with_errors();
            journey.a_rollback_awaits_health();
            journey.a_rollback_fails();
            journey.a_failing_disk();
            journey.away();
        }
    });
}

fn with(release: Release, server: Server, travel: impl FnOnce(&mut Journey<'_>)) {
    let debs = debs::built().unwrap_or_else(|error| panic!("no stand-ins: {error}"));
    let title = format!("{} with {}", release.name(), server.name());
    let mut cases = Cases::new(&title);
    let reference = reference::of(release, server, debs);
    let reference = cases.must("packages can be installed by hand", reference);
    let booted = Container::boot(release, server.name(), debs);
    if let Some(machine) = cases.must("it boots", booted) {
        let mut journey = Journey {
            machine,
            server,
            debs,
            reference: reference.unwrap_or_default(),
            cases,
        };
        travel(&mut journey);
        let Journey {
            mut machine,
            cases: asked,
            ..
        } = journey;
        cases = asked;
        cases.must("it powers off", machine.stop());
        let name = machine.name.clone();
        drop(machine);
        let left = super::container::left_over(&name);
        cases.same("nothing is left of the container", left, Vec::new());
    }
    cases.finish();
}

impl Journey<'_> {
    pub(super) fn tree(&mut self) -> Tree {
        let tree = tree::of(&self.machine.root());
        let tree = self.cases.must("the tree can be looked at", tree);
        tree.unwrap_or_default()
    }

    pub(super) fn write_site(&mut self, changes: &[(&str, &str)]) {
        let text = site(self.server, changes);
        let put = self.machine.put(SITE, text.as_bytes(), 0o644);
        self.cases.must("the site file can be written", put);
    }

    pub(super) fn says(&self, arguments: &[&str]) -> Said {
        let mut command = vec!["jitsi-install"];
        command.extend(arguments);
        self.machine.run(&command)
    }

    pub(super) fn succeeds(&mut self, name: &str, arguments: &[&str]) -> Said {
        let said = self.says(arguments);
        self.cases.holds(name, said.code == 0, || said.whole());
        said
    }

    /// Every unit, every port, and the way through all of them.
    pub(super) fn site_is_well(&mut self, when: &str, ports: Ports) {
        let down = services::down_at_last(&self.machine, self.server);
        self.cases
            .same(&format!("all units are up {when}"), down, Vec::new());
        let unwell = services::unwell_at_last(&self.machine, ports, DOMAIN);
        self.cases
            .same(&format!("all is well {when}"), unwell, Vec::new());
    }
}

/// What a running system writes whatever we do; our own books change with every apply that fails.
pub(super) fn passing(path: &str) -> bool {
    let folders = [
        "/var/log",
        "/var/lib/systemd",
        "/var/lib/jitsi-install",
        "/var/lib/prosody/prosody.sock",
        "/var/cache/apt",
        "/var/tmp",
    ];
    // Prosody 13 notes when it last did its daily work
    path.ends_with("/cron.dat") || folders.iter().any(|folder| is_below(path, folder))
}
