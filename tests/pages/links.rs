//! Links in mails: to choose a password, to change an address, and back.

use jitsi_install::account::store::Purpose;
use jitsi_install::account::{Role, State};

use crate::house::{Browser, House, PASSWORD, link, subjects};

const NEW: &str = "another good password 9";

#[tokio::test]
pub async fn a_forgotten_password_is_chosen_anew() {
    let house = House::new().await;
    let ann = house.ann().await;
    let seed = house.second_factor(&ann).await;
    let inside = house.inside(&ann, true).await;
    let browser = Browser::new();
    house
        .post(&browser, "/forgot", &[("email", "Ann@Example.org")])
        .await
        .goes("/forgot/sent");
    let first = link(&house.mail().await, "/reset");
    // A later link makes the earlier one useless.
    house
        .post(&browser, "/forgot", &[("email", "ann@example.org")])
        .await
        .goes("/forgot/sent");
    let token = link(&house.mail().await, "/reset");
    house
        .get(&browser, &format!("/reset?t={first}"))
        .await
        .is(410)
        .says("was used already");
    house
        .get(&browser, &format!("/reset?t={token}"))
        .await
        .is(200)
        .says("new-password");
    // A weak one is refused and the link stays good.
    let form = [("t", token.as_str()), ("password", "short")];
    house
        .post(&browser, "/reset", &form)
        .await
        .is(422)
        .says("at least 10 characters");
    let form = [("t", token.as_str()), ("password", NEW)];
    house.post(&browser, "/reset", &form).await.goes("/sign-in");
    assert_eq!(
        subjects(&house.mails().await),
        ["Your password was changed – Example Meetings"]
    );
    house.post(&browser, "/reset", &form).await.is(410);
    house.get(&inside, "/account").await.is(303);
    house.sign_in(&browser, "ann", PASSWORD).await.is(422);
    // The second factor stays.
    house
        .sign_in(&browser, "ann", NEW)
        .await
        .goes("/second-factor?next=");
    let code = house.code(&seed);
    house
        .post(&browser, "/second-factor", &[("code", &code)])
        .await
        .goes("/account");
}

#[tokio::test]
pub async fn links_end_after_their_time_and_serve_one_purpose() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = Browser::new();
    house
        .post(&browser, "/forgot", &[("email", "ann@example.org")])
        .await;
    let token = link(&house.mail().await, "/reset");
    for page in ["/confirm", "/setup", "/email-change"] {
        let wrong = house.get(&browser, &format!("{page}?t={token}")).await;
        wrong.is(410).says("does not work");
        let form = [("t", token.as_str()), ("password", NEW)];
        house
            .post(&browser, page, &form)
            .await
            .is(410)
            .says("does not work");
    }
    house.later(3601);
    let form = [("t", token.as_str()), ("password", NEW)];
    house
        .get(&browser, &format!("/reset?t={token}"))
        .await
        .is(410)
        .says("too old");
    house
        .post(&browser, "/reset", &form)
        .await
        .is(410)
        .says("too old");
    for token in ["", "x", "' OR 1=1 --", &"a".repeat(500)] {
        let query = jitsi_install::web::guard::encoded(token);
        house
            .get(&browser, &format!("/reset?t={query}"))
            .await
            .is(410)
            .says("does not work");
    }
    house
        .sign_in(&browser, "ann", PASSWORD)
        .await
        .goes("/account");
    assert_eq!(house.account(&ann.id).await.state, State::Active);
}

#[tokio::test]
pub async fn who_may_not_sign_in_gets_no_link() {
    let house = House::new().await;
    for (login, state) in [
        ("una", State::Unconfirmed),
        ("rex", State::Rejected),
        ("sue", State::Suspended),
    ] {
        house.person(login, state, Role::Member).await;
        let email = format!("{login}@example.org");
        house
            .post(&Browser::new(), "/forgot", &[("email", &email)])
            .await
            .goes("/forgot/sent");
    }
    assert!(house.mails().await.is_empty());
}

#[tokio::test]
pub async fn an_account_that_somebody_made_gets_its_first_password_once() {
    let house = House::new().await;
    let ann = house.ann().await;
    let work = house.office.store.begin().await.unwrap();
    let none = jitsi_install::account::password::Keys::none();
    work.set_keys(&ann.id, &none, "stamp").await.unwrap();
    let office = &house.office;
    let make = jitsi_install::account::act::link::make;
    let address = make(office, &work, &ann.id, Purpose::Setup, "", 3600)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let token = address.rsplit_once("?t=").unwrap().1;
    let browser = Browser::new();
    house.sign_in(&browser, "ann", PASSWORD).await.is(422);
    house.sign_in(&browser, "ann", "").await.is(422);
    house
        .get(&browser, &format!("/setup?t={token}"))
        .await
        .is(200)
        .says("Welcome!");
    let form = [("t", token), ("password", NEW)];
    house.post(&browser, "/setup", &form).await.goes("/sign-in");
    house.post(&browser, "/setup", &form).await.is(410);
    house.sign_in(&browser, "ann", NEW).await.goes("/account");
}

