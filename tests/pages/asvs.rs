//! Requirements of the Application Security Verification Standard (OWASP ASVS 5.0) that the pages
//! keep, one test for each number, or for a few that one look proves.
//!
//! Over 400 lines: the requirements stand in one file, in the order of their numbers.

use axum::http::{Method, header};
use jitsi_install::account::{Account, Role, State};
use jitsi_install::web;

use crate::house::{Browser, House, PASSWORD, Reply, link};

const NEW: &str = "another good password 9";

/// One answer of each kind: page, way on, mistake, failures, a file.
async fn answers(house: &House) -> Vec<(String, Reply)> {
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    let css = house.get(&browser, "/sign-up").await;
    let at = css.text.find("/accounts/static/style.").unwrap();
    let css = css.text[at..].split('"').next().unwrap().to_owned();
    let css = css.strip_prefix("/accounts").unwrap().to_owned();
    let mut all = Vec::new();
    for path in [
        "/",
        "/sign-up",
        "/account",
        "/nowhere",
        "/account/email",
        "/confirm?t=x",
        &css,
    ] {
        all.push((path.to_owned(), house.get(&browser, path).await));
    }
    all.push(("403".into(), {
        let evil = |headers: &mut axum::http::HeaderMap| {
            headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
            headers.insert("origin", "https://example.net".parse().unwrap());
        };
        house
            .ask(&browser, Method::POST, "/sign-in", &[], evil)
            .await
    }));
    all.push(("405".into(), house.post(&browser, "/account", &[]).await));
    all.push((
        "422".into(),
        house.sign_in(&Browser::new(), "ann", "x").await,
    ));
    let long = "a".repeat(web::BODY_LIMIT + 1);
    all.push((
        "413".into(),
        house.post(&browser, "/sign-in", &[("a", &long)]).await,
    ));
    all
}

#[tokio::test]
pub async fn v3_3_1_to_3_3_4_cookies() {
    let house = House::new().await;
    let ann = house.ann().await;
    let seed = house.second_factor(&ann).await;
    let browser = Browser::new();
    let mut lines = Vec::new();
    let mut keep = |reply: Reply| {
        for line in reply.headers.get_all(header::SET_COOKIE) {
            lines.push(line.to_str().unwrap().to_owned());
        }
    };
    keep(house.sign_in(&browser, "ann", PASSWORD).await);
    let code = house.code(&seed);
    keep(
        house
            .post(&browser, "/second-factor", &[("code", &code)])
            .await,
    );
    keep(
        house
            .post(&browser, "/language", &[("language", "de"), ("back", "/")])
            .await,
    );
    keep(house.post(&browser, "/sign-out", &[]).await);
    let names: std::collections::BTreeSet<&str> = lines
        .iter()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for line in &lines {
        assert!(line.starts_with("__Host-"), "{line}");
        for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("Domain"), "{line}");
        assert!(line.len() < 600, "{line}");
    }
}

#[tokio::test]
pub async fn v3_4_1_to_3_4_8_headers_on_every_answer() {
    let house = House::new().await;
    let mut seen = Vec::new();
    for (what, reply) in answers(&house).await {
        seen.push(reply.status.as_u16());
        let is = |name: &str, part: &str| {
            assert!(
                reply.header(name).contains(part),
                "{what}: {name}: {}",
                reply.header(name)
            );
        };
        is("strict-transport-security", "max-age=31536000");
        for part in [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            is("content-security-policy", part);
        }
        assert!(!reply.header("content-security-policy").contains("unsafe"));
        is("x-content-type-options", "nosniff");
        is("referrer-policy", "no-referrer");
        is("cross-origin-opener-policy", "same-origin");
        assert!(
            reply.headers.get("access-control-allow-origin").is_none(),
            "{what}"
        );
        assert!(reply.headers.get("server").is_none(), "{what}");
        let cache = if what.contains("static") {
            "immutable"
        } else {
            "no-store"
        };
        is("cache-control", cache);
        if !reply.text.is_empty() {
            is("content-type", "charset=utf-8");
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [200, 303, 403, 404, 405, 410, 413, 422]);
}

#[tokio::test]
pub async fn v3_5_1_to_3_5_3_nothing_changes_by_looking() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    for row in web::table() {
        if row.method == Method::GET && !row.path.contains('{') {
            house
                .get(
                    &browser,
                    &format!("{}?t=x&c=x&login=ann&email=a@example.org", row.path),
                )
                .await;
        }
    }
    house.get(&browser, "/sign-out").await.is(405);
    assert_eq!(
        house.account(&ann.id).await,
        Account {
            last_seen: house.account(&ann.id).await.last_seen,
            ..ann
        }
    );
    assert!(house.trail().await.is_empty());
    assert!(house.mails().await.is_empty());
}

