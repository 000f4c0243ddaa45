//! Choosing a password by a link: another one, or the first one.

use axum::Form;
use axum::extract::Query;
use axum::http::HeaderMap;
use serde::Deserialize;

use super::sign_in::KNOWN;
use super::{Token, dead};
use crate::account::act::check::Mistake;
use crate::account::act::link::Standing;
use crate::account::act::reset::{self, Set};
use crate::account::store::Purpose;
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::{Scene, Visitor};
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    t: String,
    password: Secret<String>,
}

/// `GET /reset?t=`
pub async fn show(visitor: Visitor, Query(Token { t }): Query<Token>) -> Answer {
    open(&visitor, &t, Purpose::Reset).await
}

/// `GET /setup?t=`
pub async fn show_first(visitor: Visitor, Query(Token { t }): Query<Token>) -> Answer {
    open(&visitor, &t, Purpose::Setup).await
}

/// `POST /reset`
pub async fn send(visitor: Visitor, headers: HeaderMap, Form(sent): Form<Sent>) -> Answer {
    set(&visitor, &headers, &sent, Purpose::Reset).await
}

/// `POST /setup`
pub async fn send_first(visitor: Visitor, headers: HeaderMap, Form(sent): Form<Sent>) -> Answer {
    set(&visitor, &headers, &sent, Purpose::Setup).await
}

async fn open(scene: &Scene, token: &str, purpose: Purpose) -> Answer {
    match reset::look(&scene.app.office, token, purpose).await? {
        Standing::Good(_) => page(scene, token, purpose, &[]),
        other => dead(scene, &other, "/forgot", "link.again"),
    }
}

async fn set(scene: &Scene, headers: &HeaderMap, sent: &Sent, purpose: Purpose) -> Answer {
    scene.limit(Cost::Try)?;
    let (office, site, actor) = (&scene.app.office, &scene.app.site, scene.actor());
    let device = Cookie::Device.read(site, headers);
    match reset::set(office, &actor, &sent.t, purpose, &sent.password, device).await? {
        Set::Done { device } => {
            let mut go = scene.go("/sign-in").cookie(Cookie::Session.clear(site));
            if let Some(device) = device {
                go = go.cookie(Cookie::Device.set(site, &device, Some(KNOWN)));
            }
            go.say("reset.done").answer()
        }
        Set::Mistake(mistake) => page(scene, &sent.t, purpose, &[mistake]),
        Set::Link(standing) => dead(scene, &standing, "/forgot", "link.again"),
    }
}

fn page(scene: &Scene, token: &str, purpose: Purpose, mistakes: &[Mistake]) -> Answer {
    scene
        .page("public/reset.html")
        .with("token", token)
        .with("is_first", &(purpose == Purpose::Setup))
        .with("minimum", &scene.app.office.settings.passwords.minimum)
        .mistakes(mistakes)
        .answer()
}
