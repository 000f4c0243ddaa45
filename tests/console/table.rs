//! Every address of the console × everybody who may come (ASVS 8.3.1).

use axum::http::{Method, StatusCode};
use jitsi_install::account::store::{Group, GroupId};
use jitsi_install::account::{Role, State};
use jitsi_install::web::{Who, table};

use crate::house::{Browser, House};

/// The addresses of the console, with `{id}` filled in by somebody or something that is there.
#[tokio::test]
pub async fn every_address_and_everybody() {
    let mut seen = 0;
    for row in table() {
        if !row.path.starts_with("/admin") {
            continue;
        }
        // Each address in a house of its own: no act may spoil the next one's ground.
        let house = House::new().await;
        let work = house.office.store.begin().await.unwrap();
        let group = Group {
            id: GroupId("g1".into()),
            name: "Choir".into(),
            description: String::new(),
            created: 0,
        };
        work.add_group(&group).await.unwrap();
        work.commit().await.unwrap();
        let waits = house.person("waits", State::Pending, Role::Member).await;
        let active = house.person("active", State::Active, Role::Member).await;
        let id = if row.path.starts_with("/admin/groups") {
            "g1".to_owned()
        } else if row.path.starts_with("/admin/waiting") {
            waits.id.0.clone()
        } else {
            active.id.0.clone()
        };
        let path = row.path.replace("{id}", &id);
        let member = house.person("member", State::Active, Role::Member).await;
        let approver = house
            .person("approver", State::Active, Role::Approver)
            .await;
        let admin = house.person("admin", State::Active, Role::Admin).await;
        let other = house.person("other", State::Active, Role::Admin).await;
        let (member, approver) = (house.browser(&member).await, house.browser(&approver).await);
        let (admin, suspended) = (house.browser(&admin).await, house.browser(&other).await);
        let work = house.office.store.begin().await.unwrap();
        let now = house.office.world.now();
        work.move_account(&other.id, State::Active, State::Suspended, now)
            .await
            .unwrap();
        work.commit().await.unwrap();

        let is_get = row.method == Method::GET;
        for (who, browser) in [
            ("visitor", Browser::default()),
            ("suspended admin", suspended),
            ("member", member),
            ("approver", approver),
            ("admin", admin),
        ] {
            let answer = house.ask(&browser, row.method.clone(), &path, "").await;
            let may = match who {
                "admin" => true,
                "approver" => row.who == Who::Approver,
                _ => false,
            };
            let place = format!(
                "{} {path} as {who}: {} {}",
                row.method, answer.status, answer.location
            );
            match (who, may) {
                ("visitor" | "suspended admin", _) => {
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{place}");
                    assert!(answer.location.starts_with("/accounts/sign-in"), "{place}");
                }
                (_, false) => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{place}"),
                // The page itself; approvers are led on from the overview.
                (_, true) if is_get && !(path == "/admin" && who == "approver") => {
                    assert_eq!(answer.status, StatusCode::OK, "{place}\n{}", answer.text);
                }
                // An empty form is an act (303, 200), or refused with a reason (4xx): never 404.
                (_, true) => {
                    assert_ne!(answer.status, StatusCode::NOT_FOUND, "{place}");
                    assert!(!answer.status.is_server_error(), "{place}");
                    assert!(!answer.location.contains("sign-in"), "{place}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "only {seen} were seen");
}
