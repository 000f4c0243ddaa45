//! Nothing tells whether an address or a name has an account: the same answer byte for byte, the
//! same number of statements, the same time.

use std::time::{Duration, Instant};

use jitsi_install::account::act::{settings, signin};
use jitsi_install::account::{Actor, Role, State};
use jitsi_install::secret::Secret;

use crate::databases::elsewhere;
use crate::house::{Browser, House, PASSWORD, Reply};

/// All of an answer.
fn whole(reply: &Reply) -> String {
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    format!("{}\n{}\n{}", reply.status, headers.join("\n"), reply.text)
}

/// Asks, from an address of its own each time; the answer, the statements, the time.
async fn measure(
    house: &House,
    number: usize,
    path: &str,
    form: &[(&str, &str)],
) -> (String, u64, Duration) {
    let address = format!("10.{}.{}.1", number / 250, number % 250).leak();
    let browser = Browser::at(address);
    // What is in force is read every two seconds, whoever asks.
    settings::policy(&house.office).await.unwrap();
    let before = house.office.store.asked();
    let began = Instant::now();
    let reply = house.post(&browser, path, form).await;
    let took = began.elapsed();
    (whole(&reply), house.office.store.asked() - before, took)
}

/// The least of many: what the work itself takes, without what else the machine does.
fn least(all: Vec<Duration>) -> Duration {
    all.into_iter().min().unwrap()
}

/// A server is shared with the tests that run beside, and its times are theirs as well: there the
/// number of statements must do.
#[track_caller]
fn assert_alike(what: &str, one: Duration, other: Duration) {
    let ratio = one.as_secs_f64() / other.as_secs_f64();
    let is_alike = (0.6..1.67).contains(&ratio);
    assert!(
        is_alike || !elsewhere::is_alone(),
        "{what}: {one:?} and {other:?}"
    );
}

#[tokio::test]
pub async fn forgotten_passwords_mails_again_and_wrong_passwords() {
    let house = House::new().await;
    let rounds = 40;
    for number in 0..rounds {
        house
            .person(&format!("ann{number}x"), State::Active, Role::Member)
            .await;
        house
            .person(&format!("una{number}x"), State::Unconfirmed, Role::Member)
            .await;
        house
            .person(&format!("bob{number}x"), State::Active, Role::Member)
            .await;
    }
    let mut number = 0;
    for (path, known) in [("/forgot", "ann"), ("/resend", "una"), ("/sign-in", "bob")] {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut seen = Vec::new();
            for name in [known, "non"] {
                number += 1;
                let is_known = name == known;
                // An address that was asked for before would be counted in another way.
                let last = if !is_known && path == "/resend" {
                    "r"
                } else {
                    ""
                };
                let name = format!("{name}{round}x{last}");
                let email = format!("{name}@example.org");
                let form = [
                    ("email", email.as_str()),
                    ("name", &email),
                    ("password", "x y z 12 34"),
                ];
                let (answer, statements, took) = measure(&house, number, path, &form).await;
                let answer = answer.replace(&email, "EMAIL");
                if is_known { &mut fast } else { &mut slow }.push(took);
                seen.push((answer, statements));
            }
            assert_eq!(seen[0], seen[1], "{path}");
        }
        let (known, unknown) = (least(fast), least(slow));
        println!("{path}: known {known:?}, unknown {unknown:?}");
        assert_alike(path, known, unknown);
    }
}

#[tokio::test]
pub async fn signing_up() {
    let house = House::new().await;
    let rounds = 25;
    for number in 0..rounds {
        house
            .person(&format!("ann{number}x"), State::Active, Role::Member)
            .await;
    }
    let (mut fast, mut slow, mut number) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let mut seen = Vec::new();
        for name in ["ann", "non"] {
            number += 1;
            let login = format!("new-{name}{round}");
            let email = format!("{name}{round}x@example.org");
            let form = house.sign_up_form(&login, &email).await;
            let form: Vec<(&str, &str)> = form
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let (answer, statements, took) = measure(&house, number, "/sign-up", &form).await;
            if name == "non" { &mut slow } else { &mut fast }.push(took);
            seen.push((answer, statements));
            // A second try with that name tells nothing either.
            number += 1;
            let form = house
                .sign_up_form(&login, &format!("other{number}@example.org"))
                .await;
            let form: Vec<(&str, &str)> = form
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let again = measure(&house, number, "/sign-up", &form).await;
            assert!(again.0.starts_with("422"), "the name is taken either way");
            // And so does signing in with what was just chosen.
            number += 1;
            let form = [("name", login.as_str()), ("password", PASSWORD)];
            let told = measure(&house, number, "/sign-in", &form).await;
            assert!(told.0.starts_with("403") && told.0.contains("confirm your address first"));
        }
        assert_eq!(seen[0], seen[1]);
    }
    let (known, unknown) = (least(fast), least(slow));
    println!("known {known:?}, unknown {unknown:?}");
    assert_alike("/sign-up", known, unknown);
    // Only the owners were told.
    let mails = house.mails().await;
    let already = mails
        .iter()
        .filter(|mail| mail.subject.starts_with("You already have"))
        .count();
    assert_eq!((already, mails.len()), (rounds, 2 * rounds));
}

#[tokio::test]
pub async fn what_prosody_hears() {
    let house = House::new().await;
    house.ann().await;
    house.person("sue", State::Suspended, Role::Member).await;
    let logins = ["ann", "sue", "nobody"];
    let (mut times, mut counts) = ([vec![], vec![], vec![]], [vec![], vec![], vec![]]);
    for _ in 0..25 {
        for (place, login) in logins.iter().enumerate() {
            let password = Secret::new("something else 8".to_owned());
            let before = house.office.store.asked();
            let began = Instant::now();
            let answer =
                signin::for_prosody(&house.office, &Actor::default(), login, &password).await;
            assert_eq!(answer, Ok(false));
            times[place].push(began.elapsed());
            counts[place].push(house.office.store.asked() - before);
        }
        house.later(400);
    }
    assert!(
        counts[0] == counts[1] && counts[1] == counts[2],
        "{counts:?}"
    );
    let [ann, sue, nobody] = times.map(least);
    println!("ann {ann:?}, sue {sue:?}, nobody {nobody:?}");
    for other in [sue, nobody] {
        assert_alike("what Prosody asks", ann, other);
    }
}
