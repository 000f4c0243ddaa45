//! Text of any kind in every field: kept exactly, or refused with a clear error.

use jitsi_install::account::AccountId;
use jitsi_install::account::audit::Entry;
use jitsi_install::account::login::Login;
use jitsi_install::account::password::Keys;
use jitsi_install::account::store::{
    AuditFilter, Error, Group, GroupId, Invite, Letter, NewSession, NewToken, Note, Purpose,
    Setting, UserFilter, UserList, What,
};
use jitsi_install::account::{Actor, State};
use jitsi_install::secret::Secret;

use crate::databases::Database;
use crate::rooms::{NOW, Toy, add, everywhere, person};

const TEXTS: [&str; 9] = [
    "'; DROP TABLE accounts; --",
    "\" OR \"1\"=\"1",
    "back\\slash \\' \\0 \\n",
    "? $1 :name @p %s {0}",
    "🦊👩‍👩‍👧 漢字 \u{202e}tfel\u{202c}",
    "line\r\nbreak\ttab\u{1b}[31m",
    "%_!%",
    " leading and trailing ",
    "Ünïcödé ẞ ﬁ İ",
];

#[test]
fn every_field_gives_back_what_it_got() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let world = Toy::world();
        let long = "8 KB! é".repeat(1024);
        for (number, text) in TEXTS.iter().enumerate() {
            let mut new = person(&format!("user{number}"));
            new.login = Login::from_store((*text).into());
            new.login_skeleton = (*text).into();
            new.email = Some((*text).into());
            new.display_name = (*text).into();
            new.language = text.chars().take(16).collect();
            new.reason = format!("{text}{}", &long[..8 * 1024]);
            new.stamp = (*text).into();
            new.state = State::Pending;
            let account = new.id.clone();
            let group = Group {
                id: GroupId(format!("g{number}")),
                name: (*text).into(),
                description: long.clone(),
                created: NOW,
            };
            let invite = Invite {
                hash: (*text).into(),
                label: (*text).into(),
                group: None,
                uses_left: 1,
                created: NOW,
                expires: NOW,
                created_by: Some(AccountId((*text).chars().take(40).collect())),
            };
            let note = Note {
                id: world.id(),
                account: account.clone(),
                author: (*text).into(),
                at: NOW,
                text: format!("{text}{long}"),
            };
            let setting = Setting {
                name: (*text).into(),
                value: long.clone(),
                changed: NOW,
                changed_by: (*text).into(),
            };
            let work = store.begin().await.unwrap();
            work.add_account(&new).await.unwrap();
            work.add_group(&group).await.unwrap();
            assert!(work.join_group(&account, &group.id).await.unwrap());
            work.add_invite(&invite).await.unwrap();
            work.add_note(&note).await.unwrap();
            work.set_setting(&setting).await.unwrap();
            work.add_token(&NewToken {
                hash: text,
                purpose: Purpose::Setup,
                account: &account,
                data: &long,
                created: NOW,
                expires: NOW,
            })
            .await
            .unwrap();
            work.add_session(&NewSession {
                hash: text,
                account: &account,
                created: NOW,
                expires: NOW + 9,
                second_factor: false,
                address: text,
                agent: text,
            })
            .await
            .unwrap();
            let actor = Actor {
                name: (*text).into(),
                agent: long.clone(),
                ..Actor::default()
            };
            let entry = Entry {
                target_name: (*text).into(),
                ..Entry::new("signin.failed", None, "refused").detail(long.clone())
            };
            work.append(&*world, &actor, &entry).await.unwrap();
            work.queue(&Letter {
                id: &format!("m{number}"),
                what: What::Mail,
                recipient: text,
                body: &long,
                now: NOW,
            })
            .await
            .unwrap();
            work.commit().await.unwrap();
            assert_eq!(store.count(text, NOW, 9).await.unwrap(), 1);

            let kind = database.kind.name();
            let found = store.account_by_login(text).await.unwrap().unwrap();
            assert_eq!(
                (
                    found.login.as_str(),
                    found.email.as_deref(),
                    found.display_name.as_str()
                ),
                (*text, Some(*text), *text),
                "{kind}"
            );
            assert_eq!(
                (found.reason, found.language),
                (new.reason, new.language),
                "{kind}"
            );
            assert_eq!(
                store.account_by_email(text).await.unwrap().unwrap().id,
                account,
                "{kind}"
            );
            assert_eq!(
                store.credentials(&account).await.unwrap().unwrap().stamp,
                *text
            );
            assert_eq!(store.group_by_name(text).await.unwrap(), Some(group));
            assert_eq!(store.invite(text).await.unwrap(), Some(invite));
            assert_eq!(store.notes(&account).await.unwrap(), [note]);
            assert_eq!(store.setting(text).await.unwrap(), Some(setting));
            assert_eq!(
                store
                    .token(text, Purpose::Setup)
                    .await
                    .unwrap()
                    .unwrap()
                    .data,
                long
            );
            let session = store
                .account_of_session(text, NOW)
                .await
                .unwrap()
                .unwrap()
                .1;
            assert_eq!(
                (session.address.as_str(), session.agent.as_str()),
                (*text, *text)
            );
            let filter = AuditFilter {
                actor_name: Some((*text).into()),
                target_name: Some((*text).into()),
                ..AuditFilter::default()
            };
            let written = store.audit(&filter, None, 9).await.unwrap().rows;
            assert_eq!(
                (written.len(), written[0].entry.detail.as_str()),
                (1, long.as_str())
            );
            // The search takes anything, and what it finds is somebody who is there.
            let filter = UserFilter {
                text: (*text).into(),
                ..UserFilter::default()
            };
            let page = store
                .users(&UserList {
                    filter,
                    rows: 50,
                    ..UserList::default()
                })
                .await
                .unwrap();
            assert!(page.rows.len() <= number + 1);
        }
        let mails = store.claim("lease", NOW, NOW + 9, 50).await.unwrap();
        assert_eq!(mails.len(), TEXTS.len());
        assert!(
            mails
                .iter()
                .all(|mail| mail.body == long && TEXTS.contains(&mail.recipient.as_str()))
        );
        // No act would have written any of it, and so no export brings it in.
        let mut text = Vec::new();
        store.export(&mut text).await.unwrap();
        let other = Database::fresh(database.kind).unwrap();
        let other = other.connect().await;
        let refused = other.restore(&mut text.as_slice()).await.unwrap_err();
        assert!(refused.to_string().contains("(line "), "{refused}");
        assert_eq!(other.users(&UserList::default()).await.unwrap().rows, []);
    });
}

