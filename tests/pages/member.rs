//! One's own account.
//!
//! Over 400 lines: every act of one's own account, one after the other.

use jitsi_install::account::totp::Seed;
use jitsi_install::account::{Role, State};

use crate::house::{Browser, House, PASSWORD, subjects};

const NEW: &str = "another good password 9";

#[tokio::test]
pub async fn name_and_language() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    let form = [("display_name", "  Ann  Example "), ("language", "de")];
    house
        .post(&browser, "/account/profile", &form)
        .await
        .goes("/account");
    let after = house.account(&ann.id).await;
    assert_eq!(
        (after.display_name.as_str(), after.language.as_str()),
        ("Ann Example", "de")
    );
    house
        .get(&browser, "/account")
        .await
        .is(200)
        .says("lang=\"de\"")
        .says("Ann Example");
    let long = "a".repeat(101);
    for (name, language) in [(long.as_str(), "de"), ("Ann\u{202e}", "de"), ("Ann", "xx")] {
        let form = [("display_name", name), ("language", language)];
        house
            .post(&browser, "/account/profile", &form)
            .await
            .is(422);
    }
    assert_eq!(house.account(&ann.id).await, after);
    // The switch at the foot changes both, and goes back to one of our pages.
    for (back, to) in [
        ("/account/email", "/account/email"),
        ("//example.net", "/"),
        ("https://example.net", "/"),
    ] {
        let form = [("language", "fr"), ("back", back)];
        house.post(&browser, "/language", &form).await.goes(to);
    }
    assert_eq!(house.account(&ann.id).await.language, "fr");
    let visitor = Browser::new();
    house
        .post(
            &visitor,
            "/language",
            &[("language", "nl"), ("back", "/sign-in")],
        )
        .await
        .goes("/sign-in");
    house.get(&visitor, "/sign-in").await.says("lang=\"nl\"");
    house
        .post(
            &visitor,
            "/language",
            &[("language", "../x"), ("back", "/")],
        )
        .await
        .is(400);
}

#[tokio::test]
pub async fn another_password() {
    let house = House::new().await;
    let ann = house.ann().await;
    let (browser, other) = (
        house.inside(&ann, false).await,
        house.inside(&ann, false).await,
    );
    let key = browser.key();
    for (old, new, text) in [
        ("something else 8", NEW, "not your password"),
        (PASSWORD, "short", "at least 10 characters"),
        (PASSWORD, "ann@example.org", "too close"),
    ] {
        let form = [("old", old), ("password", new)];
        house
            .post(&browser, "/account/password", &form)
            .await
            .is(422)
            .says(text);
    }
    let form = [("old", PASSWORD), ("password", NEW)];
    house
        .post(&browser, "/account/password", &form)
        .await
        .goes("/account");
    assert_ne!(browser.key(), key, "a new key for the session");
    house.get(&browser, "/account").await.is(200);
    house.get(&other, "/account").await.is(303);
    assert_eq!(
        subjects(&house.mails().await),
        ["Your password was changed – Example Meetings"]
    );
    house
        .sign_in(&Browser::new(), "ann", NEW)
        .await
        .goes("/account");
    assert!(
        house
            .trail()
            .await
            .iter()
            .any(|w| w.entry.action == "password.changed")
    );
}

#[tokio::test]
pub async fn sessions_are_listed_and_ended() {
    let house = House::new().await;
    let ann = house.ann().await;
    let ben = house.person("ben", State::Active, Role::Member).await;
    let (browser, other) = (
        house.inside(&ann, false).await,
        house.inside(&ann, false).await,
    );
    let third = house.inside(&ann, false).await;
    let foreign = house.inside(&ben, false).await;
    let page = house.get(&browser, "/account/sessions").await.is(200);
    assert_eq!(page.text.matches("name=\"session\"").count(), 2);
    assert!(page.has("This one") && page.has("192.0.2.7"));
    assert!(!page.has(&browser.key().unwrap()), "keys are never shown");
    // Nobody ends the session of somebody else.
    let of_ben = house.get(&foreign, "/account/sessions").await;
    assert_eq!(of_ben.text.matches("name=\"session\"").count(), 0);
    let hash = jitsi_install::account::act::link::digest(&foreign.key().unwrap());
    house
        .post(&browser, "/account/sessions/end", &[("session", &hash)])
        .await
        .is(404);
    house.get(&foreign, "/account").await.is(200);

    let hash = jitsi_install::account::act::link::digest(&other.key().unwrap());
    house
        .post(&browser, "/account/sessions/end", &[("session", &hash)])
        .await
        .goes("/account/sessions");
    house.get(&other, "/account").await.is(303);
    house.get(&third, "/account").await.is(200);
    house
        .post(&browser, "/account/sessions/end-others", &[])
        .await
        .goes("/account/sessions");
    house.get(&third, "/account").await.is(303);
    house.get(&browser, "/account").await.is(200);
}

