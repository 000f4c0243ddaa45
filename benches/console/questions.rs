//! What is asked of the list: every filter, order and search, from the beginning and deep in it.

use jitsi_install::account::store::{GroupId, Sort, UserFilter, UserList};
use jitsi_install::account::{Origin, Role, State};

use crate::people::{Chance, GROUPS, word};

/// What is asked, and the questions.
pub fn questions(chance: &mut Chance) -> Vec<(String, UserList)> {
    let plain = UserFilter::default();
    let mut all: Vec<(String, UserFilter)> = vec![
        ("everybody".into(), plain.clone()),
        (
            "admins".into(),
            UserFilter {
                role: Some(Role::Admin),
                ..plain.clone()
            },
        ),
        (
            "members".into(),
            UserFilter {
                role: Some(Role::Member),
                ..plain.clone()
            },
        ),
        (
            "from LDIF".into(),
            UserFilter {
                origin: Some(Origin::Ldif),
                ..plain.clone()
            },
        ),
        (
            "second factor".into(),
            UserFilter {
                second_factor: Some(true),
                ..plain.clone()
            },
        ),
        (
            "no second factor".into(),
            UserFilter {
                second_factor: Some(false),
                ..plain.clone()
            },
        ),
        (
            "pending from CSV, approver".into(),
            UserFilter {
                state: Some(State::Pending),
                origin: Some(Origin::Csv),
                role: Some(Role::Approver),
                ..plain.clone()
            },
        ),
    ];
    for state in State::ALL {
        all.push((
            format!("state {}", state.as_str()),
            UserFilter {
                state: Some(state),
                ..plain.clone()
            },
        ));
    }
    for (id, _) in GROUPS {
        let group = Some(GroupId(id.into()));
        all.push((
            format!("group {id}"),
            UserFilter {
                group: group.clone(),
                ..plain.clone()
            },
        ));
        all.push((
            format!("group {id}, pending"),
            UserFilter {
                group,
                state: Some(State::Pending),
                ..plain.clone()
            },
        ));
    }
    let (first, last) = (
        word(chance.below(20) * chance.below(20), 2),
        word(chance.below(90) * chance.below(90), 3),
    );
    for (name, text) in [
        ("search: a first name", first.clone()),
        ("search: a last name", last.clone()),
        ("search: both", format!("{first} {last}")),
        ("search: one letter", first[..1].to_owned()),
        (
            "search: a login",
            format!("{first}.{last}{:02}", chance.below(100)),
        ),
        ("search: example.org", "example.org".to_owned()),
        (
            "search: a department",
            format!("dept{}.example", chance.below(50)),
        ),
        (
            "search: a small domain",
            format!("{}.example.net", word(chance.below(8000), 3)),
        ),
        ("search: nobody", "zzz".to_owned()),
        (
            "search: usual word, rare word",
            format!("example.org {last}"),
        ),
    ] {
        all.push((
            name.into(),
            UserFilter {
                text: text.clone(),
                ..plain.clone()
            },
        ));
        let group = Some(GroupId("hundredth".into()));
        all.push((
            format!("{name}, in a group"),
            UserFilter {
                text,
                group,
                ..plain.clone()
            },
        ));
    }
    let mut lists = Vec::new();
    for (name, filter) in all {
        for sort in Sort::ALL {
            for descending in [false, true] {
                let list = UserList {
                    filter: filter.clone(),
                    sort,
                    descending,
                    after: None,
                    rows: 50,
                };
                lists.push((format!("{name}, by {}", sort.as_str()), list.clone()));
                // Anywhere in the list.
                let number = chance.below(1_000_000);
                let value = match sort {
                    Sort::Login | Sort::Email => word(chance.below(400), 2),
                    Sort::Created | Sort::LastSeen => (1_700_000_000 + number / 3).to_string(),
                    Sort::State => format!("2{}", word(chance.below(400), 2)),
                };
                let after = Some(format!("{:011x}.{value}", 1_700_000_000_000 + number * 31));
                lists.push((format!("{name}, deep"), UserList { after, ..list }));
            }
        }
    }
    lists
}
