//! The list of users against the same list made by hand: every order, filter and search, page
//! after page.

use jitsi_install::account::store::{
    Error, Group, GroupId, NewAccount, Sort, Store, Total, UserFilter, UserList,
};
use jitsi_install::account::{Account, Origin, Role, State};
use jitsi_install::secret::Secret;

use crate::rooms::{NOW, everywhere, person};

/// Enough that a word of all, and the large group, are too many for their index.
const PEOPLE: usize = 1300;

fn people() -> Vec<NewAccount> {
    (0..PEOPLE)
        .map(|number| {
            // Spread, so that no order is that of the keys.
            let mixed = number * 7919 % PEOPLE;
            let mut new = person(&format!("u{mixed:05}"));
            new.id.0 = format!("id-{number:05}");
            new.email = (number % 5 != 0)
                .then(|| format!("Mail{}.x@d{}.example.org", mixed * 31 % PEOPLE, number % 50));
            new.display_name = format!("Person_{} Ünit{}", number % 13, number % 400);
            new.state = State::ALL[if number % 3 == 0 { number % 6 } else { 2 }];
            new.role = [Role::Member, Role::Approver, Role::Admin]
                [if number % 40 == 0 { number / 40 % 3 } else { 0 }];
            new.origin = Origin::ALL[number % 7 % 6];
            new.created = NOW + (number % 90) as i64;
            new.keys = None;
            new
        })
        .collect()
}

/// Fills a database; the members of the small and the large group.
async fn fill(store: &Store) -> (GroupId, GroupId) {
    let groups = [GroupId("few".into()), GroupId("many".into())];
    for some in people().chunks(200) {
        let work = store.begin().await.unwrap();
        for new in some {
            work.add_account(new).await.unwrap();
        }
        work.commit().await.unwrap();
    }
    let work = store.begin().await.unwrap();
    for id in &groups {
        let group = Group {
            id: id.clone(),
            name: id.0.clone(),
            description: String::new(),
            created: NOW,
        };
        work.add_group(&group).await.unwrap();
    }
    for (number, new) in people().iter().enumerate() {
        if number % 60 == 7 {
            assert_eq!(
                work.join_group(&new.id, &groups[0]).await.unwrap(),
                new.state != State::Deleted
            );
        }
        if number % 15 != 0 {
            work.join_group(&new.id, &groups[1]).await.unwrap();
        }
        if number % 9 == 0 {
            work.set_totp(&new.id, &Secret::new("x".into()), 0)
                .await
                .unwrap();
        }
    }
    work.commit().await.unwrap();
    for (number, new) in people().iter().enumerate() {
        if number % 4 == 0 {
            store
                .seen(&new.id, NOW + (number % 11) as i64)
                .await
                .unwrap();
        }
    }
    let [few, many] = groups;
    (few, many)
}

/// All pages of a list; and the sum of what it said.
async fn pages(store: &Store, list: &UserList) -> (Vec<Account>, Option<Total>) {
    let mut list = list.clone();
    let (mut rows, mut total) = (Vec::new(), None);
    for at in 0.. {
        let page = store.users(&list).await.unwrap();
        if at == 0 {
            total = page.total;
        }
        assert!(page.rows.len() <= list.rows);
        rows.extend(page.rows);
        list.after = page.next;
        if list.after.is_none() {
            return (rows, total);
        }
        assert!(at < 3000, "the list does not end");
    }
    unreachable!()
}

fn rank(state: State) -> usize {
    State::ALL.iter().position(|other| *other == state).unwrap()
}

/// The same by hand.
fn by_hand(all: &[(Account, Vec<GroupId>)], list: &UserList) -> Vec<String> {
    let words = |account: &Account| -> Vec<String> {
        let mut words = Vec::new();
        let texts = [
            account.login.as_str().to_owned(),
            account.email.clone().unwrap_or_default(),
            account.display_name.clone(),
        ];
        for text in texts {
            let text = text.to_lowercase();
            for (at, c) in text.char_indices() {
                let before = text[..at].chars().next_back();
                if c.is_alphanumeric() && before.is_none_or(|c| !c.is_alphanumeric()) {
                    words.push(text[at..].to_owned());
                }
            }
        }
        words
    };
    let filter = &list.filter;
    let mut found: Vec<&Account> = all
        .iter()
        .filter(|(account, groups)| {
            filter
                .state
                .map_or(account.state != State::Deleted, |state| {
                    state == account.state
                })
                && filter.role.is_none_or(|role| role == account.role)
                && filter.origin.is_none_or(|origin| origin == account.origin)
                && filter
                    .second_factor
                    .is_none_or(|has| has == account.has_totp)
                && filter
                    .group
                    .as_ref()
                    .is_none_or(|group| groups.contains(group))
                && filter.text.split_whitespace().all(|term| {
                    words(account)
                        .iter()
                        .any(|word| word.starts_with(&term.to_lowercase()))
                })
        })
        .map(|(account, _)| account)
        .collect();
    found.sort_by_key(|account| {
        let email = account.email.as_deref().unwrap_or_default().to_lowercase();
        let (text, number) = match list.sort {
            Sort::Login => (account.login.as_str().to_owned(), 0),
            Sort::Email => (email, 0),
            Sort::Created => (String::new(), account.created),
            Sort::LastSeen => (String::new(), account.last_seen.unwrap_or(0)),
            Sort::State => (
                account.login.as_str().to_owned(),
                i64::try_from(rank(account.state)).unwrap(),
            ),
        };
        (number, text, account.id.0.clone())
    });
    if list.descending {
        found.reverse();
    }
    found
        .iter()
        .map(|account| account.login.as_str().to_owned())
        .collect()
}

