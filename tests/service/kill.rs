//! The service itself killed again and again while people sign up and change their profiles: what
//! was answered as done is there, nothing is there by half, and mail leaves as the documents say.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jitsi_install::account::store::Kind;

use crate::databases::Database;
use crate::post::{Server, python, taken};
use crate::service::{Answer, Site, ask, free_port, posted, until};
use crate::timers::began;

const ROUNDS: usize = 5;
const WORD: &str = "seven green rivers";
const FORM: &str = "seven+green+rivers";

/// A number below another, by chance.
fn below(most: u64) -> Duration {
    let number = RandomState::new().build_hasher().finish();
    Duration::from_millis(number % most)
}

/// Somebody who changes the name that others see, again and again: names are numbers.
struct Member {
    name: &'static str,
    cookies: String,
    sent: usize,
    done: usize,
    last: usize,
}

/// A form from an address of its own, since one network may not sign up so often; nothing when the
/// service is gone before it has answered.
fn send(socket: &Path, path: &str, form: &str, more: &str, number: usize) -> Option<Answer> {
    let from = format!(
        "X-Forwarded-For: 10.{}.{}.{}\r\n{more}",
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    );
    ask(socket, &posted(path, form, &from)).ok()
}

fn leads_to(answer: &Answer, page: &str) -> bool {
    let location = format!("location: {page}");
    answer.status == 303 && answer.head.lines().any(|line| line == location)
}

/// Signs people up until the service is gone; the names that were answered as done.
fn sign_up(socket: &Path, began: &str, who: &str, answered: &AtomicUsize) -> Vec<String> {
    let mut done = Vec::new();
    for number in 0.. {
        let name = format!("{who}n{number}");
        let form = format!("login={name}&email={name}%40example.org&password={FORM}&began={began}");
        let chance = usize::try_from(below(1 << 24).as_millis()).unwrap();
        match send(socket, "/accounts/sign-up", &form, "", chance) {
            // Too much to do: whether it was done is not said.
            Some(answer) if answer.status == 503 => {}
            Some(answer) => {
                assert!(leads_to(&answer, "/accounts/sign-up/sent"), "{answer:?}");
                done.push(name);
                answered.fetch_add(1, Ordering::SeqCst);
            }
            None => break,
        }
    }
    done
}

fn change(socket: &Path, member: &mut Member) {
    let more = format!("Cookie: {}\r\n", member.cookies);
    loop {
        member.sent += 1;
        let form = format!("display_name={}&language=en", member.sent);
        let answer = send(
            socket,
            "/accounts/account/profile",
            &form,
            &more,
            member.sent,
        );
        let Some(answer) = answer else {
            return;
        };
        if answer.status == 503 {
            continue;
        }
        assert!(leads_to(&answer, "/accounts/account"), "{answer:?}");
        member.done += 1;
        member.last = member.sent;
    }
}

/// What a column of a table holds, with how often.
fn column(database: &Database, ask: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in database.administer(ask).lines() {
        *found.entry(line.to_owned()).or_default() += 1;
    }
    found
}

