//! From the form of a sign-up to an account.
//!
//! Over 400 lines: one way, from the form to the account, and each way off it.

use jitsi_install::account::act::expire;
use jitsi_install::account::policy::Registration;
use jitsi_install::account::store::{GroupId, Invite};
use jitsi_install::account::{Role, State};

use crate::house::{Browser, House, PASSWORD, link, subjects};

#[tokio::test]
pub async fn sign_up_confirm_and_wait_for_approval() {
    let house = House::new().await;
    let boss = house.person("boss", State::Active, Role::Admin).await;
    house
        .sign_up("ben", "Ben@example.org", &[("display_name", "Ben B.")])
        .await
        .goes("/sign-up/sent");
    let ben = house.named("ben").await;
    assert_eq!(ben.state, State::Unconfirmed);
    assert_eq!(ben.display_name, "Ben B.");
    let mail = house.mail().await;
    assert_eq!(mail.recipient, "Ben@example.org");
    let token = link(&mail, "/confirm");

    // Looking at the page confirms nothing: programs that look into mails do that.
    let browser = Browser::new();
    let page = house.get(&browser, &format!("/confirm?t={token}")).await;
    assert_eq!(page.is(200).value("t"), token);
    assert_eq!(house.named("ben").await.state, State::Unconfirmed);

    let done = house.post(&browser, "/confirm", &[("t", &token)]).await;
    done.is(200).says("your address is confirmed");
    assert_eq!(house.named("ben").await.state, State::Pending);
    let mails = house.mails().await;
    let mut told: Vec<&str> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["Ben@example.org", boss.email.as_deref().unwrap()]);

    // Once is enough.
    let twice = house.post(&browser, "/confirm", &[("t", &token)]).await;
    twice.is(410).says("was used already");
    assert!(house.mails().await.is_empty());
    let trail: Vec<String> = house
        .trail()
        .await
        .into_iter()
        .map(|written| written.entry.action)
        .collect();
    assert_eq!(trail, ["signup.confirmed", "signup"]);
}

/// The browser looks at the name while it is typed; it asks nobody who has it.
#[tokio::test]
pub async fn a_name_is_looked_at_while_it_is_typed() {
    let house = House::new().await;
    let page = house.get(&Browser::new(), "/sign-up").await.is(200);
    let field = page.text.split("<input id=\"login\"").nth(1).unwrap();
    let field = field.split('>').next().unwrap();
    for sign in ["\\s", "@", "\\/", ":", "&amp;", "&quot;", "&lt;"] {
        let pattern = field.split("pattern=\"").nth(1).unwrap();
        assert!(
            pattern.split('"').next().unwrap().contains(sign),
            "{sign} in {field}"
        );
    }
}

#[tokio::test]
pub async fn open_registration_needs_nobody() {
    let house = House::new().await;
    house
        .policy(|policy| policy.mode = Registration::Open)
        .await;
    house
        .sign_up("ben", "ben@example.org", &[])
        .await
        .goes("/sign-up/sent");
    let token = link(&house.mail().await, "/confirm");
    let browser = Browser::new();
    let done = house.post(&browser, "/confirm", &[("t", &token)]).await;
    done.is(200).says("Your account is ready");
    house
        .sign_in(&browser, "BEN", PASSWORD)
        .await
        .goes("/account");
    house
        .get(&browser, "/account")
        .await
        .is(200)
        .says("ben@example.org");
}

#[tokio::test]
pub async fn closed_registration_is_closed_for_the_form_too() {
    let house = House::new().await;
    let form = house.sign_up_form("ben", "ben@example.org").await;
    house
        .policy(|policy| policy.mode = Registration::Closed)
        .await;
    let page = house.get(&Browser::new(), "/sign-up").await;
    page.is(403).says("Sign-up is closed");
    let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    house.post(&Browser::new(), "/sign-up", &form).await.is(403);
    assert_eq!(
        house.office.store.account_by_login("ben").await.unwrap(),
        None
    );
}

