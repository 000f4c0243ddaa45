//! Accounts, their states, and what proves them.

use jitsi_install::account::store::{Error, Field, Kind};
use jitsi_install::account::{Role, State};
use jitsi_install::secret::Secret;

use crate::rooms::{NOW, add, everywhere, keys, person};

#[test]
fn an_account_comes_back_as_it_was_written() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let ann = store.account_by_login("ann").await.unwrap().unwrap();
        assert_eq!(ann.id.0, "id-ann");
        assert_eq!(ann.email.as_deref(), Some("ann@Example.org"));
        assert_eq!(ann.display_name, "ann Person");
        assert_eq!((ann.state, ann.role), (State::Active, Role::Member));
        assert_eq!(
            (ann.created, ann.state_since, ann.last_seen),
            (NOW, NOW, None)
        );
        assert!(!ann.has_totp);
        assert_eq!(store.account(&ann.id).await.unwrap().unwrap(), ann);
        assert_eq!(
            store
                .account_by_email(" ANN@example.ORG ")
                .await
                .unwrap()
                .unwrap(),
            ann
        );
        assert_eq!(
            store.account_by_skeleton("ann").await.unwrap().unwrap(),
            ann
        );
        let (again, proof) = store
            .sign_in_by_email("ann@example.org")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(again, ann);
        assert_eq!(proof.keys, Some(keys("first")));
        assert_eq!(
            store.sign_in_by_login("ann").await.unwrap().unwrap().1,
            proof
        );
        assert_eq!(store.account_by_login("ANN").await.unwrap(), None);
        assert_eq!(store.account_by_login("änn").await.unwrap(), None);
    });
}

#[test]
fn what_is_taken_is_named() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let mut login = person("ann");
        login.id.0 = "other".into();
        login.login_skeleton = "other".into();
        login.email = None;
        let mut skeleton = person("other");
        skeleton.login_skeleton = "ann".into();
        let mut email = person("other");
        email.email = Some("ANN@EXAMPLE.ORG".into());
        let mut key = person("other");
        key.id.0 = "id-ann".into();
        for (new, field) in [
            (login, Field::Login),
            (skeleton, Field::Skeleton),
            (email, Field::Email),
            (key, Field::Key),
        ] {
            let work = store.begin().await.unwrap();
            assert_eq!(
                work.add_account(&new).await,
                Err(Error::Taken(field)),
                "{}",
                database.kind.name()
            );
            work.roll_back().await.unwrap();
        }
        // Two without an address do not stand in each other's way.
        let (mut one, mut two) = (person("one"), person("two"));
        (one.email, two.email) = (None, None);
        add(&store, &[one, two]).await;
    });
}

#[test]
fn states_roles_and_second_factors_change_once() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let mut new = person("ann");
        new.state = State::Pending;
        add(&store, &[new]).await;
        let id = store.account_by_login("ann").await.unwrap().unwrap().id;
        let work = store.begin().await.unwrap();
        assert!(
            work.move_account(&id, State::Pending, State::Active, NOW + 1)
                .await
                .unwrap()
        );
        assert!(
            !work
                .move_account(&id, State::Pending, State::Active, NOW + 2)
                .await
                .unwrap()
        );
        assert!(work.set_role(&id, Role::Member, Role::Admin).await.unwrap());
        assert!(
            !work
                .set_role(&id, Role::Member, Role::Approver)
                .await
                .unwrap()
        );
        assert_eq!(work.other_admins(&id).await.unwrap(), 0);
        let seed = Secret::new("sealed".to_owned());
        assert!(work.set_totp(&id, &seed, 7).await.unwrap());
        assert!(!work.set_totp(&id, &seed, 8).await.unwrap());
        assert!(!work.use_totp_step(&id, 7).await.unwrap());
        assert!(work.use_totp_step(&id, 8).await.unwrap());
        assert!(!work.use_totp_step(&id, 8).await.unwrap());
        work.set_recovery_codes(&id, &["aa".into(), "bb".into()], NOW)
            .await
            .unwrap();
        assert!(work.use_recovery_code(&id, "aa", NOW).await.unwrap());
        assert!(!work.use_recovery_code(&id, "aa", NOW).await.unwrap());
        assert!(!work.use_recovery_code(&id, "cc", NOW).await.unwrap());
        assert_eq!(work.recovery_codes(&id).await.unwrap(), 1);
        work.commit().await.unwrap();
        let ann = store.account(&id).await.unwrap().unwrap();
        assert_eq!(
            (ann.state, ann.role, ann.has_totp),
            (State::Active, Role::Admin, true)
        );
        assert_eq!(ann.state_since, NOW + 1);
        assert_eq!(store.staff(Role::Approver).await.unwrap(), [ann]);
        let work = store.begin().await.unwrap();
        assert!(work.clear_totp(&id).await.unwrap());
        assert!(!work.clear_totp(&id).await.unwrap());
        work.commit().await.unwrap();
        assert_eq!(store.recovery_codes(&id).await.unwrap(), 0);
        assert_eq!(
            store.credentials(&id).await.unwrap().unwrap().totp_seed,
            None
        );
    });
}

#[test]
fn prosody_reads_one_view() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let (mut ben, mut carl) = (person("ben"), person("carl"));
        ben.state = State::Suspended;
        carl.keys = None;
        add(&store, &[person("ann"), ben, carl, person("dora")]).await;
        let dora = store.account_by_login("dora").await.unwrap().unwrap();
        let work = store.begin().await.unwrap();
        work.erase(&dora.id, State::Active, NOW).await.unwrap();
        work.commit().await.unwrap();
        let rows = database.administer("SELECT username, enabled, password, COALESCE(scram_sha_1, 'none') FROM prosody_login ORDER BY username");
        let kept = keys("first");
        let (hash, scram) = (kept.hash.reveal(), kept.scram_sha_1.unwrap());
        let first = format!("{hash}|{}", scram.reveal());
        let expected = format!("ann|1|{first}\nben|0|{first}\ncarl|1||none\n");
        let separator = if database.kind == Kind::MySql {
            "\t"
        } else {
            "|"
        };
        assert_eq!(rows, expected.replace('|', separator));
    });
}
