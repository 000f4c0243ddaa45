//! What every request passes and every answer carries.

use axum::body::Body;
use axum::http::{Method, Request, header};
use jitsi_install::web::{self, Peer};

use crate::house::{Browser, House, PASSWORD};

#[tokio::test]
pub async fn a_form_of_another_site_is_refused_everywhere() {
    let house = House::new().await;
    let ann = house.ann().await;
    let posts: Vec<&str> = web::table()
        .into_iter()
        .filter(|row| row.method == Method::POST)
        .map(|row| row.path)
        .collect();
    assert!(posts.len() > 20);
    for path in posts {
        for (origin, site) in [
            (Some("https://example.net"), Some("cross-site")),
            (Some("https://other.example.org"), Some("same-site")),
            (Some("https://example.net"), None),
            (Some("null"), None),
            (Some("http://meet.example.org"), None),
            (Some("https://meet.example.org:444"), None),
            (None, Some("cross-site")),
        ] {
            let browser = house.inside(&ann, false).await;
            let reply = house
                .ask(
                    &browser,
                    Method::POST,
                    path,
                    &[("login", "ann")],
                    |headers| {
                        headers.remove("origin");
                        headers.remove("sec-fetch-site");
                        if let Some(origin) = origin {
                            headers.insert("origin", origin.parse().unwrap());
                            // A host that agrees with the origin is no excuse.
                            let host = origin.rsplit('/').next().unwrap();
                            headers.insert("host", host.parse().unwrap());
                        }
                        if let Some(site) = site {
                            headers.insert("sec-fetch-site", site.parse().unwrap());
                        }
                    },
                )
                .await;
            assert_eq!(reply.status.as_u16(), 403, "{path} {origin:?} {site:?}");
            assert!(reply.has("came from another page"));
        }
    }
    assert!(house.trail().await.is_empty());
}

#[tokio::test]
pub async fn the_name_that_is_asked_for_is_believed_nowhere() {
    let house = House::new().await;
    house.ann().await;
    let browser = Browser::new();
    let evil = |headers: &mut axum::http::HeaderMap| {
        headers.insert("host", "evil.example.net".parse().unwrap());
        headers.insert("x-forwarded-host", "evil.example.net".parse().unwrap());
        headers.insert("x-forwarded-proto", "http".parse().unwrap());
        headers.insert("forwarded", "host=evil.example.net".parse().unwrap());
    };
    for path in ["/", "/sign-in", "/sign-up", "/account", "/nowhere"] {
        let reply = house.ask(&browser, Method::GET, path, &[], evil).await;
        assert!(!format!("{reply:?}").contains("evil"), "{path}");
    }
    let form = [("email", "ann@example.org")];
    house
        .ask(&browser, Method::POST, "/forgot", &form, evil)
        .await
        .goes("/forgot/sent");
    let mail = house.mail().await;
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
    assert!(
        mail.text
            .contains("https://meet.example.org/accounts/reset?t=")
    );
    // The same with an absolute address in the first line.
    let request = Request::get("http://evil.example.net/accounts/sign-in")
        .extension(Peer::Socket)
        .body(Body::empty())
        .unwrap();
    let reply = house.raw(&browser, request).await.is(200);
    assert!(!reply.has("evil"));
}

#[tokio::test]
pub async fn large_bodies_and_foreign_kinds_are_refused() {
    let house = House::new().await;
    let browser = Browser::new();
    let long = "a".repeat(web::BODY_LIMIT);
    for path in ["/sign-in", "/sign-up", "/forgot", "/language"] {
        let form = [("name", long.as_str()), ("password", "x")];
        house
            .post(&browser, path, &form)
            .await
            .is(413)
            .says("That is too much");
    }
    let form = [("name", "ann"), ("password", PASSWORD)];
    for kind in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
    ] {
        let reply = house
            .ask(&browser, Method::POST, "/sign-in", &form, |headers| {
                headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            })
            .await;
        assert_eq!(reply.status.as_u16(), 415, "{kind}");
    }
    // Fields twice, and what is no text.
    for body in [
        "name=a&name=b&password=c",
        "name=%ff%fe&password=c",
        "%00=%00",
        "password=%",
    ] {
        let request = Request::post("/accounts/sign-in")
            .extension(Peer::Socket)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let status = house.raw(&browser, request).await.status.as_u16();
        assert!((400..500).contains(&status), "{body}: {status}");
    }
}

#[tokio::test]
pub async fn a_body_that_never_ends_is_given_up() {
    let house = House::new().await;
    let (kept, body) = http_body_util::channel::Channel::<axum::body::Bytes>::new(1);
    let request = Request::post("/accounts/sign-in")
        .extension(Peer::Socket)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::new(body))
        .unwrap();
    house.raw(&Browser::new(), request).await.is(408);
    drop(kept);
}

#[tokio::test]
pub async fn one_network_is_limited_and_its_neighbour_is_not() {
    let house = House::new().await;
    let browser = Browser::at("192.0.2.50");
    let form = [("email", "nobody@example.org")];
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(house.post(&browser, "/forgot", &form).await.status.as_u16());
    }
    assert_eq!(statuses, [[303; 10].as_slice(), &[429; 2]].concat());
    // An address that the client makes up stands left of the one that the proxy saw.
    let reply = house
        .ask(&browser, Method::POST, "/forgot", &form, |headers| {
            headers.insert(
                "x-forwarded-for",
                "203.0.113.1, 192.0.2.50".parse().unwrap(),
            );
        })
        .await;
    reply.is(429).says("Too many tries");
    house
        .post(&Browser::at("192.0.2.51"), "/forgot", &form)
        .await
        .goes("/forgot/sent");
    house.get(&browser, "/forgot").await.is(200);
    let network = Browser::at("2001:db8:1:2::1");
    for _ in 0..10 {
        house
            .post(&network, "/forgot", &form)
            .await
            .goes("/forgot/sent");
    }
    house
        .post(&Browser::at("2001:db8:1:2:3::4"), "/forgot", &form)
        .await
        .is(429);
    house
        .post(&Browser::at("2001:db8:1:3::1"), "/forgot", &form)
        .await
        .goes("/forgot/sent");
}

#[tokio::test]
pub async fn a_message_is_shown_once_and_only_when_it_is_ours() {
    let house = House::new().await;
    house.ann().await;
    let browser = Browser::new();
    house.sign_in(&browser, "ann", PASSWORD).await;
    house.post(&browser, "/sign-out", &[]).await;
    house
        .get(&browser, "/sign-in")
        .await
        .says("You are signed out");
    assert!(
        !house
            .get(&browser, "/sign-in")
            .await
            .has("You are signed out")
    );
    for forged in [
        "signin.out",
        "signin.out~x",
        "<b>~",
        "leave.gone.title~AAAA",
    ] {
        browser.keep("__Host-jitsi-accounts-said", forged);
        let page = house.get(&browser, "/sign-in").await.is(200);
        assert!(!page.has("role=\"status\""), "{forged}");
    }
}
