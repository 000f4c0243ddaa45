//! Signing in and out, with and without a second factor, and too many tries.
//!
//! Over 400 lines: every way in, and what keeps each of them shut.

use base64::Engine as _;
use jitsi_install::account::act::Failure;
use jitsi_install::account::act::signin;
use jitsi_install::account::password::Keys;
use jitsi_install::account::{Actor, Role, State};
use jitsi_install::secret::Secret;

use crate::house::{Browser, House, PASSWORD, link};

#[tokio::test]
pub async fn by_name_or_address_and_out_again() {
    let house = House::new().await;
    let ann = house.ann().await;
    for name in ["ann", "ANN", " ann ", "ann@example.org", "Ann@Example.org"] {
        let browser = Browser::new();
        house
            .sign_in(&browser, name, PASSWORD)
            .await
            .goes("/account");
        house
            .get(&browser, "/account")
            .await
            .is(200)
            .says("The ann");
        let key = browser.key().unwrap();
        let out = house
            .post(&browser, "/sign-out", &[])
            .await
            .goes("/sign-in");
        assert!(out.headers.get_all("set-cookie").iter().count() >= 2);
        house
            .get(&browser, "/sign-in")
            .await
            .is(200)
            .says("You are signed out");
        house.get(&browser, "/sign-in").await.is(200);
        // The key is dead, also for who kept it.
        browser.keep("__Host-jitsi-accounts", &key);
        house
            .get(&browser, "/account")
            .await
            .goes("/sign-in?next=/accounts/account");
    }
    assert!(house.account(&ann.id).await.last_seen.is_some());
    let actions: Vec<String> = house
        .trail()
        .await
        .iter()
        .map(|w| w.entry.action.clone())
        .collect();
    assert_eq!(
        actions.iter().filter(|action| *action == "signin").count(),
        5
    );
    assert_eq!(
        actions.iter().filter(|action| *action == "signout").count(),
        5
    );
}

#[tokio::test]
pub async fn the_way_back_is_one_of_ours() {
    let house = House::new().await;
    house.ann().await;
    for (next, to) in [
        ("/accounts/account/sessions", "/account/sessions"),
        ("/accounts/admin/users?q=ann", "/admin/users?q=ann"),
        ("https://example.net/", "/account"),
        ("//example.net/accounts/", "/account"),
        ("/accounts//example.net", "/account"),
        ("/accounts/\\example.net", "/account"),
        ("/accounts/a\r\nset-cookie: x=y", "/account"),
        ("/meeting", "/account"),
        ("", "/account"),
    ] {
        let form = [("name", "ann"), ("password", PASSWORD), ("next", next)];
        house
            .post(&Browser::new(), "/sign-in", &form)
            .await
            .goes(to);
        let browser = Browser::new();
        house.sign_in(&browser, "ann", PASSWORD).await;
        let form = [("password", PASSWORD), ("next", next)];
        house.post(&browser, "/again", &form).await.goes(to);
        let query = jitsi_install::web::guard::encoded(next);
        house
            .get(&browser, &format!("/sign-in?next={query}"))
            .await
            .goes(to);
        house.later(60);
    }
}

#[tokio::test]
pub async fn how_an_account_stands_is_told_after_the_right_password_only() {
    let house = House::new().await;
    for (login, state, text) in [
        (
            "una",
            State::Unconfirmed,
            "Please confirm your address first",
        ),
        ("pia", State::Pending, "Your sign-up is being looked at"),
        ("rex", State::Rejected, "Your sign-up was not approved"),
        ("sue", State::Suspended, "This account is suspended"),
    ] {
        house.person(login, state, Role::Member).await;
        let browser = Browser::new();
        let told = house.sign_in(&browser, login, PASSWORD).await;
        let told = told.is(403).says(text);
        assert_eq!(told.has("name=\"email\""), state == State::Unconfirmed);
        assert_eq!(browser.key(), None);
        let wrong = house.sign_in(&browser, login, "something else 8").await;
        let wrong = wrong.is(422).says("do not belong together");
        assert!(!wrong.has(text));
    }
}

#[tokio::test]
pub async fn the_second_factor_is_asked_for_and_each_code_is_good_once() {
    let house = House::new().await;
    let ann = house.ann().await;
    let seed = house.second_factor(&ann).await;
    let browser = Browser::new();
    house
        .sign_in(&browser, "ann", PASSWORD)
        .await
        .goes("/second-factor?next=");
    assert_eq!(browser.key(), None, "half a sign-in is none");
    house.get(&browser, "/account").await.is(303);
    house
        .get(&browser, "/second-factor")
        .await
        .is(200)
        .says("one-time-code");
    let wrong = house
        .post(&browser, "/second-factor", &[("code", "000000")])
        .await;
    wrong.is(422).says("This code is not right");
    let code = house.code(&seed);
    house
        .post(&browser, "/second-factor", &[("code", &code)])
        .await
        .goes("/account");
    house.get(&browser, "/account").await.is(200);
    // The same code again, in another browser.
    let other = Browser::new();
    house.sign_in(&other, "ann", PASSWORD).await;
    house
        .post(&other, "/second-factor", &[("code", &code)])
        .await
        .is(422);
    house.later(31);
    let code = house.code(&seed);
    house
        .post(&other, "/second-factor", &[("code", &code)])
        .await
        .goes("/account");
    // Too late.
    let late = Browser::new();
    house.sign_in(&late, "ann", PASSWORD).await;
    house.later(301);
    let code = house.code(&seed);
    house
        .post(&late, "/second-factor", &[("code", &code)])
        .await
        .goes("/sign-in");
    assert_eq!(late.key(), None);
    // Without the first half there is no second.
    house
        .post(&Browser::new(), "/second-factor", &[("code", &code)])
        .await
        .goes("/sign-in");
}

