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

#[path = "../../tests/databases/mod.rs"]
mod databases;

mod people;
mod questions;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jitsi_install::account::store::{AuditFilter, Kind, Store};
use jitsi_install::secret::Secret;
use tokio::runtime::Runtime;

use databases::{Database, Server};
use people::Chance;
use questions::questions;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
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
    let server =
        Server::running(Kind::Postgres).map_or(setting("SERVER", 0), |server| server.pid().into());
    let children = format!("/proc/{server}/task/{server}/children");
    let children = std::fs::read_to_string(children).unwrap_or_default();
    // Those that answer somebody; housekeeping goes on whether anybody asks or not.
    let answers = |child: &&str| {
        let line = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        line.contains(" 127.0.0.1(")
    };
    let children = children.split_whitespace().filter(answers);
    children.for_each(&mut add);
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

/// An open database with all its people: one that an earlier run filled, or a new one.
async fn filled(kind: Kind, users: u64) -> Option<(Store, Option<Database>)> {
    let earlier = std::env::var("FILLED").unwrap_or_default();
    let file = Some(&earlier).filter(|text| Kind::of(text).is_none() && !text.is_empty());
    let url = match file {
        Some(file) if Path::new(file).exists() => format!("sqlite:{file}"),
        _ => earlier.clone(),
    };
    if Kind::of(&url) == Some(kind) {
        let password = std::env::var("PASSWORD").ok().map(Secret::new);
        return Some((Store::connect(&url, password.as_ref()).await.unwrap(), None));
    }
    let database = Database::fresh(kind)?;
    let store = database.connect().await;
    people::fill(&database, &store, users).await;
    if let Some(file) = file.filter(|_| kind == Kind::Sqlite) {
        // The log of SQLite is folded into its file by closing.
        store.close().await;
        std::fs::copy(&database.name, file).unwrap();
        return Some((database.connect().await, Some(database)));
    }
    Some((store, Some(database)))
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
        let lines = Runtime::new().unwrap().block_on(async {
            let (store, _database) = filled(kind, users).await?;
            Some(measure(&store, rounds).await)
        });
        println!(
            "{:<44} {:>6} {:>9} {:>9}",
            kind.name(),
            "n",
            "p50 ms",
            "p99 ms"
        );
        for mut line in lines.unwrap_or_default() {
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
    }
    if slow > 0 {
        println!("{slow} lines are over {limit} ms");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
