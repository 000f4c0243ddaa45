//! Signing up, with or without an invitation.

use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::notice;
use crate::account::act::check::{self, Mistake};
use crate::account::act::signup::{self, Asked};
use crate::account::policy::Registration;
use crate::secret::Secret;
use crate::web::answer::Answer;
use crate::web::guard::{Scene, Visitor};
use crate::web::limit::Cost;

/// What a browser itself says of a user name while it is typed; nobody is asked, so nothing is told.
const NAME: &str = r#"[^\s@\/:&'"<>]+"#;

/// `?c=`: the code of an invitation.
#[derive(Debug, Deserialize)]
pub struct Code {
    #[serde(default)]
    c: String,
}

/// The form. The trap has a name that machines like and browsers do not fill in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    login: String,
    email: String,
    display_name: String,
    password: Option<Secret<String>>,
    reason: String,
    terms: String,
    homepage: String,
    began: String,
    invite: String,
}

/// `GET /sign-up` and `GET /invite`
pub async fn show(visitor: Visitor, Query(Code { c }): Query<Code>) -> Answer {
    let sent = Sent {
        invite: c,
        ..Sent::default()
    };
    page(&visitor, &sent, &[]).await
}

/// `POST /sign-up`
pub async fn send(visitor: Visitor, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Mail)?;
    let form = signup::Form {
        login: sent.login.clone(),
        email: sent.email.clone(),
        display_name: sent.display_name.clone(),
        password: sent.password.clone(),
        reason: sent.reason.clone(),
        terms: sent.terms == "yes",
        trap: sent.homepage.clone(),
        began: sent.began.clone(),
        invite: sent.invite.clone(),
        language: visitor.language.to_owned(),
    };
    match signup::ask(&visitor.app.office, &visitor.actor(), form).await? {
        Asked::Sent => visitor.go("/sign-up/sent").answer(),
        Asked::Mistakes(mistakes) => page(&visitor, &sent, &mistakes).await,
        Asked::Closed => closed(&visitor),
    }
}

/// `GET /sign-up/sent`
pub async fn sent(visitor: Visitor) -> Answer {
    notice(&visitor, "signup.sent", "/resend", "signup.sent.again").answer()
}

async fn page(scene: &Scene, sent: &Sent, mistakes: &[Mistake]) -> Answer {
    let office = &scene.app.office;
    let (policy, invited) = signup::door(office, &sent.invite).await?;
    if policy.mode == Registration::Closed {
        return closed(scene);
    }
    if policy.mode == Registration::Invite && !invited {
        return notice(scene, "signup.invite_only", "/sign-in", "page.sign_in")
            .status(StatusCode::FORBIDDEN)
            .answer();
    }
    let form = json!({
        "login": sent.login,
        "email": sent.email,
        "display_name": sent.display_name,
        "reason": sent.reason,
        "terms": sent.terms,
    });
    scene
        .page("public/sign-up.html")
        .with("form", &form)
        .with("began", &check::began(office))
        .with("invite", if invited { sent.invite.as_str() } else { "" })
        .with("asks_reason", &(policy.asks_reason() && !invited))
        .with("needs_approval", &(policy.mode == Registration::Approval))
        .with("terms_url", &policy.terms_url)
        .with("pattern", NAME)
        .with("minimum", &office.settings.passwords.minimum)
        .mistakes(mistakes)
        .answer()
}

fn closed(scene: &Scene) -> Answer {
    notice(scene, "signup.closed", "/sign-in", "page.sign_in")
        .status(StatusCode::FORBIDDEN)
        .answer()
}
