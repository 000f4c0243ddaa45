//! Hostile text in every field and query: it stays text.

use axum::http::Method;
use jitsi_install::account::{Role, State};
use jitsi_install::web::{self, guard::encoded};

use crate::house::{Browser, House, PASSWORD, Reply};

/// What would be more than text somewhere.
const CORPUS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "</title></textarea><svg/onload=alert(1)>",
    "{{ 77777 * 7 }}{% include \"x\" %}",
    "javascript:alert(1)",
    "ann\r\nBcc: victim@example.org\r\n\r\n<b>",
    "'; DROP TABLE accounts; --",
    "ann\0<b>",
    "\u{202e}<b>\u{2028}",
    "&lt;script&gt;&#60;b&#62;",
    "<b>%s%n${jndi:ldap://x}</b>",
];

/// Whether hostile text stands somewhere as markup.
#[track_caller]
fn tame(reply: &Reply, place: &str) {
    assert!(reply.status.as_u16() < 500, "{place}: {}", reply.status);
    for word in [
        "<script>a",
        "<img src=x",
        "<svg/onload",
        "<b>",
        "onfocus='alert",
        "544439",
    ] {
        assert!(!reply.has(word), "{place}: `{word}` in\n{}", reply.text);
    }
    for (name, value) in &reply.headers {
        let value = value.to_str().unwrap_or_else(|_| panic!("{place}: {name}"));
        assert!(!value.contains("Bcc:"), "{place}: {name}");
    }
}

#[tokio::test]
pub async fn every_field_of_every_form() {
    let house = House::new().await;
    let fields = [
        "login",
        "email",
        "display_name",
        "reason",
        "name",
        "next",
        "code",
        "t",
        "invite",
        "began",
        "homepage",
        "terms",
        "language",
        "back",
        "old",
        "session",
        "offer",
    ];
    let posts: Vec<&str> = web::table()
        .into_iter()
        .filter(|row| row.method == Method::POST && !row.path.starts_with("/admin"))
        .map(|row| row.path)
        .collect();
    for (number, text) in CORPUS.iter().enumerate() {
        let name = format!("ann{number}x");
        let ann = house.person(&name, State::Active, Role::Member).await;
        let address = format!("10.3.{number}.1").leak();
        for path in &posts {
            let mut browser = house.inside(&ann, false).await;
            browser.address = address;
            let form: Vec<(&str, &str)> = fields
                .iter()
                .map(|field| (*field, *text))
                .chain([("password", PASSWORD)])
                .collect();
            let reply = house.post(&browser, path, &form).await;
            tame(&reply, &format!("{path} {text:?}"));
            assert!(house.office.store.account(&ann.id).await.unwrap().is_some());
            house.later(120);
        }
    }
    assert!(
        house.mails().await.is_empty(),
        "no such address gets a mail"
    );
}

#[tokio::test]
pub async fn every_query_header_and_cookie() {
    let house = House::new().await;
    let ann = house.ann().await;
    let pages: Vec<&str> = web::table()
        .into_iter()
        .filter(|row| row.method == Method::GET && !row.path.contains("/admin"))
        .map(|row| row.path)
        .collect();
    for text in CORPUS {
        for path in &pages {
            for browser in [Browser::new(), house.inside(&ann, false).await] {
                for name in ["session", "said", "half", "device", "language"] {
                    let plain: String = text
                        .chars()
                        .filter(|c| c.is_ascii_graphic() && *c != ';')
                        .collect();
                    if name != "session" {
                        browser.keep(&format!("__Host-jitsi-accounts-{name}"), &plain);
                    }
                }
                let query = encoded(text);
                let path =
                    format!("{path}?t={query}&next={query}&c={query}&d={query}&{query}={query}");
                let reply = house
                    .ask(&browser, Method::GET, &path, &[], |headers| {
                        let plain: String = text.chars().filter(|c| !c.is_control()).collect();
                        for name in [
                            "user-agent",
                            "accept-language",
                            "referer",
                            "x-forwarded-for",
                        ] {
                            let value = axum::http::HeaderValue::from_bytes(plain.as_bytes());
                            headers.insert(name, value.unwrap());
                        }
                    })
                    .await;
                tame(&reply, &format!("{path} {text:?}"));
            }
        }
    }
}

/// What is kept is shown as it is, on the pages of its owner.
#[tokio::test]
pub async fn what_is_stored_stays_text() {
    let house = House::new().await;
    let ann = house.ann().await;
    let mut browser = house.inside(&ann, false).await;
    browser.agent = "<img src=x onerror=alert(1)>";
    house
        .sign_in(&browser, "ann", PASSWORD)
        .await
        .goes("/account");
    for text in CORPUS {
        let form = [("display_name", *text), ("language", "en")];
        let reply = house.post(&browser, "/account/profile", &form).await;
        tame(&reply, text);
        for page in ["/account", "/account/profile", "/account/sessions"] {
            let reply = house.get(&browser, page).await.is(200);
            tame(&reply, &format!("{page} {text:?}"));
        }
    }
    let page = house.get(&browser, "/account/sessions").await;
    assert!(page.has("&lt;img src"), "{}", page.text);
    // In mails, too, and never in a subject.
    let form = [
        ("display_name", "<img src=x onerror=alert(1)>"),
        ("language", "en"),
    ];
    house
        .post(&browser, "/account/profile", &form)
        .await
        .goes("/account");
    house
        .post(&browser, "/forgot", &[("email", "ann@example.org")])
        .await;
    let mail = house.mail().await;
    assert!(!mail.html.contains("<img src=x"));
    assert_eq!(mail.subject, "Choose a new password – Example Meetings");
}

#[tokio::test]
pub async fn line_breaks_begin_no_header_and_no_line_of_a_mail() {
    let house = House::new().await;
    house.ann().await;
    for email in [
        "ann@example.org\r\nBcc: ben@example.org",
        "ann@example.org\nX: y",
        "ann@example.org,ben@example.org",
        "ann@example.org\0",
        "\"ann\r\n\"@example.org",
    ] {
        for path in ["/forgot", "/resend"] {
            let reply = house.post(&Browser::new(), path, &[("email", email)]).await;
            // What no database keeps is no address of anybody.
            let expected = if email.contains('\0') { 400 } else { 303 };
            assert_eq!(reply.status.as_u16(), expected, "{email:?}");
        }
        house.sign_up("ben", email, &[]).await.is(422);
        house.later(600);
    }
    assert!(house.mails().await.is_empty());
    // A name with line breaks is put in order, and the trail has one line.
    house
        .sign_up(
            "ben",
            "ben@example.org",
            &[("display_name", "Ben\r\nBcc: x\r\n")],
        )
        .await
        .goes("/sign-up/sent");
    assert_eq!(house.named("ben").await.display_name, "Ben Bcc: x");
    house
        .sign_in(&Browser::new(), "ben\r\nsignin done root", PASSWORD)
        .await
        .is(422);
    for written in house.trail().await {
        let line = format!("{}{}", written.entry.target_name, written.entry.action);
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
}
