//! Who waits is approved, rejected and put back, alone and together; two who decide at once.

use axum::http::StatusCode;
use jitsi_install::account::act::approve::{self, Rejection};
use jitsi_install::account::act::refusal::Refusal;
use jitsi_install::account::act::{confirm, groups, link, notes, settings};
use jitsi_install::account::audit::Entry;
use jitsi_install::account::store::{NewToken, Purpose};
use jitsi_install::account::{Actor, Role, State};

use crate::house::House;

#[tokio::test]
pub async fn one_click_approves_into_a_group_and_tells_the_person() {
    let house = House::new().await;
    let ben = house.person("ben", State::Active, Role::Approver).await;
    let ann = house
        .add("ann", State::Pending, Role::Member, |new| {
            new.reason = "I sing in the choir".into();
            new.display_name = "Ann Example".into();
        })
        .await;
    let choir = groups::create(&house.office, &Actor::default(), "Choir", "")
        .await
        .unwrap();
    let work = house.office.store.begin().await.unwrap();
    let actor = Actor {
        address: Some("203.0.113.9".parse().unwrap()),
        ..Actor::default()
    };
    let entry = Entry::new("signup", Some(&ann), "done");
    work.append(&*house.office.world, &actor, &entry)
        .await
        .unwrap();
    work.commit().await.unwrap();
    house.later(3 * 86_400);
    let browser = house.browser(&ben).await;

    let page = house.get(&browser, "/admin/waiting").await.ok();
    for shown in [
        "Ann Example",
        "ann@example.org",
        "I sing in the choir",
        "203.0.113.9",
        "3 days",
        "Choir",
    ] {
        assert!(page.has(shown), "{shown}\n{}", page.text);
    }
    let form = [
        ("show", "pending"),
        ("approve", &ann.id.0),
        ("group", &choir.id.0),
    ];
    let page = house.post(&browser, "/admin/waiting", &form).await.ok();
    assert!(page.has("Done for 1 of 1"), "{}", page.text);
    assert!(page.has("Nobody waits."));
    assert_eq!(house.account(&ann.id).await.state, State::Active);
    assert_eq!(
        house.office.store.groups_of(&ann.id).await.unwrap(),
        [choir]
    );
    let entry = house.entry("account.approved").await;
    assert_eq!(
        (entry.actor_name.as_str(), entry.address.as_str()),
        ("ben", "192.0.2.7")
    );
    assert_eq!(entry.entry.target_name, "ann");
    assert_eq!(entry.entry.detail, "group: Choir");
    let (mails, _) = house.letters().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipient, "ann@example.org");
}

#[tokio::test]
pub async fn the_oldest_stands_first_and_a_reload_changes_nothing() {
    let house = House::new().await;
    for login in ["zoe", "ann", "ben"] {
        house.person(login, State::Pending, Role::Member).await;
        house.later(3600);
    }
    let browser = house.admin().await;
    let page = house.get(&browser, "/admin/waiting").await.ok();
    let place = |name: &str| page.text.find(&format!("{name}@example.org")).unwrap();
    assert!(place("zoe") < place("ann") && place("ann") < place("ben"));
    let before = house.trail().await.len();
    house
        .get(&browser, "/admin/waiting?do=approve&all=1&approve=x")
        .await
        .ok();
    assert_eq!(house.trail().await.len(), before);
}

#[tokio::test]
pub async fn rejected_with_a_reason_and_a_mail_and_blocked_and_undone() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    let form = [
        ("reason", "Not a member"),
        ("tell", "1"),
        ("block", "domain"),
    ];
    let path = format!("/admin/waiting/{}/reject", ann.id);
    let page = house.post(&browser, &path, &form).await.ok();
    assert!(page.has("Undo"));
    assert_eq!(house.account(&ann.id).await.state, State::Rejected);
    assert_eq!(
        house.entry("account.rejected").await.entry.detail,
        "Not a member"
    );
    assert_eq!(
        house.entry("settings.changed").await.entry.detail,
        "blocked_domains: +example.org"
    );
    let policy = settings::policy(&house.office).await.unwrap();
    assert_eq!(policy.blocked_domains, ["example.org"]);
    let (mails, _) = house.letters().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("Not a member"));

    // The undo of the notice.
    let form = [("show", "pending"), ("do", "reopen"), ("id", &ann.id.0)];
    house.post(&browser, "/admin/waiting", &form).await.ok();
    assert_eq!(house.account(&ann.id).await.state, State::Pending);
    house.entry("account.reopened").await;
}

