//! Names, addresses, ports and the kernel's buffers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::hosts::Config;
use super::{Check, Listener, Probe, Question, Subject, text_of};

pub(super) const NAME: Question = Question::new("D-27", "the site's name leads to this machine");
pub(super) const PORTS: Question = Question::new("D-28", "the site's ports are its own");
pub(super) const LOOPBACK: Question = Question::new("D-30", "what is internal listens on loopback");
pub(super) const PRIVATE: Question = Question::new("D-32", "the bridge has an address to offer");
pub(super) const IPV6: Question =
    Question::new("D-31", "nobody waits for an IPv6 that is not there");
pub(super) const AAAA: Question = Question::new("D-35", "who comes by IPv6 is let in");
pub(super) const BUFFERS: Question =
    Question::new("D-33", "the kernel lets the bridge have buffers");

/// Bytes that the bridge asks the kernel for, for each of its sockets.
const BUFFER: u64 = 10_485_760;

/// Ports of Prosody that no conference server needs: links between servers, HTTPS.
const NEVER: [u16; 2] = [5269, 5281];

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    if !probe.is_running() {
        return [NAME, PORTS, LOOPBACK, IPV6, PRIVATE, BUFFERS, AAAA]
            .map(Question::asleep)
            .into();
    }
    let own = own_addresses(probe);
    let listeners = probe.listeners();
    vec![
        name(subject, probe, &own),
        match &listeners {
            Ok(listeners) => ports(subject, listeners),
            Err(why) => PORTS.skipped(why),
        },
        match &listeners {
            Ok(listeners) => loopback(subject, listeners),
            Err(why) => LOOPBACK.skipped(why),
        },
        ipv6(subject, probe),
        private(subject, &own),
        buffers(probe),
        match &listeners {
            Ok(listeners) => aaaa(subject, probe, &own, listeners),
            Err(why) => AAAA.skipped(why),
        },
    ]
}

/// The addresses of this machine, from the kernel's own tables; loopback is left out.
fn own_addresses(probe: &dyn Probe) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    // `|-- 192.0.2.7` and on the next line `/32 host LOCAL`
    let table = probe.kernel("net/fib_trie").unwrap_or_default();
    let mut last: Option<Ipv4Addr> = None;
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.starts_with("/32 host LOCAL")
            && let Some(address) = last
        {
            found.insert(IpAddr::V4(address));
        }
    }
    for line in probe.kernel("net/if_inet6").unwrap_or_default().lines() {
        let digits = line.split_whitespace().next().unwrap_or_default();
        if let Ok(number) = u128::from_str_radix(digits, 16) {
            found.insert(IpAddr::V6(Ipv6Addr::from(number)));
        }
    }
    found.retain(|address| !address.is_loopback());
    found
}

/// Can the whole Internet reach it?
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            let is_example = address.is_documentation();
            !(is_example
                || address.is_private()
                || address.is_link_local()
                || address.is_loopback()
                || shared)
        }
        IpAddr::V6(address) => address.segments()[0] & 0xe000 == 0x2000,
    }
}

fn listed<'a>(addresses: impl IntoIterator<Item = &'a IpAddr>) -> String {
    let all: Vec<String> = addresses.into_iter().map(ToString::to_string).collect();
    all.join(", ")
}

fn name(subject: &Subject<'_>, probe: &dyn Probe, own: &BTreeSet<IpAddr>) -> Check {
    let site = subject.context.site;
    let domain = &site.domain;
    let cure =
        format!("let the A and AAAA records of {domain} name this machine, or the NAT before it");
    let found = match probe.resolve(domain.as_str()) {
        Ok(found) => found,
        Err(why) => return NAME.warn(format!("{domain} has no address: {why}"), cure),
    };
    let mapped = site
        .videobridge
        .public_addresses
        .iter()
        .map(|one| one.public);
    let ours: BTreeSet<IpAddr> = own.iter().copied().chain(mapped).collect();
    if found.iter().any(|address| ours.contains(address)) {
        return NAME.good(format!("{domain} is {}", listed(&found)));
    }
    NAME.warn(
        format!(
            "{domain} is {}; this machine has {}",
            listed(&found),
            listed(own)
        ),
        cure,
    )
}

