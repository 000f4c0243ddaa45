//! The web application's scripts by node: they parse, run, and define what the site file says.

use std::fs;
use std::process::Command;

use jitsi_install::site::WebServer;
use serde_json::{Value, json};

use crate::proving::{browser, program, run};
use crate::stage::{Stage, stages};

#[test]
fn node_takes_every_script() {
    let Some(node) = program("node", "nodejs") else {
        return;
    };
    // node checks one file at a time; the family does not matter to a script.
    for stage in stages().iter().step_by(2) {
        for file in stage.ending("config.js") {
            run(Command::new(&node).arg("--check").arg(file));
        }
    }
}

#[test]
fn browsers_and_apps_would_see_these_values() {
    let mut cases = Vec::new();
    for stage in stages() {
        let files = vec![
            stage.one("org-config.js"),
            stage.one("-interface_config.js"),
        ];
        for path in [
            Some("/Room"),
            Some("/some.tenant/Room"),
            Some("/<b>/Room"),
            None,
        ] {
            cases.push((files.clone(), path));
        }
    }
    if cases.is_empty() {
        return;
    }
    let Some(seen) = browser::scripts(&cases) else {
        return;
    };
    for (stage, seen) in stages().iter().zip(seen.chunks(4)) {
        for (place, world) in seen.iter().enumerate() {
            let (prefix, label) = if place == 1 {
                ("some.tenant/", "some_tenant.")
            } else {
                ("", "")
            };
            addresses(stage, &world["config"], prefix, label);
        }
        let names = json!(["config", "interfaceConfig", "location"]);
        assert_eq!(seen[0]["names"], names, "{}: globals", stage.name);
        settings(stage, &seen[0]);
    }
}

fn addresses(stage: &Stage, config: &Value, prefix: &str, label: &str) {
    let domain = &stage.site.domain;
    let authority = match stage.site.web.https_port {
        443 => domain.to_string(),
        port => format!("{domain}:{port}"),
    };
    let mut hosts = json!({
        "domain": domain,
        "focus": format!("focus.{domain}"),
        "muc": format!("conference.{label}{domain}"),
    });
    if stage.site.auth.guests {
        hosts["anonymousdomain"] = json!(format!("guest.{domain}"));
    }
    for (key, value) in [
        ("hosts", hosts),
        (
            "bosh",
            json!(format!("https://{authority}/{prefix}http-bind")),
        ),
        (
            "websocket",
            json!(format!("wss://{authority}/{prefix}xmpp-websocket")),
        ),
        (
            "websocketKeepAliveUrl",
            json!(format!("https://{authority}/_unlock")),
        ),
    ] {
        assert_eq!(config[key], value, "{}: config.{key}", stage.name);
    }
}

/// Tables are merged key by key: what the administrator wrote must be there.
fn holds(seen: &Value, wanted: &Value, path: &str) {
    match (seen, wanted) {
        (Value::Object(seen), Value::Object(wanted)) => {
            for (key, value) in wanted {
                holds(
                    seen.get(key).unwrap_or(&Value::Null),
                    value,
                    &format!("{path}.{key}"),
                );
            }
        }
        _ => assert_eq!(seen, wanted, "{path}"),
    }
}

fn settings(stage: &Stage, world: &Value) {
    let meet = &stage.site.meet;
    let (config, interface) = (&world["config"], &world["interfaceConfig"]);
    holds(config, &Value::Object(meet.config.clone()), &stage.name);
    holds(
        interface,
        &Value::Object(meet.interface.clone()),
        &stage.name,
    );
    assert_eq!(config["p2p"]["stunServers"], json!([]), "{}", stage.name);
    assert_eq!(
        config["disableThirdPartyRequests"],
        json!(true),
        "{}",
        stage.name
    );
    for key in ["APP_NAME", "NATIVE_APP_NAME", "PROVIDER_NAME"] {
        assert_eq!(
            interface[key],
            json!(meet.app_name),
            "{}: {key}",
            stage.name
        );
    }
    let mail = stage.site.admin_email.as_ref();
    let url = mail.map_or(Value::Null, |mail| {
        json!(format!("mailto:{}", mail.as_str()))
    });
    assert_eq!(interface["SUPPORT_URL"], url, "{}", stage.name);
}

#[test]
fn a_script_cannot_end_the_element_around_it() {
    for stage in stages() {
        for file in stage.ending("config.js") {
            let text = fs::read_to_string(&file).unwrap().to_lowercase();
            assert!(!text.contains("</script"), "{}", file.display());
            assert!(!text.contains("<script"), "{}", file.display());
            // The one directive of ours, by which the web server fills the tenant in.
            let is_config = file.ends_with("meet.example.org-config.js");
            assert_eq!(
                text.matches("<!--").count(),
                usize::from(is_config),
                "{}",
                file.display()
            );
            assert!(!text.contains("<!--#include") && !text.contains("<!--# include"));
        }
    }
}

#[test]
fn pages_for_caddy_are_whole() {
    for stage in stages()
        .iter()
        .filter(|stage| stage.site.web.server == WebServer::Caddy)
    {
        let page = fs::read_to_string(stage.one("/pages/index.html")).unwrap();
        assert!(
            !page.contains("<!--#"),
            "{}: an include is left",
            stage.name
        );
        assert!(page.contains("var config =") && page.contains("var interfaceConfig ="));
        let (opened, closed) = (
            page.matches("<script").count(),
            page.matches("</script").count(),
        );
        assert!(
            opened == closed && opened >= 2,
            "{}: {opened} and {closed}",
            stage.name
        );
        assert!(page.contains(stage.site.domain.as_str()));
    }
}