#[tokio::test]
pub async fn v3_6_1_nothing_comes_from_elsewhere() {
    let house = House::new().await;
    for (what, reply) in answers(&house).await {
        for word in [
            "src=\"http",
            "href=\"//",
            "src=\"//",
            "@import",
            "url(http",
            "style=\"",
            "<style",
            "onclick",
        ] {
            assert!(!reply.has(word), "{what}: {word}");
        }
        for part in reply.text.split("<script").skip(1) {
            assert!(
                part.starts_with(" src=\"/accounts/static/"),
                "{what}: an inline script"
            );
        }
        for part in reply.text.split("href=\"http").skip(1) {
            assert!(
                part.starts_with("s://meet.example.org/"),
                "{what}: {part:.60}"
            );
        }
    }
}

#[tokio::test]
pub async fn v6_2_1_to_6_2_12_passwords() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    let page = house.get(&browser, "/account/password").await;
    assert!(page.has("type=\"password\"") && page.has("autocomplete=\"new-password\""));
    let mut old = PASSWORD.to_owned();
    let long = "l0ng & unusual ".repeat(8);
    let odd = [
        long.as_str(),
        "  spaces around stay  ",
        "пароль и ещё слово",
        "🦉 flies over 3 hills",
        "\"quoted\" <tag> \\ %00",
    ];
    for new in odd {
        let form = [("old", old.as_str()), ("password", new)];
        house
            .post(&browser, "/account/password", &form)
            .await
            .goes("/account");
        let other = Browser::new();
        house
            .sign_in(&other, "ann", new.trim_matches(' '))
            .await
            .is(if new.trim() == new { 303 } else { 422 });
        house
            .sign_in(&Browser::new(), "ann", new)
            .await
            .goes("/account");
        old = new.to_owned();
        house.later(120);
        house.mails().await;
    }
    for weak in [
        "",
        "short",
        "password12",
        "qwertyuiop",
        "example meetings",
        "meet.example.org",
        "ann@example.org",
    ] {
        let form = [("old", old.as_str()), ("password", weak)];
        house
            .post(&browser, "/account/password", &form)
            .await
            .is(422);
        house.later(60);
    }
    // The old one is asked for, whatever else is right.
    let form = [("old", "wrong"), ("password", NEW)];
    house
        .post(&browser, "/account/password", &form)
        .await
        .is(422)
        .says("not your password");
}

#[tokio::test]
pub async fn v6_4_1_and_6_4_3_links_end_and_keep_the_second_factor() {
    let house = House::new().await;
    let ann = house.ann().await;
    house.second_factor(&ann).await;
    house
        .post(&Browser::new(), "/forgot", &[("email", "ann@example.org")])
        .await;
    let token = link(&house.mail().await, "/reset");
    assert!(token.len() >= 43, "256 bits");
    let form = [("t", token.as_str()), ("password", NEW)];
    let browser = Browser::new();
    house.post(&browser, "/reset", &form).await.goes("/sign-in");
    assert_eq!(browser.key(), None, "a link signs nobody in");
    assert!(house.account(&ann.id).await.has_totp);
    house
        .sign_in(&browser, "ann", NEW)
        .await
        .goes("/second-factor?next=");
}

#[tokio::test]
pub async fn v7_2_3_and_7_2_4_keys_are_long_and_new_at_each_proof() {
    let house = House::new().await;
    house.ann().await;
    let browser = Browser::new();
    // A key that somebody planted is not taken over.
    let planted = "A".repeat(43);
    browser.keep("__Host-jitsi-accounts", &planted);
    house
        .sign_in(&browser, "ann", PASSWORD)
        .await
        .goes("/account");
    let first = browser.key().unwrap();
    assert_ne!(first, planted);
    assert_eq!(first.len(), 43);
    house.sign_in(&browser, "ann", PASSWORD).await;
    let second = browser.key().unwrap();
    assert_ne!(first, second);
    // The one before has ended.
    let thief = Browser::new();
    thief.keep("__Host-jitsi-accounts", &first);
    house.get(&thief, "/account").await.is(303);
    house
        .post(&browser, "/again", &[("password", PASSWORD)])
        .await
        .is(303);
    let third = browser.key().unwrap();
    thief.keep("__Host-jitsi-accounts", &second);
    house.get(&thief, "/account").await.is(303);
    assert_ne!(second, third);
    // Two cookies of one name: somebody tries to overrule it.
    let both = |headers: &mut axum::http::HeaderMap| {
        let line = format!("__Host-jitsi-accounts={third}; __Host-jitsi-accounts={planted}");
        headers.insert(header::COOKIE, line.parse().unwrap());
    };
    house
        .ask(&Browser::new(), Method::GET, "/account", &[], both)
        .await
        .is(303);
}

