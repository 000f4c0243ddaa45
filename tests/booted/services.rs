//! The services of a site, asked inside the machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::container::Container;

/// The web server of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Nginx,
    Caddy,
}

impl Server {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Nginx => "nginx",
            Server::Caddy => "caddy",
        }
    }
}

/// In the order in which they start.
pub(crate) fn all(server: Server) -> [&'static str; 4] {
    ["prosody", "jicofo", "jitsi-videobridge2", server.name()]
}

/// What systemd says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) pid: String,
    /// New at each start.
    pub(crate) run: String,
    /// When it last started, stopped or was told to reload.
    pub(crate) changed: String,
    pub(crate) state: String,
    pub(crate) at_boot: String,
    /// How often it came up since the machine booted.
    pub(crate) starts: usize,
    /// When it last did, in microseconds.
    pub(crate) since: u64,
}

pub(crate) type Units = BTreeMap<&'static str, Unit>;

pub(crate) fn units(machine: &Container, server: Server) -> Units {
    let of = |name: &'static str| {
        let said = machine.run(&["systemctl", "show", name]);
        let value = |key: &str| {
            let line = said.out.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_default().to_owned()
        };
        let unit = Unit {
            pid: value("MainPID="),
            run: value("InvocationID="),
            changed: value("StateChangeTimestampMonotonic="),
            state: value("ActiveState="),
            at_boot: value("UnitFileState="),
            starts: starts(machine, name),
            since: value("ActiveEnterTimestampMonotonic=").parse().unwrap_or(0),
        };
        (name, unit)
    };
    all(server).map(of).into()
}

/// By systemd's own entries in the journal.
fn starts(machine: &Container, name: &str) -> usize {
    let said = machine.run(&[
        "journalctl",
        "--boot",
        "--quiet",
        "--no-pager",
        "--output=cat",
        &format!("UNIT={name}.service"),
        "JOB_TYPE=start",
        "JOB_RESULT=done",
    ]);
    said.out.lines().count()
}

/// What an apply did to each service: nothing, a reload, or a restart.
pub(crate) fn awoken(before: &Units, after: &Units) -> BTreeMap<&'static str, &'static str> {
    let how = |name: &str| match (&before[name], &after[name]) {
        (old, new) if old.run != new.run && new.starts == old.starts + 1 => "restart",
        (old, new) if old.run != new.run => "several restarts",
        (old, new) if old.changed != new.changed => "reload",
        _ => "nothing",
    };
    before.keys().map(|name| (*name, how(name))).collect()
}

/// Units that are not active and enabled, after some patience: systemd starts one again a moment
/// after it ended.
pub(crate) fn down_at_last(machine: &Container, server: Server) -> Vec<String> {
    at_last(|| {
        units(machine, server)
            .iter()
            .filter(|(_, unit)| unit.state != "active" || unit.at_boot != "enabled")
            .map(|(name, unit)| format!("{name} is {} and {}", unit.state, unit.at_boot))
            .collect()
    })
}

/// The same answer again and again, until it is empty or it is enough.
fn at_last(ask: impl Fn() -> Vec<String>) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let found = ask();
        if found.is_empty() || Instant::now() > until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Where a site answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) c2s: u16,
    pub(crate) http: u16,
    pub(crate) jicofo: u16,
    pub(crate) bridge: u16,
    pub(crate) https: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            c2s: 5222,
            http: 5280,
            jicofo: 8888,
            bridge: 8080,
            https: 443,
        }
    }
}

/// What is not well, as it is now.
pub(crate) fn unwell(machine: &Container, ports: Ports, domain: &str) -> Vec<String> {
    let mut found = Vec::new();
    for port in [ports.c2s, ports.http, ports.https] {
        let said = machine.sh(&format!(": </dev/tcp/127.0.0.1/{port}"));
        if said.code != 0 {
            found.push(format!("nothing listens at {port}"));
        }
    }
    for (name, port) in [("Jicofo", ports.jicofo), ("the bridge", ports.bridge)] {
        let answer = http(machine, port, "/about/health");
        if !answer.contains(" 200 ") {
            found.push(format!("{name} says {answer:?}"));
        }
    }
    let bridges = http(machine, ports.jicofo, "/stats");
    if !bridges.contains("\"bridge_count\":1}") {
        found.push(format!("Jicofo sees {bridges:?}"));
    }
    let ends = [
        ("/a-room", "<html"),
        ("/config.js", domain),
        ("/http-bind", "It works!"),
    ];
    for (path, words) in ends {
        let page = https(machine, ports.https, domain, path);
        if !page.contains(words) {
            let start: String = page.chars().take(300).collect();
            found.push(format!("the site's {path} is {start:?}"));
        }
    }
    found
}

/// The same after some patience: Jicofo and the bridge come back by themselves after Prosody.
pub(crate) fn unwell_at_last(machine: &Container, ports: Ports, domain: &str) -> Vec<String> {
    at_last(|| unwell(machine, ports, domain))
}

/// First line and body; there is no curl inside.
pub(crate) fn http(machine: &Container, port: u16, path: &str) -> String {
    let line = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && timeout 5 cat <&3"
    );
    machine.sh(&line).out
}

/// The same over TLS, by the site's own certificate.
fn https(machine: &Container, port: u16, domain: &str, path: &str) -> String {
    let line = format!(
        "printf 'GET {path} HTTP/1.1\\r\\nHost: {domain}\\r\\nConnection: close\\r\\n\\r\\n' | timeout 10 openssl s_client \
         -quiet -verify_return_error -verify_hostname {domain} -CAfile /etc/jitsi/certs/{domain}.crt \
         -servername {domain} -connect 127.0.0.1:{port}"
    );
    let said = machine.sh(&line);
    said.out + &said.err
}
