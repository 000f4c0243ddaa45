//! Renewals on a machine that runs: by the timer's service in its sandbox, by the deploy hook, and
//! by hand; who is reloaded, who is restarted, and when the bridge is left alone.
//!
//! Certificates are made here and put where acme.sh would; `tests/acme/` has the real clients. The
//! stand-in bridge says as many meetings as `/run/standin-meetings` does.
//!
//! Over 400 lines: one machine goes through all of it, in one order.

use std::time::{Duration, Instant};

use super::cases::Cases;
use super::container::{Container, Said};
use super::debs;
use super::journey::{DOMAIN, SITE};
use super::rootfs::Release;
use super::services::{self, Ports, Server, Units};

const SITE_TEXT: &str = "schema = 1\ndomain = \"meet.example.org\"\n[certificates]\nsource = \"acme.sh\"\n\
    [jicofo]\nmemory = 256\n[videobridge]\nmemory = 256\nrequire_valid_address = false\nwebsockets = true\n";
const HOME: &str = "/root/.acme.sh/meet.example.org_ecc";
const KEYSTORE: &str = "/etc/jitsi/videobridge/jvb.p12";
const MEETINGS: &str = "/run/standin-meetings";
pub(super) const SERVICE: &str = "jitsi-install-renew.service";

/// As acme.sh calls its hook.
const DEPLOY: &str = "_err() { echo \"$*\" >&2; }; . /root/.acme.sh/deploy/jitsi_install.sh; \
    cd /root/.acme.sh/meet.example.org_ecc; \
    jitsi_install_deploy meet.example.org \"$PWD/meet.example.org.key\" \"$PWD/leaf.cer\" \"$PWD/ca.cer\" \"$PWD/fullchain.cer\"";

pub(super) struct Renewals {
    pub(super) machine: Container,
    pub(super) cases: Cases,
    pub(super) server: Server,
}

/// One machine, from the certificate that is made here to the fourth that was issued.
pub(crate) fn take(release: Release) {
    on(release, Server::Nginx, |all| {
        if all.a_site(SITE_TEXT) {
            let unwell = services::unwell_at_last(&all.machine, Ports::default(), DOMAIN);
            all.cases.same("all is well", unwell, Vec::new());
            all.by_the_timer();
            all.meetings_are_left_alone();
            all.meetings_are_waited_for();
            all.a_bridge_ends_by_itself();
            all.by_the_hook();
            all.what_is_stopped_stays_stopped();
            all.after_an_apply_that_was_cut();
        }
    });
}

/// Boots a machine that has the program where packages have it, and hooks look.
pub(super) fn on(release: Release, server: Server, ask: impl FnOnce(&mut Renewals)) {
    let debs = debs::built().unwrap_or_else(|error| panic!("no stand-ins: {error}"));
    let title = format!("renewals on {} with {}", release.name(), server.name());
    let mut cases = Cases::new(&title);
    let booted = Container::boot(release, &format!("renewal-{}", server.name()), debs);
    let Some(machine) = cases.must("it boots", booted) else {
        return cases.finish();
    };
    let copy = machine.sh("cp /usr/local/sbin/jitsi-install /usr/sbin/");
    cases.same("the program is where hooks look", copy.code, 0);
    let mut all = Renewals {
        machine,
        cases,
        server,
    };
    ask(&mut all);
    all.cases.finish();
}

impl Renewals {
    pub(super) fn a_site(&mut self, text: &str) -> bool {
        let put = self.machine.put(SITE, text.as_bytes(), 0o644);
        self.cases.must("the site file can be written", put);
        let said = self.apply();
        let holds = said.code == 0;
        self.cases.holds("an apply", holds, || said.whole());
        let timers = ["systemctl", "list-timers", "--no-legend", "--no-pager"];
        let timers = self.machine.run(&timers);
        let line = "jitsi-install-renew.timer";
        let holds = timers.out.contains(line);
        self.cases.holds("the timer runs", holds, || timers.whole());
        let enabled = self.machine.run(&["systemctl", "is-enabled", line]).out;
        self.cases
            .same("and will at the next boot", enabled.trim(), "enabled");
        holds
    }

