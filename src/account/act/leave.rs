//! Deleting one's own account: everything personal goes, the name stays reserved.

use super::check::Mistake;
use super::{Failure, note, outbox};
use crate::account::audit::Entry;
use crate::account::{Account, Actor, Office, Role, post};

/// Deletes the account; its owner types its name, so that it is no slip.
///
/// # Errors
/// [`Failure`].
pub async fn ask(
    office: &Office,
    actor: &Actor,
    account: &Account,
    typed: &str,
) -> Result<Result<(), Mistake>, Failure> {
    if typed.trim().to_lowercase() != account.login.as_str() {
        return Ok(Err(Mistake::new("login", "leave.login")));
    }
    let work = office.store.begin().await?;
    if account.role == Role::Admin && work.other_admins(&account.id).await? == 0 {
        return Ok(Err(Mistake::new("login", "leave.last_admin")));
    }
    let now = office.world.now();
    if !work.erase(&account.id, account.state, now).await? {
        // Suspended in this moment: that stays for staff to see.
        return Ok(Err(Mistake::new("login", "leave.not_now")));
    }
    let entry = Entry::new("account.deleted", Some(account), "done").detail("by its owner");
    note(office, &work, actor, &entry).await?;
    outbox::mail(office, &work, &post::deleted(office, account)).await?;
    work.commit().await?;
    Ok(Ok(()))
}