#[tokio::test]
pub async fn v7_3_1_and_7_3_2_idle_and_absolute_ends() {
    let house = House::new().await;
    let ann = house.ann().await;
    let (idle, busy) = (
        house.inside(&ann, false).await,
        house.inside(&ann, false).await,
    );
    let day = 24 * 60;
    for minutes in 1..7 * day {
        house.later(60);
        if minutes % 110 == 0 {
            house.get(&busy, "/account").await.is(200);
        }
        if minutes == 119 {
            // Nobody has clicked: one minute more and it is over.
            let other = house.inside(&ann, false).await;
            house.get(&other, "/account").await.is(200);
        }
        if minutes == 121 {
            house.get(&idle, "/account").await.is(303);
        }
    }
    house.later(60);
    house.get(&busy, "/account").await.is(303);
}

#[tokio::test]
pub async fn v7_4_1_to_7_4_3_sessions_end_with_what_they_stood_for() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    for state in [State::Suspended, State::Active] {
        let work = house.office.store.begin().await.unwrap();
        let from = house.account(&ann.id).await.state;
        work.move_account(&ann.id, from, state, house.office.world.now())
            .await
            .unwrap();
        work.commit().await.unwrap();
        let expected = if state == State::Active { 200 } else { 303 };
        house.get(&browser, "/account").await.is(expected);
    }
    let half = Browser::new();
    let seed = house.second_factor(&ann).await;
    house
        .sign_in(&half, "ann", PASSWORD)
        .await
        .goes("/second-factor?next=");
    // Between password and code the password changes: the half way is no way any more.
    let work = house.office.store.begin().await.unwrap();
    let keys = house.held(&ann).await.keys.unwrap();
    work.set_keys(&ann.id, &keys, "another stamp")
        .await
        .unwrap();
    work.commit().await.unwrap();
    let code = house.code(&seed);
    house
        .post(&half, "/second-factor", &[("code", &code)])
        .await
        .goes("/sign-in");
}

#[tokio::test]
pub async fn v16_2_to_16_4_who_when_where_and_no_secret() {
    let house = House::new().await;
    house.ann().await;
    let browser = Browser::new();
    house
        .sign_in(&browser, "ann", "a secret that is wrong")
        .await
        .is(422);
    house
        .sign_in(&browser, "ann", PASSWORD)
        .await
        .goes("/account");
    house
        .post(
            &browser,
            "/account/password",
            &[("old", PASSWORD), ("password", NEW)],
        )
        .await
        .goes("/account");
    house
        .post(&browser, "/forgot", &[("email", "ann@example.org")])
        .await;
    house.post(&browser, "/sign-out", &[]).await;
    let trail = house.trail().await;
    let found: Vec<(&str, &str)> = trail
        .iter()
        .map(|w| (w.entry.action.as_str(), w.entry.outcome.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("signout", "done"),
            ("reset.asked", "done"),
            ("password.changed", "done"),
            ("signin", "done"),
            ("signin", "failed")
        ]
    );
    for written in &trail {
        assert_eq!(written.address, "192.0.2.7");
        assert!(written.at > 0);
        assert_eq!(written.entry.target_name, "ann");
        let all = format!("{written:?}");
        for secret in [PASSWORD, NEW, "a secret that is wrong", "?t="] {
            assert!(!all.contains(secret));
        }
    }
    // Passwords do get typed into the other field.
    let typed = "MyOtherSecret8";
    house.sign_in(&browser, typed, PASSWORD).await.is(422);
    let written = house.trail().await.remove(0);
    assert_eq!(written.entry.outcome, "failed");
    let all = format!("{written:?}").to_lowercase();
    assert!(!all.contains(&typed.to_lowercase()), "{all}");
}

#[tokio::test]
pub async fn v16_5_1_to_16_5_4_failures_say_nothing_of_their_cause() {
    let house = House::new().await;
    let ann = house.person("boss", State::Active, Role::Admin).await;
    let browser = house.inside(&ann, true).await;
    house.office.store.close().await;
    for path in ["/account", "/sign-up", "/admin"] {
        let reply = house.get(&browser, path).await;
        assert!(reply.status.is_server_error(), "{path}: {}", reply.status);
        for word in [
            "sqlite", "Error", "panicked", "src/", "pool", "database", "SELECT",
        ] {
            assert!(!reply.has(word), "{path}: {word}");
        }
        assert!(reply.has("<h1>"));
    }
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .is(503);
}
