//! What the timer does about sign-ups: who did not confirm in time, and has no link that is still
//! good, goes silently; who was not approved in time goes with a mail. Both names are free again.

use super::{Failure, note, outbox, settings};
use crate::account::audit::Entry;
use crate::account::{Account, Actor, Office, State, post};

/// How many went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Nobody confirmed.
    pub unconfirmed: u64,
    /// Nobody approved.
    pub pending: u64,
}

/// Most at one time; the next round goes on.
const BATCH: usize = 200;

/// Removes what is due.
///
/// # Errors
/// When the database refuses; what was removed before stays so.
pub async fn run(office: &Office) -> Result<Expired, Failure> {
    let policy = settings::policy(office).await?;
    let now = office.world.now();
    let day = 24 * 3600;
    let mut gone = Expired::default();
    let confirm = now - policy.confirm_days * day;
    let approve = now - policy.approve_days * day;
    for account in office.store.stale_unconfirmed(confirm, now, BATCH).await? {
        gone.unconfirmed += u64::from(forget(office, &account).await?);
    }
    for account in office.store.stale_pending(approve, BATCH).await? {
        gone.pending += u64::from(forget(office, &account).await?);
    }
    Ok(gone)
}

async fn forget(office: &Office, account: &Account) -> Result<bool, Failure> {
    let actor = Actor {
        name: "timer".into(),
        ..Actor::default()
    };
    let work = office.store.begin().await?;
    if !work.forget(&account.id, account.state).await? {
        return Ok(false);
    }
    let entry = Entry::new("signup.expired", Some(account), "done").detail(account.state.as_str());
    note(office, &work, &actor, &entry).await?;
    if account.state == State::Pending {
        outbox::mail(office, &work, &post::expired(office, account)).await?;
    }
    work.commit().await?;
    Ok(true)
}
