//! Two instances on one PostgreSQL, and what happens when a database goes away.

use std::time::Duration;

use jitsi_install::account::store::Kind;

use crate::databases::{Database, Server};
use crate::service::{Site, until};

#[test]
fn two_instances_share_sessions_mails_and_timers() {
    let Some(database) = Database::fresh(Kind::Postgres) else {
        return;
    };
    let (mut one, mut two) = (Site::on(&database, ""), Site::on(&database, ""));
    one.person("ann", "a long and quiet word");
    // Both start at the same moment on tables that are there, and look at the same outbox.
    one.start();
    two.start();
    one.wait_ready();
    two.wait_ready();
    let (status, cookies) = one.sign_in("ann", "a+long+and+quiet+word");
    assert_eq!(status, 303, "{}", one.log());
    for site in [&one, &two] {
        let page = site.ask(&format!(
            "GET /accounts/account HTTP/1.1\r\nCookie: {cookies}\r\n"
        ));
        assert_eq!(page.status, 200, "{}", page.head);
        assert_eq!(site.prosody("ann", "a long and quiet word").status, 200);
    }
    // Thirty mails, and each leaves once.
    for number in 0..30 {
        one.gives(&[
            "users",
            "add",
            "--mail",
            "--email",
            &format!("p{number}@example.org"),
            &format!("person{number}"),
        ]);
    }
    until(30, "all have left", || {
        one.mails().len() + two.mails().len() >= 30
    });
    std::thread::sleep(Duration::from_secs(5));
    let all: Vec<String> = [one.mails(), two.mails()].concat();
    let mut to: Vec<&str> = all
        .iter()
        .filter_map(|mail| mail.lines().find_map(|line| line.strip_prefix("To: ")))
        .collect();
    assert_eq!(to.len(), 30);
    to.sort_unstable();
    to.dedup();
    assert_eq!(to.len(), 30, "each exactly once");
    // What one suspends, the other does not let in.
    one.gives(&["users", "disable", "ann"]);
    let page = two.ask(&format!(
        "GET /accounts/account HTTP/1.1\r\nCookie: {cookies}\r\n"
    ));
    assert_ne!(page.status, 200);
    assert_eq!(two.prosody("ann", "a long and quiet word").status, 403);
}

#[test]
fn a_database_that_goes_away_is_said_and_comes_back() {
    for kind in [Kind::Postgres, Kind::MySql] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let database = server.database();
        let mut site = Site::on(&database, "");
        site.person("ann", "a long and quiet word");
        site.serve();
        server.stop();
        until(20, "not ready", || {
            site.internal("GET /readyz HTTP/1.1\r\n").status == 503
        });
        assert_eq!(
            site.internal("GET /healthz HTTP/1.1\r\n").status,
            200,
            "it lives"
        );
        let figures = site.internal("GET /metrics HTTP/1.1\r\n").body;
        assert!(
            figures.contains("jitsi_accounts_database_up 0"),
            "{figures}"
        );
        assert_eq!(site.prosody("ann", "a long and quiet word").status, 503);
        assert_eq!(
            site.get("/accounts/sign-in").status,
            200,
            "a page that needs no database"
        );
        let log = site.log();
        assert!(log.contains("WARN"), "{log}");
        server.resume();
        until(30, "ready again", || {
            site.internal("GET /readyz HTTP/1.1\r\n").status == 200
        });
        assert_eq!(site.prosody("ann", "a long and quiet word").status, 200);
        site.signal("-TERM");
        assert_eq!(site.ended(), Some(0));
    }
}
