//! Changes that wake exactly whom they concern, and changes that must fail.

use std::collections::BTreeMap;

use super::journey::{Journey, passing};
use super::services::{self, Ports};
use super::tree;

impl Journey<'_> {
    /// Applies a changed site file, and says what became of each service.
    fn wakes(
        &mut self,
        name: &str,
        changes: &[(&str, &str)],
        want: [(&'static str, &'static str); 4],
    ) {
        let before = services::units(&self.machine, self.server);
        self.write_site(changes);
        let said = self.succeeds(&format!("apply: {name}"), &["apply", "--yes"]);
        let after = services::units(&self.machine, self.server);
        let awoken = services::awoken(&before, &after);
        self.cases.holds(
            &format!("exactly whom it concerns hears of it: {name}"),
            awoken == BTreeMap::from(want),
            || format!("{awoken:?}\n{}", said.whole()),
        );
    }

    pub(super) fn changes_wake_whom_they_concern(&mut self) {
        let web = self.server.name();
        self.wakes(
            "Java's memory and Jicofo's port",
            &[("videobridge.memory", "300"), ("jicofo.rest_port", "8889")],
            [
                ("prosody", "nothing"),
                ("jicofo", "restart"),
                ("jitsi-videobridge2", "restart"),
                (web, "nothing"),
            ],
        );
        let ports = Ports {
            jicofo: 8889,
            ..Ports::default()
        };
        self.site_is_well("with another port of Jicofo's", ports);
        self.wakes(
            "Prosody's port for the web server",
            &[("videobridge.memory", "300"), ("prosody.http_port", "5281")],
            [
                ("prosody", "restart"),
                ("jicofo", "restart"),
                ("jitsi-videobridge2", "nothing"),
                (web, "reload"),
            ],
        );
        let ports = Ports {
            http: 5281,
            ..Ports::default()
        };
        self.site_is_well("with another port of Prosody's", ports);
        self.wakes(
            "and all of it back",
            &[],
            [
                ("prosody", "restart"),
                ("jicofo", "nothing"),
                ("jitsi-videobridge2", "restart"),
                (web, "reload"),
            ],
        );
        self.site_is_well("as at first", Ports::default());
    }

    /// An apply that must fail, and leave the machine as it was.
    pub(super) fn fails(&mut self, name: &str, service: &str, words: &[&str]) {
        let before = self.tree();
        let said = self.says(&["apply", "--yes"]);
        self.cases
            .holds(&format!("{name}: the apply fails"), said.code == 1, || {
                said.whole()
            });
        for word in [service].iter().chain(words) {
            let holds = said.err.contains(word);
            self.cases
                .holds(&format!("{name}: it says `{word}`"), holds, || said.whole());
        }
        let changed = tree::differences(&before, &self.tree(), passing);
        self.cases.same(
            &format!("{name}: every file is as before"),
            changed,
            Vec::new(),
        );
        self.site_is_well(&format!("again: {name}"), Ports::default());
    }

    /// A template of the administrator's that Prosody cannot read.
    pub(super) fn a_broken_template(&mut self) {
        const PLACE: &str = "/etc/jitsi-install/templates/prosody/host.lua";
        let text = concat!(
            include_str!("../../templates/prosody/host.lua"),
            "\nif then -- broken\n"
        );
        let put = self.machine.put(PLACE, text.as_bytes(), 0o644);
        self.cases.must("a template can be put", put);
        self.fails("a broken template", "prosody", &["cfg.lua"]);
        let gone = self.machine.remove(PLACE);
        self.cases.must("a template can be removed", gone);
    }

    /// Somebody else has the port that the bridge is to get.
    pub(super) fn a_taken_port(&mut self) {
        self.squatter(18080);
        self.write_site(&[("videobridge.rest_port", "18080")]);
        self.fails(
            "a taken port",
            "jitsi-videobridge2",
            &["Address already in use"],
        );
        self.no_squatter();
        self.write_site(&[]);
        let said = self.succeeds("an apply after failures", &["apply", "--yes"]);
        let holds = said.err.contains("everything is in order");
        self.cases
            .holds("the old site is in order", holds, || said.whole());
    }

    /// A program that takes a port.
    pub(super) fn squatter(&mut self, port: u16) {
        let said = self.machine.run(&[
            "systemd-run",
            "--quiet",
            "--unit=squatter",
            &format!("--socket-property=ListenStream=127.0.0.1:{port}"),
            "/bin/sleep",
            "infinity",
        ]);
        self.cases
            .holds("a port can be taken", said.code == 0, || said.whole());
    }

    pub(super) fn no_squatter(&self) {
        self.machine
            .run(&["systemctl", "stop", "squatter.socket", "squatter.service"]);
    }
}
