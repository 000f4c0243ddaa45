//! Several at once: within one service, and several services on one database.

use std::sync::Arc;
use std::time::Duration;

use jitsi_install::account::State;
use jitsi_install::account::store::{
    Error, Invite, Letter, NewToken, Purpose, Setting, Store, What,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::rooms::{NOW, add, everywhere, person};

/// How many of some, who all begin at the same moment, say yes.
async fn winners<F>(stores: &[Store], act: impl Fn(Store) -> F) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(8));
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (gate, act) = (
            Arc::clone(&gate),
            act(stores[number % stores.len()].clone()),
        );
        tasks.spawn(async move {
            gate.wait().await;
            act.await
        });
    }
    tasks
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count()
}

#[test]
fn of_several_one_does_it() {
    everywhere(|database| async move {
        // Two services on one database.
        let stores = [database.connect().await, database.connect().await];
        for round in 0..10 {
            let login = format!("ann{round}");
            let mut new = person(&login);
            new.state = State::Pending;
            add(&stores[0], &[new.clone()]).await;
            let hash = format!("t{round}");
            let work = stores[0].begin().await.unwrap();
            work.add_token(&NewToken {
                hash: &hash,
                purpose: Purpose::Confirm,
                account: &new.id,
                data: "",
                created: NOW,
                expires: NOW + 9,
            })
            .await
            .unwrap();
            work.add_invite(&Invite {
                hash: hash.clone(),
                label: String::new(),
                group: None,
                uses_left: 3,
                created: NOW,
                expires: NOW + 9,
                created_by: None,
            })
            .await
            .unwrap();
            work.commit().await.unwrap();
            let kind = database.kind.name();

            let id = new.id.clone();
            let approved = winners(&stores, |store| {
                let id = id.clone();
                async move {
                    let work = store.begin().await.unwrap();
                    let done = work
                        .move_account(&id, State::Pending, State::Active, NOW)
                        .await
                        .unwrap();
                    work.commit().await.unwrap();
                    done
                }
            });
            assert_eq!(approved.await, 1, "approved on {kind}");

            let confirmed = winners(&stores, |store| {
                let hash = hash.clone();
                async move {
                    let work = store.begin().await.unwrap();
                    let done = work
                        .take_token(&hash, Purpose::Confirm, NOW)
                        .await
                        .unwrap()
                        .is_some();
                    work.commit().await.unwrap();
                    done
                }
            });
            assert_eq!(confirmed.await, 1, "confirmed on {kind}");

            let invited = winners(&stores, |store| {
                let hash = hash.clone();
                async move {
                    let work = store.begin().await.unwrap();
                    let done = work.take_invite(&hash, NOW).await.unwrap().is_some();
                    work.commit().await.unwrap();
                    done
                }
            });
            assert_eq!(invited.await, 3, "invited on {kind}");

            let name = format!("same{round}");
            let signed_up = winners(&stores, |store| {
                let new = person(&name);
                async move {
                    let work = store.begin().await.unwrap();
                    let done = work.add_account(&new).await;
                    assert!(
                        matches!(done, Ok(()) | Err(Error::Taken(_) | Error::Busy { .. })),
                        "{done:?}"
                    );
                    match done {
                        Ok(()) => work.commit().await.is_ok(),
                        Err(_) => false,
                    }
                }
            });
            assert_eq!(signed_up.await, 1, "signed up on {kind}");

            let limit = format!("limit{round}");
            winners(&stores, |store| {
                let limit = limit.clone();
                async move { store.count(&limit, NOW, 60).await.unwrap() > 0 }
            })
            .await;
            assert_eq!(
                stores[0].counted(&limit, NOW).await.unwrap(),
                8,
                "counted on {kind}"
            );
        }
    });
}

