//! What no rendered file of any kind may have.

use std::fs;

use jitsi_install::render::OWN;

use crate::stage::stages;

#[test]
fn no_template_mark_is_left() {
    for stage in stages() {
        for file in stage.files() {
            let path = file.path.as_str();
            let is_script = path.contains("/rc.d/rc.");
            let Ok(text) = String::from_utf8(fs::read(path).unwrap()) else {
                assert!(path.ends_with(".p12"), "{path} is no text");
                continue;
            };
            for mark in ["<%", "%>", "<#", "#>", "<< ", " >>"] {
                assert!(is_script || !text.contains(mark), "{path} has `{mark}`");
            }
        }
    }
}

#[test]
fn every_template_is_rendered_somewhere() {
    // A template that nobody renders would be proved by nobody.
    let all: Vec<&str> = stages()
        .iter()
        .flat_map(|stage| stage.files().map(|file| file.path.file_name()))
        .collect();
    if all.is_empty() {
        return;
    }
    for (name, _) in OWN {
        let (folder, file) = name.split_once('/').unwrap();
        let written = match (folder, file) {
            ("caddy", _) => "Caddyfile".to_owned(),
            (_, "jicofo.hocon") => "jicofo.conf".to_owned(),
            (_, "jvb.hocon") => "jvb.conf".to_owned(),
            (_, "config.sh") => "config".to_owned(),
            (_, "logrotate.sh") => "jitsi-accounts".to_owned(),
            (_, "socket.ini") => "jitsi-accounts.socket".to_owned(),
            (_, "sysctl.properties") => "20-jvb-udp-buffers.conf".to_owned(),
            ("meet", script) => format!("meet.example.org-{script}"),
            ("nginx", _) => "meet.example.org.conf".to_owned(),
            ("prosody", "host.lua") => "meet.example.org.cfg.lua".to_owned(),
            ("prosody", _) => "prosody.cfg.lua".to_owned(),
            (_, unit) if unit.ends_with(".ini") => unit.replace(".ini", ".service"),
            (_, other) => other.to_owned(),
        };
        assert!(
            all.contains(&written.as_str()),
            "no example renders `{name}` (as {written})"
        );
    }
}
