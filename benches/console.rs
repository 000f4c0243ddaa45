//! The list of users at a million of them: `benches/console.sh` runs this.
//!
//! Fills an empty SQLite and an empty PostgreSQL (MariaDB too when asked), and asks each question
//! of the console many times, with names, places and pages chosen by chance. Prints p50 and p99
//! in milliseconds and fails when a p99 is over the limit on SQLite or PostgreSQL.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark starts servers, reads the clock and prints"
)]

#[path = "../tests/databases/mod.rs"]
mod databases;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use jitsi_install::account::login::Login;
use jitsi_install::account::store::migrate::MIGRATIONS;
use jitsi_install::account::store::{
    AuditFilter, Group, GroupId, Kind, NewAccount, Sort, Store, UserFilter, UserList,
};
use jitsi_install::account::{AccountId, Origin, Role, State};

use databases::Database;

/// Words of names, put together by number.
const SOUNDS: [&str; 20] = [
    "an", "be", "car", "do", "el", "fi", "gu", "ha", "il", "jo", "ka", "lu", "ma", "no", "ol",
    "pe", "qui", "ro", "su", "ti",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Chance that is the same at each run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn word(mut number: u64, sounds: u32) -> String {
    let mut out = String::new();
    for _ in 0..sounds {
        out.push_str(SOUNDS[(number % 20) as usize]);
        number /= 20;
    }
    out
}

fn person(at: u64, chance: &mut Chance) -> NewAccount {
    // 400 first names, 8000 last names, some of each far more usual than others.
    let first = word(chance.below(20) * chance.below(20), 2);
    let last = word(chance.below(90) * chance.below(90), 3);
    let domain = match chance.below(10) {
        0..6 => "example.org".to_owned(),
        6..9 => format!("dept{}.example.org", chance.below(50)),
        _ => format!("{}.example.net", word(chance.below(8000), 3)),
    };
    let number = format!("{at:05}z");
    let login = format!("{first}.{last}{number}");
    let state = match chance.below(1000) {
        0..20 => State::Unconfirmed,
        20..25 => State::Pending,
        25..30 => State::Rejected,
        30..60 => State::Suspended,
        _ => State::Active,
    };
    let role = match chance.below(100_000) {
        0..2 => Role::Admin,
        2..10 => Role::Approver,
        _ => Role::Member,
    };
    let origin = Origin::ALL[[0, 0, 0, 1, 2, 2, 3, 4, 5, 0][chance.below(10) as usize]];
    NewAccount {
        id: AccountId(format!(
            "{:011x}{:020x}",
            1_700_000_000_000 + at * 31,
            chance.below(u64::MAX)
        )),
        email: Some(format!("{login}@{domain}")),
        display_name: format!("{first} {last}"),
        login_skeleton: login.clone(),
        login: Login::from_store(login),
        state,
        role,
        language: "en".into(),
        origin,
        reason: String::new(),
        created: 1_700_000_000 + (at / 3) as i64,
        keys: None,
        stamp: number,
    }
}

/// People that are written one by one; the others are made of them by the database.
const BASE: u64 = 20_000;

async fn fill(database: &Database, store: &Store, users: u64) {
    let begun = Instant::now();
    let mut chance = Chance(7);
    let base: Vec<NewAccount> = (0..BASE.min(users))
        .map(|at| person(at, &mut chance))
        .collect();
    for some in base.chunks(5000) {
        let work = store.begin().await.unwrap();
        work.add_accounts(some).await.unwrap();
        work.commit().await.unwrap();
    }
    println!(
        "{}: {} accounts written in {:.1} s",
        database.kind.name(),
        base.len(),
        begun.elapsed().as_secs_f64()
    );
    let work = store.begin().await.unwrap();
    for (id, _) in GROUPS {
        let group = Group {
            id: GroupId(id.into()),
            name: id.into(),
            description: String::new(),
            created: 0,
        };
        work.add_group(&group).await.unwrap();
    }
    work.commit().await.unwrap();
    database.administer(&multiply(database.kind, users / BASE));
    println!(
        "{}: {users} users in {:.0} s",
        database.kind.name(),
        begun.elapsed().as_secs_f64()
    );
}

/// Statements that make so many people of each, with indexes made afterwards.
fn multiply(kind: Kind, times: u64) -> String {
    let quick = match kind {
        Kind::Sqlite => {
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = FILE;"
        }
        Kind::MySql => "SET foreign_key_checks = 0;",
        Kind::Postgres => {
            "SET synchronous_commit = off; SET session_replication_role = replica; SET maintenance_work_mem = '256MB';"
        }
    };
    let join = |parts: &[&str]| {
        if kind == Kind::MySql {
            format!("CONCAT({})", parts.join(", "))
        } else {
            parts.join(" || ")
        }
    };
    // Each login ends with its number, which is the stamp too; another number makes another person.
    let k = if kind == Kind::MySql {
        "CAST(k AS CHAR)"
    } else {
        "CAST(k AS VARCHAR(9))"
    };
    let other = |column: &str| format!("REPLACE({column}, a.stamp, {})", join(&["a.stamp", k]));
    let copies = format!(
        "(WITH RECURSIVE n (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {}) SELECT k FROM n) c",
        times.max(2) - 1
    );
    let indexes: Vec<&str> = MIGRATIONS[0]
        .text
        .lines()
        .filter(|line| {
            line.starts_with("CREATE")
                && line.contains("INDEX")
                && (line.contains(" ON accounts (") || line.contains(" ON words ("))
        })
        .collect();
    let dropped: String = indexes
        .iter()
        .map(|line| {
            let name = line
                .split("INDEX ")
                .nth(1)
                .and_then(|rest| rest.split(' ').next())
                .unwrap_or_default();
            if kind == Kind::MySql {
                String::new()
            } else {
                format!("DROP INDEX {name};")
            }
        })
        .collect();
    let made = if kind == Kind::MySql {
        String::new()
    } else {
        indexes.concat()
    };
    let mut out = format!(
        "{quick} {dropped} \
         INSERT INTO words (word, account) SELECT {word}, {account} FROM words w JOIN accounts a ON a.id = w.account, {copies} ORDER BY 1, 2; \
         INSERT INTO accounts (id, login, login_skeleton, email, email_key, email_order, display_name, state, role, language, origin, \
         reason, created, state_since, last_seen, password, totp_step, stamp, class, search) \
         SELECT {id}, {login}, {login}, {email}, {key}, {key}, display_name, state, role, language, origin, reason, created + k * 6700, \
         state_since, CASE WHEN created % 2 = 0 THEN created + k * 6800 ELSE 0 END, password, totp_step, stamp, class, {search} \
         FROM accounts a, {copies} ORDER BY 1; \
         UPDATE accounts SET totp_seed = 'x', class = class + 1 WHERE created % 7 = 0 AND state = 'active';",
        word = other("w.word"),
        account = join(&["w.account", "'-'", k]),
        id = join(&["id", "'-'", k]),
        login = other("login"),
        email = other("email"),
        key = other("email_key"),
        search = other("search"),
    );
    for (id, every) in GROUPS {
        out.push_str(&format!("INSERT INTO memberships (account, grp) SELECT id, '{id}' FROM accounts WHERE created % {every} = 0 ORDER BY 1;"));
    }
    out + &made
        + if kind == Kind::Postgres {
            "ANALYZE;"
        } else {
            ""
        }
}

/// Groups, and the part of all that is in each: one in so many.
const GROUPS: [(&str, u64); 4] = [
    ("half", 2),
    ("hundredth", 100),
    ("thousandth", 1000),
    ("few", 50_000),
];

/// What is asked, and the questions.
fn questions(chance: &mut Chance) -> Vec<(String, UserList)> {
    let plain = UserFilter::default();
    let mut all: Vec<(String, UserFilter)> = vec![
        ("everybody".into(), plain.clone()),
        (
            "admins".into(),
            UserFilter {
                role: Some(Role::Admin),
                ..plain.clone()
            },
        ),
        (
            "members".into(),
            UserFilter {
                role: Some(Role::Member),
                ..plain.clone()
            },
        ),
        (
            "from LDIF".into(),
            UserFilter {
                origin: Some(Origin::Ldif),
                ..plain.clone()
            },
        ),
        (
            "second factor".into(),
            UserFilter {
                second_factor: Some(true),
                ..plain.clone()
            },
        ),
        (
            "no second factor".into(),
            UserFilter {
                second_factor: Some(false),
                ..plain.clone()
            },
        ),
        (
            "pending from CSV, approver".into(),
            UserFilter {
                state: Some(State::Pending),
                origin: Some(Origin::Csv),
                role: Some(Role::Approver),
                ..plain.clone()
            },
        ),
    ];
    for state in State::ALL {
        all.push((
            format!("state {}", state.as_str()),
            UserFilter {
                state: Some(state),
                ..plain.clone()
            },
        ));
    }
    for (id, _) in GROUPS {
        let group = Some(GroupId(id.into()));
        all.push((
            format!("group {id}"),
            UserFilter {
                group: group.clone(),
                ..plain.clone()
            },
        ));
        all.push((
            format!("group {id}, pending"),
            UserFilter {
                group,
                state: Some(State::Pending),
                ..plain.clone()
            },
        ));
    }
    let (first, last) = (
        word(chance.below(20) * chance.below(20), 2),
        word(chance.below(90) * chance.below(90), 3),
    );
    for (name, text) in [
        ("search: a first name", first.clone()),
        ("search: a last name", last.clone()),
        ("search: both", format!("{first} {last}")),
        ("search: one letter", first[..1].to_owned()),
        (
            "search: a login",
            format!("{first}.{last}{:02}", chance.below(100)),
        ),
        ("search: example.org", "example.org".to_owned()),
        (
            "search: a department",
            format!("dept{}.example", chance.below(50)),
        ),
        (
            "search: a small domain",
            format!("{}.example.net", word(chance.below(8000), 3)),
        ),
        ("search: nobody", "zzz".to_owned()),
        (
            "search: usual word, rare word",
            format!("example.org {last}"),
        ),
    ] {
        all.push((
            name.into(),
            UserFilter {
                text: text.clone(),
                ..plain.clone()
            },
        ));
        let group = Some(GroupId("hundredth".into()));
        all.push((
            format!("{name}, in a group"),
            UserFilter {
                text,
                group,
                ..plain.clone()
            },
        ));
    }
    let mut lists = Vec::new();
    for (name, filter) in all {
        for sort in Sort::ALL {
            for descending in [false, true] {
                let list = UserList {
                    filter: filter.clone(),
                    sort,
                    descending,
                    after: None,
                    rows: 50,
                };
                lists.push((format!("{name}, by {}", sort.as_str()), list.clone()));
                // Anywhere in the list.
                let number = chance.below(1_000_000);
                let value = match sort {
                    Sort::Login | Sort::Email => word(chance.below(400), 2),
                    Sort::Created | Sort::LastSeen => (1_700_000_000 + number / 3).to_string(),
                    Sort::State => format!("2{}", word(chance.below(400), 2)),
                };
                let after = Some(format!("{:011x}.{value}", 1_700_000_000_000 + number * 31));
                lists.push((format!("{name}, deep"), UserList { after, ..list }));
            }
        }
    }
    lists
}

/// The processor's time of this program and of the server's processes so far: what an answer
/// costs, however busy the machine is with other things.
fn worked() -> Duration {
    let mut all = 0;
    let mut add = |process: &str| {
        for thread in std::fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            all += text
                .split(' ')
                .next()
                .and_then(|first| first.parse().ok())
                .unwrap_or(0);
        }
    };
    add("self");
    if let Some(server) = databases::Server::running(Kind::Postgres) {
        let pid = server.pid();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().for_each(&mut add);
    }
    Duration::from_nanos(all)
}

