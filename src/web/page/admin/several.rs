//! The same for several people at once. Each is a change of its own: who cannot be changed is
//! named, and the others are. Suspending, rejecting and deleting ask once more.

use axum::http::StatusCode;

use super::form::Fields;
use super::view::{Outcome, Person, Wrong};
use super::waiting::{is_admin, rejection};
use super::{person, users, waiting};
use crate::account::act::refusal::{Refusal, Result as Done};
use crate::account::act::{approve, groups, users as act};
use crate::account::store::GroupId;
use crate::account::{Account, AccountId, Role};
use crate::web::answer::{Answer, Fault};
use crate::web::guard::{Admin, Approver, Member, Scene};

/// `POST /admin/waiting`
pub async fn waiting(approver: Approver, fields: Fields) -> Answer {
    let (act, ids) = match (fields.some("approve"), fields.some("reopen")) {
        (Some(id), _) => ("approve", vec![AccountId(id.into())]),
        (_, Some(id)) => ("reopen", vec![AccountId(id.into())]),
        _ => (fields.trimmed("do"), fields.chosen()),
    };
    if !matches!(act, "approve" | "reject" | "reopen") || ids.is_empty() {
        let wrong = Wrong::say(&approver, "admin.bulk_nobody");
        return waiting::page(&approver, &fields, None, Some(wrong)).await;
    }
    if act == "reject" && !fields.ticked("sure") {
        let back = format!("/admin/waiting{}", fields.query(&["show"], &[]));
        return sure(&approver, act, &ids, &fields, "waiting", &back, None).await;
    }
    let outcome = all(&approver, act, &ids, &fields).await?;
    let shown = Fields::of_query(&fields.query(&["show"], &[]));
    waiting::page(&approver, &shown, Some(outcome), None).await
}

/// `POST /admin/users`
pub async fn users(admin: Admin, fields: Fields) -> Answer {
    let (act, ids) = (fields.trimmed("do"), fields.chosen());
    let shown = Fields::of_query(fields.get("query"));
    let is_known = matches!(
        act,
        "approve" | "reject" | "resend" | "suspend" | "resume" | "group" | "delete"
    );
    let lacks_group = act == "group" && fields.some("group").is_none();
    if !is_known || ids.is_empty() || lacks_group {
        let key = if lacks_group {
            "admin.wrong.group"
        } else {
            "admin.bulk_nobody"
        };
        let wrong = Wrong::say(&admin, key);
        return users::page(&admin, &shown, None, Some(wrong)).await;
    }
    let back = format!("/admin/users{}", users::here(&shown));
    if act == "delete" {
        person::fresh(&admin, &back)?;
    }
    if matches!(act, "reject" | "suspend" | "delete") {
        let is_counted = act != "delete" || fields.trimmed("number") == ids.len().to_string();
        let is_sure = fields.ticked("sure");
        if !is_sure || !is_counted {
            let wrong = is_sure.then(|| Wrong::say(&admin, "admin.bulk_sure.wrong"));
            return sure(&admin, act, &ids, &fields, "users", &back, wrong).await;
        }
    }
    let outcome = all(&admin, act, &ids, &fields).await?;
    users::page(&admin, &shown, Some(outcome), None).await
}

/// The page that asks once more; nothing has changed yet.
async fn sure(
    scene: &Scene,
    act: &str,
    ids: &[AccountId],
    fields: &Fields,
    section: &str,
    back: &str,
    wrong: Option<Wrong>,
) -> Answer {
    let office = &scene.app.office;
    let now = office.world.now();
    let found = office.store.accounts(ids).await?;
    let people: Vec<Person> = found
        .iter()
        .map(|account| Person::of(account, now))
        .collect();
    if people.is_empty() {
        return Err(Fault::Missing);
    }
    let question = match act {
        "reject" => "admin.waiting.reject_many",
        "suspend" => "admin.bulk_sure.suspend",
        _ => "admin.bulk_sure.delete",
    };
    scene
        .page("admin/sure.html")
        .status(if wrong.is_some() {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        })
        .with("section", section)
        .with("question", question)
        .with("people", &people)
        .with("act", act)
        .with("to", &format!("/admin/{section}"))
        .with("back", back)
        .with("here", fields.get("query"))
        .with("show", fields.get("show"))
        .with("reason", fields.get("reason"))
        .with("can_block", &is_admin(scene))
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// Does it to each, one after the other.
async fn all(
    member: &Member,
    act: &str,
    ids: &[AccountId],
    fields: &Fields,
) -> Result<Outcome, Fault> {
    let mut outcome = Outcome {
        all: ids.len(),
        ..Outcome::default()
    };
    for id in ids {
        match each(member, act, id, fields).await {
            Ok(account) => {
                outcome.done += 1;
                if act == "reject" {
                    outcome.undo.push(account.id.0);
                }
            }
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(refusal) => outcome.left.push(Wrong::of(member, &refusal).text()),
        }
    }
    Ok(outcome)
}

async fn each(member: &Member, act: &str, id: &AccountId, fields: &Fields) -> Done<Account> {
    let (office, actor) = (&member.app.office, member.actor());
    let group = fields.some("group").map(|id| GroupId(id.into()));
    if matches!(act, "approve" | "reject" | "reopen") {
        return match act {
            "approve" => approve::approve(office, &actor, id, group.as_ref()).await,
            "reject" => {
                let how = rejection(fields, member.account.role);
                approve::reject(office, &actor, id, &how).await
            }
            _ => approve::reopen(office, &actor, id).await,
        };
    }
    if member.account.role != Role::Admin {
        return Err(Refusal::Gone);
    }
    match (act, group) {
        ("resend", _) => act::resend(office, &actor, id).await,
        ("suspend", _) => act::suspend(office, &actor, id, "").await,
        ("resume", _) => act::resume(office, &actor, id).await,
        ("delete", _) => act::delete(office, &actor, id).await,
        ("group", Some(group)) => groups::join(office, &actor, id, &group).await,
        _ => Err(Refusal::Gone),
    }
}
