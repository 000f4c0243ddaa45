//! Asking for a link to choose another password.

use axum::Form;
use serde::Deserialize;

use super::notice;
use crate::account::act::reset;
use crate::web::answer::Answer;
use crate::web::guard::Visitor;
use crate::web::limit::Cost;

/// An address.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    email: String,
}

/// `GET /forgot`
pub async fn show(visitor: Visitor) -> Answer {
    visitor.page("public/forgot.html").answer()
}

/// `POST /forgot`
pub async fn send(visitor: Visitor, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Mail)?;
    reset::ask(&visitor.app.office, &visitor.actor(), &sent.email).await?;
    visitor.go("/forgot/sent").answer()
}

/// `GET /forgot/sent`
pub async fn sent(visitor: Visitor) -> Answer {
    notice(&visitor, "forgot.sent", "/sign-in", "page.sign_in").answer()
}
