//! Every address of visitors and members for everybody who may come by.

use jitsi_install::account::{Role, State};
use jitsi_install::web::{self, Who};

use crate::house::{Browser, House};

/// Status for a visitor, for somebody whose account is not active (any more), and for members.
const EXPECTED: &[(&str, &str, u16, u16)] = &[
    ("GET", "/", 303, 303),
    ("POST", "/language", 422, 422),
    ("GET", "/sign-up", 200, 200),
    ("POST", "/sign-up", 422, 422),
    ("GET", "/sign-up/sent", 200, 200),
    ("GET", "/invite", 200, 200),
    ("GET", "/confirm", 410, 410),
    ("POST", "/confirm", 410, 410),
    ("GET", "/resend", 200, 200),
    ("POST", "/resend", 303, 303),
    ("GET", "/resend/sent", 200, 200),
    ("GET", "/sign-in", 200, 303),
    ("POST", "/sign-in", 422, 422),
    ("GET", "/second-factor", 303, 303),
    ("POST", "/second-factor", 303, 303),
    ("POST", "/sign-out", 303, 303),
    ("GET", "/forgot", 200, 200),
    ("POST", "/forgot", 303, 303),
    ("GET", "/forgot/sent", 200, 200),
    ("GET", "/reset", 410, 410),
    ("POST", "/reset", 422, 422),
    ("GET", "/setup", 410, 410),
    ("POST", "/setup", 422, 422),
    ("GET", "/email-change", 410, 410),
    ("POST", "/email-change", 410, 410),
    ("GET", "/account", 303, 200),
    ("GET", "/again", 303, 200),
    ("POST", "/again", 303, 422),
    ("GET", "/account/profile", 303, 200),
    ("POST", "/account/profile", 303, 422),
    ("GET", "/account/password", 303, 200),
    ("POST", "/account/password", 303, 422),
    ("GET", "/account/email", 303, 200),
    ("POST", "/account/email", 303, 422),
    ("GET", "/account/sessions", 303, 200),
    ("POST", "/account/sessions/end", 303, 404),
    ("POST", "/account/sessions/end-others", 303, 303),
    ("GET", "/account/second-factor", 303, 200),
    ("POST", "/account/second-factor", 303, 303),
    ("POST", "/account/second-factor/off", 303, 303),
    ("GET", "/account/recovery-codes", 303, 404),
    ("POST", "/account/recovery-codes", 303, 404),
    ("GET", "/account/delete", 303, 200),
    ("POST", "/account/delete", 303, 422),
];

#[tokio::test]
pub async fn everybody_at_every_address() {
    let house = House::new().await;
    let mut rows: Vec<(String, String, Who)> = Vec::new();
    for row in web::table() {
        if !row.path.starts_with("/admin") && row.path != "/decide" {
            rows.push((row.method.to_string(), row.path.to_owned(), row.who));
        }
    }
    assert_eq!(
        rows.len(),
        EXPECTED.len(),
        "a row of the table is not expected here"
    );
    let people = [
        (State::Unconfirmed, Role::Member),
        (State::Pending, Role::Member),
        (State::Rejected, Role::Member),
        (State::Suspended, Role::Member),
        (State::Active, Role::Member),
        (State::Active, Role::Approver),
        (State::Active, Role::Admin),
    ];
    let mut number = 0;
    for (method, path, who) in rows {
        let found = EXPECTED.iter().find(|row| row.0 == method && row.1 == path);
        let (.., visitor, member) = found.unwrap_or_else(|| panic!("{method} {path}"));
        let is_shut = *visitor == 303 && who == Who::Member;
        number += 1;
        let visitor_at = format!("10.2.{}.{}", number / 200, number % 200).leak();
        let mut browsers = vec![("visitor".to_owned(), Browser::at(visitor_at), false)];
        for (state, role) in people {
            number += 1;
            let name = format!("p{number}x");
            let account = house.person(&name, state, role).await;
            let mut browser = house.inside(&account, true).await;
            // Each from an address of its own: the table is about roles, not about limits.
            browser.address = format!("10.1.{}.{}", number / 200, number % 200).leak();
            browsers.push((
                format!("{state:?} {role:?}"),
                browser,
                state == State::Active,
            ));
        }
        for (who, browser, is_member) in browsers {
            let reply = match method.as_str() {
                "GET" => house.get(&browser, &path).await,
                _ => house.post(&browser, &path, &[]).await,
            };
            let expected = if is_member { member } else { visitor };
            assert_eq!(
                reply.status.as_u16(),
                *expected,
                "{method} {path} for {who}\n{}",
                reply.text
            );
            if is_shut && !is_member {
                let to = reply.header("location");
                assert!(
                    to.starts_with("/accounts/sign-in"),
                    "{method} {path} for {who}: {to}"
                );
            }
        }
    }
}

#[tokio::test]
pub async fn other_methods_and_paths_get_plain_pages() {
    use axum::http::Method;
    let house = House::new().await;
    let browser = Browser::new();
    for (method, path, status) in [
        (Method::PUT, "/sign-in", 405),
        (Method::DELETE, "/account", 405),
        (Method::POST, "/account", 405),
        (Method::TRACE, "/sign-in", 405),
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/static/../Cargo.toml", 404),
        (Method::GET, "/static/style.css", 404),
        (Method::GET, "/account/", 404),
    ] {
        let reply = house
            .ask(&browser, method.clone(), path, &[], |headers| {
                headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
            })
            .await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}");
        assert!(
            reply.header("content-type").starts_with("text/html"),
            "{method} {path}"
        );
        if status == 405 {
            assert!(!reply.header("allow").is_empty());
        }
    }
}

/// A role that one had when one signed in is none any more when it is taken away.
#[tokio::test]
pub async fn a_session_has_the_role_of_now() {
    let house = House::new().await;
    let boss = house.person("boss", State::Active, Role::Admin).await;
    let browser = house.inside(&boss, true).await;
    house.get(&browser, "/admin/users").await.is(200);
    let work = house.office.store.begin().await.unwrap();
    work.set_role(&boss.id, Role::Admin, Role::Member)
        .await
        .unwrap();
    work.commit().await.unwrap();
    house.get(&browser, "/admin/users").await.is(404);
    house.get(&browser, "/account").await.is(200);
}
