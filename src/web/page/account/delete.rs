//! Deleting one's account.

use axum::Form;
use serde::Deserialize;

use super::super::public;
use crate::account::act::check::Mistake;
use crate::account::act::leave;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    login: String,
}

/// `GET /account/delete`
pub async fn show(member: Member) -> Answer {
    member.fresh()?;
    page(&member, &[])
}

/// `POST /account/delete`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.fresh()?;
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    match leave::ask(office, &actor, &member.account, &sent.login).await? {
        Ok(()) => public::gone(&member.scene)
            .cookie(Cookie::Session.clear(&member.app.site))
            .answer(),
        Err(mistake) => page(&member, &[mistake]),
    }
}

fn page(member: &Member, mistakes: &[Mistake]) -> Answer {
    member
        .page("account/delete.html")
        .with("login", &member.account.login)
        .mistakes(mistakes)
        .answer()
}