#[test]
fn what_cannot_be_kept_is_refused_and_named() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let refused = |result: Result<(), Error>, word: &str| {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        };
        let nul = "a\u{0}b";
        let long = "é".repeat(20_000);
        for (spoil, word) in [(nul, "NUL"), (long.as_str(), "longer than")] {
            let fields: [fn(&mut jitsi_install::account::store::NewAccount, &str); 6] = [
                |new, text| new.login = Login::from_store(text.into()),
                |new, text| new.login_skeleton = text.into(),
                |new, text| new.email = Some(text.into()),
                |new, text| new.display_name = text.into(),
                |new, text| new.reason = text.into(),
                |new, text| new.language = text.into(),
            ];
            for set in fields {
                let mut new = person("eve");
                set(&mut new, spoil);
                let work = store.begin().await.unwrap();
                refused(work.add_account(&new).await, word);
                work.roll_back().await.unwrap();
            }
            let work = store.begin().await.unwrap();
            let note = Note {
                id: "n".into(),
                account: person("ann").id,
                author: "x".into(),
                at: NOW,
                text: spoil.into(),
            };
            refused(work.add_note(&note).await, word);
            work.roll_back().await.unwrap();
        }
        // Where there is no name for the field, NUL is refused all the same, in questions too.
        assert!(matches!(
            store.account_by_login(nul).await,
            Err(Error::Refused { .. })
        ));
        let work = store.begin().await.unwrap();
        let nothing = Keys {
            hash: Secret::new("\u{0}".into()),
            ..Keys::none()
        };
        assert!(matches!(
            work.set_keys(&person("ann").id, &nothing, "s").await,
            Err(Error::Refused { .. })
        ));
        work.roll_back().await.unwrap();
        assert_eq!(store.account_by_login("eve").await.unwrap(), None);
    });
}
