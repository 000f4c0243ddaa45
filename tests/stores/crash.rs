//! Processes that die and servers that go away, at any moment.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jitsi_install::account::audit::Entry;
use jitsi_install::account::store::{AuditFilter, Error, Kind, NewToken, Purpose, Store};
use jitsi_install::account::{AccountId, Actor};
use jitsi_install::secret::Secret;
use tokio::task::JoinSet;

use crate::databases::{Database, KINDS, Server};
use crate::rooms::{NOW, Toy, add, person, runtime};

/// This program once more, as a service that writes and says what was confirmed; started by the
/// tests below, which tell it the database.
#[test]
#[ignore = "the child of the tests that kill it"]
fn child() {
    let url = std::env::var("CHILD_URL").unwrap();
    let password = std::env::var("CHILD_PASSWORD").ok().map(Secret::new);
    let name = std::env::var("CHILD_NAME").unwrap();
    runtime().block_on(async {
        let store = Store::connect(&url, password.as_ref()).await.unwrap();
        println!("\nready");
        let mut tasks = JoinSet::new();
        for writer in 0..4 {
            let (store, name) = (store.clone(), name.clone());
            tasks.spawn(async move {
                let world = Toy::world();
                for number in 0.. {
                    let login = format!("{name}w{writer}x{number}");
                    write(&store, &*world, &login).await.unwrap();
                    println!("\nconfirmed {login}");
                }
            });
        }
        tasks.join_all().await;
    });
}

/// One act: an account, its link and an entry, all or nothing.
async fn write(
    store: &Store,
    world: &dyn jitsi_install::account::World,
    login: &str,
) -> Result<(), Error> {
    let new = person(login);
    let work = store.begin().await?;
    work.add_account(&new).await?;
    work.add_token(&NewToken {
        hash: login,
        purpose: Purpose::Confirm,
        account: &new.id,
        data: "",
        created: NOW,
        expires: NOW + 9,
    })
    .await?;
    let mut entry = Entry::new("signup.asked", None, "done");
    (entry.target, entry.target_name) = (Some(new.id), login.into());
    // The toy's keys are the same in each process: one of its own for each entry.
    let world = Named { world, login };
    work.append(&world, &Actor::default(), &entry).await?;
    work.commit().await
}

struct Named<'a> {
    world: &'a dyn jitsi_install::account::World,
    login: &'a str,
}

impl jitsi_install::account::World for Named<'_> {
    fn millis(&self) -> i64 {
        self.world.millis()
    }
    fn fill(&self, bytes: &mut [u8]) {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.login.hash(&mut hasher);
        bytes[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    }
}

