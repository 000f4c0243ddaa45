//! The password once more, before something that matters.

use axum::Form;
use axum::extract::Query;
use serde::Deserialize;

use crate::account::act::again::{self, Again};
use crate::account::act::check::Mistake;
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// Where to go on.
#[derive(Debug, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    password: Secret<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `GET /again`
pub async fn show(member: Member, Query(Next { next }): Query<Next>) -> Answer {
    page(&member, &next, &[])
}

/// `POST /again`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.limit(Cost::Try)?;
    let (account, here) = (&member.account, &member.session);
    let (office, actor) = (&member.app.office, member.actor());
    match again::ask(office, &actor, account, here, &sent.password, &sent.code).await? {
        Again::Done(key) => {
            let site = &member.app.site;
            let on = site.own_path(&sent.next);
            member
                .go(&on.unwrap_or_else(|| "/account".into()))
                .cookie(Cookie::Session.set(site, key.reveal(), None))
                .answer()
        }
        Again::Mistake(mistake) => page(&member, &sent.next, &[mistake]),
    }
}

fn page(member: &Member, next: &str, mistakes: &[Mistake]) -> Answer {
    member
        .page("account/again.html")
        .with("next", next)
        .with("has_totp", &member.account.has_totp)
        .mistakes(mistakes)
        .answer()
}
