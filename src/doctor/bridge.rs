//! What Jicofo and the bridge must agree on, and what nobody reads any more.

use super::{APPLY, Check, Probe, Question, Subject, hocon, text_of};

pub(super) const BREWERY: Question =
    Question::new("D-08", "Jicofo and the bridge meet in one brewery");
pub(super) const WEBSOCKETS: Question = Question::new(
    "D-36",
    "the bridge's websockets are wholly on or wholly off",
);
pub(super) const DEAD: Question = Question::new("D-50", "no setting is left that nobody reads");

/// Variables of `/etc/jitsi/*/config` that upstream's programs no longer read.
const DEAD_VARIABLES: [&str; 12] = [
    "JICOFO_AUTH_DOMAIN",
    "JICOFO_AUTH_PASSWORD",
    "JICOFO_AUTH_USER",
    "JICOFO_HOST",
    "JICOFO_HOSTNAME",
    "JICOFO_OPTS",
    "JICOFO_SECRET",
    "JVB_HOST",
    "JVB_HOSTNAME",
    "JVB_OPTS",
    "JVB_PORT",
    "JVB_SECRET",
];

/// Keys of `jicofo.conf` and `jvb.conf` that upstream's programs no longer read; each stands for
/// everything below it.
const DEAD_KEYS: [&str; 12] = [
    "jicofo.bridge.average-participant-packet-rate-pps",
    "jicofo.bridge.max-bridge-packet-rate",
    "jicofo.colibri",
    "jicofo.octo.id",
    "jicofo.rest.tls-port",
    "videobridge.ice.tcp",
    "videobridge.octo.bind-port",
    "videobridge.octo.public-address",
    "videobridge.sctp.use-usrsctp",
    "videobridge.stats.callstats",
    "videobridge.stats.enabled",
    "videobridge.stats.transports",
];

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    vec![
        brewery(subject, probe),
        websockets(subject, probe),
        dead(subject, probe),
    ]
}

fn brewery(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let place = |service: &str, file: &str| context.config_dir(service).join(file);
    let mut said = Vec::new();
    let mut faults = Vec::new();
    for (path, key) in [
        (place("jicofo", "jicofo.conf"), "jicofo.bridge.brewery-jid"),
        (
            place("videobridge", "jvb.conf"),
            "videobridge.apis.xmpp-client.configs.main.MUC_JIDS",
        ),
    ] {
        match text_of(probe, &path).map(|text| hocon::values(&text).remove(key)) {
            Ok(Some(jid)) => said.push((path, jid.to_lowercase())),
            Ok(None) => faults.push(format!("`{path}` has no `{key}`")),
            Err(why) => faults.push(why),
        }
    }
    let component = format!("@{}", context.hosts.internal);
    for (path, jid) in &said {
        if !jid.ends_with(&component) {
            faults.push(format!(
                "`{path}` names `{jid}`, which is not at {}",
                context.hosts.internal
            ));
        }
    }
    if let [(one, a), (other, b)] = said.as_slice()
        && a != b
    {
        faults.push(format!("`{one}` names `{a}` and `{other}` names `{b}`"));
    }
    let evidence = said.first().map_or("", |(_, jid)| jid);
    BREWERY.faults(&faults, evidence, APPLY)
}

fn websockets(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let site = context.site;
    let path = context.config_dir("videobridge").join("jvb.conf");
    let values = match text_of(probe, &path) {
        Ok(text) => hocon::values(&text),
        Err(why) => return WEBSOCKETS.bad(why, APPLY),
    };
    let port = site.videobridge.websocket_port;
    let mut faults = Vec::new();
    for (key, wanted) in [
        ("videobridge.websockets.enabled", "true".to_owned()),
        ("videobridge.websockets.tls", "true".to_owned()),
        (
            "videobridge.websockets.domain",
            format!("{}:{port}", site.domain),
        ),
        ("videobridge.http-servers.public.tls-port", port.to_string()),
    ] {
        let found = values.get(key).map(String::as_str);
        let is_on = site.videobridge.websockets;
        if is_on && found != Some(&wanted) {
            faults.push(match found {
                Some(found) => format!("`{key}` is `{found}`, not `{wanted}`"),
                None => format!("`{key}` is missing"),
            });
        } else if !is_on && found.is_some_and(|found| found != "false") {
            faults.push(format!("`{key}` is set, and the site has no websockets"));
        }
    }
    let state = if site.videobridge.websockets {
        "on"
    } else {
        "off"
    };
    let faults: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("`{path}`: {fault}"))
        .collect();
    WEBSOCKETS.faults(&faults, format!("`{path}`: {state}"), APPLY)
}

fn dead(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let mut faults = Vec::new();
    for service in ["jicofo", "videobridge"] {
        let folder = context.config_dir(service);
        let old = folder.join("sip-communicator.properties");
        if !matches!(probe.file(&old), Ok(None)) {
            faults.push(format!("`{old}` is read by nobody"));
        }
        let config = folder.join("config");
        if let Ok(text) = text_of(probe, &config) {
            faults.extend(
                DEAD_VARIABLES
                    .iter()
                    .filter(|name| {
                        text.lines().any(|line| {
                            let rest = line.trim_start().strip_prefix(**name);
                            rest.is_some_and(|rest| rest.starts_with('='))
                        })
                    })
                    .map(|name| format!("`{name}` in `{config}` is read by nobody")),
            );
        }
        let conf = folder.join(if service == "jicofo" {
            "jicofo.conf"
        } else {
            "jvb.conf"
        });
        if let Ok(text) = text_of(probe, &conf) {
            let values = hocon::values(&text);
            let is_dead = |key: &&&str| {
                values.keys().any(|known| {
                    known
                        .strip_prefix(**key)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
            };
            let dead = DEAD_KEYS.iter().filter(is_dead);
            faults.extend(dead.map(|key| format!("`{key}` in `{conf}` is read by nobody")));
        }
    }
    if faults.is_empty() {
        return DEAD.good("none in the folders of Jicofo and the bridge");
    }
    DEAD.warn(
        faults.join("; "),
        "move what still matters into the site file or a template, then remove it",
    )
}
