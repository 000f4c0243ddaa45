//! Decisions by a signed link in a mail.

use axum::http::StatusCode;
use jitsi_install::account::act::{notify, settings, users};
use jitsi_install::account::policy::Policy;
use jitsi_install::account::post::Mail;
use jitsi_install::account::{Account, Actor, Role, State};

use crate::house::{Browser, House};

/// A house in which ann waits; the links to approve and to reject that were mailed to ben.
async fn waiting() -> (House, Account, Account, String, String) {
    let house = House::new().await;
    let ben = house.person("ben", State::Active, Role::Approver).await;
    let ann = house
        .add("ann", State::Pending, Role::Member, |new| {
            new.reason = "please".into()
        })
        .await;
    let work = house.office.store.begin().await.unwrap();
    let actor = Actor {
        address: Some("203.0.113.9".parse().unwrap()),
        ..Actor::default()
    };
    notify::waiting(&house.office, &work, &ann, &actor)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let (mails, _) = house.letters().await;
    let mail = mails
        .iter()
        .find(|mail| mail.recipient == "ben@example.org")
        .unwrap();
    let link = |word: &str| {
        let start = "https://meet.example.org/accounts";
        let at = mail.text.find(&format!("{start}/decide?d={word}")).unwrap();
        let rest = &mail.text[at + start.len()..];
        rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())].to_owned()
    };
    let (approve, reject) = (link("approve"), link("reject"));
    (house, ben, ann, approve, reject)
}

fn d(link: &str) -> &str {
    link.split_once("d=").unwrap().1
}

#[tokio::test]
pub async fn staff_further_addresses_and_the_webhook_are_told() {
    let house = House::new().await;
    house.person("ben", State::Active, Role::Approver).await;
    house.person("boss", State::Active, Role::Admin).await;
    house.person("gone", State::Suspended, Role::Admin).await;
    house.person("mem", State::Active, Role::Member).await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    let work = house.office.store.begin().await.unwrap();
    notify::waiting(&house.office, &work, &ann, &Actor::default())
        .await
        .unwrap();
    work.commit().await.unwrap();
    let (mut mails, hooks) = house.letters().await;
    mails.sort_by(|a, b| a.recipient.cmp(&b.recipient));
    let to: Vec<&str> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    assert_eq!(
        to,
        [
            "ann@example.org",
            "ben@example.org",
            "board@example.org",
            "boss@example.org"
        ]
    );
    for mail in &mails {
        let decides = mail.text.contains("/decide?d=");
        let is_staff = mail.recipient.starts_with("b") && mail.recipient != "board@example.org";
        assert_eq!(decides, is_staff, "{}", mail.recipient);
        assert!(
            mail.text
                .contains("https://meet.example.org/accounts/admin/waiting")
        );
        assert!(!mail.subject.contains("ann"), "{}", mail.subject);
    }
    assert_ne!(mails[1].text, mails[3].text, "each has links of their own");
    assert_eq!(hooks.len(), 1);
    assert_eq!(hooks[0]["event"], "account.waiting");
    assert_eq!(hooks[0]["login"], "ann");
    assert!(!hooks[0].to_string().contains("decide"));
}

#[tokio::test]
pub async fn the_link_shows_and_only_the_button_decides_in_the_name_of_its_owner() {
    let (house, _, ann, approve, _) = waiting().await;
    let nobody = Browser::default();
    for _ in 0..3 {
        let page = house.get(&nobody, &approve).await.ok();
        assert!(page.has("Approve ann?") && page.has("You decide as ben") && page.has("please"));
    }
    assert_eq!(house.account(&ann.id).await.state, State::Pending);
    let page = house
        .post(&nobody, "/decide", &[("d", d(&approve))])
        .await
        .ok();
    assert!(page.has("ann is approved"), "{}", page.text);
    assert_eq!(house.account(&ann.id).await.state, State::Active);
    let entry = house.entry("account.approved").await;
    assert_eq!(
        (entry.actor_name.as_str(), entry.address.as_str()),
        ("ben", "192.0.2.7")
    );

    // Used: it says who was faster, and changes nothing.
    let page = house.post(&nobody, "/decide", &[("d", d(&approve))]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has("ann is active already: ben"), "{}", page.text);
}

#[tokio::test]
pub async fn after_one_decision_the_other_link_is_dead() {
    let (house, _, ann, approve, reject) = waiting().await;
    let nobody = Browser::default();
    let form = [
        ("d", d(&reject)),
        ("reason", "no"),
        ("tell", "1"),
        ("block", "domain"),
    ];
    house.post(&nobody, "/decide", &form).await.ok();
    assert_eq!(house.account(&ann.id).await.state, State::Rejected);
    assert_eq!(
        house.get(&nobody, &approve).await.status,
        StatusCode::CONFLICT
    );
    // ben is an approver: no domain was blocked.
    assert!(
        house
            .office
            .store
            .setting("registration")
            .await
            .unwrap()
            .is_none()
    );

    // Back among those who wait: links of the earlier round decide nothing any more.
    house.later(60);
    let admin = house.admin().await;
    let path = format!("/admin/waiting/{}/reopen", ann.id);
    house.post(&admin, &path, &[]).await.goes("/admin/waiting");
    let page = house.post(&nobody, "/decide", &[("d", d(&approve))]).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert_eq!(house.account(&ann.id).await.state, State::Pending);
}

