//! Hostile text in every field that the console shows or takes (ASVS 1.2.1, 1.2.10, 1.3.x, 3.2.2).

use axum::http::StatusCode;
use jitsi_install::account::act::{groups, invite, notes, settings, users};
use jitsi_install::account::policy::Policy;
use jitsi_install::account::{Actor, Role, State};

use crate::house::House;

const CORPUS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--<img src=\"--><img src=x onerror=alert(1)//\">",
    "{{ 7*7 }}{% include \"x\" %}",
    "javascript:alert(1)",
    "\u{202e}evil",
    "&lt;script&gt;",
];

/// What of the corpus must never stand in a page as it is.
const LIVE: &[&str] = &[
    "<script>alert",
    "<img src=x",
    "<svg/onload",
    "onerror=alert(1)>",
    "<!--<img",
];

#[tokio::test]
pub async fn nothing_that_somebody_typed_is_a_tag() {
    let house = House::new().await;
    house.database.gets_foreign_rows();
    let browser = house.admin().await;
    let office = &house.office;
    let mut paths = Vec::new();
    for (at, hostile) in CORPUS.iter().enumerate() {
        let actor = Actor {
            name: (*hostile).into(),
            ..Actor::default()
        };
        for state in [
            State::Pending,
            State::Unconfirmed,
            State::Rejected,
            State::Active,
        ] {
            let login = format!("p{at}{}", state.as_str());
            let one = house
                .add(&login, state, Role::Member, |new| {
                    new.display_name = (*hostile).into();
                    new.reason = (*hostile).into();
                    new.email = Some(format!("{login}{hostile}@example.org"));
                })
                .await;
            notes::add(office, &actor, &one.id, hostile).await.unwrap();
            let list = if state == State::Active {
                "users"
            } else {
                "waiting"
            };
            paths.push(format!("/admin/{list}/{}", one.id));
            paths.push(format!("/admin/users/{}", one.id));
            paths.push(format!("/admin/users/{}/delete", one.id));
            let work = office.store.begin().await.unwrap();
            let agent = Actor {
                agent: (*hostile).into(),
                ..Actor::default()
            };
            let begin = jitsi_install::account::act::session::begin;
            begin(office, &work, &agent, &one, false, None)
                .await
                .unwrap();
            work.commit().await.unwrap();
        }
        let name = format!("{at} {hostile}").replace('\u{202e}', "");
        let group = groups::create(office, &actor, &name, hostile)
            .await
            .unwrap();
        paths.push(format!("/admin/groups/{}", group.id.0));
        paths.push(format!("/admin/groups/{}/delete", group.id.0));
        let new = invite::New {
            label: hostile,
            group: Some(&group.id),
            uses: 1,
            days: 1,
        };
        invite::create(office, &actor, &new).await.unwrap();
    }
    let seen = settings::current(office).await.unwrap().seen;
    let actor = Actor {
        name: CORPUS[0].into(),
        ..Actor::default()
    };
    let policy = Policy {
        terms_url: "https://example.org/a?b=<&>".replace(['<', '>'], "%"),
        ..Policy::default()
    };
    settings::save(office, &actor, policy, &seen).await.unwrap();
    for path in [
        "",
        "/waiting",
        "/waiting?show=unconfirmed",
        "/waiting?show=rejected",
    ] {
        paths.push(format!("/admin{path}"));
    }
    for path in [
        "users",
        "users/new",
        "groups",
        "invites",
        "audit",
        "settings",
    ] {
        paths.push(format!("/admin/{path}"));
    }
    for hostile in CORPUS {
        let q = jitsi_install::web::guard::encoded(hostile);
        paths.push(format!("/admin/users?q={q}&state={q}&group={q}&sort={q}"));
        paths.push(format!(
            "/admin/audit?actor={q}&target={q}&action={q}&outcome={q}&from={q}"
        ));
        paths.push(format!("/admin/waiting?show={q}&all={q}"));
        paths.push(format!("/decide?d={q}"));
    }
    let mut shown = 0;
    for path in &paths {
        let page = house.get(&browser, path).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.status);
        for live in LIVE {
            assert!(!page.has(live), "{path} has {live}");
        }
        assert!(
            !page.has("49{%") && !page.has(">49<"),
            "{path}: a template ran"
        );
        assert!(!page.has("href=\"javascript:"), "{path}");
        shown += usize::from(page.has("&lt;script&gt;alert(1)"));
        house.later(10);
    }
    assert!(shown > 20, "only {shown} pages showed the text at all");
}