#[test]
fn nobody_is_told_that_the_database_is_locked() {
    everywhere(|database| async move {
        let stores = [database.connect().await, database.connect().await];
        let mut tasks = JoinSet::new();
        for writer in 0..4 {
            let store = stores[writer % 2].clone();
            tasks.spawn(async move {
                for number in 0..50 {
                    add(&store, &[person(&format!("w{writer}x{number}"))]).await;
                }
            });
        }
        for reader in 0..4 {
            let store = stores[reader % 2].clone();
            tasks.spawn(async move {
                for number in 0..200 {
                    store
                        .account_by_login(&format!("w{reader}x{number}"))
                        .await
                        .unwrap();
                }
            });
        }
        tasks.join_all().await;
        let mut count = 0;
        for writer in 0..4 {
            for number in 0..50 {
                count += usize::from(
                    stores[0]
                        .account_by_login(&format!("w{writer}x{number}"))
                        .await
                        .unwrap()
                        .is_some(),
                );
            }
        }
        assert_eq!(count, 200);
    });
}

#[test]
fn no_mail_is_sent_twice() {
    everywhere(|database| async move {
        let stores = [database.connect().await, database.connect().await];
        let work = stores[0].begin().await.unwrap();
        for number in 0..60 {
            work.queue(&Letter {
                id: &format!("m{number:02}"),
                what: What::Mail,
                recipient: "x",
                body: "y",
                now: NOW,
            })
            .await
            .unwrap();
        }
        work.commit().await.unwrap();
        let mut tasks = JoinSet::new();
        for worker in 0..6 {
            let store = stores[worker % 2].clone();
            tasks.spawn(async move {
                let (lease, mut sent) = (format!("lease{worker}"), Vec::new());
                for _ in 0..20 {
                    for mail in store.claim(&lease, NOW, NOW + 60, 3).await.unwrap() {
                        assert!(store.delivered(&mail.id, &lease).await.unwrap());
                        sent.push(mail.id);
                    }
                }
                sent
            });
        }
        let mut sent = tasks.join_all().await.concat();
        sent.sort();
        let expected: Vec<String> = (0..60).map(|number| format!("m{number:02}")).collect();
        assert_eq!(sent, expected, "{}", database.kind.name());
    });
}

#[test]
fn several_make_the_tables_at_once() {
    everywhere(|database| async move {
        let database = Arc::new(database);
        let mut tasks = JoinSet::new();
        for _ in 0..6 {
            let database = Arc::clone(&database);
            tasks.spawn(async move { database.connect().await.ping().await });
        }
        for done in tasks.join_all().await {
            done.unwrap();
        }
        let rows = database.administer("SELECT COUNT(*) FROM migrations WHERE finished = 1");
        assert_eq!(rows.trim(), "1");
    });
}

/// Several put an entry each on one list at the same moment: all of them are on it.
#[test]
fn a_setting_that_is_held_loses_nothing() {
    everywhere(|database| async move {
        let stores = [database.connect().await, database.connect().await];
        let setting = |value: String| Setting {
            name: "list".into(),
            value,
            changed: NOW,
            changed_by: "ann".into(),
        };
        let work = stores[0].begin().await.unwrap();
        work.set_setting(&setting(String::new())).await.unwrap();
        work.commit().await.unwrap();
        let added = winners(&stores, |store| async move {
            let work = store.begin().await.unwrap();
            work.hold_setting("list").await.unwrap();
            let before = work.setting("list").await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            let after = setting(format!("{}x", before.value));
            work.set_setting(&after).await.unwrap();
            work.commit().await.is_ok()
        });
        assert_eq!(added.await, 8);
        let found = stores[0].setting("list").await.unwrap().unwrap();
        assert_eq!(found.value, "xxxxxxxx");
    });
}

#[test]
fn of_several_each_is_counted_once() {
    everywhere(|database| async move {
        let stores = [database.connect().await, database.connect().await];
        let gate = Arc::new(Barrier::new(8));
        let mut tasks = JoinSet::new();
        for number in 0..8 {
            let (gate, store) = (Arc::clone(&gate), stores[number % 2].clone());
            tasks.spawn(async move {
                gate.wait().await;
                let mut counts = Vec::new();
                for _ in 0..10 {
                    counts.push(store.count("tries", NOW, 60).await.unwrap());
                }
                counts
            });
        }
        let mut counts = tasks.join_all().await.concat();
        counts.sort_unstable();
        assert_eq!(counts, (1..=80).collect::<Vec<_>>(), "no two have a number");
    });
}
