//! Proving once more who one is, before something that matters.

use super::check::Mistake;
use super::pace::Pace;
use super::session::{self, Session};
use super::{Failure, note, password, second_factor};
use crate::account::audit::Entry;
use crate::account::{Account, Actor, Office};
use crate::secret::Secret;

/// What became of it.
#[derive(Debug)]
pub enum Again {
    /// The session has a new key, and is fresh.
    Done(Secret<String>),
    /// Something is to be mended.
    Mistake(Mistake),
}

/// Takes the password, and the code where a second factor is set up.
///
/// # Errors
/// [`Failure`], too many tries among them.
pub async fn ask(
    office: &Office,
    actor: &Actor,
    account: &Account,
    here: &Session,
    typed: &Secret<String>,
    code: &str,
) -> Result<Again, Failure> {
    if !password::is_right(office, actor, account, typed).await? {
        let mistake = Mistake::new("password", "form.password.wrong");
        return Ok(Again::Mistake(mistake));
    }
    if account.has_totp {
        // The password was right: only the code's tries are counted here.
        Pace::own(&format!("{} code", account.id))
            .step(office)
            .await?;
    }
    let work = office.store.begin().await?;
    if account.has_totp {
        let held = work.credentials(&account.id).await?;
        let is_right = match &held {
            Some(held) => second_factor::prove(office, &work, actor, account, held, code).await?,
            None => false,
        };
        if !is_right {
            drop(work);
            let work = office.store.begin().await?;
            let entry = Entry::new("again", Some(account), "failed").detail("code");
            note(office, &work, actor, &entry).await?;
            work.commit().await?;
            return Ok(Again::Mistake(Mistake::new("code", "form.code.wrong")));
        }
    }
    let key = session::renew(office, &work, here).await?;
    note(
        office,
        &work,
        actor,
        &Entry::new("again", Some(account), "done"),
    )
    .await?;
    work.commit().await?;
    if account.has_totp {
        Pace::own(&format!("{} code", account.id))
            .forgive(office)
            .await?;
    }
    Ok(Again::Done(key))
}