#[tokio::test]
pub async fn an_approver_blocks_an_address_but_no_domain() {
    let house = House::new().await;
    let approver = house.person("ben", State::Active, Role::Approver).await;
    let browser = house.browser(&approver).await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    let zoe = house.person("zoe", State::Pending, Role::Member).await;
    let page = house
        .get(&browser, &format!("/admin/waiting/{}", ann.id))
        .await
        .ok();
    assert!(page.has("block-address") && !page.has("block-domain"));
    let path = format!("/admin/waiting/{}/reject", ann.id);
    house
        .post(&browser, &path, &[("block", "domain")])
        .await
        .ok();
    let path = format!("/admin/waiting/{}/reject", zoe.id);
    house
        .post(&browser, &path, &[("block", "address")])
        .await
        .ok();
    let policy = settings::policy(&house.office).await.unwrap();
    assert!(policy.blocked_domains.is_empty());
    assert_eq!(policy.blocked_addresses, ["zoe@example.org"]);
}

/// Nobody comes to be active by a detour without a confirmed address.
#[tokio::test]
pub async fn a_rejected_sign_up_without_a_confirmed_address_has_it_to_confirm_again() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house
        .add("ann", State::Unconfirmed, Role::Member, |new| {
            new.language = "de".into()
        })
        .await;
    let work = house.office.store.begin().await.unwrap();
    let now = house.office.world.now();
    let token = NewToken {
        hash: &link::digest("t"),
        purpose: Purpose::Confirm,
        account: &ann.id,
        data: r#"{"email":"ann@example.org","invited":false}"#,
        created: now,
        expires: now + 86_400,
    };
    work.add_token(&token).await.unwrap();
    work.commit().await.unwrap();
    let path = format!("/admin/waiting/{}/reject", ann.id);
    house.post(&browser, &path, &[("tell", "1")]).await.ok();
    assert_eq!(
        house.letters().await.0.len(),
        0,
        "no mail to an address that nobody confirmed"
    );
    let path = format!("/admin/waiting/{}/reopen", ann.id);
    house
        .post(&browser, &path, &[])
        .await
        .goes("/admin/waiting");
    assert_eq!(house.account(&ann.id).await.state, State::Unconfirmed);
    let path = format!("/admin/waiting/{}/approve", ann.id);
    let page = house.post(&browser, &path, &[]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(house.account(&ann.id).await.state, State::Unconfirmed);
    let done = confirm::done(&house.office, &Actor::default(), "t")
        .await
        .unwrap();
    assert_eq!(done, confirm::Confirmed::Waits);
    assert_eq!(house.account(&ann.id).await.state, State::Pending);
}

#[tokio::test]
pub async fn several_at_once_and_those_who_cannot_be_are_named() {
    let house = House::new().await;
    let browser = house.admin().await;
    let mut ids = Vec::new();
    for login in ["ann", "ben", "eve"] {
        ids.push(house.person(login, State::Pending, Role::Member).await.id.0);
    }
    let out = house.person("out", State::Active, Role::Member).await.id.0;
    let choice = [
        ("id", ids[0].as_str()),
        ("id", &ids[1]),
        ("id", &out),
        ("id", "nobody"),
    ];
    let mut form = vec![("show", "pending"), ("do", "approve")];
    form.extend(choice);
    let page = house.post(&browser, "/admin/waiting", &form).await.ok();
    assert!(page.has("Done for 2 of 4"), "{}", page.text);
    assert!(page.has("out is active already"));
    assert!(page.has("There is no such account."));

    // Rejecting several asks once more, and changes nothing before.
    let form = [("show", "pending"), ("do", "reject"), ("id", &ids[2])];
    let page = house.post(&browser, "/admin/waiting", &form).await.ok();
    assert!(page.has("Reject 1 sign-up"), "{}", page.text);
    assert_eq!(house.trail().await.len(), 2);
    let form = [
        ("show", "pending"),
        ("do", "reject"),
        ("id", &ids[2]),
        ("sure", "1"),
        ("reason", "spam"),
    ];
    let page = house.post(&browser, "/admin/waiting", &form).await.ok();
    assert!(page.has("Done for 1 of 1") && page.has("Undo"));
    let page = house
        .post(&browser, "/admin/waiting", &[("do", "approve")])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has("Nobody was chosen."));
}