    /// Without the folders that the service names nothing can be written: the rest is closed.
    fn the_sandbox_is_closed(&mut self) {
        let (shown, units) = (self.shown(), self.units());
        let edit = format!("/run/systemd/system/{SERVICE}.d/closed.conf");
        let put = self
            .machine
            .put(&edit, b"[Service]\nReadWritePaths=\n", 0o644);
        self.cases.must("the service can be edited", put);
        let line = format!("systemctl daemon-reload; systemctl start {SERVICE}");
        let said = self.machine.sh(&line);
        let log = self.log(SERVICE);
        let holds = said.code != 0 && log.contains("Read-only file system");
        self.cases.holds("a closed sandbox", holds, || log);
        self.cases.same("nobody shows another", self.shown(), shown);
        self.cases.same("nobody is woken", self.units(), units);
        let removed = self.machine.remove(&edit);
        self.cases.must("the edit can be removed", removed);
        self.machine.run(&["systemctl", "daemon-reload"]);
    }

    /// The service in its sandbox: acme.sh's home is read, all copies are written, nobody but the
    /// bridge is restarted; a second run does nothing.
    fn by_the_timer(&mut self) {
        let issued = self.issue();
        self.the_sandbox_is_closed();
        let units = self.units();
        let said = self.machine.run(&["systemctl", "start", SERVICE]);
        self.ended_well("the timer's service", &said);
        self.has_happened("by the timer", &units, "restart", &issued);
        let units = self.units();
        let said = self.machine.run(&["systemctl", "start", SERVICE]);
        self.ended_well("a second run", &said);
        let after = self.units();
        self.cases.same("wakes nobody", after, units);
    }

    fn meetings_are_left_alone(&mut self) {
        self.meetings("2");
        let issued = self.issue();
        let (units, before) = (self.units(), self.keystore());
        let said = self.machine.run(&["/usr/sbin/jitsi-install", "renew"]);
        let words = "videobridge is postponed: 2 meetings run on the bridge";
        let holds = said.code == 0 && said.err.contains(words);
        self.cases
            .holds("meetings are left alone", holds, || said.whole());
        let woken = services::awoken(&units, &self.units());
        let woken: Vec<_> = woken.into_iter().collect();
        let wanted = vec![
            ("jicofo", "nothing"),
            ("jitsi-videobridge2", "nothing"),
            ("nginx", "reload"),
            ("prosody", "reload"),
        ];
        self.cases.same("the others hear of it", woken, wanted);
        self.cases
            .same("and show it", self.shown(), [issued.clone(), issued]);
        let after = self.keystore();
        self.cases.same("the keystore stays", after, before);
    }

    /// The certificate of the last question, which the bridge does not have yet.
    fn meetings_are_waited_for(&mut self) {
        let issued = self.shown()[0].clone();
        let units = self.units();
        let line = format!(
            "(sleep 5; echo 0 >{MEETINGS}) & exec /usr/sbin/jitsi-install renew --bridge drain"
        );
        let begun = Instant::now();
        let said = self.machine.sh(&line);
        let took = begun.elapsed();
        let holds = said.code == 0 && said.err.contains("videobridge: renewed (1 file)");
        self.cases
            .holds("a drained bridge gets it", holds, || said.whole());
        let holds = took > Duration::from_secs(4);
        self.cases
            .holds("after the last meeting", holds, || format!("{took:?}"));
        let log = self.log("jitsi-videobridge2");
        let asked = log.contains("drains with 2 meetings");
        self.cases
            .holds("it took no new ones meanwhile", asked, || log);
        let woken = services::awoken(&units, &self.units());
        let woken = woken.into_iter().filter(|(_, how)| *how != "nothing");
        let wanted = vec![("jitsi-videobridge2", "restart")];
        let woken: Vec<_> = woken.collect();
        self.cases.same("the bridge alone", woken, wanted);
        self.everybody_has(&issued);
    }

