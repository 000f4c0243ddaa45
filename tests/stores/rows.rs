//! Every method of the smaller tables.

use jitsi_install::account::audit::Entry;
use jitsi_install::account::store::{
    AuditFilter, Error, Field, Group, GroupId, Invite, Letter, NewSession, NewToken, Note, Purpose,
    Setting, What,
};
use jitsi_install::account::{AccountId, Actor, State};

use crate::rooms::{NOW, Toy, add, everywhere, keeps_audit, keys, person};

fn id(login: &str) -> AccountId {
    AccountId(format!("id-{login}"))
}

#[test]
fn accounts_change_and_the_search_follows() {
    use jitsi_install::account::login::Login;
    use jitsi_install::account::store::{UserFilter, UserList};
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann"), person("ben")]).await;
        let ann = id("ann");
        let work = store.begin().await.unwrap();
        assert!(work.set_display_name(&ann, "Queen Anne").await.unwrap());
        assert!(work.set_language(&ann, "de").await.unwrap());
        assert!(
            !work
                .set_email(&ann, Some("old@example.org"), Some("x@example.org"))
                .await
                .unwrap()
        );
        assert!(
            work.set_email(&ann, Some("ann@Example.org"), Some("Regina@Example.net"))
                .await
                .unwrap()
        );
        assert!(
            work.rename(&ann, &Login::from_store("anne".into()), "anne")
                .await
                .unwrap()
        );
        assert!(
            work.set_keys(&ann, &keys("second"), "stamp-2")
                .await
                .unwrap()
        );
        assert!(
            !work
                .upgrade_keys(&ann, &keys("first"), &keys("third"))
                .await
                .unwrap()
        );
        assert!(
            work.upgrade_keys(&ann, &keys("second"), &keys("third"))
                .await
                .unwrap()
        );
        assert!(!work.set_display_name(&id("nobody"), "x").await.unwrap());
        work.commit().await.unwrap();
        store.seen(&ann, NOW + 5).await.unwrap();
        store.seen(&ann, NOW + 4).await.unwrap();
        let (now, proof) = store.sign_in_by_id(&ann).await.unwrap().unwrap();
        assert_eq!(
            (
                now.login.as_str(),
                now.display_name.as_str(),
                now.language.as_str()
            ),
            ("anne", "Queen Anne", "de")
        );
        assert_eq!(
            (now.email.as_deref(), now.last_seen),
            (Some("Regina@Example.net"), Some(NOW + 5))
        );
        assert_eq!(
            (proof.keys, proof.stamp.as_str()),
            (Some(keys("third")), "stamp-2")
        );
        let found = async |text: &str| {
            let filter = UserFilter {
                text: text.into(),
                ..UserFilter::default()
            };
            let list = UserList {
                filter,
                rows: 10,
                ..UserList::default()
            };
            store.users(&list).await.unwrap().rows.len()
        };
        assert_eq!(
            (
                found("queen").await,
                found("regina@example.net").await,
                found("anne").await
            ),
            (1, 1, 1)
        );
        assert_eq!((found("ann@").await, found("person").await), (0, 1));
        let work = store.begin().await.unwrap();
        let taken = work
            .set_email(&ann, Some("Regina@Example.net"), Some("BEN@example.org"))
            .await;
        assert_eq!(taken, Err(Error::Taken(Field::Email)));
        work.roll_back().await.unwrap();
        let asked = |text: &[&str]| {
            text.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            store
                .taken_logins(&asked(&["anne", "ann", "ben"]))
                .await
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            store
                .taken_emails(&asked(&["ben@example.org", "x@y"]))
                .await
                .unwrap(),
            ["ben@example.org"]
        );
        assert_eq!(
            store.taken_skeletons(&asked(&["ben"])).await.unwrap(),
            ["ben"]
        );
        let both = store
            .accounts(&[id("ben"), id("nobody"), ann.clone()])
            .await
            .unwrap();
        assert_eq!(
            both.iter()
                .map(|row| row.login.as_str())
                .collect::<Vec<_>>(),
            ["ben", "anne"]
        );
    });
}