#[tokio::test]
pub async fn codes_cannot_be_guessed() {
    let house = House::new().await;
    let ann = house.ann().await;
    house.second_factor(&ann).await;
    let addresses = ["192.0.2.1", "192.0.2.2"];
    let mut limited = 0;
    for address in addresses {
        let browser = Browser::at(address);
        house.sign_in(&browser, "ann", PASSWORD).await;
        for _ in 0..12 {
            let reply = house
                .post(&browser, "/second-factor", &[("code", "000000")])
                .await;
            limited += i32::from(reply.status.as_u16() == 429);
        }
    }
    assert!(
        limited >= 12,
        "ten codes in a quarter of an hour, from wherever: {limited}"
    );
}

#[tokio::test]
pub async fn a_guesser_is_slowed_and_nobody_is_shut_out() {
    let house = House::new().await;
    house.ann().await;
    let home = Browser::at("198.51.100.1");
    house.sign_in(&home, "ann", PASSWORD).await.goes("/account");
    house.post(&home, "/sign-out", &[]).await;

    let guesser = Browser::at("192.0.2.66");
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let reply = house.sign_in(&guesser, "ann", "something else 8").await;
        statuses.push(reply.status.as_u16());
        if reply.status.as_u16() == 429 {
            assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0);
        }
    }
    assert_eq!(statuses, [[422; 10].as_slice(), &[429; 2]].concat());
    // Right or wrong makes no difference then.
    house.sign_in(&guesser, "ann", PASSWORD).await.is(429);
    // Ann, elsewhere, on a browser that is not known: in.
    let new = Browser::at("203.0.113.5");
    house.sign_in(&new, "ann", PASSWORD).await.goes("/account");
    // Many addresses use up the tries of unknown browsers, but not of hers.
    let many: Vec<String> = (1..=60).map(|n| format!("10.0.{n}.1")).collect();
    let mut last = 0;
    for address in many {
        let browser = Browser::at(address.leak());
        last = house
            .sign_in(&browser, "ann", "something else 8")
            .await
            .status
            .as_u16();
    }
    assert_eq!(last, 429);
    house
        .sign_in(&Browser::at("203.0.113.9"), "ann", PASSWORD)
        .await
        .is(429);
    house.sign_in(&home, "ann", PASSWORD).await.goes("/account");
    // On a new device the way in leads through a mailed link.
    let away = Browser::at("203.0.113.44");
    house
        .post(&away, "/forgot", &[("email", "ann@example.org")])
        .await;
    let token = link(&house.mail().await, "/reset");
    let form = [("t", token.as_str()), ("password", PASSWORD)];
    house.post(&away, "/reset", &form).await.goes("/sign-in");
    house.sign_in(&away, "ann", PASSWORD).await.goes("/account");
    // Some minutes later everybody may try again.
    house.later(901);
    house
        .sign_in(&Browser::at("203.0.113.9"), "ann", PASSWORD)
        .await
        .goes("/account");
    house
        .sign_in(&guesser, "ann", PASSWORD)
        .await
        .goes("/account");
}

/// What is refused at one address is not counted against the name.
#[tokio::test]
async fn a_guesser_at_one_address_slows_nobody_else() {
    let house = House::new().await;
    house.ann().await;
    let guesser = Browser::at("192.0.2.66");
    for tries in 0..80 {
        let reply = house.sign_in(&guesser, "ann", "something else 8").await;
        reply.is(if tries < 10 { 422 } else { 429 });
        house.later(6);
    }
    let new = Browser::at("203.0.113.5");
    house.sign_in(&new, "ann", PASSWORD).await.goes("/account");
}