#[tokio::test]
pub async fn invitations_are_used_up_and_lead_into_a_group() {
    let house = House::new().await;
    let office = &house.office;
    let code = "an-invitation-of-43-characters-0123456789abc";
    let work = office.store.begin().await.unwrap();
    let group = jitsi_install::account::store::Group {
        id: GroupId("g1".into()),
        name: "Board".into(),
        description: String::new(),
        created: 0,
    };
    work.add_group(&group).await.unwrap();
    let invite = Invite {
        hash: jitsi_install::account::act::link::digest(code),
        label: "board".into(),
        group: Some(group.id.clone()),
        uses_left: 1,
        created: 0,
        expires: office.world.now() + 3600,
        created_by: None,
    };
    work.add_invite(&invite).await.unwrap();
    work.commit().await.unwrap();
    house
        .policy(|policy| policy.mode = Registration::Invite)
        .await;

    let browser = Browser::new();
    house
        .get(&browser, "/sign-up")
        .await
        .is(403)
        .says("by invitation");
    house.get(&browser, "/invite?c=wrong").await.is(403);
    let page = house
        .get(&browser, &format!("/invite?c={code}"))
        .await
        .is(200);
    let began = page.value("began");
    assert_eq!(page.value("invite"), code);
    house.later(5);
    let form = [
        ("login", "ben"),
        ("email", "ben@example.org"),
        ("password", PASSWORD),
        ("began", &began),
        ("invite", code),
    ];
    house
        .post(&browser, "/sign-up", &form)
        .await
        .goes("/sign-up/sent");
    // Used up: nobody else comes by it.
    let mut second = form;
    second[0].1 = "cleo";
    second[1].1 = "cleo@example.org";
    house.post(&browser, "/sign-up", &second).await.is(403);
    assert_eq!(office.store.account_by_login("cleo").await.unwrap(), None);

    house.mail().await;
    // The invitation holds for another mail, too.
    let again = [("email", "ben@example.org")];
    house.post(&browser, "/resend", &again).await;
    let token = link(&house.mail().await, "/confirm");
    house
        .post(&browser, "/confirm", &[("t", &token)])
        .await
        .says("Your account is ready");
    let ben = house.named("ben").await;
    assert_eq!(ben.state, State::Active);
    let groups = office.store.groups_of(&ben.id).await.unwrap();
    assert_eq!(groups, [group]);
}

/// Who signed up while everybody might, or waited for approval, comes in by no invitation.
#[tokio::test]
pub async fn a_later_rule_of_invitations_lets_nobody_in_who_has_none() {
    let house = House::new().await;
    house
        .sign_up("ben", "ben@example.org", &[])
        .await
        .goes("/sign-up/sent");
    let first = link(&house.mail().await, "/confirm");
    house
        .policy(|policy| policy.mode = Registration::Invite)
        .await;
    // Nor does another mail make one.
    let form = [("email", "ben@example.org")];
    house.post(&Browser::new(), "/resend", &form).await;
    let again = link(&house.mail().await, "/confirm");
    let form = [("t", again.as_str())];
    house.post(&Browser::new(), "/confirm", &form).await.is(200);
    assert_eq!(house.named("ben").await.state, State::Pending);
    let form = [("t", first.as_str())];
    house.post(&Browser::new(), "/confirm", &form).await.is(410);
}

/// A link confirms the address that it was mailed to, and no other that the account has by then.
#[tokio::test]
pub async fn a_link_is_bound_to_its_address() {
    let house = House::new().await;
    house.sign_up("ben", "ben@example.org", &[]).await;
    let token = link(&house.mail().await, "/confirm");
    let ben = house.named("ben").await;
    let work = house.office.store.begin().await.unwrap();
    let (old, new) = (Some("ben@example.org"), Some("other@example.org"));
    assert!(work.set_email(&ben.id, old, new).await.unwrap());
    work.commit().await.unwrap();
    let form = [("t", token.as_str())];
    house.post(&Browser::new(), "/confirm", &form).await.is(410);
    assert_eq!(house.named("ben").await.state, State::Unconfirmed);
}