#[tokio::test]
pub async fn tampered_expired_and_foreign_links_decide_nothing() {
    let (house, ben, ann, approve, reject) = waiting().await;
    let zoe = house.person("zoe", State::Active, Role::Approver).await;
    let eve = house.person("eve", State::Pending, Role::Member).await;
    let nobody = Browser::default();
    let good = d(&approve).to_owned();
    let signature = d(&reject).rsplit_once('.').unwrap().1;
    let open = good.rsplit_once('.').unwrap().0;
    let mut hostile = vec![
        String::new(),
        ".".into(),
        good.replace("approve", "reject"),
        good.replace(&ann.id.0, &eve.id.0),
        good.replace(&ben.id.0, &zoe.id.0),
        good.replace("approve", "delete"),
        format!("{open}.{signature}"),
        format!("{open}."),
        format!("{good}x"),
        format!("x{good}"),
        "a".repeat(5000),
    ];
    let digits: Vec<&str> = good.split('.').collect();
    let later = (digits[4].parse::<i64>().unwrap() + 1).to_string();
    hostile.push(good.replace(digits[4], &later));
    for link in &hostile {
        let path = format!("/decide?d={}", jitsi_install::web::guard::encoded(link));
        assert_eq!(
            house.get(&nobody, &path).await.status,
            StatusCode::GONE,
            "{link}"
        );
        house.later(60);
        let page = house.post(&nobody, "/decide", &[("d", link)]).await;
        assert_eq!(page.status, StatusCode::GONE, "{link}");
        house.later(60);
    }
    assert_eq!(house.account(&ann.id).await.state, State::Pending);
    assert!(house.trail().await.is_empty());
    house.get(&nobody, &approve).await.ok();
    house.later(7 * 86_400);
    let page = house.post(&nobody, "/decide", &[("d", &good)]).await;
    assert_eq!(page.status, StatusCode::GONE, "a week later");
}

#[tokio::test]
pub async fn a_link_ends_with_the_role_the_address_or_the_account_of_its_owner() {
    for change in ["role", "address", "suspended", "deleted"] {
        let (house, ben, ann, approve, _) = waiting().await;
        let actor = Actor::default();
        let office = &house.office;
        house.person("boss", State::Active, Role::Admin).await;
        match change {
            "role" => users::role(office, &actor, &ben.id, Role::Member)
                .await
                .map(|_| ()),
            "address" => {
                let edit = users::Edit {
                    display_name: "",
                    email: "other@example.org",
                    language: "en",
                };
                users::edit(office, &actor, &ben.id, &edit)
                    .await
                    .map(|_| ())
            }
            "suspended" => users::suspend(office, &actor, &ben.id, "")
                .await
                .map(|_| ()),
            _ => users::delete(office, &actor, &ben.id).await.map(|_| ()),
        }
        .unwrap();
        let page = house
            .post(&Browser::default(), "/decide", &[("d", d(&approve))])
            .await;
        assert_eq!(page.status, StatusCode::GONE, "{change}");
        assert_eq!(
            house.account(&ann.id).await.state,
            State::Pending,
            "{change}"
        );
    }
}

/// One mail about all who wait, in place of one for each; none when nobody began to wait since.
#[tokio::test]
pub async fn one_mail_tells_of_all_who_wait_when_that_is_wanted() {
    let house = House::new().await;
    house.person("cleo", State::Active, Role::Approver).await;
    let seen = settings::current(&house.office).await.unwrap();
    let policy = Policy {
        digest_hours: 24,
        ..seen.policy.clone()
    };
    let actor = Actor::default();
    settings::save(&house.office, &actor, policy, &seen.seen)
        .await
        .unwrap();
    let wait = async |login: &str| {
        let account = house.person(login, State::Pending, Role::Member).await;
        let work = house.office.store.begin().await.unwrap();
        notify::waiting(&house.office, &work, &account, &actor)
            .await
            .unwrap();
        work.commit().await.unwrap();
    };
    let digest = async || notify::digest(&house.office).await.unwrap();
    assert_eq!(digest().await, 0, "nobody waits");
    wait("dora").await;
    wait("emil").await;
    let (mails, hooks) = house.letters().await;
    assert_eq!(
        (mails.len(), hooks.len()),
        (0, 2),
        "the webhook hears at once"
    );
    house.later(5);
    // The approver and the two addresses of the settings.
    assert_eq!(digest().await, 3);
    let (mails, _) = house.letters().await;
    let mut told: Vec<&str> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        ["ann@example.org", "board@example.org", "cleo@example.org"]
    );
    for mail in &mails {
        for part in [&mail.text, &mail.html] {
            for word in [
                "dora@example.org",
                "emil@example.org",
                "2 people",
                "/admin/waiting",
            ] {
                assert!(part.contains(word), "{word}: {part}");
            }
            assert!(!part.contains("/decide"), "{part}");
        }
    }
    house.later(24 * 3600);
    assert_eq!(digest().await, 0, "nobody began to wait since");
    wait("fred").await;
    assert_eq!(digest().await, 3);
    wait("gina").await;
    assert_eq!(digest().await, 0, "not before its time");
    house.later(24 * 3600);
    assert_eq!(digest().await, 3);
    house.letters().await;
    // Who signed up before all the others and confirms now is seen, however many wait.
    let late = house.person("hugo", State::Unconfirmed, Role::Member).await;
    for number in 0..21 {
        wait(&format!("p{number}")).await;
    }
    house.later(24 * 3600);
    assert_eq!(digest().await, 3);
    house.letters().await;
    house.later(24 * 3600);
    assert_eq!(digest().await, 0);
    let work = house.office.store.begin().await.unwrap();
    let now = house.office.world.now();
    work.move_account(&late.id, State::Unconfirmed, State::Pending, now)
        .await
        .unwrap();
    work.commit().await.unwrap();
    assert_eq!(digest().await, 3);
    let (mails, _) = house.letters().await;
    let named = |mail: &Mail| mail.text.contains("hugo@") && mail.text.contains("26 people");
    assert!(mails.iter().all(named), "{}", mails[0].text);
}
