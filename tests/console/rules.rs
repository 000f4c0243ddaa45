//! Settings that take effect at once; invitations; what each act leaves in the audit trail.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jitsi_install::account::act::{groups, link, settings};
use jitsi_install::account::policy::Registration;
use jitsi_install::account::{Actor, Office, Role, State};
use jitsi_install::secret::Secret;

use crate::house::{Browser, House};

async fn seen(house: &House) -> String {
    settings::current(&house.office).await.unwrap().seen
}

fn form<'a>(seen: &'a str, mode: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("seen", seen),
        ("mode", mode),
        ("allowed_domains", "Example.org\r\n.example.com\r\n"),
        ("blocked_domains", ""),
        ("blocked_addresses", "bad@example.org"),
        ("terms_url", "https://example.org/terms"),
        ("confirm_days", "2"),
        ("approve_days", "30"),
        ("audit_days", "365"),
        ("digest_hours", "12"),
    ]
}

#[tokio::test]
pub async fn settings_hold_at_once_here_and_soon_elsewhere() {
    let house = House::new().await;
    let browser = house.admin().await;
    let elsewhere = Office {
        policy: Arc::default(),
        ..house.office.clone()
    };
    let before = settings::policy(&elsewhere).await.unwrap();
    assert_eq!(before.mode, Registration::Approval);
    let seen = seen(&house).await;
    let page = house
        .post(&browser, "/admin/settings", &form(&seen, "closed"))
        .await;
    page.goes("/admin/settings");
    let here = settings::policy(&house.office).await.unwrap();
    assert_eq!(here.mode, Registration::Closed);
    assert_eq!(here.allowed_domains, [".example.com", "example.org"]);
    assert!(!here.ask_reason);
    house.later(2);
    let there = settings::policy(&elsewhere).await.unwrap();
    assert_eq!(there, here, "another instance reads it within two seconds");
    let entry = house.entry("settings.changed").await;
    for change in [
        "mode: \"approval\" → \"closed\"",
        "allowed_domains: +.example.com +example.org",
        "ask_reason: true → false",
        "confirm_days: 3 → 2",
        "audit_days: 730 → 365",
    ] {
        assert!(
            entry.entry.detail.contains(change),
            "{change}\n{}",
            entry.entry.detail
        );
    }
    let page = house.get(&browser, "/admin/settings").await.ok();
    assert!(page.has("by boss.") && page.has("bad@example.org"));
    let invites = house.get(&browser, "/admin/invites").await.ok();
    assert!(invites.has("Sign-up is closed"));
}

#[tokio::test]
pub async fn every_wrong_value_is_named_and_nothing_is_saved() {
    let house = House::new().await;
    let browser = house.admin().await;
    let seen = seen(&house).await;
    for (field, value, told) in [
        (
            "allowed_domains",
            "not a domain",
            "This is no domain: not a domain",
        ),
        (
            "blocked_addresses",
            "example.org",
            "This is no e-mail address: example.org",
        ),
        (
            "terms_url",
            "ftp://example.org",
            "This is not the address of a page",
        ),
        ("confirm_days", "0", "within 1–90"),
        ("approve_days", "x", "This is no whole number: x"),
        ("audit_days", "-1", "within 0–36500"),
    ] {
        let mut form = form(&seen, "open");
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let page = house.post(&browser, "/admin/settings", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(page.has(told), "{field}: {told}\n{}", page.text);
        assert!(page.has(&format!("href=\"#{field}\"")));
    }
    assert!(house.trail().await.is_empty());

    // Two administrators with the same page open: the second is told.
    house
        .post(&browser, "/admin/settings", &form(&seen, "open"))
        .await
        .goes("/admin/settings");
    let page = house
        .post(&browser, "/admin/settings", &form(&seen, "closed"))
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("Somebody else saved"));
    let policy = settings::policy(&house.office).await.unwrap();
    assert_eq!(policy.mode, Registration::Open);
}

#[tokio::test]
pub async fn an_invitation_is_shown_once_and_kept_as_a_hash() {
    let house = House::new().await;
    let browser = house.admin().await;
    let choir = groups::create(&house.office, &Actor::default(), "Choir", "")
        .await
        .unwrap();
    let form = [
        ("label", "Summer"),
        ("group", &choir.id.0),
        ("uses", "2"),
        ("days", "7"),
    ];
    let page = house.post(&browser, "/admin/invites", &form).await.ok();
    let at = page.text.find("invite?c=").expect("the link") + 9;
    let code = &page.text[at..at + 43];
    let kept = house.office.store.invites().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].hash.clone(), kept[0].uses_left),
        (link::digest(code), 2)
    );
    let page = house.get(&browser, "/admin/invites").await.ok();
    assert!(page.has("Summer") && page.has("Choir") && !page.has(code));
    let work = house.office.store.begin().await.unwrap();
    let now = house.office.world.now();
    assert!(
        work.take_invite(&link::digest(code), now)
            .await
            .unwrap()
            .is_some()
    );
    work.commit().await.unwrap();
    house
        .post(&browser, "/admin/invites/revoke", &[("id", &kept[0].hash)])
        .await
        .goes("/admin/invites");
    assert!(house.office.store.invites().await.unwrap().is_empty());
    for (uses, days) in [("0", "1"), ("1", "366"), ("x", "1"), ("10001", "1")] {
        let form = [("label", "a"), ("uses", uses), ("days", days)];
        let page = house.post(&browser, "/admin/invites", &form).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{uses} {days}"
        );
    }
}

