//! Tokens and sessions, method by method.

use jitsi_install::account::AccountId;
use jitsi_install::account::store::{NewSession, NewToken, Purpose};

use crate::rooms::{NOW, add, everywhere, person};

fn id(login: &str) -> AccountId {
    AccountId(format!("id-{login}"))
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