/// Port, is it UDP, what it is for, and beginnings of the names of programs that may hold it.
fn wanted(subject: &Subject<'_>) -> Vec<(u16, bool, &'static str, &'static [&'static str])> {
    let site = subject.context.site;
    let web: &[&str] = match site.web.server {
        crate::site::WebServer::Nginx => &["nginx"],
        crate::site::WebServer::Caddy => &["caddy"],
    };
    let lua: &[&str] = &["lua", "prosody"];
    let java: &[&str] = &["java", "jicofo", "jvb"];
    let mut ports = vec![
        (site.web.http_port, false, "the web server", web),
        (site.web.https_port, false, "the web server", web),
        (site.prosody.c2s_port, false, "Prosody", lua),
        (site.prosody.http_port, false, "Prosody", lua),
        (site.jicofo.rest_port, false, "Jicofo", java),
        (site.videobridge.rest_port, false, "the bridge", java),
        (site.videobridge.udp_port, true, "the bridge", java),
    ];
    if site.videobridge.websockets {
        ports.push((site.videobridge.websocket_port, false, "the bridge", java));
    }
    ports
}

fn ports(subject: &Subject<'_>, listeners: &[Listener]) -> Check {
    let mut faults = Vec::new();
    let wanted = wanted(subject);
    for (port, is_udp, whose, programs) in &wanted {
        let kind = if *is_udp { "UDP" } else { "TCP" };
        let mut there = listeners
            .iter()
            .filter(|one| one.address.port() == *port && one.is_udp == *is_udp)
            .peekable();
        if there.peek().is_none() {
            faults.push(format!("{whose} does not listen on {kind} {port}"));
        }
        let foreign = there
            .filter_map(|one| one.program.as_deref())
            .find(|program| !programs.iter().any(|known| program.starts_with(known)));
        if let Some(program) = foreign {
            faults.push(format!("`{program}` holds {kind} {port} of {whose}"));
        }
    }
    PORTS.faults(
        &faults,
        format!("{} ports", wanted.len()),
        "`jitsi-install status` tells what does not run; stop a foreign program (`ss -tulpn` names it) or change the port in the site file",
    )
}

fn loopback(subject: &Subject<'_>, listeners: &[Listener]) -> Check {
    let site = subject.context.site;
    let inner = [
        site.prosody.c2s_port,
        site.prosody.http_port,
        site.jicofo.rest_port,
        site.videobridge.rest_port,
    ];
    let is_open = |one: &&Listener| {
        let port = one.address.port();
        !one.is_udp
            && !one.address.ip().is_loopback()
            && (inner.contains(&port) || NEVER.contains(&port))
    };
    let open: BTreeSet<String> = listeners
        .iter()
        .filter(is_open)
        .map(|one| match &one.program {
            Some(program) => format!("`{program}` listens on {}", one.address),
            None => format!("somebody listens on {}", one.address),
        })
        .collect();
    let open: Vec<String> = open.into_iter().collect();
    LOOPBACK.faults(
        &open,
        format!("nobody outside reaches {}", inner.map(|port| port.to_string()).join(", ")),
        &format!("`jitsi-install apply` binds them to 127.0.0.1; what listened before has to be restarted, as Prosody: {}", subject.restart("prosody")),
    )
}

fn private(subject: &Subject<'_>, own: &BTreeSet<IpAddr>) -> Check {
    let bridge = &subject.context.site.videobridge;
    let strange: Vec<String> = bridge
        .public_addresses
        .iter()
        .filter(|one| !own.contains(&one.local))
        .map(|one| {
            format!(
                "`public_addresses` names {}, which this machine does not have",
                one.local
            )
        })
        .collect();
    if own.is_empty() {
        return PRIVATE.skipped("the kernel names no address of this machine");
    }
    if !strange.is_empty() {
        return PRIVATE.bad(
            strange.join("; "),
            "correct `local` under `[videobridge]` in the site file",
        );
    }
    let has_way = !bridge.public_addresses.is_empty() || !bridge.stun.is_empty();
    if own.iter().any(is_public) || has_way {
        return PRIVATE.good(listed(own));
    }
    let what = format!("this machine has private addresses only: {}", listed(own));
    let cure = "add `public_addresses` (local and public) under `[videobridge]`, or `require_valid_address = false` when only the LAN shall reach it";
    if bridge.require_valid_address {
        PRIVATE.bad(what, cure)
    } else {
        PRIVATE.good(format!("{what}, and the site is for its own network"))
    }
}

