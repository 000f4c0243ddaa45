//! Many sign in at once, and somebody else's round trip stays short.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::alike::UNLIMITED;
use super::cases::{Cases, say};
use super::databases::{Database, Kind};
use super::logins::ALL;
use super::people::PASSWORD;
use super::place::{self, DOMAIN, Prosody, Way};
use super::standin_service::StandinService;
use super::xmpp::{Client, Login};

/// Whoever has nothing to do with it may wait so long at the most, in the best of three times: a
/// machine that does other work holds up everybody, but a Prosody that hashes does so every time.
pub(crate) const LIMIT: Duration = Duration::from_millis(100);

/// For how long a process was ready and had no processor, since others had them all (proc(5)).
fn without_processor(process: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat"));
    let nanos = text.ok().and_then(|text| {
        let waited = text.split_whitespace().nth(1)?;
        waited.parse().ok()
    });
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Pings until it is told to stop; gives the longest round trip and how many there were. The time in
/// which Prosody or this client waited for a processor does not count: whoever else is at work
/// on this machine is not what is measured.
fn pings(prosody: &Prosody, is_over: &AtomicBool) -> (Duration, usize) {
    let host = format!("guest.{DOMAIN}");
    let mut client = prosody.visit(Way::Websocket, &host);
    client.login_anonymous().expect("a guest");
    let (mut worst, mut count) = (Duration::ZERO, 0);
    let pid = prosody.pid().to_string();
    let starved = || without_processor(&pid) + without_processor("thread-self");
    while !is_over.load(Ordering::SeqCst) {
        let (begun, before) = (Instant::now(), starved());
        client
            .ask("get", &host, "<ping xmlns='urn:xmpp:ping'/>")
            .expect("an answer");
        let took = begun.elapsed();
        worst = worst.max(took.saturating_sub(starved() - before));
        count += 1;
        thread::sleep(Duration::from_millis(2));
    }
    (worst, count)
}

/// Gives the answers, how long all took, and what the guest saw meanwhile.
fn crowd(
    prosody: &Arc<Prosody>,
    logins: Vec<(Way, Login)>,
) -> (Vec<Result<String, String>>, Duration, (Duration, usize)) {
    let is_over = Arc::new(AtomicBool::new(false));
    let guest = {
        let (prosody, is_over) = (Arc::clone(prosody), Arc::clone(&is_over));
        thread::spawn(move || pings(&prosody, &is_over))
    };
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let all: Vec<_> = logins
        .into_iter()
        .map(|(way, login)| {
            let prosody = Arc::clone(prosody);
            thread::spawn(move || {
                prosody
                    .sign_in(way, &login)
                    .map_err(|refusal| refusal.condition)
            })
        })
        .collect();
    let answers = all
        .into_iter()
        .map(|one| one.join().expect("no panic"))
        .collect();
    let took = begun.elapsed();
    is_over.store(true, Ordering::SeqCst);
    (answers, took, guest.join().expect("no panic"))
}

/// The best for the guest of three times at the most.
pub(crate) fn best(
    prosody: &Arc<Prosody>,
    logins: impl Fn() -> Vec<(Way, Login)>,
) -> (Vec<Result<String, String>>, Duration, (Duration, usize)) {
    let mut best = crowd(prosody, logins());
    for _ in 0..2 {
        if best.2.0 >= LIMIT {
            let again = crowd(prosody, logins());
            best = if again.2.0 < best.2.0 { again } else { best };
        }
    }
    best
}

#[test]
fn twenty_at_once_hold_nobody_up() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("many at once");
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    service.takes(1000);
    let options = format!(
        "{ALL}\n{UNLIMITED}\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"",
        database.settings(place.path()),
        service.url()
    );
    let prosody = Arc::new(Prosody::start(place.path(), &options));
    let names = [
        "ann", "ben", "dan", "dora", "eve", "emil", "pia", "paul", "unknown", "sue",
    ];
    let ways = [Way::Bosh, Way::C2s];
    let everyone = |times: usize| {
        let pairs = ways.iter().flat_map(|way| {
            names
                .iter()
                .map(move |name| (*way, Login::plain(name, PASSWORD)))
        });
        pairs.cycle().take(20 * times).collect::<Vec<_>>()
    };
    let right =
        |answers: &[Result<String, String>]| answers.iter().filter(|answer| answer.is_ok()).count();
    for (title, times, right_ones, least, most) in [
        (
            "20 at once",
            1,
            16,
            Duration::from_millis(1000),
            Duration::from_millis(2500),
        ),
        (
            "60 at once, of which 40 wait in line",
            3,
            48,
            Duration::from_millis(3000),
            Duration::from_millis(6000),
        ),
    ] {
        let (answers, took, (worst, count)) = best(&prosody, || everyone(times));
        say(&format!(
            "{title}, 1 s each: {took:?} in all; a guest's worst of {count} round trips {worst:?}"
        ));
        cases.same(
            &format!("{title}: who is right gets in"),
            right(&answers),
            right_ones,
        );
        cases.holds(
            &format!("{title}: side by side"),
            took >= least && took < most,
            || format!("{took:?}"),
        );
        cases.holds(
            &format!("{title}: the guest"),
            worst < LIMIT && count > 10,
            || format!("{worst:?} of {count}"),
        );
    }
    let at_once = service.state.at_once.load(Ordering::SeqCst);
    cases.same("no more than twenty questions at once", at_once, 20);
    drop(service);
    let wrong = || {
        let login = |one: usize| {
            (
                ways[one % 2],
                Login::plain(["eve", "emil", "ann"][one % 3], "wrong"),
            )
        };
        (0..20).map(login).collect()
    };
    let (answers, took, (worst, count)) = best(&prosody, wrong);
    say(&format!(
        "20 wrong ones checked in Prosody: {took:?}; a guest's worst of {count} round trips {worst:?}"
    ));
    cases.same("nobody is in", right(&answers), 0);
    cases.holds("the guest of those in Prosody", worst < LIMIT, || {
        format!("{worst:?}")
    });
    cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    cases.finish();
}
