//! A bare machine, its first apply, its second, and its next boot.

use super::journey::{Journey, passing};
use super::secrecy::{self, Watch};
use super::services::{self, Ports};
use super::tree::{self, Tree, is_below};

impl Journey<'_> {
    /// The repository lacks Jicofo: the plan says so, and nothing is touched.
    pub(super) fn a_package_is_missing(&mut self, bare: &Tree) {
        self.write_site(&[]);
        let without: String = self
            .debs
            .index
            .split_inclusive("\n\n")
            .filter(|stanza| !stanza.contains("Package: jicofo\n"))
            .collect();
        let told = self.machine.index(&without);
        self.cases.must("apt can be told less", told);
        let plan = self.says(&["plan", "--no-diff"]);
        let line = plan
            .out
            .lines()
            .find(|line| line.contains("jicofo") && line.contains("package"));
        self.cases.holds(
            "the plan says which package is missing",
            line.is_some_and(|line| line.contains("no repository")),
            || plan.whole(),
        );
        let said = self.says(&["apply", "--yes"]);
        self.cases.holds(
            "an apply without a package is refused",
            said.code == 1 && said.err.contains("jicofo"),
            || said.whole(),
        );
        let after = self.tree();
        // the folder of packages, apt's lists of it, and what keeps the books is not the site's
        let aside = |path: &str| {
            [
                "/var/lib/apt",
                "/var/cache/apt",
                "/var/log",
                "/var/lib/systemd",
                "/var/local",
                "/etc/jitsi-install",
            ]
            .iter()
            .any(|folder| is_below(path, folder))
                || is_below(path, "/var/lib/jitsi-install")
        };
        let changed = tree::differences(bare, &after, aside);
        self.cases.same("and changes nothing", changed, Vec::new());
        let secrets = self.machine.root().join("etc/jitsi-install/secrets.toml");
        self.cases
            .holds("and makes no secrets", !secrets.exists(), String::new);
        let told = self.machine.index(&self.debs.index);
        self.cases.must("apt can be told all", told);
    }

    /// Does the site run?
    pub(super) fn the_first_apply(&mut self) -> bool {
        let plan = self.succeeds("a plan for a bare machine", &["plan", "--no-diff"]);
        for word in [
            "prosody",
            "jicofo",
            "jitsi-videobridge2",
            "jitsi-meet-web",
            self.server.name(),
        ] {
            let line = format!("package {word}");
            let holds = plan
                .out
                .lines()
                .any(|one| one.contains("create") && one.ends_with(&line));
            self.cases
                .holds(&format!("it shows that {word} is missing"), holds, || {
                    plan.whole()
                });
        }
        for word in [
            "user jicofo",
            "user jvb",
            "service prosody",
            "service jicofo",
        ] {
            let holds = plan.out.lines().any(|one| one.contains(word));
            self.cases
                .holds(&format!("it shows `{word}`"), holds, || plan.whole());
        }
        let watch = Watch::begin();
        let said = self.says(&["apply", "--yes"]);
        let lines = watch.end();
        let holds = said.code == 0;
        self.cases
            .holds("one apply makes a site of a bare machine", holds, || {
                format!(
                    "{}\n{}",
                    said.whole(),
                    self.machine
                        .run(&["systemctl", "--failed", "--no-legend"])
                        .out
                )
            });
        if !holds {
            return false;
        }
        let units = services::units(&self.machine, self.server);
        let starts = units.values().map(|unit| unit.starts);
        self.cases.same(
            "each service was started once",
            starts.collect(),
            vec![1; 4],
        );
        let order = services::all(self.server).map(|name| units[name].since);
        self.cases
            .holds("in their order", order.is_sorted(), || format!("{order:?}"));
        self.site_is_well("after the apply", Ports::default());
        let policy = self.machine.root().join("usr/sbin/policy-rc.d");
        self.cases.holds(
            "nothing keeps services from starting",
            !policy.exists(),
            String::new,
        );
        let state = self.machine.state();
        let failed = self
            .machine
            .run(&["systemctl", "--failed", "--no-legend"])
            .out;
        self.cases.holds(
            "no unit failed",
            state == "running" && failed.is_empty(),
            || format!("{state}\n{failed}"),
        );
        let secrets = secrecy::of(&self.machine);
        if let Some(secrets) = self.cases.must("the secrets can be read", secrets) {
            let lines: Vec<(&str, &str)> = lines
                .iter()
                .map(|line| ("a command line", line.as_str()))
                .collect();
            self.cases.holds(
                "command lines were seen",
                lines.iter().any(|(_, line)| line.contains("apt-get")),
                || format!("{lines:?}"),
            );
            let again = self.says(&["plan", "--json", "--verbose"]);
            let mut more = lines;
            more.extend([
                ("stdout", said.out.as_str()),
                ("stderr", said.err.as_str()),
                ("the plan", again.out.as_str()),
            ]);
            let seen = secrecy::seen(&secrets, &self.machine, &more);
            self.cases
                .same("secrets are seen nowhere", seen, Vec::new());
        }
        true
    }

    /// The same Jicofo with the certificates of the web for a truststore: it must refuse Prosody.
    pub(super) fn another_truststore(&mut self) {
        let line = "(timeout 20 java -Xmx64m -Dconfig.file=/etc/jitsi/jicofo/jicofo.conf -Djicofo.rest.port=18888 \
             -cp '/usr/share/jicofo/jicofo.jar:/usr/share/jicofo/lib/*' org.jitsi.jicofo.Main 2>&1 &) \
             | grep -m1 Jicofo";
        let said = self.machine.sh(line);
        let name = "a Jicofo with another truststore stays outside";
        let holds = said.out.contains("PKIX path building failed");
        self.cases.holds(name, holds, || said.whole());
    }

    pub(super) fn once_more(&mut self) {
        let units = services::units(&self.machine, self.server);
        let before = self.tree();
        let said = self.succeeds("a second apply", &["apply", "--yes"]);
        self.cases.holds(
            "it says that nothing had to be changed",
            said.err.contains("everything is in order"),
            || said.whole(),
        );
        let after = services::units(&self.machine, self.server);
        self.cases
            .same("it leaves all services alone", after, units);
        let changed = tree::differences(&before, &self.tree(), passing);
        self.cases.same("and all files", changed, Vec::new());
    }

    pub(super) fn after_a_reboot(&mut self) {
        let booted = self.machine.stop().and_then(|()| self.machine.start());
        self.cases.must("the machine boots again", booted);
        self.site_is_well("after a reboot", Ports::default());
        let said = self.succeeds("an apply after a reboot", &["apply", "--yes"]);
        let holds = said.err.contains("everything is in order");
        self.cases
            .holds("finds everything in order", holds, || said.whole());
    }
}
