//! What others see of somebody, and in which language the service speaks to them.

use super::check::{self, Mistake};
use super::{Failure, note};
use crate::account::audit::Entry;
use crate::account::{Account, Actor, Office};

/// Changes name and language; a mistake changes nothing.
///
/// # Errors
/// [`Failure`].
pub async fn change(
    office: &Office,
    actor: &Actor,
    account: &Account,
    display_name: &str,
    language: &str,
) -> Result<Result<(), Mistake>, Failure> {
    let name = match check::display_name(display_name) {
        Ok(name) if name.is_empty() => account.login.as_str().to_owned(),
        Ok(name) => name,
        Err(mistake) => return Ok(Err(mistake)),
    };
    if !office.texts.languages().any(|(code, _)| code == language) {
        return Ok(Err(Mistake::new("language", "form.language")));
    }
    let work = office.store.begin().await?;
    let mut fields = Vec::new();
    if name != account.display_name {
        work.set_display_name(&account.id, &name).await?;
        fields.push("display_name");
    }
    if language != account.language {
        work.set_language(&account.id, language).await?;
        fields.push("language");
    }
    if !fields.is_empty() {
        let entry = Entry::new("profile.changed", Some(account), "done");
        note(office, &work, actor, &entry.detail(fields.join(", "))).await?;
    }
    work.commit().await?;
    Ok(Ok(()))
}