#[test]
fn the_deleted_keep_their_name_only() {
    everywhere(|database| async move {
        let store = database.connect().await;
        crate::carried::furnish(&store).await;
        let ann = id("ann");
        let work = store.begin().await.unwrap();
        assert!(!work.erase(&ann, State::Pending, NOW).await.unwrap());
        assert!(work.erase(&ann, State::Active, NOW + 9).await.unwrap());
        assert!(!work.erase(&ann, State::Active, NOW + 9).await.unwrap());
        assert!(!work.set_keys(&ann, &keys("x"), "s").await.unwrap());
        work.commit().await.unwrap();
        let (gone, proof) = store.sign_in_by_id(&ann).await.unwrap().unwrap();
        assert_eq!(
            (
                gone.state,
                gone.login.as_str(),
                gone.email,
                gone.display_name.as_str()
            ),
            (State::Deleted, "ann", None, "")
        );
        assert_eq!(
            (proof.keys, proof.totp_seed, gone.created, gone.state_since),
            (None, None, 0, NOW + 9)
        );
        assert!(store.sessions(&ann, NOW).await.unwrap().is_empty());
        assert!(store.groups_of(&ann).await.unwrap().is_empty());
        assert_eq!(store.token("t1", Purpose::Reset).await.unwrap(), None);
        assert_eq!(store.recovery_codes(&ann).await.unwrap(), 0);
        // One that was never active goes wholly, and its name is free.
        let work = store.begin().await.unwrap();
        assert!(!work.forget(&id("ben"), State::Active).await.unwrap());
        assert!(work.forget(&id("ben"), State::Pending).await.unwrap());
        work.add_account(&person("ben")).await.unwrap();
        work.commit().await.unwrap();
        assert!(store.notes(&id("ben")).await.unwrap().is_empty());
    });
}

#[test]
fn tokens_are_used_once() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let ann = id("ann");
        let token = |hash, expires| NewToken {
            hash,
            purpose: Purpose::Confirm,
            account: &ann,
            data: "d",
            created: NOW,
            expires,
        };
        let work = store.begin().await.unwrap();
        work.add_token(&token("good", NOW + 60)).await.unwrap();
        work.add_token(&token("other", NOW + 60)).await.unwrap();
        work.add_token(&token("old", NOW)).await.unwrap();
        assert_eq!(
            work.take_token("good", Purpose::Reset, NOW).await.unwrap(),
            None
        );
        assert_eq!(
            work.take_token("old", Purpose::Confirm, NOW).await.unwrap(),
            None
        );
        assert_eq!(
            work.take_token("none", Purpose::Confirm, NOW)
                .await
                .unwrap(),
            None
        );
        let taken = work
            .take_token("good", Purpose::Confirm, NOW)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (taken.account, taken.data.as_str(), taken.used),
            (ann.clone(), "d", Some(NOW))
        );
        assert_eq!(
            work.take_token("good", Purpose::Confirm, NOW)
                .await
                .unwrap(),
            None
        );
        assert!(
            work.newest_token(&ann, Purpose::Confirm, NOW)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(
            work.drop_tokens(&ann, Purpose::Confirm, NOW).await.unwrap(),
            2
        );
        work.commit().await.unwrap();
        assert_eq!(
            store
                .newest_token(&ann, Purpose::Confirm, NOW)
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            store
                .token("good", Purpose::Confirm)
                .await
                .unwrap()
                .unwrap()
                .expires,
            NOW + 60
        );
        assert_eq!(store.prune_tokens(NOW).await.unwrap(), 1);
        assert_eq!(store.prune_tokens(NOW + 60).await.unwrap(), 2);
    });
}

#[test]
fn sessions_begin_and_end() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann"), person("ben")]).await;
        let (ann, ben) = (id("ann"), id("ben"));
        let agent = "é".repeat(5000);
        let session = |hash, account| NewSession {
            hash,
            account,
            created: NOW,
            expires: NOW + 60,
            second_factor: false,
            address: "2001:db8::1",
            agent: &agent,
        };
        let work = store.begin().await.unwrap();
        for hash in ["a1", "a2", "a3"] {
            work.add_session(&session(hash, &ann)).await.unwrap();
        }
        work.add_session(&session("b1", &ben)).await.unwrap();
        work.commit().await.unwrap();
        let (who, session) = store.account_of_session("a1", NOW).await.unwrap().unwrap();
        assert_eq!(
            (
                who.id,
                session.address.as_str(),
                session.agent.chars().count()
            ),
            (ann.clone(), "2001:db8::1", 200)
        );
        assert_eq!(
            store.account_of_session("a1", NOW + 60).await.unwrap(),
            None
        );
        assert_eq!(store.account_of_session("none", NOW).await.unwrap(), None);
        store.touch_session("a1", NOW + 30, NOW + 90).await.unwrap();
        let work = store.begin().await.unwrap();
        assert!(work.refresh_session("a1", NOW + 31).await.unwrap());
        assert!(work.strengthen_session("a1").await.unwrap());
        assert!(work.renew_session("a1", "a9").await.unwrap());
        assert!(!work.renew_session("a1", "a8").await.unwrap());
        work.commit().await.unwrap();
        let (_, session) = store
            .account_of_session("a9", NOW + 80)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (session.seen, session.fresh_at, session.second_factor),
            (NOW + 30, NOW + 31, true)
        );
        assert_eq!(store.sessions(&ann, NOW).await.unwrap().len(), 3);
        let work = store.begin().await.unwrap();
        assert!(!work.end_session(&ben, "a2").await.unwrap());
        assert!(work.end_session(&ann, "a2").await.unwrap());
        assert_eq!(work.end_sessions(&ann, Some("a9")).await.unwrap(), 1);
        assert_eq!(work.end_sessions(&ann, None).await.unwrap(), 1);
        work.commit().await.unwrap();
        assert_eq!(store.prune_sessions(NOW).await.unwrap(), 0);
        assert_eq!(store.prune_sessions(NOW + 60).await.unwrap(), 1);
    });
}

