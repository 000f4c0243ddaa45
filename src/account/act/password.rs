//! Another password for who knows the old one.

use super::check::Mistake;
use super::pace::Pace;
use super::session::{self, Session};
use super::{Failure, note, reset};
use crate::account::audit::Entry;
use crate::account::password::Verdict;
use crate::account::{Account, Actor, Office};
use crate::secret::Secret;

/// What became of it.
#[derive(Debug)]
pub enum Changed {
    /// It is changed; all other sessions have ended, and this one has a new key.
    Done(Secret<String>),
    /// Something is to be mended.
    Mistake(Mistake),
}

/// Changes the password.
///
/// # Errors
/// [`Failure`], too many tries among them.
pub async fn change(
    office: &Office,
    actor: &Actor,
    account: &Account,
    here: &Session,
    old: &Secret<String>,
    new: &Secret<String>,
) -> Result<Changed, Failure> {
    if !is_right(office, actor, account, old).await? {
        return Ok(Changed::Mistake(Mistake::new("old", "form.password.wrong")));
    }
    if let Err(mistake) = reset::judge(office, account, new) {
        return Ok(Changed::Mistake(mistake));
    }
    let keys = office.hasher.make(new, account.login.as_str()).await?;
    let work = office.store.begin().await?;
    reset::changed(office, &work, actor, account, &keys, Some(&here.hash)).await?;
    let key = session::renew(office, &work, here).await?;
    let entry = Entry::new("password.changed", Some(account), "done");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(Changed::Done(key))
}

/// Whether a password is the account's; tries are counted, and failures written down.
pub(super) async fn is_right(
    office: &Office,
    actor: &Actor,
    account: &Account,
    password: &Secret<String>,
) -> Result<bool, Failure> {
    let pace = Pace::own(&account.id.0);
    pace.step(office).await?;
    let held = office.store.credentials(&account.id).await?;
    let keys = held.as_ref().and_then(|held| held.keys.as_ref());
    if let Verdict::Right(_) = office.hasher.check(password, keys).await? {
        pace.forgive(office).await?;
        return Ok(true);
    }
    let work = office.store.begin().await?;
    let entry = Entry::new("again", Some(account), "failed");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(false)
}