/// A password takes a while to check. Who changes it meanwhile ends that sign-in too.
#[tokio::test]
async fn a_sign_in_under_way_ends_with_the_password() {
    let house = House::new().await;
    let ann = house.ann().await;
    let mut salted = [0; 32];
    let rounds = 400_000;
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(PASSWORD.as_bytes(), b"some salt", rounds, &mut salted);
    let salted = base64::engine::general_purpose::STANDARD.encode(salted);
    let slow = Keys {
        hash: Secret::new(format!("pbkdf2_sha256${rounds}$some salt${salted}")),
        scram_sha_1: None,
        scram_sha_256: None,
    };
    let change = async |stamp: &str| {
        let work = house.office.store.begin().await.unwrap();
        work.set_keys(&ann.id, &slow, stamp).await.unwrap();
        work.end_sessions(&ann.id, None).await.unwrap();
        work.commit().await.unwrap();
    };
    change("before").await;
    let browser = Browser::new();
    let reset = async {
        while house.office.hasher.load() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        change("after").await;
    };
    let (reply, ()) = tokio::join!(house.sign_in(&browser, "ann", PASSWORD), reset);
    reply.is(422);
    assert_eq!(browser.key(), None);
    let sessions = house
        .office
        .store
        .sessions(&ann.id, house.office.world.now());
    assert!(sessions.await.unwrap().is_empty());
}

/// Tries for a name are no tries for its address: otherwise the one would tell of the other.
#[tokio::test]
async fn limits_do_not_tell_whose_an_address_is() {
    let house = House::new().await;
    house.ann().await;
    let guesser = Browser::at("192.0.2.66");
    for _ in 0..12 {
        house.sign_in(&guesser, "ann", "something else 8").await;
    }
    house
        .sign_in(&guesser, "ann", "something else 8")
        .await
        .is(429);
    for address in ["ann@example.org", "nobody@example.org"] {
        for tries in 0..12 {
            // Other browsers would have other limits of the network.
            house.later(60);
            let typed = ["", " "][tries % 2].to_owned() + &address.to_uppercase();
            let reply = house.sign_in(&guesser, &typed, "something else 8").await;
            reply.is(if tries < 10 { 422 } else { 429 });
        }
        house.later(120);
    }
}

#[tokio::test]
pub async fn a_known_browser_is_known_for_its_account_only() {
    let house = House::new().await;
    house.ann().await;
    house.person("ben", State::Active, Role::Member).await;
    let browser = Browser::at("198.51.100.1");
    house
        .sign_in(&browser, "ben", PASSWORD)
        .await
        .goes("/account");
    let cookie = browser.has("__Host-jitsi-accounts-device").unwrap();
    assert!(!cookie.contains("ben"));
    for tries in 0..11 {
        // Ben's cookie buys nothing for Ann's account.
        let other = Browser::at("198.51.100.2");
        other.keep("__Host-jitsi-accounts-device", &cookie);
        let status = house
            .sign_in(&other, "ann", "something else 8")
            .await
            .status
            .as_u16();
        assert_eq!(status, if tries < 10 { 422 } else { 429 });
    }
    house
        .sign_in(&Browser::at("198.51.100.2"), "ann", PASSWORD)
        .await
        .is(429);
}

#[tokio::test]
pub async fn old_hashes_are_made_anew_at_the_next_sign_in() {
    let house = House::new().await;
    let ann = house.ann().await;
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(PASSWORD.as_bytes(), b"some salt", 1000, &mut salted);
    let salted = base64::engine::general_purpose::STANDARD.encode(salted);
    let old = Keys {
        hash: Secret::new(format!("pbkdf2_sha256$1000$some salt${salted}")),
        scram_sha_1: None,
        scram_sha_256: None,
    };
    let work = house.office.store.begin().await.unwrap();
    work.set_keys(&ann.id, &old, "stamp").await.unwrap();
    work.commit().await.unwrap();
    house
        .sign_in(&Browser::new(), "ann", "something else 8")
        .await
        .is(422);
    let kept = house.held(&ann).await.keys.unwrap();
    assert!(kept.hash.reveal().starts_with("pbkdf2_sha256$"));
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .goes("/account");
    let kept = house.held(&ann).await.keys.unwrap();
    assert!(kept.hash.reveal().starts_with("$argon2id$"));
    house
        .sign_in(&Browser::new(), "ann", PASSWORD)
        .await
        .goes("/account");
}

#[tokio::test]
pub async fn prosody_is_answered() {
    let house = House::new().await;
    house.ann().await;
    house.person("sue", State::Suspended, Role::Member).await;
    let ask = async |login: &str, password: &str| {
        let password = Secret::new(password.to_owned());
        signin::for_prosody(&house.office, &Actor::default(), login, &password).await
    };
    assert_eq!(ask("ann", PASSWORD).await, Ok(true));
    assert_eq!(ask("ANN", PASSWORD).await, Ok(true));
    assert_eq!(ask("ann", "something else 8").await, Ok(false));
    assert_eq!(ask("sue", PASSWORD).await, Ok(false));
    assert_eq!(ask("nobody", PASSWORD).await, Ok(false));
    assert_eq!(ask("ann@example.org", PASSWORD).await, Ok(false));
    for _ in 0..29 {
        assert_eq!(ask("ann", "something else 8").await, Ok(false));
    }
    assert!(matches!(
        ask("ann", "something else 8").await,
        Err(Failure::Limited(_))
    ));
    house.later(301);
    assert_eq!(ask("ann", PASSWORD).await, Ok(true));
}
