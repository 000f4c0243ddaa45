//! A site whose rooms are opened by people with an account, with the real account service: they sign in
//! with a password, by our own client and by lib-jitsi-meet in a browser, and guests wait for them.

use std::process::Command;

use serde_json::{Value, json};

use super::browser;
use super::cases::{Cases, are_here, say};
use super::signalling::{LONG, conference_room};
use super::site::{DOMAIN, Server, Site, Transport, Trial, Visit};
use super::standin_focus::StandinFocus;
use super::xmpp::{Client, Join, Login};

const PASSWORD: &str = "C0rrect-horse-7";

/// As Django 3.1 hashed it: the account service knows this form, and so does Prosody.
const DJANGO: &str =
    "pbkdf2_sha256$1000000$saltsaltsaltsaltsaltsa$4mHZalR86wrFbLj68BrN3cdMFAyhB6zX7DtWOR7Q2kM=";

/// People as an import leaves them: one who may sign in and one who is suspended.
fn people(site: &Site) -> Result<(), String> {
    // an account that has just come, in the class of its state: active is 2, suspended 4
    let now = "CAST(strftime('%s', 'now') AS INTEGER)";
    let row = |name: &str, state: &str, class: u32| {
        format!(
            "INSERT INTO accounts VALUES ('{name}-id', '{name}', '{name}', NULL, NULL, '{name}', '{name}', '{state}', 'member', 'en', 'django', '', {now}, {now}, 0, '{DJANGO}', NULL, NULL, NULL, 0, '{name}', {class}, '');"
        )
    };
    let file = site.folder.join("var/lib/jitsi-accounts/accounts.sqlite");
    let output = Command::new("sqlite3")
        .arg(file)
        .arg(row("olive", "active", 2000) + &row("sue", "suspended", 4000))
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn people_sign_in_and_guests_wait() {
    let here = are_here(&["prosody", "nginx", "sqlite3", "lua5.4"]);
    let service =
        std::path::Path::new(env!("CARGO_BIN_EXE_jitsi-install")).with_file_name("jitsi-accounts");
    if !here || !service.is_file() {
        return say("SKIPPED: `jitsi-accounts` is not beside `jitsi-install`");
    }
    let trial = Trial::start(&["--web", "nginx", "--auth", "sql_hashed"], None);
    let site = Site::of(trial, Server::Nginx).unwrap_or_else(|error| panic!("no site: {error}"));
    let mut cases = Cases::new("people sign in");
    cases.must("people", people(&site));
    let auth = format!("auth.{DOMAIN}");
    let focus = StandinFocus::start(site.c2s, &auth, site.auth_trust(), &site.focus_password);
    if let Some(focus) = cases.must("focus starts", focus) {
        by_hand(&site, &focus, &mut cases);
        in_a_browser(&site, &focus, &mut cases);
        cases.same("focus went on to the end", focus.end(), None);
    }
    for wrong in site.end() {
        cases.holds("nothing is left", false, || wrong);
    }
    cases.finish();
}

fn by_hand(site: &Site, focus: &StandinFocus, cases: &mut Cases) {
    let room = conference_room("signinroom");
    let made = focus.create_room(&room);
    cases.holds("a room", matches!(made, Join::Joined { .. }), || {
        format!("{made:?}")
    });
    for transport in Transport::ALL {
        let visit = |host| {
            site.visit(&Visit {
                transport,
                host,
                tenant: "",
                query: &[("token", "x.y.z")],
                headers: &[],
            })
        };
        for (name, password) in [("olive", "wrong"), ("sue", PASSWORD), ("unknown", PASSWORD)] {
            let answer = visit(DOMAIN).login(&Login::plain(name, password));
            let condition = answer
                .as_ref()
                .map_err(|refusal| refusal.condition.as_str());
            cases.same(
                &format!("{}: {name}, {password}", transport.name()),
                condition,
                Err("not-authorized"),
            );
        }
        let anonymous = visit(DOMAIN).login_anonymous();
        cases.holds("nobody comes in unnamed", anonymous.is_err(), || {
            format!("{anonymous:?}")
        });
    }
    let visit = |host| {
        site.visit(&Visit {
            transport: Transport::Websocket,
            host,
            tenant: "",
            query: &[("token", "x.y.z")],
            headers: &[],
        })
    };
    let guest_host = format!("guest.{DOMAIN}");
    let mut guest = visit(&guest_host);
    cases.must("a guest comes", guest.login_anonymous());
    let waits = guest.join(&room, "guest");
    cases.holds(
        "and waits in the lobby",
        matches!(&waits, Join::Refused { lobby: Some(_), .. }),
        || format!("{waits:?}"),
    );
    let mut olive = visit(DOMAIN);
    let jid = olive.login(&Login::plain("olive", PASSWORD));
    cases.holds(
        "olive signs in",
        jid.as_ref().is_ok_and(|jid| jid.starts_with("olive@")),
        || format!("{jid:?}"),
    );
    let joined = olive.join(&room, "olive");
    cases.holds(
        "she opens the room",
        matches!(joined, Join::Joined { .. }),
        || format!("{joined:?}"),
    );
    let role = match &joined {
        Join::Joined { role, .. } if role == "moderator" => Some(joined.clone()),
        _ => olive.becomes(&room, "moderator", LONG),
    };
    let is_moderator = matches!(&role, Some(Join::Joined { role, .. }) if role == "moderator");
    cases.holds("she is moderator", is_moderator, || format!("{role:?}"));
    let comes = guest.join(&room, "guest");
    let is_guest = matches!(&comes, Join::Joined { role, .. } if role == "participant");
    cases.holds("then the guest comes in", is_guest, || format!("{comes:?}"));
}

fn in_a_browser(site: &Site, focus: &StandinFocus, cases: &mut Cases) {
    if !browser::is_here() {
        return;
    }
    let room = "browsersignin";
    focus.create_room(&conference_room(room));
    let origin = format!("https://{DOMAIN}:{}", site.https.port());
    let one = |label: &str, transport: &str, id: Option<&str>, password: &str| {
        json!({ "label": label, "transport": transport, "room": room, "id": id, "password": password,
                "anonymous": id.is_none(), "role": id.filter(|_| label == "good").map(|_| "moderator"), "seconds": 8 })
    };
    let jid = format!("olive@{DOMAIN}");
    let sue = format!("sue@{DOMAIN}");
    let asked = [
        one("guest before", "ws", None, ""),
        one("wrong", "ws", Some(&jid), "wrong"),
        one("suspended", "bosh", Some(&sue), PASSWORD),
        one("good", "ws", Some(&jid), PASSWORD),
        one("good", "bosh", Some(&jid), PASSWORD),
    ];
    let input =
        json!({ "origin": origin, "resolve": format!("MAP {DOMAIN} 127.0.0.1"), "cases": asked });
    let Some(lines) = cases.must("join.mjs runs", browser::run("join.mjs", &input)) else {
        return;
    };
    let (first, results) = lines
        .split_first()
        .map_or((&Value::Null, &[][..]), |(a, b)| (a, b));
    cases.same(
        "config.js names the guests",
        first["hosts"]["anonymousdomain"].as_str(),
        Some(&*format!("guest.{DOMAIN}")),
    );
    cases.same("all were tried", results.len(), asked.len());
    for (one, result) in asked.iter().zip(results) {
        say(&format!("lib-jitsi-meet, {}: {result}", one["label"]));
        let (connected, joined) = (result["connected"] == true, result["joined"] == true);
        let says = |words: &str| {
            result["failure"]
                .as_str()
                .is_some_and(|text| text.contains(words))
        };
        let fits = match one["label"].as_str() {
            Some("good") => connected && joined && result["role"] == "moderator",
            Some("guest before") => connected && !joined && says("membersOnly"),
            _ => !connected && says("passwordRequired"),
        };
        cases.holds(&one["label"].to_string(), fits, || result.to_string());
    }
}
