//! The service fails, the database fails, and too many sign-ins fail.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::cases::Cases;
use super::databases::{Database, Kind};
use super::logins::ALL;
use super::people::PASSWORD;
use super::place::{self, DOMAIN, Prosody, Way};
use super::standin_service::StandinService;
use super::xmpp::{Client, Login, Refusal};

fn condition(answer: Result<String, Refusal>) -> String {
    answer.map_or_else(|refusal| refusal.condition, |_| "in".to_owned())
}

#[test]
fn the_service_fails_in_every_way() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("the service fails");
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    let options = format!(
        "{ALL}\nsql_hashed_timeout = 1\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"",
        database.settings(place.path()),
        service.url()
    );
    let prosody = Prosody::start(place.path(), &options);
    let plain = |name: &str| condition(prosody.sign_in(Way::Bosh, &Login::plain(name, PASSWORD)));
    for status in [401, 401, 429, 500, 503] {
        service.says(status);
        cases.same(
            &format!("it says {status}"),
            plain("eve"),
            "temporary-auth-failure".to_owned(),
        );
    }
    cases.same(
        "of 401 there is one line",
        prosody.says("does not accept our secret").len(),
        1,
    );
    service.says(0);
    cases.same("and then it is well", plain("ben"), "in".to_owned());
    cases.same(
        "which is said",
        prosody.says("The account service answers again").len(),
        1,
    );
    service.takes(3000);
    let begun = Instant::now();
    cases.same(
        "it says nothing",
        plain("eve"),
        "temporary-auth-failure".to_owned(),
    );
    let took = begun.elapsed();
    cases.holds(
        "for as long as it may",
        (1000..1900).contains(&took.as_millis()),
        || format!("{took:?}"),
    );
    service.takes(0);
    let address = service.address;
    drop(service);
    cases.same("it is gone: few iterations", plain("eve"), "in".to_owned());
    cases.same(
        "it is gone: many iterations",
        plain("dan"),
        "not-authorized".to_owned(),
    );
    cases.same(
        "it is gone: argon2",
        plain("ben"),
        "not-authorized".to_owned(),
    );
    cases.same(
        "one line of that",
        prosody.says("cannot be reached: passwords of few").len(),
        1,
    );
    cases.same(
        "one line of what is hard",
        prosody.says("take the account service to check").len(),
        1,
    );
    let service = StandinService::start(address);
    cases.same("it is back", plain("dan"), "in".to_owned());
    cases.same("it was asked", service.asked(), 1);
    cases.finish();
}

/// Someone who is there keeps being served.
fn is_alive(prosody: &Prosody) -> bool {
    let host = format!("guest.{DOMAIN}");
    let mut guest = prosody.visit(Way::Bosh, &host);
    guest.login_anonymous().is_ok()
        && guest
            .ask("get", &host, "<ping xmlns='urn:xmpp:ping'/>")
            .is_ok()
}

fn database_fails(kind: Kind) {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(mut database) = Database::start(kind, place.path()) else {
        return;
    };
    let mut cases = Cases::new(&format!("{kind:?} fails"));
    let options = format!(
        "{ALL}\nsql_hashed_database = {}",
        database.settings(&place.path().join("prosody/reader"))
    );
    let prosody = Prosody::start(place.path(), &options);
    let mut member = prosody.visit(Way::Websocket, DOMAIN);
    cases.must(
        "a member comes",
        member.login(&Login::scram_sha_1("ann", PASSWORD)),
    );
    let scram = || condition(prosody.sign_in(Way::Bosh, &Login::scram_sha_256("ann", PASSWORD)));
    let away = place.path().join("database/away");
    match kind {
        Kind::Sqlite => std::fs::rename(database.file(), &away).unwrap(),
        Kind::MariaDb | Kind::PostgreSql => database.stop(),
    }
    for _ in 0..6 {
        cases.same(
            "nobody gets in",
            scram(),
            "temporary-auth-failure".to_owned(),
        );
        std::thread::sleep(Duration::from_millis(400));
    }
    let unknown = prosody.sign_in(Way::Bosh, &Login::plain("nobody", PASSWORD));
    cases.same(
        "the unknown neither",
        condition(unknown),
        "temporary-auth-failure".to_owned(),
    );
    let ping = member.ask("get", DOMAIN, "<ping xmlns='urn:xmpp:ping'/>");
    cases.holds("who is in stays in", ping.is_ok(), || format!("{ping:?}"));
    cases.holds("guests come and go", is_alive(&prosody), String::new);
    let lines = prosody.says("The database of accounts cannot be asked");
    cases.holds("one line tells of it", lines.len() == 1, || {
        format!("{lines:#?}")
    });
    if kind == Kind::Sqlite {
        cases.holds(
            "no empty file takes its place",
            !database.file().exists(),
            String::new,
        );
        std::fs::rename(&away, database.file()).unwrap();
    }
    database.go();
    let until = Instant::now() + Duration::from_secs(20);
    while scram() != "in" && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    cases.same("it is back, and so are they", scram(), "in".to_owned());
    cases.same("which is said", prosody.says("answers again").len(), 1);
    slow(&database, &prosody, &mut cases);
    cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    cases.finish();
}

