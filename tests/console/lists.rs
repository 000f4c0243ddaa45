//! Lists of thousands: pages, filters, downloads.

use jitsi_install::account::Origin;
use jitsi_install::account::act::groups;
use jitsi_install::account::login::Login;
use jitsi_install::account::store::NewAccount;
use jitsi_install::account::{Actor, Role, State};

use crate::house::{Browser, House};

/// A house with so many members, every tenth of them suspended.
async fn full(count: usize) -> (House, Browser) {
    let house = House::new().await;
    let browser = house.admin().await;
    let work = house.office.store.begin().await.unwrap();
    for at in 0..count {
        let login = Login::from_store(format!("p{at:04}"));
        work.add_account(&NewAccount {
            id: house.office.world.account_id(),
            login_skeleton: login.skeleton(),
            email: Some(format!("p{at:04}@example.org")),
            display_name: format!("Person {at}"),
            login,
            state: if at % 10 == 0 {
                State::Suspended
            } else {
                State::Active
            },
            role: Role::Member,
            language: "en".into(),
            origin: if at % 2 == 0 {
                Origin::Csv
            } else {
                Origin::Signup
            },
            reason: String::new(),
            created: 1_700_000_000 + at as i64,
            keys: None,
            stamp: String::new(),
        })
        .await
        .unwrap();
    }
    work.commit().await.unwrap();
    (house, browser)
}

/// The logins of a page, in their order, and the address of the next page.
fn rows(text: &str) -> (Vec<String>, Option<String>) {
    let logins = text
        .split("scope=\"row\"")
        .skip(1)
        .map(|row| {
            let row = &row[row.find("<a href=").unwrap()..];
            let start = row.find('>').unwrap() + 1;
            row[start..start + row[start..].find('<').unwrap()].to_owned()
        })
        .collect();
    let next = text.find("rel=\"next\" href=\"").map(|at| {
        let rest = &text[at + 17..];
        let path = &rest[..rest.find('"').unwrap()];
        path.replace("&amp;", "&")
            .replace("&#x2F;", "/")
            .replace("/accounts", "")
    });
    (logins, next)
}

async fn walk(house: &House, browser: &Browser, first: &str) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), first.to_owned());
    loop {
        let page = house.get(browser, &path).await.ok();
        let (logins, next) = rows(&page.text);
        assert!(logins.len() <= 50);
        all.extend(logins);
        let Some(next) = next else { return all };
        path = next;
    }
}

#[tokio::test]
pub async fn pages_hold_everybody_once_in_every_order_and_filter() {
    let (house, browser) = full(3000).await;
    let everybody = walk(&house, &browser, "/admin/users").await;
    assert_eq!(everybody.len(), 3001);
    let mut sorted = everybody.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted, everybody, "by name, each once");
    let newest = walk(&house, &browser, "/admin/users?sort=newest&state=suspended").await;
    assert_eq!(newest.len(), 300);
    assert_eq!(
        (newest[0].as_str(), newest[299].as_str()),
        ("p2990", "p0000")
    );
    let some = walk(
        &house,
        &browser,
        "/admin/users?state=active&origin=csv&role=member",
    )
    .await;
    assert_eq!(some.len(), 1200);
    let found = walk(&house, &browser, "/admin/users?q=p012").await;
    assert_eq!(found.len(), 10);
    let nobody = house
        .get(&browser, "/admin/users?q=nobody%20here")
        .await
        .ok();
    assert!(nobody.has("Nobody fits."));
    // Words that mean nothing ask for nothing; a mark of nobody is refused and breaks nothing.
    house
        .get(
            &browser,
            "/admin/users?state=%27&role=x&origin=%00&sort=--&factor=1",
        )
        .await
        .ok();
    let odd = house.get(&browser, "/admin/users?after=%27%3B--").await;
    assert_eq!(odd.status, 400);
}

#[tokio::test]
pub async fn a_filter_goes_along_with_bulk_acts_and_a_group() {
    let (house, browser) = full(60).await;
    let choir = groups::create(&house.office, &Actor::default(), "Choir", "")
        .await
        .unwrap();
    let find = async |login: &str| {
        house
            .office
            .store
            .account_by_login(login)
            .await
            .unwrap()
            .unwrap()
            .id
            .0
    };
    let (one, two) = (find("p0001").await, find("p0002").await);
    let form = [
        ("do", "group"),
        ("group", choir.id.0.as_str()),
        ("id", &one),
        ("id", &two),
        ("query", "?state=active&sort=newest"),
    ];
    let page = house.post(&browser, "/admin/users", &form).await.ok();
    assert!(page.has("Done for 2 of 2"));
    let (logins, _) = rows(&page.text);
    assert_eq!(logins[0], "boss", "the filter is the same as before");
    let members = walk(
        &house,
        &browser,
        &format!("/admin/users?group={}", choir.id.0),
    )
    .await;
    assert_eq!(members, ["p0001", "p0002"]);

    // Deleting several asks for their number.
    let form = [("do", "delete"), ("id", &one), ("id", &two)];
    let page = house.post(&browser, "/admin/users", &form).await.ok();
    assert!(page.has("Delete 2 accounts for good?") && page.has("Type the number 2"));
    let mut form = form.to_vec();
    form.extend([("sure", "1"), ("number", "3")]);
    assert_eq!(
        house.post(&browser, "/admin/users", &form).await.status,
        409
    );
    assert_eq!(walk(&house, &browser, "/admin/users").await.len(), 61);
    form.pop();
    form.push(("number", "2"));
    house.post(&browser, "/admin/users", &form).await.ok();
    assert_eq!(walk(&house, &browser, "/admin/users").await.len(), 59);
}

#[tokio::test]
pub async fn downloads_hold_the_filtered_list_whole_and_are_written_down() {
    let (house, browser) = full(2500).await;
    let page = house
        .get(&browser, "/admin/users.csv?state=active")
        .await
        .ok();
    assert_eq!(page.kind, "text/csv; charset=utf-8");
    let lines: Vec<&str> = page.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 2250 + 1);
    assert!(lines[0].starts_with("login,display_name,email,state,"));
    assert!(lines[2].starts_with("p0001,Person 1,p0001@example.org,active,member,en,signup,2023-"));
    let entry = house.entry("users.exported").await;
    assert_eq!(
        (entry.actor_name.as_str(), entry.entry.detail.as_str()),
        ("boss", "?state=active")
    );

    let page = house
        .get(&browser, "/admin/audit.jsonl?actor=boss")
        .await
        .ok();
    let lines: Vec<serde_json::Value> = page
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "both downloads");
    assert_eq!(lines[0]["action"], "audit.exported");
    let page = house
        .get(&browser, "/admin/audit.csv?action=users.")
        .await
        .ok();
    assert_eq!(page.text.lines().count(), 2);
    let page = house
        .get(&browser, "/admin/audit?from=2026-11-17&to=2026-11-19")
        .await
        .ok();
    assert!(page.has("users.exported"), "{}", page.text);
    for none in [
        "to=2026-11-01",
        "from=2026-12-01",
        "outcome=failed",
        "target=x",
    ] {
        let page = house
            .get(&browser, &format!("/admin/audit?{none}"))
            .await
            .ok();
        assert!(page.has("Nothing fits."), "{none}");
    }
}
