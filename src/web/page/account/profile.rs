//! The name that others see, and the language.

use axum::Form;
use serde::Deserialize;
use serde_json::json;

use crate::account::act::check::Mistake;
use crate::account::act::profile;
use crate::web::answer::Answer;
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    language: String,
}

/// `GET /account/profile`
pub async fn show(member: Member) -> Answer {
    let account = &member.account;
    page(&member, &account.display_name, &account.language, &[])
}

/// `POST /account/profile`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    let (name, language) = (&sent.display_name, &sent.language);
    match profile::change(office, &actor, &member.account, name, language).await? {
        Ok(()) => member.go("/account").say("profile.saved").answer(),
        Err(mistake) => page(&member, name, language, &[mistake]),
    }
}

fn page(member: &Member, name: &str, language: &str, mistakes: &[Mistake]) -> Answer {
    let languages = member.app.office.texts.languages();
    let languages = languages.map(|(code, name)| json!({ "value": code, "label": name }));
    member
        .page("account/profile.html")
        .with(
            "form",
            &json!({ "display_name": name, "language": language }),
        )
        .with("options", &languages.collect::<Vec<_>>())
        .mistakes(mistakes)
        .answer()
}