/// ASVS 16.2.1, 16.3.x: every form of the console leaves an entry with who, when, from where, whom
/// and how it ended.
#[tokio::test]
pub async fn every_form_of_the_console_leaves_an_entry() {
    let mut left = BTreeSet::new();
    let mut forms = 0;
    for row in jitsi_install::web::table() {
        if row.method != Method::POST || !row.path.starts_with("/admin") {
            continue;
        }
        let house = House::new().await;
        let browser = house.admin().await;
        let (id, form) = ground(&house, &browser, row.path).await;
        let before = house.trail().await.len();
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let page = house
            .post(&browser, &row.path.replace("{id}", &id), &form)
            .await;
        let trail = house.trail().await;
        assert!(
            trail.len() > before,
            "{} left nothing: {}\n{}",
            row.path,
            page.status,
            page.text
        );
        let entry = &trail[0];
        assert_eq!(entry.actor_name, "boss", "{}", row.path);
        assert!(entry.actor.is_some() && entry.at > 0, "{}", row.path);
        assert_eq!(entry.address, "192.0.2.7", "{}", row.path);
        assert_eq!(entry.entry.outcome, "done", "{}", row.path);
        let is_settings = entry.entry.action == "settings.changed";
        assert!(
            is_settings || !entry.entry.target_name.is_empty(),
            "{}",
            row.path
        );
        left.insert(entry.entry.action.clone());
        forms += 1;
    }
    assert_eq!(forms, 25, "a new form needs its line in `ground`");
    println!("{left:?}");
}

/// Somebody or something that a form can be about, and the form.
async fn ground(
    house: &House,
    browser: &Browser,
    path: &str,
) -> (String, Vec<(&'static str, String)>) {
    let one = async |state| house.person("ann", state, Role::Member).await.id.0;
    let group = async || {
        let made = groups::create(&house.office, &Actor::default(), "Choir", "").await;
        made.unwrap().id.0
    };
    let text = |text: &str| text.to_owned();
    match path {
        "/admin/waiting" => {
            let id = one(State::Pending).await;
            (text(""), vec![("approve", id)])
        }
        "/admin/waiting/{id}/reopen" => (one(State::Rejected).await, vec![]),
        "/admin/waiting/{id}/notes" => (one(State::Pending).await, vec![("text", text("a note"))]),
        "/admin/waiting/{id}/approve" | "/admin/waiting/{id}/reject" => {
            (one(State::Pending).await, vec![])
        }
        "/admin/users" => {
            let id = one(State::Suspended).await;
            (text(""), vec![("do", text("resume")), ("id", id)])
        }
        "/admin/users/new" => {
            let form = [
                ("login", "ann"),
                ("role", "member"),
                ("language", "en"),
                ("how", "show"),
            ];
            (
                text(""),
                form.map(|(name, value)| (name, text(value))).to_vec(),
            )
        }
        "/admin/users/{id}" => {
            let form = [("display_name", "Ann"), ("email", ""), ("language", "en")];
            let form = form.map(|(name, value)| (name, text(value))).to_vec();
            (one(State::Active).await, form)
        }
        "/admin/users/{id}/role" => (one(State::Active).await, vec![("role", text("approver"))]),
        "/admin/users/{id}/groups" => {
            let choir = group().await;
            (one(State::Active).await, vec![("add", choir)])
        }
        "/admin/users/{id}/resume" => (one(State::Suspended).await, vec![]),
        "/admin/users/{id}/resend" => (one(State::Unconfirmed).await, vec![]),
        "/admin/users/{id}/second-factor" => {
            let ann = house.person("ann", State::Active, Role::Member).await;
            let work = house.office.store.begin().await.unwrap();
            work.set_totp(&ann.id, &Secret::new("sealed".into()), 1)
                .await
                .unwrap();
            work.commit().await.unwrap();
            (ann.id.0, vec![])
        }
        "/admin/users/{id}/delete" => (one(State::Active).await, vec![("login", text("ann"))]),
        "/admin/groups" => (text(""), vec![("name", text("Choir"))]),
        "/admin/groups/{id}" => (group().await, vec![("name", text("Orchestra"))]),
        "/admin/groups/{id}/members" => {
            one(State::Active).await;
            (group().await, vec![("add", text("ann"))])
        }
        "/admin/groups/{id}/delete" => (group().await, vec![]),
        "/admin/invites" => {
            let form = [("label", "Summer"), ("uses", "1"), ("days", "1")];
            (
                text(""),
                form.map(|(name, value)| (name, text(value))).to_vec(),
            )
        }
        "/admin/invites/revoke" => {
            let form = [("label", "Summer"), ("uses", "1"), ("days", "1")];
            house.post(browser, "/admin/invites", &form).await.ok();
            let hash = house.office.store.invites().await.unwrap().remove(0).hash;
            (text(""), vec![("id", hash)])
        }
        "/admin/settings" => {
            let seen = seen(house).await;
            let form = form(&seen, "open");
            let typed = |(name, value): &(&'static str, &str)| (*name, text(value));
            (text(""), form.iter().map(typed).collect())
        }
        _ => (one(State::Active).await, vec![]),
    }
}

/// ASVS 3.5.1: a form that another site sends is refused, and changes nothing.
#[tokio::test]
pub async fn forms_of_other_sites_are_refused() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    for row in jitsi_install::web::table() {
        if row.method == Method::POST && row.path.starts_with("/admin") {
            let path = row.path.replace("{id}", &ann.id.0);
            let page = house.foreign(&browser, &path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert!(house.trail().await.is_empty());
}
