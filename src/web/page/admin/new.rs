//! An account made by an administrator, with a one-time link for its first password.

use serde_json::json;

use super::form::Fields;
use super::view::{Choice, Moment, Outcome, Wrong};
use crate::account::Role;
use crate::account::act::users::{self, New};
use crate::account::store::GroupId;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Admin;

/// `GET /admin/users/new`
pub async fn form(admin: Admin) -> Answer {
    page(&admin, &Fields::default(), None).await
}

async fn page(admin: &Admin, typed: &Fields, wrong: Option<Wrong>) -> Answer {
    let office = &admin.app.office;
    let or = |name: &str, other: &str| typed.some(name).unwrap_or(other).to_owned();
    let form = json!({
        "login": typed.get("login"),
        "display_name": typed.get("display_name"),
        "email": typed.get("email"),
        "language": or("language", &office.settings.language),
        "role": or("role", Role::Member.as_str()),
        "group": typed.get("group"),
        "how": or("how", "mail"),
    });
    admin
        .page("admin/new.html")
        .status(wrong.as_ref().map(Wrong::status).unwrap_or_default())
        .with("section", "users")
        .with("form", &form)
        .with("tongues", &Choice::languages(&admin.app.office.texts))
        .with(
            "roles",
            &Choice::words(admin, "admin.role.", &Role::ALL.map(Role::as_str)),
        )
        .with("groups", &Choice::groups(&office.store.groups().await?))
        .with("outcome", &None::<Outcome>)
        .with("wrong", &wrong)
        .answer()
}

/// `POST /admin/users/new`: a link that is not mailed is on this answer and nowhere else.
pub async fn create(admin: Admin, fields: Fields) -> Answer {
    let role = Role::parse(fields.get("role")).ok_or(Fault::Senseless)?;
    if role > Role::Member {
        super::person::fresh(&admin, "/admin/users/new")?;
    }
    let group = fields.some("group").map(|id| GroupId(id.into()));
    let new = New {
        login: fields.get("login"),
        display_name: fields.get("display_name"),
        email: fields.get("email"),
        language: fields.get("language"),
        role,
        group: group.as_ref(),
        mail: fields.get("how") != "show",
    };
    let office = &admin.app.office;
    match users::create(office, &admin.actor(), &new).await {
        Ok((account, Some(link))) => admin
            .page("admin/link.html")
            .with("section", "users")
            .with("title", "admin.person.link.title")
            .with("text", "admin.person.link.text")
            .with("login", &account.login)
            .with(
                "until",
                Moment::of(office.world.now() + users::SETUP).text(),
            )
            .with("secret", link.reveal())
            .with("is_off", &false)
            .with("back", &format!("/admin/users/{}", account.id))
            .answer(),
        Ok((account, None)) => {
            let page = format!("/admin/users/{}", account.id);
            admin.go(&page).say("admin.said.made").answer()
        }
        Err(refusal) => {
            let wrong = Wrong::told(&admin, refusal)?;
            page(&admin, &fields, Some(wrong)).await
        }
    }
}
