//! A real browser: lib-jitsi-meet joins rooms, and a person opens the link that `try` prints.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::cases::{Cases, are_here, skip};
use super::mint::signed;
use super::signalling::conference_room;
use super::site::{DOMAIN, Server, Site};
use super::standin_focus::StandinFocus;
use super::xmpp::Join;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Chromium, Node and the packages of `package-lock.json`, which are fetched once.
pub(crate) fn is_here() -> bool {
    static PACKAGES: OnceLock<Result<(), String>> = OnceLock::new();
    if !are_here(&["prosody", "nginx", "caddy", "node", "npm", "chromium"]) {
        return false;
    }
    let fetched = PACKAGES.get_or_init(|| {
        if scripts().join("node_modules/playwright-core").is_dir() {
            return Ok(());
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-fund", "--no-audit"])
            .current_dir(scripts());
        match npm.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    });
    match fetched {
        Ok(()) => true,
        Err(error) => skip(&format!("npm ci failed: {error}")),
    }
}

/// Runs a script; gives the JSON objects of its lines.
pub(crate) fn run(script: &str, input: &Value) -> Result<Vec<Value>, String> {
    let mut node = Command::new("node");
    node.arg(script)
        .arg(input.to_string())
        .current_dir(scripts());
    let output = node.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>();
    match (output.status.success(), lines) {
        (true, Ok(lines)) => Ok(lines),
        _ => Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Joins by both transports, good and bad.
fn joins(site: &Site, cases: &mut Cases) {
    let desk = &site.desk;
    let room = "browserroom";
    let good = desk.token(room, true);
    let forged = signed(
        "HS256",
        &desk.claims(room),
        "not the secret, but long enough for it",
    );
    let mut asked = Vec::new();
    for transport in ["ws", "bosh"] {
        let one = |label: &str, token: Option<&str>| json!({ "label": label, "transport": transport, "room": room, "token": token, "anonymous": false });
        let mut moderator = one("good", Some(&good));
        moderator["role"] = "moderator".into();
        asked.push(moderator);
        asked.push(one("wrong room", Some(&desk.token("elsewhere", true))));
        asked.push(one("bad secret", Some(&forged)));
        asked.push(one("no token", None));
    }
    let resolve = format!("MAP {DOMAIN} 127.0.0.1");
    let origin = format!("https://{DOMAIN}:{}", site.https.port());
    let input = json!({ "origin": origin, "resolve": resolve, "cases": asked });
    let Some(lines) = cases.must("join.mjs runs", run("join.mjs", &input)) else {
        return;
    };
    let (first, results) = lines
        .split_first()
        .map_or((&Value::Null, &[][..]), |(a, b)| (a, b));
    let websocket = format!("wss://{DOMAIN}:{}/xmpp-websocket", site.https.port());
    cases.same(
        "config.js names the websocket",
        first["websocket"].as_str(),
        Some(&*websocket),
    );
    cases.same(
        "config.js names the guests",
        first["hosts"]["anonymousdomain"].as_str(),
        Some(&*format!("guest.{DOMAIN}")),
    );
    cases.same("all were tried", results.len(), asked.len());
    for (one, result) in asked.iter().zip(results) {
        let name = format!("{}: {}", one["transport"], one["label"]);
        let says = |words: &str| {
            result["failure"]
                .as_str()
                .is_some_and(|text| text.contains(words))
        };
        let (connected, joined) = (result["connected"] == true, result["joined"] == true);
        let fits = match one["label"].as_str() {
            Some("good") => connected && joined && result["role"] == "moderator",
            Some("wrong room") => connected && !joined && says("notAllowed"),
            Some("bad secret") => !connected && says("Invalid signature"),
            _ => !connected && says("token required"),
        };
        cases.holds(&name, fits, || result.to_string());
    }
}

/// The stand-in page shows every step ticked, and takes the token out of the address bar.
fn page(site: &Site, cases: &mut Cases) {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .map(|target| target.join("screenshots"));
    let pictures = pictures.unwrap_or_default();
    cases.must("a place for pictures", std::fs::create_dir_all(&pictures));
    let guest_url = site
        .url
        .split('#')
        .next()
        .unwrap_or_default()
        .replace("tryroom", "guestroom");
    let table = [
        (
            "moderator",
            site.url.as_str(),
            "done",
            "as moderator",
            "The whole way is open.",
        ),
        (
            "guest",
            guest_url.as_str(),
            "waiting",
            "its host is not there yet",
            "The way is open as far as the lobby.",
        ),
    ];
    for (who, url, state, words, verdict) in table {
        let name = pictures.join(format!("{}-{who}", site.server.name()));
        let input =
            json!({ "url": url, "resolve": format!("MAP {DOMAIN} 127.0.0.1"), "pictures": name });
        let Some(lines) = cases.must("page.mjs runs", run("page.mjs", &input)) else {
            continue;
        };
        let shown = lines.first().cloned().unwrap_or_default();
        let steps = shown["steps"].as_array().cloned().unwrap_or_default();
        let states: Vec<&str> = steps
            .iter()
            .filter_map(|step| step["state"].as_str())
            .collect();
        cases.same(
            &format!("{who}: steps"),
            states,
            ["done", "done", "done", "done", "done", state].to_vec(),
        );
        let last = steps
            .last()
            .and_then(|step| step["text"].as_str())
            .unwrap_or_default();
        cases.holds(&format!("{who}: {words}"), last.contains(words), || {
            shown.to_string()
        });
        cases.same(
            &format!("{who}: verdict"),
            shown["verdict"].as_str(),
            Some(verdict),
        );
        let address = shown["address"].as_str().unwrap_or_default();
        cases.holds(
            "no token in the address bar",
            !address.contains("jwt"),
            || address.to_owned(),
        );
        cases.same(&format!("{who}: console"), &shown["problems"], &json!([]));
    }
}

fn everything(server: Server) {
    if !is_here() {
        return;
    }
    let site = Site::start(server);
    let mut cases = Cases::new(&format!("a browser through {}", server.name()));
    let auth = format!("auth.{DOMAIN}");
    let focus = StandinFocus::start(site.c2s, &auth, site.auth_trust(), &site.focus_password);
    if let Some(focus) = cases.must("focus starts", focus) {
        let made = focus.create_room(&conference_room("browserroom"));
        cases.holds("a room", matches!(made, Join::Joined { .. }), || {
            format!("{made:?}")
        });
        joins(&site, &mut cases);
        page(&site, &mut cases);
        cases.same("focus went on to the end", focus.end(), None);
    }
    for wrong in site.end() {
        cases.holds("nothing is left", false, || wrong);
    }
    cases.finish();
}

#[test]
fn through_nginx() {
    everything(Server::Nginx);
}

#[test]
fn through_caddy() {
    everything(Server::Caddy);
}
