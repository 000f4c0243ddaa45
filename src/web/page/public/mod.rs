//! Pages for everybody.

pub mod confirm;
pub mod email_change;
pub mod forgot;
pub mod reset;
pub mod second_factor;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;

use axum::http::StatusCode;
use serde::Deserialize;

use crate::account::act::link::Standing;
use crate::web::answer::{Answer, Page};
use crate::web::guard::Scene;

/// `?t=`: the token of a link.
#[derive(Debug, Deserialize)]
pub struct Token {
    #[serde(default)]
    t: String,
}

/// `?next=`: where to go afterwards, a path with the prefix.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// A page that says one thing and shows one way on.
fn notice(scene: &Scene, word: &str, to: &str, label: &str) -> Page {
    scene
        .page("public/notice.html")
        .with("title", &format!("{word}.title"))
        .with("text", &format!("{word}.text"))
        .with("to", to)
        .with("label", label)
}

/// A page about a link that cannot be used. Only its holder has it, so the reason is told.
fn dead(scene: &Scene, standing: &Standing, to: &str, label: &str) -> Answer {
    let word = match standing {
        Standing::Used => "link.used",
        Standing::Expired => "link.expired",
        Standing::Good(_) | Standing::Unknown => "link.unknown",
    };
    notice(scene, word, to, label)
        .status(StatusCode::GONE)
        .answer()
}

/// The page after an account was deleted; nobody is signed in any more.
pub(super) fn gone(scene: &Scene) -> Page {
    let scene = Scene {
        signed: None,
        ..scene.clone()
    };
    notice(&scene, "leave.gone", "/sign-in", "page.sign_in")
}
