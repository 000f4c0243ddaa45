//! Uninstalling: what goes, what comes back, and what stays.

use super::journey::{Journey, SITE, passing};
use super::services::{self, Ports};
use super::tree::{self, is_below};

impl Journey<'_> {
    pub(super) fn away(&mut self) {
        self.succeeds("uninstall", &["uninstall", "--yes"]);
        let after = self.tree();
        let changed = tree::differences(&self.reference, &after, kept);
        self.cases
            .same("only packages and kept data remain", changed, Vec::new());
        let verified = self.machine.run(&["dpkg", "--verify"]);
        self.cases
            .same("packages have their own files", verified.out, String::new());
        let people = self
            .machine
            .sh("getent passwd jicofo jvb; getent group jicofo jvb; getent shadow jicofo jvb");
        self.cases
            .same("our users are gone", people.out, String::new());
        let ours = ["jicofo", "jitsi-videobridge2"];
        let units = services::units(&self.machine, self.server);
        for name in ours {
            self.cases.same(
                &format!("{name} is off"),
                units[name].state.as_str(),
                "inactive",
            );
        }
        let listening = self.machine.run(&["ss", "-Hltn"]).out;
        let taken = [":8888 ", ":8080 ", ":443 "];
        let taken: Vec<&str> = taken
            .into_iter()
            .filter(|port| listening.contains(port))
            .collect();
        self.cases.holds(
            "nobody listens on the site's ports",
            taken.is_empty(),
            || listening,
        );
    }

    pub(super) fn away_for_good(&mut self) {
        self.succeeds("an apply after an uninstall", &["apply", "--yes"]);
        self.site_is_well("after an uninstall and an apply", Ports::default());
        self.succeeds("uninstall --purge", &["uninstall", "--yes", "--purge"]);
        let left: Vec<&str> = [
            "var/lib/jitsi-install",
            "etc/jitsi-install/secrets.toml",
            "etc/jitsi",
            "var/log/jitsi",
            "var/lib/jitsi-meet",
            "var/lib/jicofo",
            "var/lib/jitsi-videobridge",
            "var/lib/prosody/auth%2emeet%2eexample%2eorg",
        ]
        .into_iter()
        .filter(|path| self.machine.root().join(path).exists())
        .collect();
        self.cases.same("a purge leaves no data", left, Vec::new());
        let site = self.machine.read(SITE);
        self.cases
            .holds("but the site file", site.is_ok(), || format!("{site:?}"));
    }
}

/// What an uninstall keeps on purpose, and what cannot be compared with another machine's.
fn kept(path: &str) -> bool {
    let ours = [
        SITE,
        "/etc/jitsi-install",
        "/usr/local/sbin/jitsi-install",
        // written by the services themselves
        "/var/lib/jicofo",
        "/var/lib/jitsi-videobridge",
        "/var/lib/prosody/auth%2emeet%2eexample%2eorg",
        "/var/lib/caddy/.config",
        "/var/lib/caddy/.step",
        "/var/lib/nginx",
    ];
    let other_machine = [
        // built for this run; `dpkg --verify` looks at them
        "/usr/share/jicofo",
        "/usr/share/jitsi-videobridge",
        "/var/local",
        "/var/lib/apt",
        "/var/lib/dpkg",
        "/var/cache",
        // made by chance, or dated
        "/etc/ssl/certs/java/cacerts",
        "/etc/ssl/certs/ssl-cert-snakeoil.pem",
        "/etc/ssl/private/ssl-cert-snakeoil.key",
        // it has the day on which a user was made
        "/etc/shadow",
        // the state before the last change but one
        "/etc/passwd-",
        "/etc/group-",
        "/etc/shadow-",
        "/etc/gshadow-",
    ];
    passing(path)
        || ours
            .iter()
            .chain(&other_machine)
            .any(|folder| is_below(path, folder))
}
