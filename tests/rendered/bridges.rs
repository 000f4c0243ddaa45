//! `jicofo.conf`, `jvb.conf` and `logging.properties` by the libraries that read them there, each
//! key against the list of keys that are read today, and no dead one.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::proving::{java, root};
use crate::stage::{Stage, stages};

type Leaves = BTreeMap<String, Value>;

/// Lines of `tests/facts/NAME`: their words.
fn facts(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("tests/facts").join(name)).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// Does `key` fit a pattern of the facts, where `*` is one name and `[]` an element?
fn fits(pattern: &str, key: &str) -> bool {
    let (mut patterns, mut keys) = (pattern.split('.'), key.split('.'));
    loop {
        match (patterns.next(), keys.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// The path without the numbers of its elements.
fn plain(key: &str) -> String {
    let mut out = String::new();
    let mut rest = key;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        out.push_str("[]");
        rest = after.split_once(']').map_or("", |(_, rest)| rest);
    }
    out + rest
}

fn has_type(kind: &str, value: &Value) -> bool {
    match kind {
        "bool" => value.is_boolean(),
        "int" => value.is_i64(),
        "float" => value.is_number(),
        "list" => value.is_array(),
        "map" => value.is_object(),
        _ => value.is_string() || value.is_number(),
    }
}

#[test]
fn every_key_is_read_and_none_is_dead() {
    let mut files = Vec::new();
    for stage in stages() {
        files.extend([stage.one("/jicofo.conf"), stage.one("/jvb.conf")]);
    }
    if files.is_empty() {
        return;
    }
    let Some(read) = java::hocon(&files) else {
        return;
    };
    let (known, dead) = (facts("hocon-keys.txt"), facts("dead-keys.txt"));
    assert!(known.len() > 100 && dead.len() > 20);
    for (file, leaves) in files.iter().zip(&read) {
        let which = if file.ends_with("jicofo.conf") {
            "jicofo"
        } else {
            "jvb"
        };
        assert!(leaves.len() > 8, "{}: {leaves:?}", file.display());
        for (key, value) in leaves {
            let key = plain(key);
            let fact = known.iter().find(|fact| {
                fact[0] == which && (fits(&fact[1], &key) || fits(&fact[1], &format!("{key}[]")))
            });
            let Some(fact) = fact else {
                panic!("{}: nobody reads `{key}`", file.display());
            };
            let is_right =
                has_type(&fact[2], value) || (value.is_array() && fact[1].ends_with("[]"));
            assert!(
                is_right,
                "{}: `{key}` is {value}, and {} is read",
                file.display(),
                fact[2]
            );
            for fact in dead.iter().filter(|fact| fact[0] == which) {
                let (path, only) = fact[1].split_once('=').unwrap_or((&fact[1], ""));
                let below = key
                    .split('.')
                    .take(path.split('.').count())
                    .collect::<Vec<_>>()
                    .join(".");
                let is_dead = fits(path, &below) && (only.is_empty() || value == only);
                assert!(
                    !is_dead,
                    "{}: `{key}` is dead: {}",
                    file.display(),
                    fact[3..].join(" ")
                );
            }
        }
    }
    for (stage, pair) in stages().iter().zip(read.chunks(2)) {
        jicofo(stage, &pair[0]);
        videobridge(stage, &pair[1]);
    }
}

fn expect(stage: &Stage, leaves: &Leaves, wanted: &[(&str, Value)]) {
    for (key, value) in wanted {
        let seen = leaves.get(*key).unwrap_or(&Value::Null);
        assert_eq!(seen, value, "{}: `{key}`", stage.name);
    }
}

fn jicofo(stage: &Stage, leaves: &Leaves) {
    let (site, domain) = (&stage.site, &stage.site.domain);
    let expected = [
        ("jicofo.xmpp.client.hostname", json!("127.0.0.1")),
        ("jicofo.xmpp.client.port", json!(site.prosody.c2s_port)),
        ("jicofo.xmpp.client.domain", json!(format!("auth.{domain}"))),
        ("jicofo.xmpp.client.username", json!("focus")),
        (
            "jicofo.xmpp.client.password",
            json!(stage.secrets.focus_password.reveal()),
        ),
        ("jicofo.xmpp.client.xmpp-domain", json!(domain)),
        (
            "jicofo.xmpp.client.client-proxy",
            json!(format!("focus.{domain}")),
        ),
        (
            "jicofo.xmpp.client.conference-muc-jid",
            json!(format!("conference.{domain}")),
        ),
        (
            "jicofo.bridge.brewery-jid",
            json!(format!("jvbbrewery@internal.auth.{domain}")),
        ),
        (
            "jicofo.bridge.max-bridge-participants",
            json!(site.jicofo.max_bridge_participants),
        ),
        ("jicofo.conference.enable-auto-owner", json!(false)),
        ("jicofo.authentication.enabled", json!(false)),
        ("jicofo.rest.host", json!("127.0.0.1")),
        ("jicofo.rest.port", json!(site.jicofo.rest_port)),
    ];
    expect(stage, leaves, &expected);
}

fn videobridge(stage: &Stage, leaves: &Leaves) {
    let (bridge, domain) = (&stage.site.videobridge, &stage.site.domain);
    let main = "videobridge.apis.xmpp-client.configs.main";
    let account = [
        ("HOSTNAME", json!("127.0.0.1")),
        ("PORT", json!(stage.site.prosody.c2s_port)),
        ("DOMAIN", json!(format!("auth.{domain}"))),
        ("USERNAME", json!("jvb")),
        ("PASSWORD", json!(stage.secrets.jvb_password.reveal())),
        (
            "MUC_JIDS",
            json!(format!("jvbbrewery@internal.auth.{domain}")),
        ),
        ("MUC_NICKNAME", json!(stage.secrets.jvb_nickname)),
    ];
    for (key, value) in account {
        assert_eq!(
            leaves[&format!("{main}.{key}")],
            value,
            "{}: {key}",
            stage.name
        );
    }
    let open = |value: Value| {
        if bridge.websockets {
            value
        } else {
            Value::Null
        }
    };
    let store = stage.platform.jitsi_config.join("videobridge/jvb.p12");
    let mut expected = vec![
        ("videobridge.ice.udp.port", json!(bridge.udp_port)),
        (
            "videobridge.http-servers.private.port",
            json!(bridge.rest_port),
        ),
        ("videobridge.http-servers.private.host", json!("127.0.0.1")),
        (
            "videobridge.health.require-valid-address",
            json!(bridge.require_valid_address),
        ),
        (
            "videobridge.http-servers.public.tls-port",
            open(json!(bridge.websocket_port)),
        ),
        (
            "videobridge.http-servers.public.key-store-path",
            open(json!(store)),
        ),
        (
            "videobridge.http-servers.public.key-store-password",
            open(json!(stage.secrets.keystore_password.reveal())),
        ),
        (
            "videobridge.websockets.domain",
            open(json!(format!("{domain}:{}", bridge.websocket_port))),
        ),
    ];
    if !bridge.stun.is_empty() {
        expected.push(("ice4j.harvest.mapping.stun.addresses", json!(bridge.stun)));
    }
    expect(stage, leaves, &expected);
    for (number, mapping) in bridge.public_addresses.iter().enumerate() {
        let path = format!("ice4j.harvest.mapping.static-mappings[{number}]");
        assert_eq!(
            leaves[&format!("{path}.local-address")],
            json!(mapping.local)
        );
        assert_eq!(
            leaves[&format!("{path}.public-address")],
            json!(mapping.public)
        );
    }
}

#[test]
fn java_reads_the_logging_settings() {
    let mut files = Vec::new();
    for stage in stages() {
        files.extend(stage.ending("/logging.properties"));
    }
    if files.is_empty() {
        return;
    }
    let Some(read) = java::properties(&files) else {
        return;
    };
    for (file, settings) in files.iter().zip(&read) {
        let program = if file.to_string_lossy().contains("/jicofo/") {
            "Jicofo"
        } else {
            "JVB"
        };
        assert_eq!(settings["handlers"], "java.util.logging.ConsoleHandler");
        assert_eq!(
            settings["org.jitsi.utils.logging2.JitsiLogFormatter.programname"],
            program
        );
        if let Some(pattern) =
            settings.get("org.jitsi.impl.protocol.xmpp.log.XmppPacketsFileHandler.pattern")
        {
            assert!(
                pattern.ends_with("/log/jitsi/jicofo/jicofo-xmpp.log"),
                "{pattern}"
            );
        }
    }
}