#[test]
fn groups_invites_notes_and_settings() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let ann = id("ann");
        let group = |id: &str, name: &str| Group {
            id: GroupId(id.into()),
            name: name.into(),
            description: "d".into(),
            created: NOW,
        };
        let work = store.begin().await.unwrap();
        work.add_group(&group("g1", "Staff")).await.unwrap();
        work.add_group(&group("g2", "Students")).await.unwrap();
        assert!(work.join_group(&ann, &GroupId("g1".into())).await.unwrap());
        assert!(!work.join_group(&ann, &GroupId("g1".into())).await.unwrap());
        assert!(!work.join_group(&ann, &GroupId("g9".into())).await.unwrap());
        assert!(!work.leave_group(&ann, &GroupId("g2".into())).await.unwrap());
        work.commit().await.unwrap();
        let (g1, g2) = (GroupId("g1".into()), GroupId("g2".into()));
        assert_eq!(
            store.groups().await.unwrap(),
            [group("g1", "Staff"), group("g2", "Students")]
        );
        assert_eq!(store.groups_of(&ann).await.unwrap(), [group("g1", "Staff")]);
        assert_eq!(
            store.group_by_name("Staff").await.unwrap(),
            store.group(&g1).await.unwrap()
        );
        assert_eq!(
            (
                store.members(&g1, 10).await.unwrap(),
                store.members(&g2, 10).await.unwrap()
            ),
            (1, 0)
        );
        let work = store.begin().await.unwrap();
        assert_eq!(
            work.set_group(&g2, "Staff", "").await,
            Err(Error::Taken(Field::Group))
        );
        work.roll_back().await.unwrap();
        let work = store.begin().await.unwrap();
        assert!(work.set_group(&g2, "Guests", "new").await.unwrap());
        let invite = Invite {
            hash: "i".into(),
            label: "l".into(),
            group: Some(g1.clone()),
            uses_left: 2,
            created: NOW,
            expires: NOW + 60,
            created_by: None,
        };
        work.add_invite(&invite).await.unwrap();
        assert_eq!(work.take_invite("i", NOW + 60).await.unwrap(), None);
        assert_eq!(
            work.take_invite("i", NOW).await.unwrap().unwrap().uses_left,
            1
        );
        assert_eq!(
            work.take_invite("i", NOW).await.unwrap().unwrap().group,
            Some(g1.clone())
        );
        assert_eq!(work.take_invite("i", NOW).await.unwrap(), None);
        assert!(work.remove_group(&g1).await.unwrap());
        assert!(!work.remove_group(&g1).await.unwrap());
        let note = Note {
            id: "n1".into(),
            account: ann.clone(),
            author: "ben".into(),
            at: NOW,
            text: "a note".into(),
        };
        work.add_note(&note).await.unwrap();
        let setting = |value: &str| Setting {
            name: "registration".into(),
            value: value.into(),
            changed: NOW,
            changed_by: "ann".into(),
        };
        work.set_setting(&setting("1")).await.unwrap();
        work.set_setting(&setting("2")).await.unwrap();
        work.commit().await.unwrap();
        assert!(store.groups_of(&ann).await.unwrap().is_empty());
        let left = store.invites().await.unwrap();
        assert_eq!(
            (left.len(), left[0].group.clone(), left[0].uses_left),
            (1, None, 0)
        );
        assert_eq!(store.notes(&ann).await.unwrap(), [note]);
        assert_eq!(
            store.setting("registration").await.unwrap(),
            Some(setting("2"))
        );
        assert_eq!(store.settings().await.unwrap(), [setting("2")]);
        let work = store.begin().await.unwrap();
        assert!(work.remove_invite("i").await.unwrap());
        assert!(work.remove_note(&ann, "n1").await.unwrap());
        assert!(work.remove_setting("registration").await.unwrap());
        assert!(work.leave_group(&ann, &g2).await.is_ok());
        work.commit().await.unwrap();
        assert_eq!(store.setting("registration").await.unwrap(), None);
        assert_eq!(store.prune_invites(NOW).await.unwrap(), 0);
    });
}

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
            logins(store.stale_unconfirmed(NOW + 10, 9).await.unwrap()),
            ["ann"]
        );
        assert_eq!(
            logins(store.stale_unconfirmed(NOW + 60, 9).await.unwrap()),
            ["ann", "ben"]
        );
        assert_eq!(
            logins(store.stale_pending(NOW + 60, 9).await.unwrap()),
            ["carl"]
        );
        assert!(store.stale_pending(NOW, 9).await.unwrap().is_empty());
    });
}
