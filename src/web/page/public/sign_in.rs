//! Signing in with name and password.

use axum::Form;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Next;
use crate::account::State;
use crate::account::act::check::Mistake;
use crate::account::act::signin::{self, Outcome};
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::{Scene, Visitor};
use crate::web::limit::Cost;

/// Seconds that a browser is known: as long as browsers keep a cookie.
pub(super) const KNOWN: i64 = 400 * 24 * 3600;
/// Seconds between password and code.
const HALF: i64 = 300;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    name: String,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub async fn show(visitor: Visitor, Query(Next { next }): Query<Next>) -> Answer {
    if visitor.signed.is_some() {
        return visitor.go(&way(&visitor, &next)).answer();
    }
    page(&visitor, "", &next, &[])
}

/// `POST /sign-in`
pub async fn send(visitor: Visitor, headers: HeaderMap, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Try)?;
    let site = &visitor.app.site;
    let form = signin::Form {
        name: &sent.name,
        password: sent.password,
        device: Cookie::Device.read(site, &headers),
        before: Cookie::Session.read(site, &headers),
    };
    match signin::ask(&visitor.app.office, &visitor.actor(), form).await? {
        Outcome::Half(half) => {
            let next = crate::web::guard::encoded(&sent.next);
            visitor
                .go(&format!("/second-factor?next={next}"))
                .cookie(Cookie::Half.set(site, &half, Some(HALF)))
                .answer()
        }
        Outcome::Told(account) => {
            let word = match account.state {
                State::Unconfirmed => "unconfirmed",
                State::Pending => "pending",
                State::Rejected => "rejected",
                _ => "suspended",
            };
            visitor
                .page("public/told.html")
                .with("word", word)
                .with("email", &account.email)
                .status(StatusCode::FORBIDDEN)
                .answer()
        }
        Outcome::In { key, device } => enter(&visitor, &key, device.as_deref(), &sent.next),
        Outcome::Wrong | Outcome::Late => {
            let wrong = [Mistake::new("form", "signin.wrong")];
            page(&visitor, &sent.name, &sent.next, &wrong)
        }
    }
}

/// On to where somebody wanted to go, with the cookies of a new session.
pub(super) fn enter(
    scene: &Scene,
    key: &Secret<String>,
    device: Option<&str>,
    next: &str,
) -> Answer {
    let site = &scene.app.site;
    let mut go = scene
        .go(&way(scene, next))
        .cookie(Cookie::Session.set(site, key.reveal(), None))
        .cookie(Cookie::Half.clear(site));
    if let Some(device) = device {
        go = go.cookie(Cookie::Device.set(site, device, Some(KNOWN)));
    }
    go.answer()
}

fn way(scene: &Scene, next: &str) -> String {
    let own = scene.app.site.own_path(next);
    own.unwrap_or_else(|| "/account".into())
}

fn page(scene: &Scene, name: &str, next: &str, mistakes: &[Mistake]) -> Answer {
    scene
        .page("public/sign-in.html")
        .with("form", &json!({ "name": name }))
        .with("next", next)
        .mistakes(mistakes)
        .answer()
}
