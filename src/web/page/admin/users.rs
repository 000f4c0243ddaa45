//! The list of people: filtered, searched, sorted, page after page.

use super::PAGE;
use super::form::{Asked, Fields};
use super::view::{Choice, Outcome, Person, Wrong};
use crate::account::store::{GroupId, Page, Result, Sort, Store, Total, UserFilter, UserList};
use crate::account::{Account, Origin, Role, State};
use crate::web::answer::Answer;
use crate::web::guard::{Admin, Scene};

/// Names in the query that say which people, and in which order.
const NAMES: [&str; 7] = ["q", "state", "role", "group", "origin", "factor", "sort"];

/// The orders, by their word in the query.
const SORTS: [(&str, Sort, bool); 4] = [
    ("login", Sort::Login, false),
    ("newest", Sort::Created, true),
    ("oldest", Sort::Created, false),
    ("last_seen", Sort::LastSeen, true),
];

/// `GET /admin/users`
pub async fn list(admin: Admin, asked: Asked) -> Answer {
    page(&admin, &asked, None, None).await
}

/// The list, with what came of an act.
pub async fn page(
    scene: &Scene,
    asked: &Fields,
    outcome: Option<Outcome>,
    wrong: Option<Wrong>,
) -> Answer {
    let office = &scene.app.office;
    let groups = office.store.groups().await?;
    let found = office.store.users(&wanted(asked, PAGE)).await?;
    let now = office.world.now();
    let people: Vec<Person> = found.rows.iter().map(|row| Person::of(row, now)).collect();
    let query = query(asked);
    let here = asked.query(&NAMES, &[("after", asked.trimmed("after"))]);
    let path = |query: &str| scene.app.site.path(&format!("/admin/users{query}"));
    let next = found.next.as_ref();
    let next = next.map(|mark| path(&asked.query(&NAMES, &[("after", mark)])));
    let first = asked.some("after").map(|_| path(&query));
    let all = asked.ticked("all");
    let turn = [
        ("after", asked.trimmed("after")),
        ("all", if all { "" } else { "1" }),
    ];
    let words = |below, values: &[&str]| Choice::words(scene, below, values);
    let factors = ["yes", "no"].map(|value| (value, format!("admin.{value}")));
    let factors =
        factors.map(|(value, key)| Choice::new(value, office.texts.say(scene.language, &key, &[])));
    let acts = [
        "approve", "reject", "resend", "suspend", "resume", "group", "delete",
    ];
    scene
        .page("admin/users.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "users")
        .with("people", &people)
        .with("found", &counted(scene, found.total))
        .with(
            "states",
            &words("admin.state.", &State::ALL.map(State::as_str)[..5]),
        )
        .with("roles", &words("admin.role.", &Role::ALL.map(Role::as_str)))
        .with(
            "origins",
            &words("admin.origin.", &Origin::ALL.map(Origin::as_str)),
        )
        .with(
            "sorts",
            &words("admin.users.sort_", &SORTS.map(|(name, _, _)| name)),
        )
        .with("factors", &factors)
        .with("acts", &words("admin.bulk_", &acts))
        .with("groups", &Choice::groups(&groups))
        .with("filter", &shown(asked))
        .with("query", &query)
        .with("here", &here)
        .with("turn", &asked.query(&NAMES, &turn))
        .with("all", &all)
        .with("next", &next)
        .with("first", &first)
        .with("outcome", &outcome)
        .with("wrong", &wrong)
        .answer()
}

/// The query of a filter, without the place in the list.
pub fn query(asked: &Fields) -> String {
    asked.query(&NAMES, &[])
}

/// The query of a page of the list.
pub fn here(asked: &Fields) -> String {
    asked.query(&NAMES, &[("after", asked.trimmed("after"))])
}

/// What a query asks the store for. A word that means nothing asks for nothing.
pub fn wanted(asked: &Fields, rows: usize) -> UserList {
    let word = asked.trimmed("sort");
    let sort = SORTS.into_iter().find(|(name, _, _)| *name == word);
    let (_, sort, descending) = sort.unwrap_or(SORTS[0]);
    UserList {
        filter: UserFilter {
            state: State::parse(asked.trimmed("state")),
            role: Role::parse(asked.trimmed("role")),
            group: asked.some("group").map(|id| GroupId(id.into())),
            origin: Origin::parse(asked.trimmed("origin")),
            second_factor: match asked.trimmed("factor") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            text: asked.trimmed("q").chars().take(100).collect(),
        },
        sort,
        descending,
        after: asked.some("after").map(str::to_owned),
        rows,
    }
}

/// The filter as its form shows it.
fn shown(asked: &Fields) -> serde_json::Value {
    let mut filter = serde_json::Map::new();
    for name in NAMES {
        filter.insert(name.into(), asked.trimmed(name).into());
    }
    let any = NAMES.iter().any(|name| asked.some(name).is_some());
    filter.insert("any".into(), any.into());
    filter.into()
}

/// `312 found`, `more than 1000 found`, or nothing where nobody counted.
fn counted(scene: &Scene, total: Option<Total>) -> String {
    let count = total.map(|total| total.to_string());
    let say = |count: &str| {
        let texts = &scene.app.office.texts;
        texts.say(scene.language, "admin.found", &[("count", count)])
    };
    count.map_or_else(String::new, |count| say(&count))
}

/// Those in one state, the oldest first.
pub async fn waiting(
    store: &Store,
    state: State,
    after: Option<&str>,
    rows: usize,
) -> Result<Page<Account>> {
    let list = UserList {
        filter: UserFilter {
            state: Some(state),
            ..UserFilter::default()
        },
        sort: Sort::Created,
        after: after.map(str::to_owned),
        rows,
        ..UserList::default()
    };
    store.users(&list).await
}

/// How many are in a state, for people.
pub async fn count(store: &Store, state: State) -> Result<String> {
    let filter = UserFilter {
        state: Some(state),
        ..UserFilter::default()
    };
    Ok(store.count_users(&filter).await?.to_string())
}