#[tokio::test]
pub async fn what_was_typed_wrong_comes_back_as_text() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Active, Role::Member).await;
    for hostile in CORPUS {
        for (path, form) in [
            (
                "/admin/users/new".to_owned(),
                vec![
                    ("login", *hostile),
                    ("role", "member"),
                    ("email", hostile),
                    ("display_name", hostile),
                    ("language", hostile),
                ],
            ),
            (
                format!("/admin/users/{}", ann.id),
                vec![
                    ("display_name", "x"),
                    ("email", *hostile),
                    ("language", hostile),
                ],
            ),
            (
                "/admin/groups".into(),
                vec![("name", ""), ("description", *hostile)],
            ),
            (
                "/admin/invites".into(),
                vec![
                    ("label", *hostile),
                    ("uses", hostile),
                    ("days", hostile),
                    ("group", hostile),
                ],
            ),
            (
                "/admin/settings".into(),
                vec![
                    ("mode", *hostile),
                    ("terms_url", hostile),
                    ("allowed_domains", hostile),
                    ("blocked_addresses", hostile),
                    ("confirm_days", hostile),
                ],
            ),
            (
                "/admin/users".into(),
                vec![("do", *hostile), ("id", hostile), ("query", hostile)],
            ),
            (
                "/admin/waiting".into(),
                vec![
                    ("do", "reject"),
                    ("id", ann.id.0.as_str()),
                    ("show", hostile),
                    ("query", hostile),
                    ("reason", hostile),
                ],
            ),
        ] {
            let page = house.post(&browser, &path, &form).await;
            assert!(!page.status.is_server_error(), "{path}: {}", page.status);
            assert_ne!(page.status, StatusCode::SEE_OTHER, "{path} took {hostile}");
            for live in LIVE {
                assert!(!page.has(live), "{path} has {live}");
            }
        }
        house.later(10);
    }
    let actions: Vec<String> = house
        .trail()
        .await
        .into_iter()
        .map(|w| w.entry.action)
        .collect();
    assert!(actions.is_empty(), "{actions:?}");
}

/// ASVS 1.2.10: no cell of a download begins as a formula does.
#[tokio::test]
pub async fn no_cell_of_a_download_is_a_formula() {
    let house = House::new().await;
    house.database.gets_foreign_rows();
    let browser = house.admin().await;
    for (at, hostile) in [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
    ]
    .into_iter()
    .enumerate()
    {
        let ann = house
            .add(&format!("p{at}"), State::Active, Role::Member, |new| {
                new.display_name = hostile.into();
                new.reason = hostile.into();
                new.email = Some(format!("{hostile}{at}@example.org"));
            })
            .await;
        let actor = Actor {
            name: hostile.into(),
            ..Actor::default()
        };
        users::suspend(&house.office, &actor, &ann.id, hostile)
            .await
            .unwrap();
    }
    for path in ["/admin/users.csv", "/admin/audit.csv"] {
        let page = house.get(&browser, path).await.ok();
        let mut cells = 0;
        for cell in cells_of(&page.text) {
            let bare = cell.trim_start_matches(' ');
            assert!(
                !bare.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{path}: {cell:?}"
            );
            cells += usize::from(cell.starts_with('\''));
        }
        assert!(cells >= 7, "{path}: only {cells} were made harmless");
    }
}

/// The cells of a CSV file (RFC 4180).
fn cells_of(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            other => cell.push(other),
        }
    }
    cells
}