#[tokio::test]
pub async fn an_address_changes_when_the_new_one_confirms_and_the_old_one_takes_it_back() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    let form = [("email", "new@example.org")];
    house
        .post(&browser, "/account/email", &form)
        .await
        .goes("/account");
    let mail = house.mail().await;
    assert_eq!(mail.recipient, "new@example.org");
    let token = link(&mail, "/email-change");
    assert_eq!(
        house.account(&ann.id).await.email.as_deref(),
        Some("ann@example.org")
    );
    // The link needs no sign-in: it may be opened on another device.
    let other = Browser::new();
    house
        .get(&other, &format!("/email-change?t={token}"))
        .await
        .is(200)
        .says("new@example.org");
    house
        .post(&other, "/email-change", &[("t", &token)])
        .await
        .is(200);
    house
        .post(&other, "/email-change", &[("t", &token)])
        .await
        .is(410);
    assert_eq!(
        house.account(&ann.id).await.email.as_deref(),
        Some("new@example.org")
    );
    let told = house.mail().await;
    assert_eq!(told.recipient, "ann@example.org");

    let back = link(&told, "/email-change");
    house
        .get(&other, &format!("/email-change?t={back}"))
        .await
        .is(200)
        .says("Take the change back");
    house.get(&browser, "/account").await.is(200);
    house
        .post(&other, "/email-change", &[("t", &back)])
        .await
        .is(200)
        .says("taken back");
    assert_eq!(
        house.account(&ann.id).await.email.as_deref(),
        Some("ann@example.org")
    );
    house.get(&browser, "/account").await.is(303);
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .is(422);
    let reset = house.mail().await;
    assert_eq!(reset.recipient, "ann@example.org");
    let token = link(&reset, "/reset");
    let form = [("t", token.as_str()), ("password", NEW)];
    house.post(&other, "/reset", &form).await.goes("/sign-in");
    house
        .sign_in(&Browser::new(), "ann", NEW)
        .await
        .goes("/account");
}

/// Somebody knows the password for a while: what they asked for ends with it, and however often
/// they change the address, the first one takes it back for good.
#[tokio::test]
pub async fn whoever_knew_the_password_keeps_no_address() {
    let house = House::new().await;
    let ann = house.ann().await;
    let (stranger, other) = (house.inside(&ann, false).await, Browser::new());
    let ask = async |email: &str| {
        let form = [("email", email)];
        house.post(&stranger, "/account/email", &form).await;
        link(&house.mail().await, "/email-change")
    };
    let send = async |token: &str| house.post(&other, "/email-change", &[("t", token)]).await;
    let email = async || house.account(&ann.id).await.email.unwrap_or_default();

    // Asked for before the password was changed: worth nothing after it.
    let waiting = ask("foreign@example.net").await;
    house
        .post(&other, "/forgot", &[("email", "ann@example.org")])
        .await;
    let token = link(&house.mail().await, "/reset");
    let form = [("t", token.as_str()), ("password", NEW)];
    house.post(&other, "/reset", &form).await.goes("/sign-in");
    house.mails().await;
    let path = format!("/email-change?t={waiting}");
    house.get(&other, &path).await.is(410);
    send(&waiting).await.is(410);
    assert_eq!(email().await, "ann@example.org");

    // Twice changed: asking anew does not end the first address's way back, and neither does
    // the second's.
    let stranger = house.inside(&ann, false).await;
    let ask = async |email: &str| {
        let form = [("email", email)];
        house.post(&stranger, "/account/email", &form).await;
        link(&house.mail().await, "/email-change")
    };
    send(&ask("one@example.net").await).await.is(200);
    let to_ann = house.mail().await;
    assert_eq!(to_ann.recipient, "ann@example.org");
    send(&ask("two@example.net").await).await.is(200);
    let to_one = house.mail().await;
    assert_eq!(to_one.recipient, "one@example.net");
    send(&ask("three@example.net").await).await.is(200);
    let to_two = link(&house.mail().await, "/email-change");
    send(&link(&to_one, "/email-change")).await.is(200);
    assert_eq!(email().await, "one@example.net");
    send(&to_two).await.is(410);
    send(&link(&to_ann, "/email-change")).await.is(200);
    assert_eq!(email().await, "ann@example.org");
    for token in [&to_two, &link(&to_one, "/email-change")] {
        send(token).await.is(410);
    }
    assert_eq!(email().await, "ann@example.org");
}

#[tokio::test]
pub async fn nobody_takes_the_address_of_another() {
    let house = House::new().await;
    let ann = house.ann().await;
    house.person("ben", State::Active, Role::Member).await;
    let browser = house.inside(&ann, false).await;
    // Asking looks as always; the owner learns of it, and there is no link.
    let form = [("email", "BEN@example.org")];
    house
        .post(&browser, "/account/email", &form)
        .await
        .goes("/account");
    let mail = house.mail().await;
    assert_eq!(mail.recipient, "ben@example.org");
    assert!(!mail.text.contains("/email-change"));
    // Taken between asking and confirming.
    house
        .post(&browser, "/account/email", &[("email", "cleo@example.org")])
        .await;
    let token = link(&house.mail().await, "/email-change");
    house.person("cleo", State::Active, Role::Member).await;
    house
        .post(&browser, "/email-change", &[("t", &token)])
        .await
        .is(409);
    assert_eq!(
        house.account(&ann.id).await.email.as_deref(),
        Some("ann@example.org")
    );
    for (email, text) in [
        ("ann@example.org", "your address already"),
        ("nowhere", "not a complete"),
    ] {
        house
            .post(&browser, "/account/email", &[("email", email)])
            .await
            .is(422)
            .says(text);
    }
}