struct Line {
    name: String,
    times: Vec<Duration>,
}

impl Line {
    fn part(&mut self, part: f64) -> f64 {
        self.times.sort();
        let at = ((self.times.len() - 1) as f64 * part).round() as usize;
        self.times[at].as_secs_f64() * 1000.0
    }
}

async fn measure(store: &Store, rounds: u64) -> Vec<Line> {
    let is_busy = setting("BUSY", 0) == 1;
    let mut lines: Vec<Line> = Vec::new();
    let mut chance = Chance(11);
    let mut note =
        |name: String, time: Duration| match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.times.push(time),
            None => lines.push(Line {
                name,
                times: vec![time],
            }),
        };
    for round in 0..=rounds {
        for (name, list) in questions(&mut chance) {
            let (begun, before) = (Instant::now(), worked());
            let page = store.users(&list).await.unwrap();
            let by_clock = begun.elapsed();
            let time = if is_busy {
                worked().saturating_sub(before)
            } else {
                by_clock
            };
            assert!(page.rows.len() <= 50);
            // The first round fills the caches, as the first click of a day does.
            if round > 0 {
                let name = name.split(", by ").next().unwrap_or(&name).to_owned();
                note("all lists together".into(), time);
                note(name, time);
            }
        }
        let begun = Instant::now();
        store
            .audit(&AuditFilter::default(), None, 50)
            .await
            .unwrap();
        if round > 0 {
            note("audit".into(), begun.elapsed());
        }
    }
    lines
}

