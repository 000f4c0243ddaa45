//! A million people who do not exist: some thousands are written by the store, and the database makes
//! the others of them.

use std::time::Instant;

use jitsi_install::account::login::Login;
use jitsi_install::account::store::migrate::MIGRATIONS;
use jitsi_install::account::store::{Group, GroupId, Kind, NewAccount, Store};
use jitsi_install::account::{AccountId, Origin, Role, State};

use crate::databases::Database;

/// Words of names, put together by number.
const SOUNDS: [&str; 20] = [
    "an", "be", "car", "do", "el", "fi", "gu", "ha", "il", "jo", "ka", "lu", "ma", "no", "ol",
    "pe", "qui", "ro", "su", "ti",
];

/// Groups, and the part of all that is in each: one in so many.
pub const GROUPS: [(&str, u64); 4] = [
    ("half", 2),
    ("hundredth", 100),
    ("thousandth", 1000),
    ("few", 50_000),
];

/// Chance that is the same at each run (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A word of so many sounds.
pub fn word(mut number: u64, sounds: u32) -> String {
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

/// Fills an empty database.
pub async fn fill(database: &Database, store: &Store, users: u64) {
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
    if database.kind == Kind::Postgres {
        // What its own housekeeping does some minutes later, and would do while we measure.
        database.administer("VACUUM (ANALYZE)");
        database.administer("CHECKPOINT");
    }
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
         SELECT {id}, {login}, {login}, {email}, {key}, {order}, display_name, state, role, language, origin, reason, created + k * 6700, \
         state_since, CASE WHEN created % 2 = 0 THEN created + k * 6800 ELSE 0 END, password, totp_step, stamp, class, {search} \
         FROM accounts a, {copies} ORDER BY 1; \
         UPDATE accounts SET totp_seed = 'x', class = class + 1 WHERE created % 7 = 0 AND state = 'active';",
        word = other("w.word"),
        account = join(&["w.account", "'-'", k]),
        id = join(&["id", "'-'", k]),
        login = other("login"),
        email = other("email"),
        key = other("email_key"),
        order = other("email_order"),
        search = other("search"),
    );
    for (id, every) in GROUPS {
        out.push_str(&format!("INSERT INTO memberships (account, grp) SELECT id, '{id}' FROM accounts WHERE created % {every} = 0 ORDER BY 1;"));
    }
    out + &made
}