#[tokio::test]
pub async fn of_two_at_once_one_decides_and_the_other_is_told() {
    let house = House::new().await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    let actor = |name: &str| Actor {
        name: name.into(),
        ..Actor::default()
    };
    let (first, second) = (actor("ben"), actor("zoe"));
    let how = Rejection::default();
    let (approved, rejected) = tokio::join!(
        approve::approve(&house.office, &first, &ann.id, None),
        approve::reject(&house.office, &second, &ann.id, &how),
    );
    let (winner, loser, state) = match (approved, rejected) {
        (Ok(_), Err(told)) => ("ben", told, State::Active),
        (Err(told), Ok(_)) => ("zoe", told, State::Rejected),
        both => panic!("{both:?}"),
    };
    let Refusal::Moved {
        by: Some((by, _)),
        state: told,
        ..
    } = loser
    else {
        panic!("{loser:?}");
    };
    assert_eq!((by.as_str(), told), (winner, state));
    assert_eq!(house.account(&ann.id).await.state, state);
    let trail = house.trail().await;
    assert_eq!(trail.len(), 1, "one decision, one entry");
    assert_eq!(trail[0].actor_name, winner);

    // And the same on the page.
    let browser = house.admin().await;
    let page = house
        .post(&browser, &format!("/admin/waiting/{}/approve", ann.id), &[])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has(&format!("already: {winner}, ")), "{}", page.text);
}

#[tokio::test]
pub async fn notes_are_for_staff_and_approvers_see_nobody_else() {
    let house = House::new().await;
    let approver = house.person("ben", State::Active, Role::Approver).await;
    let browser = house.browser(&approver).await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    let path = format!("/admin/waiting/{}", ann.id);
    let note = [("text", "Called her"), ("back", "users")];
    house
        .post(&browser, &format!("{path}/notes"), &note)
        .await
        .goes(&path);
    let page = house.get(&browser, &path).await.ok();
    assert!(page.has("Called her") && page.has("ben, "));
    assert_eq!(house.entry("note.added").await.entry.detail, "");
    let empty = house
        .post(&browser, &format!("{path}/notes"), &[("text", " ")])
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);

    let other = house.person("out", State::Active, Role::Member).await;
    let path = format!("/admin/waiting/{}", other.id);
    assert_eq!(
        house.get(&browser, &path).await.status,
        StatusCode::NOT_FOUND
    );
    let note = house.post(&browser, &format!("{path}/notes"), &note).await;
    assert_eq!(note.status, StatusCode::NOT_FOUND);
    let bulk = [("do", "approve"), ("id", other.id.0.as_str())];
    let page = house.post(&browser, "/admin/waiting", &bulk).await.ok();
    assert!(!page.has("out@example.org"));
}

/// A decision that comes too late says so, and shows nothing of an account that is not theirs.
#[tokio::test]
pub async fn a_late_decision_shows_nothing_of_an_account() {
    let house = House::new().await;
    let approver = house.person("ben", State::Active, Role::Approver).await;
    let browser = house.browser(&approver).await;
    let ann = house
        .add("ann", State::Active, Role::Admin, |new| {
            new.reason = "a reason".into();
            new.display_name = "Ann of the Board".into();
        })
        .await;
    let actor = Actor::default();
    notes::add(&house.office, &actor, &ann.id, "a note of administrators")
        .await
        .unwrap();
    for act in ["approve", "reject", "reopen"] {
        let path = format!("/admin/waiting/{}/{act}", ann.id);
        let page = house.post(&browser, &path, &[]).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.has("ann is active already"), "{}", page.text);
        for word in ["ann@example.org", "a reason", "of the Board", "a note of"] {
            assert!(!page.has(word), "{act}: {word}");
        }
    }
    let path = format!("/admin/waiting/{}", ann.id);
    let page = house.get(&browser, &path).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}