#[tokio::test]
pub async fn what_matters_asks_for_the_password_again() {
    let house = House::new().await;
    let ann = house.ann().await;
    let browser = house.inside(&ann, false).await;
    house.later(601);
    for page in [
        "/account/email",
        "/account/second-factor",
        "/account/delete",
    ] {
        let next = format!("/again?next=/accounts{page}");
        house.get(&browser, page).await.goes(&next);
        house
            .post(
                &browser,
                page,
                &[("email", "x@example.org"), ("login", "ann")],
            )
            .await
            .goes(&next);
    }
    assert!(house.mails().await.is_empty());
    house.get(&browser, "/account/profile").await.is(200);
    let key = browser.key();
    let next = ("next", "/accounts/account/email");
    house
        .post(
            &browser,
            "/again",
            &[("password", "something else 8"), next],
        )
        .await
        .is(422);
    house
        .post(&browser, "/again", &[("password", PASSWORD), next])
        .await
        .goes("/account/email");
    assert_ne!(browser.key(), key);
    house.get(&browser, "/account/email").await.is(200);
}

/// Reads the seed off the page.
fn seed_of(page: &str) -> Seed {
    let at = page.find("class=\"mono\">").unwrap() + "class=\"mono\">".len();
    let text: String = page[at..]
        .chars()
        .take_while(|c| *c != '<')
        .filter(|c| *c != ' ')
        .collect();
    let mut bits = String::new();
    for letter in text.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
        bits.push_str(&format!("{value:05b}"));
    }
    let bits: Vec<char> = bits.chars().collect();
    let bytes = bits
        .chunks_exact(8)
        .map(|eight| u8::from_str_radix(&eight.iter().collect::<String>(), 2).unwrap());
    Seed::from_bytes(bytes.collect()).unwrap()
}

