//! A table for each service, and `[packages]`.

use crate::name::{AbsPath, NameError};
use crate::reader::Table;
use crate::site::value::{address, host_and_port, short_text};
use crate::site::{
    Jicofo, LogLevel, Mapping, Meet, Packages, Prosody, ProsodyVersion, Videobridge,
};

pub(super) fn prosody(table: Table<'_>) -> Prosody {
    let prosody = Prosody {
        version: table.choice(
            "version",
            &[
                ("0.12", ProsodyVersion::V0_12),
                ("13.0", ProsodyVersion::V13),
            ],
        ),
        c2s_port: table.port("c2s_port", 5222).unwrap_or(5222),
        http_port: table.port("http_port", 5280).unwrap_or(5280),
        plugins: table.text(
            "plugins",
            "/usr/share/jitsi-meet/prosody-plugins",
            AbsPath::parse,
        ),
        log_level: table
            .choice(
                "log_level",
                &[
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                    ("warn", LogLevel::Warn),
                    ("error", LogLevel::Error),
                ],
            )
            .unwrap_or(LogLevel::Info),
    };
    table.finish();
    prosody
}

pub(super) fn jicofo(table: Table<'_>) -> Jicofo {
    let jicofo = Jicofo {
        rest_port: table.port("rest_port", 8888).unwrap_or(8888),
        memory: table.number("memory", 128..=262_144, 1024).unwrap_or(1024),
        max_bridge_participants: table
            .number("max_bridge_participants", 2..=10_000, 80)
            .unwrap_or(80),
    };
    table.finish();
    jicofo
}

pub(super) fn videobridge(table: Table<'_>) -> Videobridge {
    let mut public_addresses = Vec::new();
    let example = "[{ local = \"10.0.0.5\", public = \"198.51.100.7\" }]";
    for item in table.tables("public_addresses", example) {
        let local = item.text("local", "10.0.0.5", address);
        let public = item.text("public", "198.51.100.7", address);
        match (local, public) {
            (Some(local), Some(public)) if local.is_ipv4() != public.is_ipv4() => {
                item.object(
                    "public",
                    "`local` and `public` are of different IP versions",
                    "map IPv4 to IPv4 and IPv6 to IPv6",
                );
            }
            (Some(local), Some(public)) => public_addresses.push(Mapping { local, public }),
            _ => item.object(
                "local",
                "a public address needs `local` and `public`",
                format!("write `public_addresses = {example}`"),
            ),
        }
        item.finish();
    }
    let videobridge = Videobridge {
        udp_port: table.port("udp_port", 10_000).unwrap_or(10_000),
        rest_port: table.port("rest_port", 8080).unwrap_or(8080),
        memory: table.number("memory", 256..=262_144, 3072).unwrap_or(3072),
        public_addresses,
        stun: table
            .texts("stun", "stun.example.org:3478", host_and_port)
            .unwrap_or_default(),
        require_valid_address: table.flag("require_valid_address").unwrap_or(true),
        websockets: table.flag("websockets").unwrap_or(false),
        websocket_port: table.port("websocket_port", 8443).unwrap_or(8443),
        rest_shutdown: table.flag("rest_shutdown").unwrap_or(false),
    };
    table.finish();
    videobridge
}

pub(super) fn meet(table: Table<'_>) -> Meet {
    let app_name = table
        .text("app_name", "Jitsi Meet", short_text)
        .unwrap_or_else(|| "Jitsi Meet".to_owned());
    let config = table.free("config");
    let interface = table.free("interface");
    for taken in ["hosts", "bosh", "websocket", "websocketKeepAliveUrl"] {
        if config.contains_key(taken) {
            table.object(
                "config",
                format!(
                    "`meet.config.{taken}` is written by jitsi-install and cannot be changed there"
                ),
                format!("remove `{taken}` from `[meet.config]`"),
            );
        }
    }
    table.finish();
    Meet {
        app_name,
        config,
        interface,
    }
}

pub(super) fn packages(table: Table<'_>) -> Packages {
    let set = table.text("set", "2.0.11031", |text| {
        let is_version = text.split('.').count() == 3
            && text
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if is_version {
            Ok(text.to_owned())
        } else {
            Err(NameError(
                "a set has the version of upstream's package `jitsi-meet`, three numbers"
                    .to_owned(),
            ))
        }
    });
    table.finish();
    Packages { set }
}