fn main() -> ExitCode {
    let (users, rounds, limit) = (
        setting("USERS", 1_000_000),
        setting("ROUNDS", 10),
        setting("LIMIT_MS", 30),
    );
    let mut kinds = vec![Kind::Sqlite, Kind::Postgres];
    if setting("MARIADB", 0) == 1 {
        kinds.push(Kind::MySql);
    }
    if let Ok(only) = std::env::var("ONLY") {
        kinds.retain(|kind| kind.name().eq_ignore_ascii_case(&only));
    }
    let mut slow = 0;
    for kind in kinds {
        let Some(database) = Database::fresh(kind) else {
            continue;
        };
        let filled = std::env::var("FILLED")
            .ok()
            .filter(|_| kind == Kind::Sqlite);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = if let Some(file) = filled {
                Store::connect(&format!("sqlite:{file}"), None)
                    .await
                    .unwrap()
            } else {
                let store = database.connect().await;
                fill(&database, &store, users).await;
                store
            };
            println!(
                "{:<44} {:>6} {:>9} {:>9}",
                kind.name(),
                "n",
                "p50 ms",
                "p99 ms"
            );
            for mut line in measure(&store, rounds).await {
                let (half, most) = (line.part(0.5), line.part(0.99));
                let is_slow = most > limit as f64;
                slow += usize::from(is_slow && kind != Kind::MySql);
                let mark = if is_slow { "  SLOW" } else { "" };
                println!(
                    "{:<44} {:>6} {half:>9.2} {most:>9.2}{mark}",
                    line.name,
                    line.times.len()
                );
            }
        });
    }
    if slow > 0 {
        println!("{slow} lines are over {limit} ms");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
