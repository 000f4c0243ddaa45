//! Another language: for this browser, and for the account of who is signed in.

use axum::Form;
use serde::Deserialize;

use crate::account::act::profile;
use crate::account::text::catalogue::LANGUAGES;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Visitor;
use crate::web::limit::Cost;
use crate::web::{Cookie, site};

/// A year.
const SECONDS: i64 = 365 * 24 * 3600;

/// The form at the foot of every page.
#[derive(Debug, Deserialize)]
pub struct Sent {
    language: String,
    #[serde(default)]
    back: String,
}

/// `POST /language`
pub async fn choose(visitor: Visitor, Form(sent): Form<Sent>) -> Answer {
    visitor.limit(Cost::Form)?;
    let chosen = LANGUAGES.into_iter().find(|code| *code == sent.language);
    let language = chosen.ok_or(Fault::Senseless)?;
    if let Some(signed) = &visitor.signed {
        let name = &signed.account.display_name;
        let (office, actor) = (&visitor.app.office, visitor.actor());
        // The name was checked when it was set; a mistake in it is no reason to refuse a language.
        let _ = profile::change(office, &actor, &signed.account, name, language).await?;
    }
    let back = site::own_page(&sent.back).unwrap_or_else(|| "/".into());
    visitor
        .go(&back)
        .cookie(Cookie::Language.set(&visitor.app.site, language, Some(SECONDS)))
        .answer()
}