/// Somebody locks the table for a while.
fn slow(database: &Database, prosody: &Prosody, cases: &mut Cases) {
    let mut locker = database.locker(4);
    let mut locker = locker
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("a client");
    std::thread::sleep(Duration::from_millis(700));
    let timed = || {
        let begun = Instant::now();
        let said = condition(prosody.sign_in(Way::Bosh, &Login::scram_sha_256("ann", PASSWORD)));
        (said, begun.elapsed())
    };
    let (said, took) = timed();
    cases.same(
        "a lock is not waited for",
        said,
        "temporary-auth-failure".to_owned(),
    );
    cases.holds(
        "longer than a second",
        took < Duration::from_millis(1700),
        || format!("{took:?}"),
    );
    let (_, took) = timed();
    cases.holds(
        "and then not at all",
        took < Duration::from_millis(300),
        || format!("{took:?}"),
    );
    locker.wait().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    cases.same("afterwards all is well", timed().0, "in".to_owned());
}

#[test]
fn sqlite_fails() {
    database_fails(Kind::Sqlite);
}

#[test]
fn mariadb_fails() {
    database_fails(Kind::MariaDb);
}

#[test]
fn postgresql_fails() {
    database_fails(Kind::PostgreSql);
}

#[test]
fn who_fails_too_often_is_not_heard() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("too many failures");
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    let options = format!(
        "{ALL}\nsql_hashed_failures = 5 sql_hashed_failures_of_name = 12 sql_hashed_failures_of_address = 20 sql_hashed_window = 4\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"",
        database.settings(place.path()),
        service.url()
    );
    let prosody = Prosody::start(place.path(), &options);
    let from = |address: &str, login: &Login| {
        condition(prosody.visit_from(Way::Bosh, DOMAIN, address).login(login))
    };
    let (refused, put_off, inside) = (
        "not-authorized".to_owned(),
        "temporary-auth-failure".to_owned(),
        "in".to_owned(),
    );
    cases.same(
        "at home",
        from("192.0.2.1", &Login::plain("ann", PASSWORD)),
        inside.clone(),
    );
    for (name, make) in [
        ("ann", Login::plain as fn(&str, &str) -> Login),
        ("unknown", Login::plain),
        ("pia", Login::scram_sha_1),
    ] {
        for _ in 0..5 {
            cases.same(
                name,
                from("198.51.100.1", &make(name, "wrong")),
                refused.clone(),
            );
        }
        cases.same(
            name,
            from("198.51.100.1", &make(name, PASSWORD)),
            put_off.clone(),
        );
    }
    cases.same(
        "others from there may",
        from("198.51.100.1", &Login::plain("ben", PASSWORD)),
        inside.clone(),
    );
    for address in [
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8:0:0:1::1",
        "2001:db8::3",
        "2001:db8::4",
    ] {
        from(address, &Login::plain("dan", "wrong"));
    }
    cases.same(
        "a network counts as one",
        from("2001:db8::99", &Login::plain("dan", PASSWORD)),
        put_off.clone(),
    );
    for address in 10..22 {
        from(
            &format!("198.51.100.{address}"),
            &Login::plain("ann", "wrong"),
        );
    }
    cases.same(
        "a name from many places",
        from("198.51.100.77", &Login::plain("ann", PASSWORD)),
        put_off.clone(),
    );
    cases.same(
        "its owner is not locked out",
        from("192.0.2.1", &Login::plain("ann", PASSWORD)),
        inside.clone(),
    );
    for one in 0..20 {
        from(
            "203.0.113.9",
            &Login::plain(&format!("guess{one}"), "wrong"),
        );
    }
    cases.same(
        "an address with many names",
        from("203.0.113.9", &Login::plain("ben", PASSWORD)),
        put_off,
    );
    let asked = service.asked();
    from("203.0.113.9", &Login::plain("ben", PASSWORD));
    cases.same("the service is not asked then", service.asked(), asked);
    std::thread::sleep(Duration::from_millis(4200));
    cases.same(
        "it is forgotten",
        from("203.0.113.9", &Login::plain("ben", PASSWORD)),
        inside,
    );
    cases.same(
        "one line tells of it",
        prosody.says("Too many failed sign-ins").len(),
        1,
    );
    cases.finish();
}
