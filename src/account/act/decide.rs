//! A decision by a link in a mail: signed, for one recipient, one account, one decision and one
//! round of waiting. It is good without a sign-in; it stops when its recipient is no longer staff
//! or has another address, when its time has passed, and when somebody decided.

use super::approve::{Rejection, approve, reject};
use super::refusal::{Refusal, Result};
use super::staff::moved;
use crate::account::store::GroupId;
use crate::account::{Account, AccountId, Actor, Office, Role, State, post};

/// What a link decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Approve.
    Approve,
    /// Reject.
    Reject,
}

/// Seconds for which a link is good.
const LIFE: i64 = 7 * 86_400;
const PURPOSE: &str = "decide";

impl Decision {
    /// The word in a link and in keys of texts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// What a good link offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What it decides.
    pub decision: Decision,
    /// About whom.
    pub account: Account,
    /// The member of staff it was mailed to.
    pub by: Account,
}

/// Why a link decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dead {
    /// It is broken, too old, or was mailed to somebody who may no longer decide.
    Bad,
    /// It is fine, but the account does not wait (any more).
    Over(Refusal),
}

impl From<crate::account::store::Error> for Dead {
    fn from(error: crate::account::store::Error) -> Self {
        Self::Over(Refusal::Store(error))
    }
}

/// The link by which `by` decides about `account`, which waits since `since`.
#[must_use]
pub fn link(
    office: &Office,
    by: &Account,
    account: &AccountId,
    since: i64,
    decision: Decision,
) -> String {
    let expires = office.world.now() + LIFE;
    let open = format!(
        "{}.{account}.{}.{since}.{expires}",
        decision.as_str(),
        by.id
    );
    let signature = office.seal.sign(PURPOSE, &signed(&open, by));
    post::link(office, &format!("/decide?d={open}.{signature}"))
}

/// What is signed: what the link says, and the address that it was mailed to.
fn signed(open: &str, by: &Account) -> String {
    format!("{open} {}", by.email.as_deref().unwrap_or_default())
}

/// What a link offers; nothing changes by it.
///
/// # Errors
/// When the link is good for nothing (any more).
pub async fn look(office: &Office, link: &str) -> Result<Offer, Dead> {
    let store = &office.store;
    // A link of ours has nothing else; what no database takes is not even asked for.
    if !link.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Dead::Bad);
    }
    let (open, signature) = link.rsplit_once('.').ok_or(Dead::Bad)?;
    let parts: Vec<&str> = open.split('.').collect();
    let [decision, account, by, since, expires] = parts[..] else {
        return Err(Dead::Bad);
    };
    let decision = [Decision::Approve, Decision::Reject]
        .into_iter()
        .find(|known| known.as_str() == decision)
        .ok_or(Dead::Bad)?;
    let expires: i64 = expires.parse().map_err(|_| Dead::Bad)?;
    let id = AccountId(account.into());
    let by = store
        .account(&AccountId(by.into()))
        .await?
        .ok_or(Dead::Bad)?;
    let account = store.account(&id).await?.ok_or(Dead::Bad)?;
    let is_ours = office.seal.verify(PURPOSE, &signed(open, &by), signature);
    let may = by.role >= Role::Approver && by.state == State::Active;
    if !is_ours || !may || expires <= office.world.now() {
        return Err(Dead::Bad);
    }
    if account.state != State::Pending {
        return Err(Dead::Over(moved(store, &id).await));
    }
    // A later round of waiting has links of its own.
    if since.parse() != Ok(account.state_since) {
        return Err(Dead::Bad);
    }
    Ok(Offer {
        decision,
        account,
        by,
    })
}

/// Decides by a link, in the name of the one to whom it was mailed.
///
/// # Errors
/// When the link is good for nothing (any more), or the act is refused.
pub async fn decide(
    office: &Office,
    actor: &Actor,
    link: &str,
    group: Option<&GroupId>,
    how: &Rejection,
) -> Result<Offer, Dead> {
    let offer = look(office, link).await?;
    let actor = Actor {
        account: Some(offer.by.id.clone()),
        name: offer.by.login.as_str().into(),
        ..actor.clone()
    };
    let id = &offer.account.id;
    match offer.decision {
        Decision::Approve => approve(office, &actor, id, group).await,
        Decision::Reject => reject(office, &actor, id, how).await,
    }
    .map_err(Dead::Over)?;
    Ok(offer)
}
