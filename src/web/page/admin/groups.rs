//! Groups and their members.

use axum::extract::Path;
use serde_json::{Value, json};

use super::PAGE;
use super::form::Fields;
use super::view::{Outcome, Person, Wrong};
use crate::account::AccountId;
use crate::account::act::groups as act;
use crate::account::act::refusal::{Refusal, Result as Done};
use crate::account::store::{Group, GroupId, Store, UserFilter, UserList};
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Admin;

/// Where counting members ends.
const COUNTED: i64 = 1000;

/// `GET /admin/groups`
pub async fn list(admin: Admin) -> Answer {
    page(&admin, &Fields::default(), None).await
}

async fn page(admin: &Admin, typed: &Fields, wrong: Option<Wrong>) -> Answer {
    let store = &admin.app.office.store;
    let mut groups = Vec::new();
    for group in store.groups().await? {
        groups.push(shown(store, &group).await?);
    }
    admin
        .page("admin/groups.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "groups")
        .with("groups", &groups)
        .with(
            "form",
            &json!({ "name": typed.get("name"), "description": typed.get("description") }),
        )
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

async fn shown(store: &Store, group: &Group) -> Result<Value, Fault> {
    let members = store.members(&group.id, COUNTED + 1).await?;
    let shown = if members > COUNTED {
        format!("{COUNTED}+")
    } else {
        members.to_string()
    };
    Ok(json!({
        "id": group.id, "name": group.name, "description": group.description, "members": shown,
    }))
}

/// `POST /admin/groups`
pub async fn create(admin: Admin, fields: Fields) -> Answer {
    let (name, description) = (fields.get("name"), fields.get("description"));
    match act::create(&admin.app.office, &admin.actor(), name, description).await {
        Ok(group) => {
            let page = format!("/admin/groups/{}", group.id.0);
            admin.go(&page).say("admin.said.group.made").answer()
        }
        Err(refusal) => page(&admin, &fields, Some(Wrong::told(&admin, refusal)?)).await,
    }
}

/// `GET /admin/groups/{id}`
pub async fn one(admin: Admin, Path(id): Path<String>) -> Answer {
    single(&admin, &GroupId(id), None, None).await
}

async fn single(
    admin: &Admin,
    id: &GroupId,
    typed: Option<&Fields>,
    wrong: Option<Wrong>,
) -> Answer {
    let office = &admin.app.office;
    let group = office.store.group(id).await?.ok_or(Fault::Missing)?;
    let list = UserList {
        filter: UserFilter {
            group: Some(id.clone()),
            ..UserFilter::default()
        },
        rows: PAGE,
        ..UserList::default()
    };
    let found = office.store.users(&list).await?;
    let now = office.world.now();
    let people: Vec<Person> = found.rows.iter().map(|row| Person::of(row, now)).collect();
    let form = match typed {
        Some(typed) => {
            json!({ "name": typed.get("name"), "description": typed.get("description") })
        }
        None => json!({ "name": group.name, "description": group.description }),
    };
    admin
        .page("admin/group.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "groups")
        .with("group", &shown(&office.store, &group).await?)
        .with("base", &format!("/admin/groups/{}", id.0))
        .with("people", &people)
        .with("next", &found.next)
        .with("form", &form)
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

async fn after<T>(admin: &Admin, id: &GroupId, done: Done<T>, said: &'static str) -> Answer {
    match done {
        Ok(_) => admin
            .go(&format!("/admin/groups/{}", id.0))
            .say(said)
            .answer(),
        Err(Refusal::Group) => Err(Fault::Missing),
        Err(refusal) => single(admin, id, None, Some(told(admin, refusal)?)).await,
    }
}

/// An unknown account is a mistake in a field here, and no page that is not there.
fn told(admin: &Admin, refusal: Refusal) -> Result<Wrong, Fault> {
    match refusal {
        Refusal::Gone => Ok(Wrong::of(admin, &Refusal::Gone)),
        other => Wrong::told(admin, other),
    }
}

/// `POST /admin/groups/{id}`
pub async fn change(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = GroupId(id);
    let (name, description) = (fields.get("name"), fields.get("description"));
    match act::change(&admin.app.office, &admin.actor(), &id, name, description).await {
        Err(refusal) if refusal != Refusal::Group => {
            let wrong = Wrong::told(&admin, refusal)?;
            single(&admin, &id, Some(&fields), Some(wrong)).await
        }
        done => after(&admin, &id, done, "admin.said.saved").await,
    }
}

/// `POST /admin/groups/{id}/members`
pub async fn members(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = GroupId(id);
    let (office, actor) = (&admin.app.office, admin.actor());
    if let Some(account) = fields.some("remove") {
        let done = act::leave(office, &actor, &AccountId(account.into()), &id).await;
        return after(&admin, &id, done, "admin.said.member.removed").await;
    }
    let login = fields.trimmed("add").to_lowercase();
    let done = match office.store.account_by_login(&login).await? {
        Some(account) => act::join(office, &actor, &account.id, &id).await,
        None => Err(Refusal::Gone),
    };
    after(&admin, &id, done, "admin.said.member.added").await
}

/// `GET /admin/groups/{id}/delete`
pub async fn ask_delete(admin: Admin, Path(id): Path<String>) -> Answer {
    let store = &admin.app.office.store;
    let group = store.group(&GroupId(id)).await?.ok_or(Fault::Missing)?;
    let page = admin
        .page("admin/group-delete.html")
        .with("section", "groups");
    page.with("group", &shown(store, &group).await?).answer()
}

/// `POST /admin/groups/{id}/delete`
pub async fn delete(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = GroupId(id);
    match act::delete(&admin.app.office, &admin.actor(), &id).await {
        Ok(_) => admin
            .go("/admin/groups")
            .say("admin.said.group.deleted")
            .answer(),
        refused => after(&admin, &id, refused, "admin.said.group.deleted").await,
    }
}