#[test]
fn every_order_filter_and_search() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let (few, many) = fill(&store).await;
        let mut all = Vec::new();
        for new in people() {
            let account = store.account(&new.id).await.unwrap().unwrap();
            let groups = store.groups_of(&new.id).await.unwrap();
            all.push((account, groups.into_iter().map(|group| group.id).collect()));
        }
        let none = UserFilter::default();
        let filters = [
            none.clone(),
            UserFilter {
                state: Some(State::Pending),
                ..none.clone()
            },
            UserFilter {
                state: Some(State::Deleted),
                ..none.clone()
            },
            UserFilter {
                role: Some(Role::Admin),
                ..none.clone()
            },
            UserFilter {
                origin: Some(Origin::Csv),
                second_factor: Some(true),
                ..none.clone()
            },
            UserFilter {
                group: Some(few.clone()),
                ..none.clone()
            },
            UserFilter {
                group: Some(many.clone()),
                second_factor: Some(true),
                ..none.clone()
            },
            UserFilter {
                group: Some(many),
                text: "person u000".into(),
                ..none.clone()
            },
            UserFilter {
                text: "PERSON_3".into(),
                ..none.clone()
            },
            UserFilter {
                text: "person_".into(),
                state: Some(State::Active),
                ..none.clone()
            },
            UserFilter {
                text: "d7.example mail".into(),
                ..none.clone()
            },
            UserFilter {
                text: "ünit39 u".into(),
                group: Some(few),
                ..none.clone()
            },
            UserFilter {
                text: "example.org".into(),
                role: Some(Role::Approver),
                ..none.clone()
            },
            UserFilter {
                text: "%".into(),
                ..none.clone()
            },
            UserFilter {
                text: "nobody at all".into(),
                ..none
            },
        ];
        for filter in filters {
            for sort in Sort::ALL {
                for descending in [false, true] {
                    let rows = if descending { 37 } else { 250 };
                    let list = UserList {
                        filter: filter.clone(),
                        sort,
                        descending,
                        after: None,
                        rows,
                    };
                    let (found, total) = pages(&store, &list).await;
                    let found: Vec<String> = found
                        .iter()
                        .map(|account| account.login.as_str().to_owned())
                        .collect();
                    let expected = by_hand(&all, &list);
                    assert_eq!(found, expected, "{list:?} on {}", database.kind.name());
                    match total {
                        Some(Total::Exactly(count)) => {
                            assert_eq!(count, expected.len() as u64, "{list:?}")
                        }
                        Some(Total::AtLeast(count)) => {
                            assert!(count < expected.len() as u64, "{list:?}")
                        }
                        None => assert!(expected.len() > 50, "{list:?}"),
                    }
                }
            }
        }
    });
}

#[test]
fn a_mark_of_somebody_elses_making_is_refused_or_harmless() {
    everywhere(|database| async move {
        let store = database.connect().await;
        crate::rooms::add(&store, &[person("ann"), person("ben")]).await;
        for mark in [
            "",
            "x",
            "' OR 1=1 --",
            "id.x'; DROP TABLE accounts",
            "id.99999999999999999999",
            ".",
            "id.\u{0}",
            &"9".repeat(3000),
        ] {
            for sort in Sort::ALL {
                let list = UserList {
                    sort,
                    after: Some(mark.into()),
                    rows: 10,
                    ..UserList::default()
                };
                match store.users(&list).await {
                    Ok(page) => assert!(page.rows.len() <= 2),
                    Err(error) => {
                        assert!(matches!(error, Error::Refused { .. }), "{mark}: {error}")
                    }
                }
            }
        }
        assert_eq!(
            store
                .users(&UserList {
                    rows: 10,
                    ..UserList::default()
                })
                .await
                .unwrap()
                .rows
                .len(),
            2
        );
    });
}