    /// Asked to end over REST, it does so after the last meeting, and systemd brings it back; a bridge
    /// that takes no such word is left alone.
    fn a_bridge_ends_by_itself(&mut self) {
        self.meetings("2");
        self.issue();
        let before = self.keystore();
        let shutdown = ["/usr/sbin/jitsi-install", "renew", "--bridge", "shutdown"];
        let said = self.machine.run(&shutdown);
        let holds = said.code == 0
            && said.err.contains("videobridge is postponed")
            && said.err.contains("is `videobridge.rest_shutdown` on?");
        self.cases
            .holds("a bridge that may not be ended", holds, || said.whole());
        self.cases
            .same("keeps its keystore", self.keystore(), before);
        let text = format!("{SITE_TEXT}rest_shutdown = true\n");
        let put = self.machine.put(SITE, text.as_bytes(), 0o644);
        self.cases.must("the site file can be written", put);
        let said = self.apply();
        self.cases
            .holds("an apply", said.code == 0, || said.whole());
        let issued = self.issue();
        let units = self.units();
        let said = self.machine.run(&shutdown);
        let holds = said.code == 0 && said.err.contains("videobridge: renewed (1 file)");
        self.cases
            .holds("a bridge that may be ended", holds, || said.whole());
        let woken = |all: &Self| services::awoken(&units, &all.units())["jitsi-videobridge2"];
        self.cases
            .same("runs on while meetings do", woken(self), "nothing");
        self.meetings("0");
        let until = Instant::now() + Duration::from_secs(20);
        while woken(self) != "restart" && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(200));
        }
        self.cases
            .same("and comes back then", woken(self), "restart");
        let unwell = services::unwell_at_last(&self.machine, Ports::default(), DOMAIN);
        self.cases.same("all is well then", unwell, Vec::new());
        self.everybody_has(&issued);
        let put = self.machine.put(SITE, SITE_TEXT.as_bytes(), 0o644);
        self.cases.must("the site file can be written again", put);
        let said = self.apply();
        self.cases
            .holds("an apply without", said.code == 0, || said.whole());
    }

    fn by_the_hook(&mut self) {
        self.meetings("0");
        let issued = self.issue();
        let units = self.units();
        let said = self.machine.run(&["sh", "-c", DEPLOY]);
        self.cases.same("acme.sh's hook", said.code, 0);
        self.has_happened("by the hook", &units, "restart", &issued);
        let unwell = services::unwell_at_last(&self.machine, Ports::default(), DOMAIN);
        self.cases.same("all is well after it", unwell, Vec::new());
    }

    fn what_is_stopped_stays_stopped(&mut self) {
        self.machine
            .run(&["systemctl", "stop", "jitsi-videobridge2"]);
        let issued = self.issue();
        let units = self.units();
        let said = self.machine.run(&["/usr/sbin/jitsi-install", "renew"]);
        let holds = said.code == 0;
        self.cases
            .holds("a renewal without a bridge", holds, || said.whole());
        self.has_happened("while the bridge is off", &units, "nothing", &issued);
        self.machine
            .run(&["systemctl", "start", "jitsi-videobridge2"]);
    }

    /// The timer's service takes back what was left, wherever that stands, and does its own.
    fn after_an_apply_that_was_cut(&mut self) {
        let plugins = "/usr/local/share/jitsi-install/prosody-plugins";
        let plugin = format!("{plugins}/mod_guests_bring_no_token.lua");
        let ours = self.machine.read(&plugin);
        let edited = "-- edited by hand\n";
        let put = self.machine.put(&plugin, edited.as_bytes(), 0o644);
        self.cases.must("a plugin can be edited", put);
        let said = self.apply();
        self.cases
            .holds("an apply", said.code == 0, || said.whole());
        let after = self.machine.read(&plugin);
        self.cases.same("replaces it", after, ours.clone());
        // without its last file a generation is one that was cut
        let last = "rm $(ls -d /var/lib/jitsi-install/generations/* | tail -1)/applied.json";
        let said = self.machine.sh(last);
        self.cases
            .holds("it is cut", said.code == 0, || said.whole());
        let issued = self.issue();
        let said = self.machine.run(&["systemctl", "start", SERVICE]);
        self.ended_well("a renewal after it", &said);
        let after = self.machine.read(&plugin);
        self.cases
            .same("takes it back", after, Ok(edited.to_owned()));
        self.everybody_has(&issued);
        let said = self.apply();
        self.cases
            .holds("the next apply", said.code == 0, || said.whole());
        let after = self.machine.read(&plugin);
        self.cases.same("replaces it once more", after, ours);
    }

    fn apply(&self) -> Said {
        let apply = ["/usr/sbin/jitsi-install", "apply", "--yes", "-q"];
        self.machine.run(&apply)
    }

    pub(super) fn ended_well(&mut self, what: &str, said: &Said) {
        let result = [
            "systemctl",
            "show",
            "--property=Result,ExecMainStatus,ConditionResult",
            SERVICE,
        ];
        let result = self.machine.run(&result).out;
        let holds = said.code == 0
            && ["Result=success", "ExecMainStatus=0", "ConditionResult=yes"]
                .iter()
                .all(|line| result.contains(line));
        let log = self.log(SERVICE);
        self.cases
            .holds(what, holds, || format!("{}{result}{log}", said.whole()));
    }

    /// Prosody was reloaded, and so was nginx; the bridge heard of it in this way, and all have it.
    pub(super) fn has_happened(
        &mut self,
        when: &str,
        before: &Units,
        bridge: &'static str,
        issued: &str,
    ) {
        let after = self.units();
        let woken = services::awoken(before, &after);
        // Caddy shows what it has itself
        let web = match self.server {
            Server::Nginx => "reload",
            Server::Caddy => "nothing",
        };
        let wanted = [
            ("jicofo", "nothing"),
            ("jitsi-videobridge2", bridge),
            ("prosody", "reload"),
            (self.server.name(), web),
        ];
        let name = format!("who is woken {when}");
        self.cases.same(&name, woken, wanted.into());
        for name in [self.server.name(), "prosody"] {
            let pids = (&after[name].pid, &before[name].pid);
            self.cases
                .same(&format!("{name}'s process {when}"), pids.0, pids.1);
        }
        self.everybody_has(issued);
    }

    fn everybody_has(&mut self, issued: &str) {
        let wanted = [issued.to_owned(), issued.to_owned()];
        let until = Instant::now() + Duration::from_secs(10);
        while self.shown() != wanted && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(200));
        }
        self.cases.same("it is shown", self.shown(), wanted);
        let said = self
            .machine
            .run(&["/usr/sbin/jitsi-install", "certificates", "status"]);
        let copies = said.out.matches(&issued[..16]).count();
        let holds = said.code == 0 && copies == 4;
        self.cases
            .holds("and all copies are in order", holds, || said.whole());
    }

    /// What nginx and Prosody show.
    pub(super) fn shown(&self) -> [String; 2] {
        let xmpp = format!("5222 -starttls xmpp -xmpphost {DOMAIN}");
        ["443", &xmpp].map(|port| {
            let line = format!(
                "timeout 10 openssl s_client -servername {DOMAIN} -connect 127.0.0.1:{port} </dev/null 2>/dev/null \
                 | openssl x509 -noout -fingerprint -sha256"
            );
            let said = self.machine.sh(&line);
            let print = said.out.trim().rsplit('=').next().unwrap_or_default();
            print.replace(':', "").to_lowercase()
        })
    }

    pub(super) fn log(&self, unit: &str) -> String {
        let log = ["journalctl", "--quiet", "-o", "cat", "-u", unit];
        self.machine.run(&log).out
    }

    pub(super) fn units(&self) -> Units {
        services::units(&self.machine, self.server)
    }

    fn keystore(&self) -> Vec<u8> {
        let path = self.machine.root().join(KEYSTORE.trim_start_matches('/'));
        std::fs::read(path).unwrap_or_default()
    }

    fn meetings(&mut self, count: &str) {
        let put = self.machine.put(MEETINGS, count.as_bytes(), 0o644);
        self.cases.must("meetings begin or end", put);
    }

    /// Puts a new certificate where acme.sh keeps it; gives its fingerprint.
    fn issue(&mut self) -> String {
        let pair = rcgen::KeyPair::generate().expect("a key can be made");
        let params = rcgen::CertificateParams::new(vec![DOMAIN.to_owned()]);
        let mut params = params.expect("the name is one");
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now - time::Duration::minutes(1);
        params.not_after = now + time::Duration::days(90);
        let certificate = params.self_signed(&pair).expect("it can be signed");
        let chain = format!("{HOME}/fullchain.cer");
        let key = format!("{HOME}/{DOMAIN}.key");
        for (path, text) in [(&key, pair.serialize_pem()), (&chain, certificate.pem())] {
            let put = self.machine.put(path, text.as_bytes(), 0o600);
            self.cases.must("a certificate is issued", put);
        }
        let described = jitsi_install::keystore::describe(certificate.der());
        described.expect("it can be read").fingerprint_sha256
    }
}