#[tokio::test]
pub async fn a_second_factor_is_set_up_used_and_switched_off() {
    let house = House::new().await;
    let ann = house.ann().await;
    let (browser, other) = (
        house.inside(&ann, false).await,
        house.inside(&ann, false).await,
    );
    let page = house
        .get(&browser, "/account/second-factor")
        .await
        .is(200)
        .says("<svg");
    let (offer, seed) = (page.value("offer"), seed_of(&page.text));
    let wrong = [("offer", offer.as_str()), ("code", "000000")];
    let again = house
        .post(&browser, "/account/second-factor", &wrong)
        .await
        .is(422);
    assert_eq!(
        seed_of(&again.text).bytes(),
        seed.bytes(),
        "the same picture again"
    );
    assert!(!house.account(&ann.id).await.has_totp);
    let code = house.code(&seed);
    let right = [("offer", offer.as_str()), ("code", code.as_str())];
    // Another account cannot use the offer.
    let ben = house.person("ben", State::Active, Role::Member).await;
    let foreign = house.inside(&ben, false).await;
    house
        .post(&foreign, "/account/second-factor", &right)
        .await
        .is(303);
    assert!(!house.account(&ben.id).await.has_totp);

    let key = browser.key();
    let done = house
        .post(&browser, "/account/second-factor", &right)
        .await
        .is(200);
    let codes: Vec<String> = done
        .text
        .split("<li>")
        .skip(1)
        .map(|part| part.split("</li>").next().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    assert_ne!(browser.key(), key);
    house.get(&other, "/account").await.is(303);
    assert_eq!(
        subjects(&house.mails().await),
        ["Second factor switched on – Example Meetings"]
    );
    let sealed = house.held(&ann).await.totp_seed.unwrap();
    assert!(!sealed.reveal().contains(seed.base32().reveal().as_str()));

    // The code that set it up is used; a recovery code works once.
    let lost = Browser::new();
    house
        .sign_in(&lost, "ann", PASSWORD)
        .await
        .goes("/second-factor?next=");
    house
        .post(&lost, "/second-factor", &[("code", &code)])
        .await
        .is(422);
    house
        .post(
            &lost,
            "/second-factor",
            &[("code", &codes[0].to_uppercase())],
        )
        .await
        .goes("/account");
    assert_eq!(
        subjects(&house.mails().await),
        ["A recovery code was used – Example Meetings"]
    );
    let again = Browser::new();
    house.sign_in(&again, "ann", PASSWORD).await;
    house
        .post(&again, "/second-factor", &[("code", &codes[0])])
        .await
        .is(422);
    house
        .get(&lost, "/account/recovery-codes")
        .await
        .is(200)
        .says("9 recovery codes left");
    let anew = house
        .post(&lost, "/account/recovery-codes", &[])
        .await
        .is(200);
    assert!(!anew.has(&codes[1]));
    house
        .post(&again, "/second-factor", &[("code", &codes[1])])
        .await
        .is(422);

    house.later(901);
    house.get(&lost, "/account/second-factor").await.is(200);
    house
        .post(&lost, "/account/second-factor/off", &[])
        .await
        .is(303);
    assert!(
        house.account(&ann.id).await.has_totp,
        "not without the password again"
    );
    let code = house.code(&seed);
    let form = [("password", PASSWORD), ("code", "111111")];
    house.post(&lost, "/again", &form).await.is(422);
    let form = [("password", PASSWORD), ("code", code.as_str())];
    house.post(&lost, "/again", &form).await.goes("/account");
    house
        .post(&lost, "/account/second-factor/off", &[])
        .await
        .goes("/account");
    assert!(!house.account(&ann.id).await.has_totp);
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .goes("/account");
}

#[tokio::test]
pub async fn staff_without_a_second_factor_is_led_to_set_it_up() {
    let house = House::new().await;
    let boss = house.person("boss", State::Active, Role::Admin).await;
    let browser = Browser::new();
    house
        .sign_in(&browser, "boss", PASSWORD)
        .await
        .goes("/account");
    house
        .get(&browser, "/account")
        .await
        .is(200)
        .says("needs a second factor");
    house
        .get(&browser, "/admin")
        .await
        .goes("/account/second-factor");
    house
        .post(&browser, "/admin/settings", &[])
        .await
        .goes("/account/second-factor");
    let page = house.get(&browser, "/account/second-factor").await.is(200);
    let code = house.code(&seed_of(&page.text));
    let form = [("offer", page.value("offer")), ("code", code)];
    let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (*a, b.as_str())).collect();
    house
        .post(&browser, "/account/second-factor", &form)
        .await
        .is(200);
    house.get(&browser, "/admin").await.is(200);
    assert!(house.account(&boss.id).await.has_totp);
}

#[tokio::test]
pub async fn who_leaves_leaves_nothing_but_the_name() {
    let house = House::new().await;
    let ann = house.ann().await;
    let (browser, other) = (
        house.inside(&ann, false).await,
        house.inside(&ann, false).await,
    );
    house
        .post(&browser, "/account/delete", &[("login", "ben")])
        .await
        .is(422);
    house
        .post(&browser, "/account/delete", &[("login", "ann")])
        .await
        .is(200)
        .says("is deleted");
    house.get(&other, "/account").await.is(303);
    let gone = house.account(&ann.id).await;
    assert_eq!(
        (gone.state, gone.email, gone.display_name.as_str()),
        (State::Deleted, None, "")
    );
    assert_eq!(
        subjects(&house.mails().await),
        ["Your account was deleted – Example Meetings"]
    );
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .is(422);
    house
        .sign_up("ann", "ann@example.org", &[])
        .await
        .is(422)
        .says("cannot be used");
    house
        .sign_up("ann2", "ann@example.org", &[])
        .await
        .goes("/sign-up/sent");

    let boss = house.person("boss", State::Active, Role::Admin).await;
    let last = house.inside(&boss, true).await;
    house
        .post(&last, "/account/delete", &[("login", "boss")])
        .await
        .is(422)
        .says("last administrator");
    assert_eq!(house.account(&boss.id).await.state, State::Active);
}
