//! Invitations: made, listed, revoked. A link is shown once.

use serde_json::json;

use super::form::Fields;
use super::view::{Choice, Moment, Outcome, Wrong};
use crate::account::act::invite::{self, New};
use crate::account::act::refusal::Refusal;
use crate::account::act::settings;
use crate::account::policy::Registration;
use crate::account::store::GroupId;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Admin;

/// `GET /admin/invites`
pub async fn list(admin: Admin) -> Answer {
    page(&admin, &Fields::default(), None).await
}

async fn page(admin: &Admin, typed: &Fields, wrong: Option<Wrong>) -> Answer {
    let office = &admin.app.office;
    let (store, now) = (&office.store, office.world.now());
    let groups = store.groups().await?;
    let made = store.invites().await?;
    let mut makers: Vec<_> = made
        .iter()
        .filter_map(|one| one.created_by.clone())
        .collect();
    makers.sort();
    makers.dedup();
    let makers = store.accounts(&makers).await?;
    let invites: Vec<_> = made
        .iter()
        .map(|one| {
            let group = groups
                .iter()
                .find(|group| Some(&group.id) == one.group.as_ref());
            let by = makers
                .iter()
                .find(|maker| Some(&maker.id) == one.created_by.as_ref());
            json!({
                "id": one.hash,
                "label": one.label,
                "group": group.map_or("", |group| group.name.as_str()),
                "uses_left": one.uses_left,
                "expires": Moment::of(one.expires),
                "is_over": one.uses_left == 0 || one.expires <= now,
                "by": by.map_or("", |by| by.login.as_str()),
            })
        })
        .collect();
    let or = |name: &str, other: &str| typed.some(name).unwrap_or(other).to_owned();
    let form = json!({
        "label": typed.get("label"), "group": typed.get("group"),
        "uses": or("uses", "1"), "days": or("days", "14"),
    });
    admin
        .page("admin/invites.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "invites")
        .with("invites", &invites)
        .with("groups", &Choice::groups(&groups))
        .with("form", &form)
        .with("is_off", &is_off(admin).await?)
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// Whether sign-up is closed, so that an invitation lets nobody in.
async fn is_off(admin: &Admin) -> Result<bool, Fault> {
    let policy = settings::policy(&admin.app.office).await?;
    Ok(policy.mode == Registration::Closed)
}

/// `POST /admin/invites`: the link is on this answer and nowhere else.
pub async fn create(admin: Admin, fields: Fields) -> Answer {
    let group = fields.some("group").map(|id| GroupId(id.into()));
    let new = New {
        label: fields.get("label"),
        group: group.as_ref(),
        uses: fields.trimmed("uses").parse().unwrap_or(0),
        days: fields.trimmed("days").parse().unwrap_or(0),
    };
    match invite::create(&admin.app.office, &admin.actor(), &new).await {
        Ok((made, link)) => admin
            .page("admin/link.html")
            .with("section", "invites")
            .with("title", "admin.invites.link.title")
            .with("text", "admin.invites.link.text")
            .with("login", &made.label)
            .with("until", Moment::of(made.expires).text())
            .with("secret", link.reveal())
            .with("is_off", &is_off(&admin).await?)
            .with("back", "/admin/invites")
            .answer(),
        Err(refusal) => page(&admin, &fields, Some(Wrong::told(&admin, refusal)?)).await,
    }
}

/// `POST /admin/invites/revoke`
pub async fn revoke(admin: Admin, fields: Fields) -> Answer {
    let done = invite::revoke(&admin.app.office, &admin.actor(), fields.get("id")).await;
    match done {
        // Somebody else was faster: it is revoked all the same.
        Ok(_) | Err(Refusal::Gone) => admin
            .go("/admin/invites")
            .say("admin.said.revoked")
            .answer(),
        Err(refusal) => Err(refusal.into()),
    }
}
