//! Who waits: the list, one person, and what is decided about them.

use axum::extract::Path;

use super::form::{Asked, Fields};
use super::view::{Choice, Moment, Outcome, Person, Wrong};
use super::{PAGE, users};
use crate::account::act::approve::{self, Block, Rejection};
use crate::account::act::notes;
use crate::account::act::refusal::Result as Done;
use crate::account::store::{AuditFilter, GroupId, Store};
use crate::account::{Account, AccountId, Role, State};
use crate::web::answer::{Answer, Fault};
use crate::web::guard::{Approver, Scene};

/// The lists: those who wait, whose address is not confirmed, who were rejected.
const LISTS: [(&str, State); 3] = [
    ("pending", State::Pending),
    ("unconfirmed", State::Unconfirmed),
    ("rejected", State::Rejected),
];

/// `GET /admin/waiting`
pub async fn list(approver: Approver, asked: Asked) -> Answer {
    page(&approver, &asked, None, None).await
}

/// The list, with what came of an act.
pub async fn page(
    scene: &Scene,
    asked: &Fields,
    outcome: Option<Outcome>,
    wrong: Option<Wrong>,
) -> Answer {
    let office = &scene.app.office;
    let store = &office.store;
    let wanted = asked.trimmed("show");
    let (show, state) = LISTS
        .into_iter()
        .find(|(name, _)| *name == wanted)
        .unwrap_or(LISTS[0]);
    let mut tabs = Vec::new();
    for (name, state) in LISTS {
        tabs.push(serde_json::json!({ "name": name, "count": users::count(store, state).await? }));
    }
    let found = users::waiting(store, state, asked.some("after"), PAGE).await?;
    let now = office.world.now();
    let mut people = Vec::new();
    for account in &found.rows {
        let mut person = Person::of(account, now);
        person.address = origin(store, &account.id).await?;
        people.push(person);
    }
    let all = asked.ticked("all");
    let after = asked.trimmed("after");
    let here = |more: &[(&str, &str)]| {
        let query = Fields::default().query(&[], more);
        scene.app.site.path(&format!("/admin/waiting{query}"))
    };
    let next = found
        .next
        .as_ref()
        .map(|mark| here(&[("show", show), ("after", mark)]));
    let first = (!after.is_empty()).then(|| here(&[("show", show)]));
    let turn = if all { "" } else { "1" };
    scene
        .page("admin/waiting.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "waiting")
        .with("tabs", &tabs)
        .with("show", show)
        .with("people", &people)
        .with("groups", &Choice::groups(&store.groups().await?))
        .with("all", &all)
        .with(
            "turn",
            &Fields::default().query(&[], &[("show", show), ("after", after), ("all", turn)]),
        )
        .with("next", &next)
        .with("first", &first)
        .with("outcome", &outcome)
        .with("wrong", &wrong)
        .answer()
}

/// From where somebody signed up: what the audit trail says of it.
async fn origin(store: &Store, id: &AccountId) -> Result<String, Fault> {
    let filter = AuditFilter {
        target: Some(id.clone()),
        action: Some("signup".into()),
        ..AuditFilter::default()
    };
    let found = store.audit(&filter, None, 1).await?;
    Ok(found
        .rows
        .into_iter()
        .next()
        .map_or_else(String::new, |entry| entry.address))
}

/// `GET /admin/waiting/{id}`
pub async fn one(approver: Approver, Path(id): Path<String>) -> Answer {
    person(&approver, &AccountId(id), None).await
}

/// One person, with what was refused.
async fn person(scene: &Scene, id: &AccountId, wrong: Option<Wrong>) -> Answer {
    let office = &scene.app.office;
    let account = office.store.account(id).await?.ok_or(Fault::Missing)?;
    // Approvers see who signed up and is or was to be decided about, and no other account.
    let is_theirs = LISTS.iter().any(|(_, state)| *state == account.state);
    if !is_theirs && wrong.is_none() {
        return Err(Fault::Missing);
    }
    if !is_theirs && !is_admin(scene) {
        // Somebody was faster, or it never was theirs: that is told, and no more.
        return page(scene, &Fields::default(), None, wrong).await;
    }
    let mut about = Person::of(&account, office.world.now());
    about.address = origin(&office.store, id).await?;
    let status = wrong.as_ref().map(Wrong::status).unwrap_or_default();
    scene
        .page("admin/decision.html")
        .status(status)
        .with("section", "waiting")
        .with("person", &about)
        .with("groups", &Choice::groups(&office.store.groups().await?))
        .with("notes", &shown(&office.store, id).await?)
        .with("reason", "")
        .with("can_block", &is_admin(scene))
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// Notes as templates take them.
pub async fn shown(store: &Store, id: &AccountId) -> Result<Vec<serde_json::Value>, Fault> {
    let notes = store.notes(id).await?;
    Ok(notes
        .into_iter()
        .map(|note| serde_json::json!({ "text": note.text, "author": note.author, "at": Moment::of(note.at) }))
        .collect())
}

/// `POST /admin/waiting/{id}/approve`
pub async fn approve(approver: Approver, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let group = fields.some("group").map(|id| GroupId(id.into()));
    let office = &approver.app.office;
    let done = approve::approve(office, &approver.actor(), &id, group.as_ref()).await;
    after(&approver, &id, done, "admin.said.approved").await
}

/// `POST /admin/waiting/{id}/reject`
pub async fn reject(approver: Approver, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let how = rejection(&fields, approver.account.role);
    let office = &approver.app.office;
    match approve::reject(office, &approver.actor(), &id, &how).await {
        Ok(account) => {
            let outcome = Outcome::rejected(vec![account.id]);
            page(&approver, &Fields::default(), Some(outcome), None).await
        }
        refused => after(&approver, &id, refused, "admin.said.rejected").await,
    }
}

/// `POST /admin/waiting/{id}/reopen`
pub async fn reopen(approver: Approver, Path(id): Path<String>) -> Answer {
    let id = AccountId(id);
    let done = approve::reopen(&approver.app.office, &approver.actor(), &id).await;
    after(&approver, &id, done, "admin.said.reopened").await
}

/// `POST /admin/waiting/{id}/notes`
pub async fn note(approver: Approver, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let office = &approver.app.office;
    let account = office.store.account(&id).await?.ok_or(Fault::Missing)?;
    let is_admin = approver.account.role == Role::Admin;
    if !is_admin && LISTS.iter().all(|(_, state)| *state != account.state) {
        return Err(Fault::Missing);
    }
    let list = if is_admin && fields.get("back") == "users" {
        "users"
    } else {
        "waiting"
    };
    match notes::add(office, &approver.actor(), &id, fields.get("text")).await {
        Ok(_) => {
            let back = format!("/admin/{list}/{id}");
            approver.go(&back).say("admin.said.noted").answer()
        }
        Err(refusal) => {
            let wrong = Wrong::told(&approver, refusal)?;
            person(&approver, &id, Some(wrong)).await
        }
    }
}

/// Back to the list with a message, or the person with what was refused.
async fn after(
    approver: &Approver,
    id: &AccountId,
    done: Done<Account>,
    said: &'static str,
) -> Answer {
    match done {
        Ok(_) => approver.go("/admin/waiting").say(said).answer(),
        Err(refusal) => {
            let wrong = Wrong::told(approver, refusal)?;
            person(approver, id, Some(wrong)).await
        }
    }
}

/// How somebody is to be rejected. A whole domain is for administrators to refuse.
pub fn rejection(fields: &Fields, role: Role) -> Rejection {
    Rejection {
        reason: fields.trimmed("reason").to_owned(),
        tell: fields.ticked("tell"),
        block: match fields.get("block") {
            "address" => Block::Address,
            "domain" if role == Role::Admin => Block::Domain,
            _ => Block::Nothing,
        },
    }
}

/// Whether who looks is an administrator.
pub fn is_admin(scene: &Scene) -> bool {
    let signed = scene.signed.as_ref();
    signed.is_some_and(|signed| signed.account.role == Role::Admin)
}