fn ipv6(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    // Without IPv6 the kernel has no such table; with an empty one `::` can still be listened on.
    if probe.kernel("net/if_inet6").is_some() {
        return IPV6.good("the kernel has IPv6");
    }
    let mut places = Vec::new();
    let web = super::web::site_file(subject);
    let asks = |line: &str| line.trim_start().starts_with("listen [::]");
    if text_of(probe, &web).is_ok_and(|text| text.lines().any(asks)) {
        places.push(format!("`{web}` listens on `[::]`"));
    }
    if let Ok(config) = Config::read(subject, probe) {
        for name in ["interfaces", "c2s_interfaces", "http_interfaces"] {
            if config.global().has(name, "::") {
                places.push(format!("`{name}` of Prosody has \"::\""));
            }
        }
    }
    if places.is_empty() {
        return IPV6.good("the kernel has no IPv6, and nobody asks for it");
    }
    IPV6.bad(
        format!("the kernel has no IPv6: {}", places.join("; ")),
        "name the addresses to listen on: `addresses` under `[web]` in the site file, then `jitsi-install apply`",
    )
}

fn aaaa(
    subject: &Subject<'_>,
    probe: &dyn Probe,
    own: &BTreeSet<IpAddr>,
    listeners: &[Listener],
) -> Check {
    let site = subject.context.site;
    let domain = &site.domain;
    let found = match probe.resolve(domain.as_str()) {
        Ok(found) => found,
        Err(why) => return AAAA.skipped(format!("{domain} has no address: {why}")),
    };
    let found: Vec<IpAddr> = found.into_iter().filter(IpAddr::is_ipv6).collect();
    if found.is_empty() {
        return AAAA.good(format!("{domain} has no AAAA record"));
    }
    let cure = format!(
        "give this machine that address, or take the AAAA record of {domain} away: most browsers try it first"
    );
    if !found.iter().any(|address| own.contains(address)) {
        return AAAA.warn(
            format!(
                "{domain} is {}; this machine has {}",
                listed(&found),
                listed(own)
            ),
            cure,
        );
    }
    let deaf: Vec<String> = [
        (site.web.https_port, false, "the web server"),
        (site.videobridge.udp_port, true, "the bridge"),
    ]
    .iter()
    .filter(|(port, is_udp, _)| {
        !listeners.iter().any(|one| {
            let ip = one.address.ip();
            one.address.port() == *port
                && one.is_udp == *is_udp
                && ip.is_ipv6()
                && (ip.is_unspecified() || found.contains(&ip))
        })
    })
    .map(|(port, _, whose)| format!("{whose} does not listen on {port} by IPv6"))
    .collect();
    if !deaf.is_empty() {
        return AAAA.warn(
            format!("{domain} is {}; {}", listed(&found), deaf.join("; ")),
            cure,
        );
    }
    AAAA.good(format!(
        "{domain} is {}; whether a firewall lets it in cannot be told from here",
        listed(&found)
    ))
}

fn buffers(probe: &dyn Probe) -> Check {
    let value = probe.kernel("sys/net/core/rmem_max");
    match value.and_then(|text| text.trim().parse::<u64>().ok()) {
        Some(bytes) if bytes >= BUFFER => BUFFERS.good(format!("net.core.rmem_max = {bytes}")),
        Some(bytes) => BUFFERS.warn(
            format!("net.core.rmem_max = {bytes}, and the bridge asks for {BUFFER}: packets are lost under load"),
            "`sysctl --system` reads the file that `jitsi-install apply` has written",
        ),
        None => BUFFERS.skipped("the kernel does not tell"),
    }
}
