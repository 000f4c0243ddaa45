//! Confirming the address of a sign-up: the link of the mail opens a page, its button confirms.

use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Token, dead, notice};
use crate::account::act::confirm::{self, Confirmed};
use crate::account::act::link::Standing;
use crate::web::answer::Answer;
use crate::web::guard::Visitor;
use crate::web::limit::Cost;

/// `GET /confirm?t=`
pub async fn show(visitor: Visitor, Query(Token { t }): Query<Token>) -> Answer {
    match confirm::look(&visitor.app.office, &t).await? {
        Standing::Good(_) => visitor
            .page("public/confirm.html")
            .with("token", &t)
            .answer(),
        other => dead(&visitor, &other, "/resend", "link.again"),
    }
}

/// `POST /confirm`
pub async fn send(visitor: Visitor, Form(Token { t }): Form<Token>) -> Answer {
    visitor.limit(Cost::Try)?;
    match confirm::done(&visitor.app.office, &visitor.actor(), &t).await? {
        Confirmed::Active => notice(&visitor, "confirm.active", "/sign-in", "page.sign_in"),
        Confirmed::Waits => notice(&visitor, "confirm.waits", "/", "page.start"),
        Confirmed::Taken => notice(&visitor, "confirm.taken", "/sign-in", "page.sign_in")
            .status(StatusCode::CONFLICT),
        Confirmed::Link(standing) => {
            return dead(&visitor, &standing, "/resend", "link.again");
        }
    }
    .answer()
}

/// An address.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    email: String,
}

/// `GET /resend`
pub async fn ask(visitor: Visitor) -> Answer {
    visitor.page("public/resend.html").answer()
}

/// `POST /resend`
pub async fn resend(visitor: Visitor, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Mail)?;
    confirm::resend(&visitor.app.office, &visitor.actor(), &sent.email).await?;
    visitor.go("/resend/sent").answer()
}

/// `GET /resend/sent`
pub async fn resent(visitor: Visitor) -> Answer {
    notice(&visitor, "resend.sent", "/sign-in", "page.sign_in").answer()
}
