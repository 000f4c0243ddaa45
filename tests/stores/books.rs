//! The audit trail, mails that wait, limits, and what is stale, method by method.

use jitsi_install::account::audit::Entry;
use jitsi_install::account::store::{AuditFilter, Letter, NewToken, Purpose, What};
use jitsi_install::account::{AccountId, Actor, State};

use crate::rooms::{NOW, Toy, add, everywhere, keeps_audit, person};

#[test]
fn the_audit_trail_is_read_pruned_and_never_changed() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let world = Toy::world();
        let ann = person("ann");
        for number in 0..60 {
            let work = store.begin().await.unwrap();
            let actor = Actor {
                name: if number % 2 == 0 {
                    "root".into()
                } else {
                    "timer".into()
                },
                ..Actor::default()
            };
            let mut entry = Entry::new(
                ["signin.done", "signin.failed", "signup.asked"][number % 3],
                None,
                ["done", "refused"][number % 5 / 4],
            );
            entry.target = (number % 4 == 0).then(|| ann.id.clone());
            entry.target_name = format!("who-{}", number % 4);
            work.append(&*world, &actor, &entry.detail(format!("number {number}")))
                .await
                .unwrap();
            work.commit().await.unwrap();
        }
        let count = async |filter: AuditFilter| {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = store.audit(&filter, after.as_deref(), 7).await.unwrap();
                found.extend(page.rows);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert!(found.windows(2).all(|two| two[0].id > two[1].id));
            found
        };
        let none = AuditFilter::default();
        let all = count(none.clone()).await;
        assert_eq!(
            (
                all.len(),
                all[59].entry.detail.as_str(),
                all[0].at > all[59].at
            ),
            (60, "number 0", true)
        );
        let words = |filter: AuditFilter| count(filter);
        assert_eq!(
            words(AuditFilter {
                action: Some("signin.".into()),
                ..none.clone()
            })
            .await
            .len(),
            40
        );
        assert_eq!(
            words(AuditFilter {
                action: Some("signin.failed".into()),
                ..none.clone()
            })
            .await
            .len(),
            20
        );
        assert_eq!(
            words(AuditFilter {
                actor_name: Some("root".into()),
                action: Some("signin.".into()),
                ..none.clone()
            })
            .await
            .len(),
            20
        );
        assert_eq!(
            words(AuditFilter {
                target: Some(ann.id.clone()),
                ..none.clone()
            })
            .await
            .len(),
            15
        );
        assert_eq!(
            words(AuditFilter {
                target_name: Some("who-1".into()),
                outcome: Some("refused".into()),
                ..none.clone()
            })
            .await
            .len(),
            3
        );
        assert_eq!(
            words(AuditFilter {
                from: Some(all[9].at),
                to: Some(all[4].at),
                ..none.clone()
            })
            .await
            .len(),
            5
        );
        assert!(
            words(AuditFilter {
                action: Some("' OR 1=1 --".into()),
                ..none.clone()
            })
            .await
            .is_empty()
        );
        if keeps_audit(database.kind) {
            let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                database.administer("UPDATE audit SET detail = 'forged'")
            }));
            assert!(
                changed.is_err(),
                "an entry was changed on {}",
                database.kind.name()
            );
        }
        let actor = Actor {
            name: "timer".into(),
            ..Actor::default()
        };
        assert_eq!(
            store
                .prune_audit(&*world, &actor, all[19].at)
                .await
                .unwrap(),
            40
        );
        let left = count(none).await;
        assert_eq!(
            (
                left.len(),
                left[0].entry.action.as_str(),
                left[0].entry.detail.as_str()
            ),
            (21, "audit.pruned", "40 entries")
        );
        assert_eq!(store.prune_audit(&*world, &actor, 0).await.unwrap(), 0);
    });
}