fn start(database: &Database, name: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::child", "--exact", "--ignored", "--nocapture"]);
    command
        .env("CHILD_URL", &database.url)
        .env("CHILD_NAME", name);
    if let Some(password) = &database.password {
        command.env("CHILD_PASSWORD", password.reveal());
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn confirmed(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("confirmed "))
        .map(str::to_owned)
        .collect()
}

/// Everything that was confirmed is there, and nothing is there by half.
async fn all_is_whole(store: &Store, confirmed: &[String], kind: Kind) {
    for login in confirmed {
        assert!(
            store.account_by_login(login).await.unwrap().is_some(),
            "{login} was confirmed on {} and is lost",
            kind.name()
        );
        assert!(
            store
                .token(login, Purpose::Confirm)
                .await
                .unwrap()
                .is_some(),
            "{login} has lost its link on {}",
            kind.name()
        );
        let filter = AuditFilter {
            target: Some(AccountId(format!("id-{login}"))),
            ..AuditFilter::default()
        };
        assert_eq!(
            store.audit(&filter, None, 9).await.unwrap().rows.len(),
            1,
            "{login} on {}",
            kind.name()
        );
    }
}

#[test]
fn no_confirmed_write_is_lost_by_a_killed_process() {
    for kind in KINDS {
        let Some(database) = Database::fresh(kind) else {
            continue;
        };
        let mut all = Vec::new();
        for round in 0..5 {
            let mut child = start(&database, &format!("r{round}"));
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            let mut text = String::new();
            while !text.contains("confirmed") {
                assert!(
                    lines.read_line(&mut text).unwrap() > 0,
                    "the child ended:\n{text}"
                );
            }
            // At some moment, in the midst of writes: on a slow disk it takes longer until there are any.
            let until = Instant::now() + Duration::from_millis(300 + round * 130);
            while Instant::now() < until || confirmed(&text).len() < 5 {
                let more = lines.read_line(&mut text).unwrap();
                assert!(more > 0, "the child ended:\n{text}");
            }
            child.kill().unwrap();
            lines.read_to_string(&mut text).unwrap();
            child.wait().unwrap();
            all.extend(confirmed(&text));
        }
        println!("{} writes were confirmed on {}", all.len(), kind.name());
        assert!(all.len() > 20);
        runtime().block_on(async {
            let store = database.connect().await;
            all_is_whole(&store, &all, kind).await;
            let count = |table: &str| {
                database
                    .administer(&format!("SELECT COUNT(*) FROM {table}"))
                    .trim()
                    .to_owned()
            };
            assert_eq!(count("accounts"), count("tokens"));
            assert_eq!(count("accounts"), count("audit"));
            if kind == Kind::Sqlite {
                assert_eq!(database.administer("PRAGMA integrity_check").trim(), "ok");
            }
            add(&store, &[person("after")]).await;
        });
    }
}

#[test]
fn tables_are_made_though_their_makers_are_killed() {
    for kind in KINDS {
        let Some(database) = Database::fresh(kind) else {
            continue;
        };
        for delay in [5, 12, 20, 30, 45, 60, 80, 110, 150, 200] {
            let mut child = start(&database, "m");
            std::thread::sleep(Duration::from_millis(delay));
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            if String::from_utf8_lossy(&output.stdout).contains("ready") {
                println!("{}: made within {delay} ms", kind.name());
                break;
            }
        }
        runtime().block_on(async {
            let store = database.connect().await;
            add(&store, &[person("ann")]).await;
            let mut out = Vec::new();
            assert!(store.export(&mut out).await.unwrap() > 0);
        });
    }
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    for kind in [Kind::MySql, Kind::Postgres] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let database = server.database();
        runtime().block_on(async {
            let store = database.connect().await;
            let world = Toy::world();
            write(&store, &*world, "before").await.unwrap();

            server.stop();
            let error = store.account_by_login("before").await.unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Down { .. }), "{error:?}");
            assert!(
                text.contains(&database.url) && text.contains("hint: "),
                "{text}"
            );
            assert!(!text.contains("p@ss") && !text.contains("p%40ss"), "{text}");
            assert!(matches!(store.begin().await, Err(Error::Down { .. })));
            let connect = Store::connect(&database.url, database.password.as_ref())
                .await
                .unwrap_err();
            assert!(matches!(connect, Error::Down { .. }), "{connect:?}");

            server.resume();
            assert!(store.account_by_login("before").await.unwrap().is_some());
            write(&store, &*world, "between").await.unwrap();

            // And killed while people write: what was confirmed is there.
            let goes_on = Arc::new(AtomicBool::new(true));
            let written = Arc::new(AtomicUsize::new(0));
            let mut tasks = JoinSet::new();
            for writer in 0..4 {
                let (store, goes_on) = (store.clone(), Arc::clone(&goes_on));
                let written = Arc::clone(&written);
                tasks.spawn(async move {
                    let (world, mut done) = (Toy::world(), Vec::new());
                    for number in 0.. {
                        let login = format!("w{writer}x{number}");
                        match write(&store, &*world, &login).await {
                            Ok(()) => {
                                done.push(login);
                                written.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(Error::Down { .. } | Error::Busy { .. }) => {
                                tokio::time::sleep(Duration::from_millis(50)).await
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                        if !goes_on.load(Ordering::Relaxed) {
                            return done;
                        }
                    }
                    done
                });
            }
            let more = async |least| {
                tokio::time::sleep(Duration::from_millis(700)).await;
                let until = Instant::now() + Duration::from_secs(30);
                while written.load(Ordering::Relaxed) < least && Instant::now() < until {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            more(6).await;
            tokio::task::block_in_place(|| {
                server.kill();
                server.resume();
            });
            more(written.load(Ordering::Relaxed) + 6).await;
            goes_on.store(false, Ordering::Relaxed);
            let confirmed = tasks.join_all().await.concat();
            println!(
                "{} writes were confirmed on {}",
                confirmed.len(),
                kind.name()
            );
            assert!(confirmed.len() > 10);
            all_is_whole(&store, &confirmed, kind).await;
            let idle = store.clone();
            for _ in 0..20 {
                idle.ping().await.unwrap();
            }
        });
        server.stop();
    }
}
