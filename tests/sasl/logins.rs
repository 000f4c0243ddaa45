//! Everybody, by each mechanism, on each database, with the account service and without it.

use super::cases::Cases;
use super::databases::{Database, Kind};
use super::people::{PASSWORD, everybody};
use super::place::{self, Prosody, Way};
use super::standin_service::StandinService;
use super::xmpp::{Login, Refusal};

pub(crate) const ALL: &str =
    "sql_hashed_mechanisms = { \"PLAIN\", \"SCRAM-SHA-1\", \"SCRAM-SHA-256\" }";

/// Who gets in with the right password, by the mechanism.
fn gets_in(mechanism: &str, name: &str) -> bool {
    let names: &[&str] = match mechanism {
        "PLAIN, the service asked" => &[
            "ann", "ben", "dan", "dora", "eve", "emil", "pia", "paul", "nora", "bad1", "bad2",
            "bad3",
        ],
        // what takes few iterations
        "PLAIN, in Prosody" => &["ann", "eve", "emil", "pia", "paul"],
        "SCRAM-SHA-1" => &["ann", "dora", "emil", "pia"],
        _ => &["ann", "dan", "eve", "paul"],
    };
    names.contains(&name)
}

fn login(mechanism: &str, name: &str, password: &str) -> Login {
    match mechanism {
        "SCRAM-SHA-1" => Login::scram_sha_1(name, password),
        "SCRAM-SHA-256" => Login::scram_sha_256(name, password),
        _ => Login::plain(name, password),
    }
}

fn on(kind: Kind) {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(kind, place.path()) else {
        return;
    };
    let mut cases = Cases::new(&format!("signing in on {kind:?}"));
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    let options = format!(
        "{ALL}\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"\nsql_hashed_failures = 100000 sql_hashed_failures_of_address = 100000",
        database.settings(&place.path().join("prosody/reader")),
        service.url()
    );
    let prosody = Prosody::start(place.path(), &options);
    for way in [Way::Bosh, Way::Websocket, Way::C2s] {
        ask(&prosody, "PLAIN, the service asked", way, &mut cases);
    }
    drop(service);
    ask(&prosody, "PLAIN, in Prosody", Way::Bosh, &mut cases);
    ask(&prosody, "SCRAM-SHA-1", Way::Bosh, &mut cases);
    ask(&prosody, "SCRAM-SHA-256", Way::C2s, &mut cases);
    cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    let log = prosody.log();
    for word in [
        PASSWORD,
        "another one",
        "E8XRs8XC",
        "stored",
        "reader's",
        super::standin_service::SECRET,
    ] {
        cases.holds(
            "no secret is in the log, in which everything else is",
            !log.contains(word),
            || word.to_owned(),
        );
    }
    cases.holds("the log has everything", log.contains("\tdebug\t"), || {
        log.clone()
    });
    cases.finish();
}

/// Signs in; once more when the database was slow to answer, as it is on a machine that does other work:
/// it is then left alone for a while.
fn sign_in(prosody: &Prosody, way: Way, login: &Login) -> Result<String, Refusal> {
    let mut answer = prosody.sign_in(way, login);
    for _ in 0..8 {
        match &answer {
            Err(refusal) if refusal.condition == "temporary-auth-failure" => {
                std::thread::sleep(std::time::Duration::from_secs(1));
                answer = prosody.sign_in(way, login);
            }
            _ => break,
        }
    }
    answer
}

fn ask(prosody: &Prosody, mechanism: &str, way: Way, cases: &mut Cases) {
    for person in everybody() {
        let name = person.name;
        let right = sign_in(prosody, way, &login(mechanism, name, PASSWORD));
        let label = format!("{mechanism} by {way:?}: {name}");
        match (gets_in(mechanism, name), right) {
            (true, right) => cases.holds(
                &label,
                right
                    .as_ref()
                    .is_ok_and(|jid| jid.starts_with(&format!("{name}@meet.test/"))),
                || format!("{right:?}"),
            ),
            (false, refused) => cases.same(&label, condition(refused), "not-authorized".to_owned()),
        }
        // a wrong one each, and the empty one
        for wrong in ["another one", "C0rrect-horse-"] {
            let refused = sign_in(prosody, way, &login(mechanism, name, wrong));
            cases.same(
                &format!("{label}, wrong"),
                condition(refused),
                "not-authorized".to_owned(),
            );
        }
    }
    let refused = sign_in(prosody, way, &login(mechanism, "unknown", PASSWORD));
    cases.same("unknown", condition(refused), "not-authorized".to_owned());
    // names are folded as XMPP does
    let upper = sign_in(prosody, way, &login(mechanism, "ANN", PASSWORD));
    cases.holds("in capitals", upper.is_ok(), || format!("{upper:?}"));
}

fn condition(answer: Result<String, Refusal>) -> String {
    answer.map_or_else(|refusal| refusal.condition, |jid| format!("in as {jid}"))
}

#[test]
fn with_rows_in_sqlite() {
    on(Kind::Sqlite);
}

#[test]
fn with_rows_in_mariadb() {
    on(Kind::MariaDb);
}

#[test]
fn with_rows_in_postgresql() {
    on(Kind::PostgreSql);
}