fn on(kind: Kind, database: &Database, python: &str) {
    let port = free_port();
    let mail = format!("[mail]\nhost = \"localhost\"\nport = {port}\ntls = \"none\"\n");
    let cheap = "[passwords]\nargon2_memory = 7168\nargon2_passes = 1\n";
    let mut site = Site::on(database, &format!("{mail}{cheap}"));
    let _server = Server::at(&site, python, "plain", port);
    let mut members = ["ann", "ben"].map(|name| {
        site.person(name, WORD);
        Member {
            name,
            cookies: String::new(),
            sent: 0,
            done: 0,
            last: 0,
        }
    });
    let (mut done, mut slowest, mut form) = (Vec::new(), Duration::ZERO, String::new());
    for round in 0..ROUNDS {
        let opened = Instant::now();
        site.serve();
        slowest = slowest.max(opened.elapsed());
        if round == 0 {
            form = began(&site);
            for member in &mut members {
                let (status, cookies) = site.sign_in(member.name, FORM);
                assert_eq!(status, 303, "{}", site.log());
                member.cookies = cookies;
            }
        }
        let socket = site.path("web.sock");
        let answered = AtomicUsize::new(0);
        let names = std::thread::scope(|scope| {
            for member in &mut members {
                scope.spawn(|| change(&socket, member));
            }
            let clients = [0, 1, 2, 3].map(|client| {
                let (socket, form, answered) = (&socket, &form, &answered);
                let who = format!("r{round}c{client}");
                scope.spawn(move || sign_up(socket, form, &who, answered))
            });
            until(30, "they are at work", || {
                answered.load(Ordering::SeqCst) >= 5
            });
            std::thread::sleep(below(600));
            site.signal("-KILL");
            site.ended();
            clients.map(|client| client.join().unwrap())
        });
        done.extend(names.into_iter().flatten());
        // And once while it starts.
        if round % 2 == 1 {
            site.start();
            std::thread::sleep(below(120));
            site.signal("-KILL");
            site.ended();
        }
    }
    // What the killed ones had taken to send is theirs until the lease ends: that time goes by here.
    database.administer("UPDATE outbox SET lease_until = 0 WHERE state = 'waiting'");
    let opened = Instant::now();
    site.serve();
    slowest = slowest.max(opened.elapsed());

    let changes: usize = members.iter().map(|member| member.done).sum();
    let name = kind.name();
    println!(
        "{name}: {} sign-ups and {changes} changes were answered; ready again within {slowest:?}",
        done.len()
    );
    assert!(done.len() > 20 && changes > 20, "too little was done");
    assert!(slowest < Duration::from_secs(30), "{slowest:?}");
    whole(database, &done);
    for member in &members {
        unbroken(database, member);
    }
    if kind == Kind::Sqlite {
        assert_eq!(database.administer("PRAGMA integrity_check").trim(), "ok");
    }
    // Every mail leaves; twice only what was with the server at the moment of a kill.
    let waits = "SELECT COUNT(*) FROM outbox WHERE state <> 'sent'";
    until(60, "all mails have left", || {
        database.administer(waits).trim() == "0"
    });
    let mut mails: BTreeMap<String, usize> = BTreeMap::new();
    for mail in taken(&site) {
        *mails
            .entry(mail["to"][0].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let twice: usize = mails.values().map(|count| count - 1).sum();
    println!("{name}: {} mails, {twice} of them twice", mails.len());
    assert!(twice <= ROUNDS + ROUNDS / 2, "{twice}");
    let to: BTreeSet<&str> = mails.keys().map(String::as_str).collect();
    let people = column(
        database,
        "SELECT email FROM accounts WHERE origin = 'signup'",
    );
    assert_eq!(to, people.keys().map(String::as_str).collect());
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0), "{}", site.log());
}

/// Everybody who was told so is there, and each account has its one link, entry and mail.
fn whole(database: &Database, done: &[String]) {
    let accounts = column(
        database,
        "SELECT login FROM accounts WHERE origin = 'signup'",
    );
    for name in done {
        assert_eq!(accounts.get(name), Some(&1), "{name} was answered");
    }
    let of = |what: &str, ask: &str| assert_eq!(accounts, column(database, ask), "{what}");
    of(
        "entries",
        "SELECT target_name FROM audit WHERE action = 'signup'",
    );
    of(
        "links",
        "SELECT a.login FROM tokens t JOIN accounts a ON a.id = t.account WHERE t.purpose = 'confirm'",
    );
    let tokens = database.administer("SELECT COUNT(*) FROM tokens");
    assert_eq!(
        tokens.trim(),
        accounts.len().to_string(),
        "links of somebody"
    );
    let mails: BTreeMap<String, usize> = accounts
        .iter()
        .map(|(name, count)| (format!("{name}@example.org"), *count))
        .collect();
    assert_eq!(
        mails,
        column(database, "SELECT recipient FROM outbox"),
        "mails"
    );
    let words = column(
        database,
        "SELECT DISTINCT a.login FROM words w JOIN accounts a ON a.id = w.account WHERE a.origin = 'signup'",
    );
    assert_eq!(accounts, words, "found by the search");
}

/// The last change that was answered stands, or one that was sent after it; each has its entry.
fn unbroken(database: &Database, member: &Member) {
    let Member {
        name,
        sent,
        done,
        last,
        ..
    } = member;
    let ask = format!("SELECT display_name FROM accounts WHERE login = '{name}'");
    let shown: usize = database.administer(&ask).trim().parse().unwrap();
    assert!(
        (*last..=*sent).contains(&shown),
        "{name}: {shown}, answered {last}"
    );
    let ask = format!(
        "SELECT COUNT(*) FROM audit WHERE action = 'profile.changed' AND target_name = '{name}'"
    );
    let entries: usize = database.administer(&ask).trim().parse().unwrap();
    assert!(
        (*done..=*sent).contains(&entries),
        "{name}: {entries} of {done}"
    );
}

fn outlives_kills(kind: Kind) {
    if let (Some(python), Some(database)) = (python(), Database::fresh(kind)) {
        on(kind, &database, python);
    }
}

#[test]
fn what_was_answered_outlives_kills_on_sqlite() {
    outlives_kills(Kind::Sqlite);
}

#[test]
fn what_was_answered_outlives_kills_on_mariadb() {
    outlives_kills(Kind::MySql);
}

#[test]
fn what_was_answered_outlives_kills_on_postgresql() {
    outlives_kills(Kind::Postgres);
}