#[tokio::test]
pub async fn every_mistake_is_told_at_its_field_and_nothing_is_written() {
    let house = House::new().await;
    house.ann().await;
    house
        .policy(|policy| {
            policy.blocked_domains = vec!["blocked.example".into()];
            policy.terms_url = "https://example.org/terms".into();
        })
        .await;
    let fine = ("terms", "yes");
    for (login, email, other, text) in [
        ("a b", "b@example.org", vec![fine], "cannot have spaces"),
        ("", "b@example.org", vec![fine], "Choose a user name"),
        (
            "ben",
            "nowhere",
            vec![fine],
            "not a complete e-mail address",
        ),
        ("ben", "b@blocked.example", vec![fine], "not accepted here"),
        ("ben", "b@example.org", vec![], "accept the terms"),
        (
            "ben",
            "b@example.org",
            vec![fine, ("password", "short")],
            "at least 10 characters",
        ),
        (
            "ben",
            "b@example.org",
            vec![fine, ("password", "1234567890")],
            "first that anybody",
        ),
        (
            "ben",
            "b@example.org",
            vec![fine, ("homepage", "http://x.example")],
            "must stay empty",
        ),
        (
            "ben",
            "b@example.org",
            vec![fine, ("began", "1~x")],
            "lay open",
        ),
        (
            "ben",
            "b@example.org",
            vec![fine, ("invite", "nothing")],
            "This invitation",
        ),
        // Taken, reserved and alike get one answer.
        (
            "ann",
            "b@example.org",
            vec![fine],
            "This user name cannot be used",
        ),
        (
            "admin",
            "b@example.org",
            vec![fine],
            "This user name cannot be used",
        ),
        (
            "аnn",
            "b@example.org",
            vec![fine],
            "This user name cannot be used",
        ),
    ] {
        // One more form is free again.
        house.later(130);
        let reply = house.sign_up(login, email, &other).await;
        assert_eq!(reply.status.as_u16(), 422, "{login} {email} {other:?}");
        reply.says(text).says("role=\"alert\"");
    }
    assert!(house.mails().await.is_empty());
    assert!(
        house
            .trail()
            .await
            .iter()
            .all(|written| written.entry.action != "signup")
    );
    assert_eq!(
        house.office.store.account_by_login("ben").await.unwrap(),
        None
    );
}

#[tokio::test]
pub async fn a_form_is_neither_sent_at_once_nor_days_later() {
    let house = House::new().await;
    let began = house.get(&Browser::new(), "/sign-up").await.value("began");
    let form = [
        ("login", "ben"),
        ("began", began.as_str()),
        ("email", "ben@example.org"),
        ("password", PASSWORD),
    ];
    for (wait, text) in [
        (1, "That was very fast"),
        (12 * 3600, "lay open for a long time"),
    ] {
        house.later(wait);
        let reply = house.post(&Browser::new(), "/sign-up", &form).await;
        reply.is(422).says(text);
    }
}

#[tokio::test]
pub async fn nobody_can_hold_the_address_of_somebody_else() {
    let house = House::new().await;
    house
        .policy(|policy| policy.mode = Registration::Open)
        .await;
    // A stranger signs up with Ben's address; Ben signs up, too, and confirms.
    house
        .sign_up("stranger", "ben@example.org", &[])
        .await
        .goes("/sign-up/sent");
    let strange = link(&house.mail().await, "/confirm");
    house
        .sign_up("ben", "ben@example.org", &[])
        .await
        .goes("/sign-up/sent");
    let own = link(&house.mail().await, "/confirm");
    let browser = Browser::new();
    house
        .post(&browser, "/confirm", &[("t", &own)])
        .await
        .says("Your account is ready");
    let late = house.post(&browser, "/confirm", &[("t", &strange)]).await;
    late.is(409).says("has an account already");
    assert_eq!(house.named("stranger").await.state, State::Unconfirmed);
    let found = house
        .office
        .store
        .account_by_email("BEN@example.org")
        .await
        .unwrap();
    assert_eq!(found.unwrap().login.as_str(), "ben");
}

