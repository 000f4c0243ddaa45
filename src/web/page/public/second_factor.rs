//! The code, after the password.

use axum::Form;
use axum::extract::Query;
use axum::http::HeaderMap;
use serde::Deserialize;

use super::Next;
use crate::account::act::check::Mistake;
use crate::account::act::signin::{self, Outcome};
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::{Scene, Visitor};
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `GET /second-factor`
pub async fn show(
    visitor: Visitor,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Answer {
    let half = Cookie::Half.read(&visitor.app.site, &headers);
    let is_half = match half {
        Some(half) => signin::is_half(&visitor.app.office, half).await?,
        None => false,
    };
    if !is_half {
        return visitor.go("/sign-in").answer();
    }
    page(&visitor, &next, &[])
}

/// `POST /second-factor`
pub async fn send(visitor: Visitor, headers: HeaderMap, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Try)?;
    let site = &visitor.app.site;
    let Some(half) = Cookie::Half.read(site, &headers) else {
        return visitor.go("/sign-in").answer();
    };
    let form = signin::Form {
        name: "",
        password: Secret::new(String::new()),
        device: Cookie::Device.read(site, &headers),
        before: Cookie::Session.read(site, &headers),
    };
    let (office, actor) = (&visitor.app.office, visitor.actor());
    match signin::second(office, &actor, half, &sent.code, form).await? {
        Outcome::In { key, device } => {
            super::sign_in::enter(&visitor, &key, device.as_deref(), &sent.next)
        }
        Outcome::Wrong => {
            let wrong = [Mistake::new("code", "form.code.wrong")];
            page(&visitor, &sent.next, &wrong)
        }
        _ => visitor
            .go("/sign-in")
            .cookie(Cookie::Half.clear(site))
            .say("signin.late")
            .answer(),
    }
}

fn page(scene: &Scene, next: &str, mistakes: &[Mistake]) -> Answer {
    scene
        .page("public/second-factor.html")
        .with("next", next)
        .mistakes(mistakes)
        .answer()
}
