//! One account, as an administrator sees it, and what can be done with it.

use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::json;

use super::form::Fields;
use super::view::{Choice, Line, Moment, Outcome, Person, Wrong};
use super::waiting::shown;
use crate::account::act::refusal::Result as Done;
use crate::account::act::{groups, link, users as act};
use crate::account::store::{AuditFilter, GroupId};
use crate::account::{AccountId, Role, State};
use crate::web::answer::{Answer, Fault};
use crate::web::guard::{Admin, Member, encoded};

/// Entries of the audit trail on this page.
const ENTRIES: usize = 10;

/// `GET /admin/users/{id}`
pub async fn show(admin: Admin, Path(id): Path<String>) -> Answer {
    page(&admin, &AccountId(id), None, None).await
}

/// The page, with what was refused and what had been typed.
async fn page(
    admin: &Admin,
    id: &AccountId,
    wrong: Option<Wrong>,
    typed: Option<&Fields>,
) -> Answer {
    let office = &admin.app.office;
    let store = &office.store;
    let account = store.account(id).await?.ok_or(Fault::Missing)?;
    if account.state == State::Deleted {
        return Err(Fault::Missing);
    }
    let now = office.world.now();
    let (mine, all) = (store.groups_of(id).await?, store.groups().await?);
    let others: Vec<_> = all
        .into_iter()
        .filter(|group| !mine.contains(group))
        .collect();
    let sessions = store.sessions(id, now).await?;
    let sessions: Vec<_> = sessions
        .into_iter()
        .map(|one| {
            json!({
                "created": Moment::of(one.created), "seen": Moment::of(one.seen),
                "address": one.address, "agent": one.agent,
            })
        })
        .collect();
    let filter = AuditFilter {
        target: Some(id.clone()),
        ..AuditFilter::default()
    };
    let entries = store.audit(&filter, None, ENTRIES).await?.rows;
    let entries: Vec<Line> = entries.into_iter().map(Line::from).collect();
    let edit = match typed {
        Some(typed) => json!({
            "display_name": typed.get("display_name"), "email": typed.get("email"),
            "language": typed.get("language"),
        }),
        None => json!({
            "display_name": account.display_name, "email": account.email,
            "language": account.language,
        }),
    };
    admin
        .page("admin/person.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "users")
        .with("base", &format!("/admin/users/{id}"))
        .with("person", &Person::of(&account, now))
        .with("edit", &edit)
        .with("tongues", &Choice::languages(&admin.app.office.texts))
        .with(
            "roles",
            &Choice::words(admin, "admin.role.", &Role::ALL.map(Role::as_str)),
        )
        .with("mine", &Choice::groups(&mine))
        .with("others", &Choice::groups(&others))
        .with("sessions", &sessions)
        .with("notes", &shown(store, id).await?)
        .with("entries", &entries)
        .with(
            "audit",
            &format!("/admin/audit?target={}", encoded(account.login.as_str())),
        )
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// Back to the page with a message, or the page with what was refused.
async fn after<T>(admin: &Admin, id: &AccountId, done: Done<T>, said: &'static str) -> Answer {
    match done {
        Ok(_) => admin.go(&format!("/admin/users/{id}")).say(said).answer(),
        Err(refusal) => page(admin, id, Some(Wrong::told(admin, refusal)?), None).await,
    }
}

/// Only on, when the password was typed a short while ago; else to the page that asks for it, and
/// from there to `back`.
pub fn fresh(member: &Member, back: &str) -> Result<(), Fault> {
    member.fresh().map_err(|_| {
        let site = &member.app.site;
        let back = encoded(&site.path(back));
        Fault::Elsewhere(site.path(&format!("/again?next={back}")))
    })
}

/// `POST /admin/users/{id}`
pub async fn edit(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let before = admin.app.office.store.account(&id).await?;
    let before = before.and_then(|account| account.email).unwrap_or_default();
    if before != fields.trimmed("email") {
        // Whoever has the address has the account.
        fresh(&admin, &format!("/admin/users/{id}"))?;
    }
    let edit = act::Edit {
        display_name: fields.get("display_name"),
        email: fields.get("email"),
        language: fields.get("language"),
    };
    match act::edit(&admin.app.office, &admin.actor(), &id, &edit).await {
        Err(refusal) => {
            let wrong = Wrong::told(&admin, refusal)?;
            page(&admin, &id, Some(wrong), Some(&fields)).await
        }
        done => after(&admin, &id, done, "admin.said.saved").await,
    }
}

/// `POST /admin/users/{id}/role`
pub async fn role(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    fresh(&admin, &format!("/admin/users/{id}"))?;
    let id = AccountId(id);
    let role = Role::parse(fields.get("role")).ok_or(Fault::Senseless)?;
    let done = act::role(&admin.app.office, &admin.actor(), &id, role).await;
    after(&admin, &id, done, "admin.said.role").await
}

/// `POST /admin/users/{id}/groups`
pub async fn groups(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let (office, actor) = (&admin.app.office, admin.actor());
    if let Some(group) = fields.some("remove") {
        let done = groups::leave(office, &actor, &id, &GroupId(group.into())).await;
        return after(&admin, &id, done, "admin.said.member.removed").await;
    }
    let done = groups::join(office, &actor, &id, &GroupId(fields.get("add").into())).await;
    after(&admin, &id, done, "admin.said.member.added").await
}

/// `POST /admin/users/{id}/suspend`
pub async fn suspend(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    let id = AccountId(id);
    let reason = fields.get("reason");
    let done = act::suspend(&admin.app.office, &admin.actor(), &id, reason).await;
    after(&admin, &id, done, "admin.said.suspended").await
}

/// `POST /admin/users/{id}/resume`
pub async fn resume(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = AccountId(id);
    let done = act::resume(&admin.app.office, &admin.actor(), &id).await;
    after(&admin, &id, done, "admin.said.resumed").await
}

/// `POST /admin/users/{id}/sessions`
pub async fn sessions(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = AccountId(id);
    let done = act::end_sessions(&admin.app.office, &admin.actor(), &id).await;
    after(&admin, &id, done, "admin.said.sessions").await
}

/// `POST /admin/users/{id}/reset`
pub async fn reset(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = AccountId(id);
    let done = act::reset(&admin.app.office, &admin.actor(), &id).await;
    after(&admin, &id, done, "admin.said.reset").await
}

/// `POST /admin/users/{id}/setup`: the link is on this answer and nowhere else.
pub async fn setup(admin: Admin, Path(id): Path<String>) -> Answer {
    fresh(&admin, &format!("/admin/users/{id}"))?;
    let id = AccountId(id);
    match act::setup(&admin.app.office, &admin.actor(), &id).await {
        Ok((account, link)) => {
            let until = admin.app.office.world.now() + link::life::RESET;
            admin
                .page("admin/link.html")
                .with("section", "users")
                .with("title", "admin.person.link.title")
                .with("text", "admin.person.link.text")
                .with("login", &account.login)
                .with("until", Moment::of(until).text())
                .with("secret", link.reveal())
                .with("is_off", &false)
                .with("back", &format!("/admin/users/{id}"))
                .answer()
        }
        refused => after(&admin, &id, refused, "admin.said.reset").await,
    }
}

/// `POST /admin/users/{id}/second-factor`
pub async fn second_factor(admin: Admin, Path(id): Path<String>) -> Answer {
    fresh(&admin, &format!("/admin/users/{id}"))?;
    let id = AccountId(id);
    let done = act::remove_totp(&admin.app.office, &admin.actor(), &id).await;
    after(&admin, &id, done, "admin.said.totp").await
}

/// `POST /admin/users/{id}/resend`
pub async fn resend(admin: Admin, Path(id): Path<String>) -> Answer {
    let id = AccountId(id);
    let done = act::resend(&admin.app.office, &admin.actor(), &id).await;
    after(&admin, &id, done, "admin.said.resent").await
}

/// `GET /admin/users/{id}/delete`
pub async fn ask_delete(admin: Admin, Path(id): Path<String>) -> Answer {
    sure(&admin, &AccountId(id), None).await
}

async fn sure(admin: &Admin, id: &AccountId, wrong: Option<Wrong>) -> Answer {
    let office = &admin.app.office;
    let account = office.store.account(id).await?.ok_or(Fault::Missing)?;
    let is_wrong = wrong.is_some();
    admin
        .page("admin/delete.html")
        .status(if is_wrong {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        })
        .with("section", "users")
        .with("person", &Person::of(&account, office.world.now()))
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// `POST /admin/users/{id}/delete`
pub async fn delete(admin: Admin, Path(id): Path<String>, fields: Fields) -> Answer {
    fresh(&admin, &format!("/admin/users/{id}/delete"))?;
    let id = AccountId(id);
    let office = &admin.app.office;
    let account = office.store.account(&id).await?.ok_or(Fault::Missing)?;
    if fields.trimmed("login") != account.login.as_str() {
        let wrong = Wrong::say(&admin, "admin.person.delete_wrong");
        return sure(&admin, &id, Some(wrong)).await;
    }
    match act::delete(office, &admin.actor(), &id).await {
        Ok(_) => admin.go("/admin/users").say("admin.said.deleted").answer(),
        refused => after(&admin, &id, refused, "admin.said.deleted").await,
    }
}