#[tokio::test]
pub async fn the_mail_comes_again_and_only_where_it_is_due() {
    let house = House::new().await;
    house.sign_up("ben", "ben@example.org", &[]).await;
    let first = link(&house.mail().await, "/confirm");
    let browser = Browser::new();
    house
        .post(&browser, "/resend", &[("email", "BEN@example.org")])
        .await
        .goes("/resend/sent");
    let second = link(&house.mail().await, "/confirm");
    assert_ne!(first, second);
    house
        .post(&browser, "/confirm", &[("t", &second)])
        .await
        .is(200);
    house.mails().await;
    // The other link is worth nothing any more, and there is nothing to confirm.
    house
        .post(&browser, "/confirm", &[("t", &first)])
        .await
        .is(410);
    for email in ["ben@example.org", "nobody@example.org", "", "no address"] {
        house
            .post(&browser, "/resend", &[("email", email)])
            .await
            .goes("/resend/sent");
    }
    assert!(house.mails().await.is_empty());
}

#[tokio::test]
pub async fn an_address_gets_five_mails_in_an_hour() {
    let house = House::new().await;
    house.sign_up("ben", "ben@example.org", &[]).await;
    let addresses = [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
        "192.0.2.4",
        "192.0.2.5",
        "192.0.2.6",
    ];
    for address in addresses {
        let form = [("email", "ben@example.org")];
        house
            .post(&Browser::at(address), "/resend", &form)
            .await
            .goes("/resend/sent");
    }
    assert_eq!(house.mails().await.len(), 5);
    house.later(3601);
    let form = [("email", "ben@example.org")];
    house
        .post(&Browser::new(), "/resend", &form)
        .await
        .goes("/resend/sent");
    assert_eq!(house.mails().await.len(), 1);
}

#[tokio::test]
pub async fn who_is_not_confirmed_or_approved_in_time_goes() {
    let house = House::new().await;
    let day = 24 * 3600;
    house.sign_up("ben", "ben@example.org", &[]).await;
    house.sign_up("cleo", "cleo@example.org", &[]).await;
    house.sign_up("dora", "dora@example.org", &[]).await;
    let token = |mails: &[jitsi_install::account::post::Mail], to: &str| {
        link(
            mails.iter().find(|mail| mail.recipient == to).unwrap(),
            "/confirm",
        )
    };
    let mails = house.mails().await;
    let dora = token(&mails, "dora@example.org");
    house
        .post(&Browser::new(), "/confirm", &[("t", &dora)])
        .await
        .is(200);
    house.mails().await;
    house.later(2 * day);
    // Cleo asks again: her time begins anew.
    house
        .post(&Browser::new(), "/resend", &[("email", "cleo@example.org")])
        .await;
    house.mails().await;
    house.later(day + 60);
    let gone = expire::run(&house.office).await.unwrap();
    assert_eq!((gone.unconfirmed, gone.pending), (1, 0));
    assert_eq!(
        house.office.store.account_by_login("ben").await.unwrap(),
        None
    );
    assert!(
        house.mails().await.is_empty(),
        "who never confirmed gets no mail"
    );
    house.later(2 * day);
    assert_eq!(expire::run(&house.office).await.unwrap().unconfirmed, 1);
    house.later(60 * day);
    let gone = expire::run(&house.office).await.unwrap();
    assert_eq!((gone.unconfirmed, gone.pending), (0, 1));
    assert_eq!(
        subjects(&house.mails().await),
        ["Your sign-up has expired – Example Meetings"]
    );
    assert_eq!(
        expire::run(&house.office).await.unwrap(),
        expire::Expired::default()
    );
    // The name is free again.
    house
        .sign_up("ben", "ben@example.org", &[])
        .await
        .goes("/sign-up/sent");
}
