//! Who waits is approved, rejected, or put back among those who wait. Of two who decide at the
//! same moment one is told that the other was faster.

use super::note;
use super::outbox::mail;
use super::refusal::{Refusal, Result};
use super::settings;
use super::staff::{find, moved};
use crate::account::audit::Entry;
use crate::account::policy::Policy;
use crate::account::state::{Event, next};
use crate::account::store::{GroupId, Work, email_key};
use crate::account::{Account, AccountId, Actor, Office, State, post};

/// How somebody is rejected.
#[derive(Debug, Clone, Default)]
pub struct Rejection {
    /// For the audit trail, and for the mail; may be empty.
    pub reason: String,
    /// Whether a mail says so.
    pub tell: bool,
    /// What may not sign up again.
    pub block: Block,
}

/// What may not sign up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Block {
    /// Nothing is refused from now on.
    #[default]
    Nothing,
    /// The address.
    Address,
    /// Every address of its domain.
    Domain,
}

/// Most characters of a reason, here and where somebody is suspended.
pub const REASON: usize = 500;

/// Approves somebody who waits, perhaps into a group; they are told by mail.
///
/// # Errors
/// When the account does not wait, or the group is not there.
pub async fn approve(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    group: Option<&GroupId>,
) -> Result<Account> {
    let work = office.store.begin().await?;
    let account = step(office, &work, id, Event::Approve).await?;
    let mut detail = String::new();
    if let Some(group) = group {
        let group = work.group(group).await?.ok_or(Refusal::Group)?;
        work.join_group(id, &group.id).await?;
        detail = format!("group: {}", group.name);
    }
    let entry = Entry::new("account.approved", Some(&account), "done").detail(detail);
    note(office, &work, actor, &entry).await?;
    if account.email.is_some() {
        mail(office, &work, &post::approved(office, &account)).await?;
    }
    work.commit().await?;
    Ok(account)
}

/// Rejects somebody who waits or has not confirmed the address.
///
/// # Errors
/// When the account stands elsewhere, or the reason is too long.
pub async fn reject(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    how: &Rejection,
) -> Result<Account> {
    let reason = how.reason.trim();
    if reason.chars().count() > REASON {
        return Err(Refusal::Long("reason"));
    }
    let work = office.store.begin().await?;
    let account = step(office, &work, id, Event::Reject).await?;
    let mut blocked = None;
    if let Some(email) = &account.email {
        blocked = block(office, &work, actor, email, how.block).await?;
        // An address that nobody confirmed may be somebody else's: no mail goes there.
        if how.tell && account.state == State::Pending {
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            mail(office, &work, &post::rejected(office, &account, reason)).await?;
        }
    }
    let entry = Entry::new("account.rejected", Some(&account), "done").detail(reason);
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    if let Some(policy) = blocked {
        office.policy.keep(office.world.millis(), policy);
    }
    Ok(Account {
        state: State::Rejected,
        ..account
    })
}

/// Takes a rejection back: the account waits again, or has its address to confirm again, where
/// that was still to be done. Links to decide in older mails stay dead.
///
/// # Errors
/// When the account is not rejected.
pub async fn reopen(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    let work = office.store.begin().await?;
    let event = if work.only_claims_email(id).await? {
        Event::ReopenUnconfirmed
    } else {
        Event::Reopen
    };
    let account = step(office, &work, id, event).await?;
    let entry = Entry::new("account.reopened", Some(&account), "done");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(account)
}

/// Moves an account by an event; the account as it was before.
pub(super) async fn step(
    office: &Office,
    work: &Work,
    id: &AccountId,
    event: Event,
) -> Result<Account> {
    let account = find(work, id).await?;
    if let Some(state) = next(account.state, event) {
        let now = office.world.now();
        if work.move_account(id, account.state, state, now).await? {
            return Ok(account);
        }
    }
    Err(moved(work, id).await)
}

/// Puts an address or its domain on the policy's list; the policy, when that changed it.
async fn block(
    office: &Office,
    work: &Work,
    actor: &Actor,
    email: &str,
    block: Block,
) -> Result<Option<Policy>> {
    let key = email_key(email);
    let entry = match block {
        Block::Nothing => return Ok(None),
        Block::Address => key,
        Block::Domain => key.rsplit_once('@').map_or("", |(_, at)| at).to_owned(),
    };
    let mut policy = settings::held(office, work).await?;
    let list = match block {
        Block::Domain => &mut policy.blocked_domains,
        _ => &mut policy.blocked_addresses,
    };
    if list.contains(&entry) {
        return Ok(None);
    }
    list.push(entry);
    list.sort();
    settings::write(office, work, actor, &policy).await?;
    Ok(Some(policy))
}
