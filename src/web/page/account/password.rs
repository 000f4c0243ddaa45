//! Another password.

use axum::Form;
use serde::Deserialize;

use crate::account::act::check::Mistake;
use crate::account::act::password::{self, Changed};
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    old: Secret<String>,
    password: Secret<String>,
}

/// `GET /account/password`
pub async fn show(member: Member) -> Answer {
    page(&member, &[])
}

/// `POST /account/password`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.limit(Cost::Try)?;
    let (account, here) = (&member.account, &member.session);
    let (office, actor) = (&member.app.office, member.actor());
    match password::change(office, &actor, account, here, &sent.old, &sent.password).await? {
        Changed::Done(key) => member
            .go("/account")
            .cookie(Cookie::Session.set(&member.app.site, key.reveal(), None))
            .say("password.changed")
            .answer(),
        Changed::Mistake(mistake) => page(&member, &[mistake]),
    }
}

fn page(member: &Member, mistakes: &[Mistake]) -> Answer {
    member
        .page("account/password.html")
        .with("login", &member.account.login)
        .with("minimum", &member.app.office.settings.passwords.minimum)
        .mistakes(mistakes)
        .answer()
}
