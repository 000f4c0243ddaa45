//! Another e-mail address.

use axum::Form;
use serde::Deserialize;
use serde_json::json;

use crate::account::act::check::Mistake;
use crate::account::act::email::{self, Asked};
use crate::web::answer::Answer;
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    email: String,
}

/// `GET /account/email`
pub async fn show(member: Member) -> Answer {
    member.fresh()?;
    page(&member, "", &[])
}

/// `POST /account/email`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.fresh()?;
    member.limit(Cost::Mail)?;
    let (office, actor) = (&member.app.office, member.actor());
    match email::ask(office, &actor, &member.account, &sent.email).await? {
        Asked::Sent => member.go("/account").say("email.sent").answer(),
        Asked::Mistake(mistake) => page(&member, &sent.email, &[mistake]),
    }
}

fn page(member: &Member, typed: &str, mistakes: &[Mistake]) -> Answer {
    member
        .page("account/email.html")
        .with("email", &member.account.email)
        .with("form", &json!({ "email": typed }))
        .mistakes(mistakes)
        .answer()
}
