//! What the clock does in a running service: sign-ups expire, also while a mail server is slow or
//! says nothing, and pages go on.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::post::{Server, python, taken};
use crate::service::{Site, free_port, has, posted, until};

const FORM: &str = "seven+green+rivers";

fn sign_up(site: &Site, began: &str, name: &str) {
    let form = format!("login={name}&email={name}%40example.org&password={FORM}&began={began}");
    let from = format!("X-Forwarded-For: 192.0.2.{}\r\n", name.len());
    let answer = site.ask(&posted("/accounts/sign-up", &form, &from));
    assert_eq!(answer.status, 303, "{name}: {}", answer.body);
}

/// The signed time of a form, once it is old enough for a person.
pub fn began(site: &Site) -> String {
    let page = site.get("/accounts/sign-up").body;
    let (_, rest) = page.split_once("name=\"began\" value=\"").expect("a form");
    let began = rest.split('"').next().unwrap_or_default().to_owned();
    std::thread::sleep(Duration::from_millis(2100));
    began
}

fn sql(site: &Site, statements: &str) -> String {
    let output = Command::new("sqlite3")
        .args(["-cmd", ".timeout 10000"])
        .arg(site.path("accounts.sqlite"))
        .arg(statements)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn people(site: &Site) -> String {
    sql(
        site,
        "SELECT login || ' ' || state FROM accounts ORDER BY login",
    )
}

/// How many mails were put into the outbox for somebody.
fn written(site: &Site, name: &str) -> u32 {
    let ask = format!("SELECT COUNT(*) FROM outbox WHERE recipient = '{name}@example.org'");
    sql(site, &ask).trim().parse().unwrap()
}

/// As if so many days had gone by for somebody.
fn age(site: &Site, name: &str, days: u32) {
    let seconds = days * 24 * 3600;
    sql(
        site,
        &format!(
            "UPDATE accounts SET state_since = state_since - {seconds} WHERE login = '{name}'; \
             UPDATE tokens SET expires = expires - {seconds} WHERE account = (SELECT id FROM accounts WHERE login = '{name}');"
        ),
    );
}

#[test]
fn sign_ups_expire_by_themselves() {
    if !has("sqlite3", "sqlite3") {
        return;
    }
    let mut site = Site::new("", "[registration]\nconfirm_days = 3\napprove_days = 60\n");
    site.serve();
    let form = began(&site);
    for name in ["una", "nia", "paula", "petra"] {
        sign_up(&site, &form, name);
    }
    // Two of them confirm, and then wait for somebody who approves.
    until(20, "the mails are there", || site.mails().len() == 4);
    for mail in site.mails() {
        if !mail.contains("To: p") {
            continue;
        }
        // Long lines are folded (RFC 2045, 6.7).
        let mail = mail.replace("=\r\n", "").replace("=3D", "=");
        let (_, link) = mail.split_once("/confirm?t=").expect("a link");
        let token: String = link
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        let answer = site.post("/accounts/confirm", &format!("t={token}"), "");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let before = "nia unconfirmed\npaula pending\npetra pending\nuna unconfirmed\n";
    assert_eq!(people(&site), before);
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0));

    age(&site, "una", 4);
    age(&site, "nia", 2);
    age(&site, "paula", 61);
    age(&site, "petra", 59);
    sql(
        &site,
        "DELETE FROM limits WHERE name LIKE 'timer %'; DELETE FROM outbox",
    );
    site.serve();
    until(20, "what is due is gone", || {
        people(&site) == "nia unconfirmed\npetra pending\n"
    });
    // With an entry each, and a mail to the one whose address is known to be hers.
    let trail = "SELECT target_name || ' ' || detail FROM audit WHERE action = 'signup.expired' ORDER BY target_name";
    assert_eq!(sql(&site, trail), "paula pending\nuna unconfirmed\n");
    assert_eq!(written(&site, "una"), 0);
    assert_eq!(written(&site, "paula"), 1);
    assert_eq!(written(&site, "petra"), 0);
    until(20, "the timer says so", || {
        site.log().contains("job=\"expire\" count=2")
    });
    // The name is free again.
    sign_up(&site, &form, "una");
    assert!(people(&site).contains("una unconfirmed"));
}

/// The longest that a page took, of some.
fn slowest_page(site: &Site) -> Duration {
    let pages = ["/accounts/sign-in", "/accounts/sign-up", "/accounts/forgot"];
    let times = pages.iter().cycle().take(30).map(|page| {
        let begun = Instant::now();
        assert_eq!(site.get(page).status, 200, "{page}");
        begun.elapsed()
    });
    times.max().unwrap()
}

#[test]
fn a_mail_server_that_says_nothing_holds_up_nobody() {
    let Some(python) = python().filter(|_| has("sqlite3", "sqlite3")) else {
        return;
    };
    let port = free_port();
    let mail = format!("[mail]\nhost = \"localhost\"\nport = {port}\ntls = \"none\"\n");
    let mut site = Site::new("", &mail);
    let silent = TcpListener::bind(("127.0.0.1", port)).unwrap();
    site.serve();
    let form = began(&site);
    sign_up(&site, &form, "una");
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0), "{}", site.log());
    age(&site, "una", 4);
    sql(&site, "DELETE FROM limits WHERE name LIKE 'timer %'");

    // A server that takes the connection and never greets: the mail hangs there from the start.
    site.serve();
    let begun = Instant::now();
    until(20, "the timer goes on", || people(&site).is_empty());
    sign_up(&site, &form, "carla");
    let page = slowest_page(&site);
    println!("the slowest page beside a server that says nothing: {page:?}");
    assert!(page < Duration::from_secs(1), "{page:?}");
    until(50, "it is given up for now", || {
        site.log().contains("`localhost` does not answer")
    });
    assert!(begun.elapsed() > Duration::from_secs(20), "it hung");
    assert!(taken(&site).is_empty());
    drop(silent);

    // One that takes its time for every mail is good enough.
    let _server = Server::at(&site, python, "plain,slow", port);
    let begun = Instant::now();
    until(60, "both are there", || taken(&site).len() == 2);
    println!("tried again and taken after {:?}", begun.elapsed());
    let page = slowest_page(&site);
    assert!(page < Duration::from_secs(1), "{page:?}");
    let waits = "SELECT COUNT(*) FROM outbox WHERE state <> 'sent'";
    until(10, "noted", || sql(&site, waits).trim() == "0");
    let mut to: Vec<String> = taken(&site)
        .iter()
        .map(|mail| mail["to"][0].as_str().unwrap().to_owned())
        .collect();
    to.sort();
    assert_eq!(to, ["carla@example.org", "una@example.org"], "each once");

    // And a stop does not wait for a server for longer than it may.
    sign_up(&site, &form, "dora");
    until(10, "it is being sent", || {
        sql(&site, "SELECT COUNT(*) FROM outbox WHERE lease <> ''").trim() == "1"
    });
    let begun = Instant::now();
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(24),
        "{:?}",
        begun.elapsed()
    );
}
