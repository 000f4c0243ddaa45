//! Caddy has the site's certificate issued by an authority inside the machine (pebble), tells nobody,
//! and the hourly look hands it to the others.

use std::fs;
use std::time::{Duration, Instant};

use super::cases::{are_here, find};
use super::renewal::{Renewals, SERVICE, on};
use super::rootfs::Release;
use super::services::{self, Server};

const SITE_TEXT: &str = "schema = 1\ndomain = \"meet.example.org\"\n[certificates]\nsource = \"caddy\"\n[web]\nserver = \"caddy\"\n\
    [jicofo]\nmemory = 256\n[videobridge]\nmemory = 256\nrequire_valid_address = false\nwebsockets = true\n";
const TEMPLATE: &str = "/etc/jitsi-install/templates/caddy/Caddyfile.caddyfile";
const TRUST: &str = "/etc/pebble/pebble.crt";
const PROGRAMS: [&str; 2] = ["pebble", "pebble-challtestsrv"];

/// Every name is loopback, and the challenges' ports are the site's own.
const CONFIG: &str = r#"{ "pebble": { "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": "/etc/pebble/pebble.crt", "privateKey": "/etc/pebble/pebble.key", "httpPort": 80, "tlsPort": 443,
    "ocspResponderURL": "", "externalAccountBindingRequired": false } }"#;
const START: &str = "systemd-run -q --unit=names pebble-challtestsrv -http01 '' -https01 '' -tlsalpn01 '' \
    -defaultIPv4 127.0.0.1 -defaultIPv6 '' -dns01 127.0.0.1:8053 -management 127.0.0.1:8055 && \
    systemd-run -q --unit=pebble -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 \
    pebble -config /etc/pebble/pebble.json -dnsserver 127.0.0.1:8053";

/// Two certificates of Caddy's.
pub(crate) fn take(release: Release) {
    if !are_here(&PROGRAMS) {
        return;
    }
    on(release, Server::Caddy, |all| {
        all.an_authority();
        if !all.a_site(SITE_TEXT) {
            return;
        }
        let calendar = ["systemctl", "show", "jitsi-install-renew.timer"];
        let calendar = all.machine.run(&calendar).out;
        let holds = calendar.contains("OnCalendar=*-*-* *:00:00");
        all.cases.holds("it looks every hour", holds, || calendar);
        for line in [
            "true",
            "rm -r /var/lib/caddy/.local/share/caddy/certificates; systemctl reload caddy",
        ] {
            let [_, before] = all.shown();
            let said = all.machine.sh(line);
            all.cases
                .holds("Caddy wants a certificate", said.code == 0, || said.whole());
            let Some(issued) = all.issued_after(&before) else {
                return;
            };
            let down = services::down_at_last(&all.machine, Server::Caddy);
            all.cases.same("all units are up", down, Vec::new());
            let units = all.units();
            let said = all.machine.run(&["systemctl", "start", SERVICE]);
            all.ended_well("the hourly look", &said);
            all.has_happened("by the hourly look", &units, "restart", &issued);
        }
    });
}

impl Renewals {
    fn an_authority(&mut self) {
        for program in PROGRAMS {
            let bytes = find(program).map_or(Vec::new(), |path| fs::read(path).unwrap_or_default());
            let put = self
                .machine
                .put(&format!("/usr/bin/{program}"), &bytes, 0o755);
            self.cases.must("a program can be put there", put);
        }
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]);
        let mut params = params.expect("an address is a name");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("it can be signed");
        let ours = include_str!("../../templates/caddy/Caddyfile.caddyfile");
        let storage = "\tstorage file_system << web.issues_into >>\n";
        let more =
            format!("{storage}\tacme_ca https://127.0.0.1:14000/dir\n\tacme_ca_root {TRUST}\n");
        for (path, text) in [
            (TRUST, own.pem()),
            ("/etc/pebble/pebble.key", key.serialize_pem()),
            ("/etc/pebble/pebble.json", CONFIG.to_owned()),
            (TEMPLATE, ours.replace(storage, &more)),
        ] {
            let put = self.machine.put(path, text.as_bytes(), 0o644);
            self.cases.must("a file can be put there", put);
        }
        let said = self.machine.sh(START);
        self.cases
            .holds("pebble starts", said.code == 0, || said.whole());
    }

    /// What Caddy shows once it is another than this.
    fn issued_after(&mut self, old: &str) -> Option<String> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let [shown, _] = self.shown();
            if !shown.is_empty() && shown != old {
                return Some(shown);
            }
            if Instant::now() > until {
                let log = self.log("caddy") + &self.log("pebble");
                self.cases.holds("Caddy has one issued", false, || log);
                return None;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
