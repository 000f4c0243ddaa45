//! Accounts, groups, invitations, notes and settings, method by method.

use jitsi_install::account::store::{Error, Field, Group, GroupId, Invite, Note, Purpose, Setting};
use jitsi_install::account::{AccountId, State};

use crate::rooms::{NOW, add, everywhere, keys, person};

fn id(login: &str) -> AccountId {
    AccountId(format!("id-{login}"))
}

#[test]
fn accounts_change_and_the_search_follows() {
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
            ("ann", "Queen Anne", "de")
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
            ["ben", "ann"]
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
        let work = store.begin().await.unwrap();
        assert!(work.remove_invite("i").await.unwrap());
        assert!(work.leave_group(&ann, &g2).await.is_ok());
        work.commit().await.unwrap();
        assert_eq!(store.prune_invites(NOW).await.unwrap(), 0);
    });
}
