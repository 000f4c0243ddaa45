//! What the acts of staff have in common: the account that one is about, why it cannot be, and
//! that somebody is left to administrate.

use super::refusal::{Refusal, Result};
use crate::account::store::{AuditFilter, Store, Work};
use crate::account::{Account, AccountId, Actor, Role, State};

/// An account that was not deleted.
pub(super) async fn find(store: &Store, id: &AccountId) -> Result<Account> {
    let found = store.account(id).await?;
    found
        .filter(|account| account.state != State::Deleted)
        .ok_or(Refusal::Gone)
}

/// Why an account could not be moved: where it stands, and who brought it there.
pub(super) async fn moved(store: &Store, id: &AccountId) -> Refusal {
    match find(store, id).await {
        Ok(account) => Refusal::Moved {
            by: last(store, id).await,
            login: account.login.as_str().into(),
            state: account.state,
        },
        Err(refusal) => refusal,
    }
}

/// The last who moved an account.
async fn last(store: &Store, id: &AccountId) -> Option<(String, i64)> {
    let filter = AuditFilter {
        target: Some(id.clone()),
        ..AuditFilter::default()
    };
    let entries = store.audit(&filter, None, 20).await.ok()?;
    let moves = [
        "account.approved",
        "account.rejected",
        "account.reopened",
        "account.suspended",
        "account.resumed",
    ];
    let last = entries
        .rows
        .into_iter()
        .find(|written| moves.contains(&written.entry.action.as_str()))?;
    Some((last.actor_name, last.at.div_euclid(1000)))
}

/// Refuses what one does not do to oneself.
pub(super) fn not_oneself(actor: &Actor, id: &AccountId) -> Result<()> {
    if actor.account.as_ref() == Some(id) {
        return Err(Refusal::Yourself);
    }
    Ok(())
}

/// Refuses when nobody else could administrate; the others stay so until the work ends.
pub(super) async fn somebody_is_left(work: &Work, account: &Account) -> Result<()> {
    let is_one = account.role == Role::Admin && account.state == State::Active;
    if is_one && work.other_admins(&account.id).await? == 0 {
        return Err(Refusal::LastAdmin);
    }
    Ok(())
}
