//! Unknown, suspended, and a wrong password: one answer, one time, and in SCRAM one way there.

use std::time::{Duration, Instant};

use super::cases::Cases;
use super::databases::{Database, Kind};
use super::logins::ALL;
use super::people::{PASSWORD, everybody};
use super::place::{self, DOMAIN, Prosody, Way};
use super::standin_service::StandinService;
use super::xmpp::{Client, Login, Refusal, challenge, field};

/// Unlimited, so that the same may be asked often.
pub(crate) const UNLIMITED: &str = "sql_hashed_failures = 100000 sql_hashed_failures_of_address = 100000 sql_hashed_failures_of_name = 100000";

/// Who fails, and why.
const FAILING: &[(&str, &str)] = &[
    ("unknown", PASSWORD),
    ("another-unknown", "wrong"),
    ("sue", PASSWORD),
    ("stan", PASSWORD),
    ("ann", "wrong"),
    ("eve", "wrong"),
    ("dan", "wrong"),
    ("ben", "wrong"),
];

/// Shortest times that differ by less are taken for the same; the shortest, since a machine that does
/// other work makes any time longer, and none shorter.
const NOISE: Duration = Duration::from_millis(25);

fn timed(prosody: &Prosody, login: &Login) -> (Refusal, Duration) {
    let mut client = prosody.visit(Way::Websocket, DOMAIN);
    client.open().expect("it listens");
    let begun = Instant::now();
    let refusal = client.login(login).expect_err("a wrong one");
    (refusal, begun.elapsed())
}

/// Each a few times, in turn.
fn compare(prosody: &Prosody, title: &str, make: impl Fn(&str, &str) -> Login, cases: &mut Cases) {
    let mut times = vec![Vec::new(); FAILING.len()];
    let mut answers = Vec::new();
    let shortest = |times: &[Vec<Duration>]| -> Vec<Duration> {
        let each = times.iter().filter_map(|times| times.iter().min());
        each.copied().collect()
    };
    let spread = |times: &[Vec<Duration>]| {
        let shortest = shortest(times);
        let (least, most) = (shortest.iter().min(), shortest.iter().max());
        most.zip(least)
            .map_or(Duration::MAX, |(most, least)| *most - *least)
    };
    // Longer on a machine that does other work.
    for time in 0..27 {
        if time >= 9 && spread(&times) < NOISE {
            break;
        }
        for (one, (name, password)) in FAILING.iter().enumerate() {
            let (refusal, time) = timed(prosody, &make(name, password));
            times[one].push(time);
            answers.push(refusal);
        }
    }
    answers.dedup();
    cases.holds(&format!("{title}: one answer"), answers.len() == 1, || {
        format!("{answers:?}")
    });
    let found = shortest(&times);
    let (least, most) = (found.iter().min(), found.iter().max());
    cases.holds(
        &format!("{title}: one time"),
        spread(&times) < NOISE,
        || format!("{:?}", FAILING.iter().zip(&found).collect::<Vec<_>>()),
    );
    super::cases::say(&format!("{title}: from {least:?} to {most:?}"));
}

#[test]
fn whoever_fails_learns_nothing() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("answers alike");
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    service.takes(20);
    let options = format!(
        "{ALL}\n{UNLIMITED}\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"",
        database.settings(place.path()),
        service.url()
    );
    let prosody = Prosody::start(place.path(), &options);
    compare(
        &prosody,
        "PLAIN, the service asked",
        Login::plain,
        &mut cases,
    );
    drop(service);
    compare(&prosody, "PLAIN, in Prosody", Login::plain, &mut cases);
    compare(&prosody, "SCRAM-SHA-1", Login::scram_sha_1, &mut cases);
    let first = challenges(&prosody, &mut cases);
    drop(prosody);
    let prosody = Prosody::start(place.path(), &options);
    let again = challenges(&prosody, &mut cases);
    cases.same("salts are the same after a restart", first, again);
    cases.finish();
}

/// Salt and iterations of people who are not there, and of one who is suspended.
fn challenges(prosody: &Prosody, cases: &mut Cases) -> Vec<String> {
    let ask = |mechanism: &str, name: &str| {
        let mut client = prosody.visit(Way::Bosh, DOMAIN);
        client.open().expect("it listens");
        let (_, text) = challenge(&mut *client, mechanism, name).expect("a challenge");
        let of = |key: &str| field(&text, key).unwrap_or_default().to_owned();
        (of("s"), of("i"))
    };
    let mut salts = Vec::new();
    for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
        let real = ask(mechanism, "ann");
        for name in ["unknown", "another-unknown", "ben"] {
            let (salt, iterations) = ask(mechanism, name);
            cases.same("as many iterations", &iterations, &real.1);
            cases.same("a salt as long", salt.len(), real.0.len());
            cases.same(
                "the same when asked again",
                ask(mechanism, name).0,
                salt.clone(),
            );
            cases.same(
                "by any spelling of the name",
                ask(mechanism, &name.to_uppercase()).0,
                salt.clone(),
            );
            salts.push(salt);
        }
        let sue = everybody()
            .into_iter()
            .find(|person| person.name == "sue")
            .expect("she is");
        let kept = if mechanism == "SCRAM-SHA-1" {
            sue.scram_sha_1
        } else {
            sue.scram_sha_256
        };
        let kept = kept.unwrap_or_default();
        let mut parts = kept.split('$');
        let wanted = (
            parts.next().unwrap_or_default().to_owned(),
            parts.next().unwrap_or_default().to_owned(),
        );
        let (salt, iterations) = ask(mechanism, "sue");
        cases.same(
            "who is suspended keeps the salt",
            (iterations, salt),
            wanted,
        );
    }
    let mut distinct = salts.clone();
    distinct.sort();
    distinct.dedup();
    cases.same("each a salt of their own", distinct.len(), salts.len());
    salts
}