#[test]
fn what_waits_is_sent_once() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let work = store.begin().await.unwrap();
        for number in 0..3 {
            let letter_id = format!("m{number}");
            work.queue(&Letter {
                id: &letter_id,
                what: What::Mail,
                recipient: "ann@example.org",
                body: "sealed",
                now: NOW,
            })
            .await
            .unwrap();
        }
        work.commit().await.unwrap();
        // What is taken back was never there.
        let work = store.begin().await.unwrap();
        work.queue(&Letter {
            id: "never",
            what: What::Webhook,
            recipient: "x",
            body: "y",
            now: NOW,
        })
        .await
        .unwrap();
        work.roll_back().await.unwrap();
        assert_eq!(store.next_delivery().await.unwrap(), Some(NOW));
        assert!(
            store
                .claim("early", NOW - 1, NOW, 9)
                .await
                .unwrap()
                .is_empty()
        );
        let first = store.claim("one", NOW, NOW + 60, 2).await.unwrap();
        assert_eq!(
            first.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
            ["m0", "m1"]
        );
        assert_eq!(
            (first[0].tries, first[0].body.as_str(), first[0].what),
            (1, "sealed", What::Mail)
        );
        let second = store.claim("two", NOW, NOW + 60, 9).await.unwrap();
        assert_eq!(
            second.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
            ["m2"]
        );
        assert!(!store.delivered("m2", "one").await.unwrap());
        assert!(store.delivered("m0", "one").await.unwrap());
        assert!(!store.delivered("m0", "one").await.unwrap());
        assert!(
            store
                .put_off("m1", "one", "no route", NOW + 30)
                .await
                .unwrap()
        );
        assert!(store.give_up("m2", "two", "refused").await.unwrap());
        let count = store.outbox().await.unwrap();
        assert_eq!(
            (count.waiting, count.failed, count.oldest),
            (1, 1, Some(NOW))
        );
        assert!(
            store
                .claim("three", NOW + 29, NOW + 99, 9)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            store.claim("three", NOW + 30, NOW + 40, 9).await.unwrap()[0].tries,
            2
        );
        // The third died: its lease ends.
        assert_eq!(
            store.claim("four", NOW + 40, NOW + 90, 9).await.unwrap()[0].tries,
            3
        );
        assert!(!store.delivered("m1", "three").await.unwrap());
        assert!(store.delivered("m1", "four").await.unwrap());
        let rows = database.administer("SELECT COUNT(*) FROM outbox WHERE body <> ''");
        assert_eq!(rows.trim(), "0");
        assert_eq!(store.prune_outbox(NOW).await.unwrap(), 0);
        assert_eq!(store.prune_outbox(NOW + 1).await.unwrap(), 3);
    });
}

#[test]
fn limits_outlive_restarts_and_end() {
    everywhere(|database| async move {
        let store = database.connect().await;
        assert_eq!(store.count("signin ann", NOW, 60).await.unwrap(), 1);
        assert_eq!(store.count("signin ann", NOW + 59, 60).await.unwrap(), 2);
        store.close().await;
        let store = database.connect().await;
        assert_eq!(store.counted("signin ann", NOW + 59).await.unwrap(), 2);
        assert_eq!(
            store.counted_until("signin ann", NOW).await.unwrap(),
            Some(NOW + 60)
        );
        assert_eq!(store.counted("signin ann", NOW + 60).await.unwrap(), 0);
        assert_eq!(store.count("signin ann", NOW + 60, 60).await.unwrap(), 1);
        assert_eq!(store.count("signin ben", NOW, 60).await.unwrap(), 1);
        store.uncount("signin ann").await.unwrap();
        assert_eq!(store.counted("signin ann", NOW + 60).await.unwrap(), 0);
        assert_eq!(store.prune_limits(NOW + 60).await.unwrap(), 1);
        let work = store.begin().await.unwrap();
        assert!(work.count("x", NOW, 60).await.is_err());
        work.roll_back().await.unwrap();
    });
}

#[test]
fn the_stale_are_found() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let people: Vec<_> = [
            ("ann", State::Unconfirmed, 0),
            ("ben", State::Unconfirmed, 50),
            ("carl", State::Pending, 0),
            ("dora", State::Active, 0),
        ]
        .into_iter()
        .map(|(login, state, later)| {
            let mut new = person(login);
            (new.state, new.created) = (state, NOW + later);
            new
        })
        .collect();
        add(&store, &people).await;
        let logins = |rows: Vec<jitsi_install::account::Account>| {
            rows.iter()
                .map(|row| row.login.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            logins(store.stale_unconfirmed(NOW + 10, NOW, 9).await.unwrap()),
            ["ann"]
        );
        assert_eq!(
            logins(store.stale_unconfirmed(NOW + 60, NOW, 9).await.unwrap()),
            ["ann", "ben"]
        );
        // A link that is still good keeps its account, and takes nobody else's place.
        let work = store.begin().await.unwrap();
        let link = NewToken {
            hash: "good",
            purpose: Purpose::Confirm,
            account: &AccountId("id-ann".into()),
            data: "",
            created: NOW,
            expires: NOW + 60,
        };
        work.add_token(&link).await.unwrap();
        work.commit().await.unwrap();
        for (now, first) in [(NOW, "ben"), (NOW + 60, "ann")] {
            let stale = store.stale_unconfirmed(NOW + 60, now, 1).await.unwrap();
            assert_eq!(logins(stale), [first]);
        }
        assert_eq!(
            logins(store.stale_pending(NOW + 60, 9).await.unwrap()),
            ["carl"]
        );
        assert!(store.stale_pending(NOW, 9).await.unwrap().is_empty());
    });
}
