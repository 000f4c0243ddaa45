//! The links that confirm another address, and that take such a change back.

use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;

use super::{Token, dead, notice};
use crate::account::act::email::{self, Changed, Offer};
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::Visitor;
use crate::web::limit::Cost;

/// `GET /email-change?t=`
pub async fn show(visitor: Visitor, Query(Token { t }): Query<Token>) -> Answer {
    let (word, email) = match email::look(&visitor.app.office, &t).await? {
        Offer::To(email) => ("to", email),
        Offer::Back(email) => ("back", email),
        Offer::Link(standing) => return dead(&visitor, &standing, "/account", "page.account"),
    };
    visitor
        .page("public/email-change.html")
        .with("word", word)
        .with("email", &email)
        .with("token", &t)
        .answer()
}

/// `POST /email-change`
pub async fn send(visitor: Visitor, Form(Token { t }): Form<Token>) -> Answer {
    visitor.limit(Cost::Try)?;
    match email::done(&visitor.app.office, &visitor.actor(), &t).await? {
        Changed::Done => notice(&visitor, "email.done", "/account", "page.account"),
        Changed::Back => notice(&visitor, "email.taken_back", "/sign-in", "page.sign_in")
            .cookie(Cookie::Session.clear(&visitor.app.site)),
        Changed::Taken => {
            notice(&visitor, "email.taken", "/account", "page.account").status(StatusCode::CONFLICT)
        }
        Changed::Link(standing) => {
            return dead(&visitor, &standing, "/account", "page.account");
        }
    }
    .answer()
}
