//! Confirming an address, by the link of the mail and a button; and asking for that mail again.

use serde::{Deserialize, Serialize};

use super::link::{self, Standing};
use super::{Failure, note, notify, outbox, pace, settings};
use crate::account::audit::Entry;
use crate::account::policy::Registration;
use crate::account::state::{Event, next};
use crate::account::store::{Error, Field, Purpose, Store, Token, Work, email_key};
use crate::account::{Account, Actor, Office, State, post};

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The account can be used.
    Active,
    /// Now somebody has to approve.
    Waits,
    /// Another account has the address meanwhile.
    Taken,
    /// The link cannot be used.
    Link(Standing),
}

/// What a link confirms, kept with it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    /// The address that it was mailed to: it confirms no other.
    email: String,
    /// Whether its owner came by an invitation.
    invited: bool,
}

/// A link that confirms the address of `account` for `days`; `invited` says whether it came by an
/// invitation.
///
/// # Errors
/// When the database refuses.
pub(super) async fn link(
    office: &Office,
    work: &Work,
    account: &Account,
    invited: bool,
    days: i64,
) -> Result<String, Error> {
    let claim = Claim {
        email: key(account),
        invited,
    };
    let data = serde_json::to_string(&claim).unwrap_or_default();
    let seconds = days * 24 * 3600;
    link::make(office, work, &account.id, Purpose::Confirm, &data, seconds).await
}

/// Whether somebody came by an invitation, as their links say.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn was_invited(store: &Store, account: &Account) -> Result<bool, Error> {
    let last = store.last_token(&account.id, Purpose::Confirm).await?;
    Ok(last.as_ref().and_then(claim).is_some_and(|it| it.invited))
}

fn key(account: &Account) -> String {
    email_key(account.email.as_deref().unwrap_or_default())
}

fn claim(token: &Token) -> Option<Claim> {
    serde_json::from_str(&token.data).ok()
}

/// How a link stands, for its page.
///
/// # Errors
/// When the database does not answer.
pub async fn look(office: &Office, token: &str) -> Result<Standing, Failure> {
    Ok(link::look(office, token, Purpose::Confirm).await?)
}

/// Confirms.
///
/// # Errors
/// [`Failure`].
pub async fn done(office: &Office, actor: &Actor, token: &str) -> Result<Confirmed, Failure> {
    let policy = settings::policy(office).await?;
    let now = office.world.now();
    let work = office.store.begin().await?;
    let hash = link::digest(token);
    let taken = work.take_token(&hash, Purpose::Confirm, now).await?;
    let account = match &taken {
        Some(token) => work.account(&token.account).await?,
        None => None,
    };
    let account = account.filter(|account| account.state == State::Unconfirmed);
    let claim = taken.as_ref().and_then(claim);
    let (Some(account), Some(claim)) = (account, claim) else {
        drop(work);
        return Ok(Confirmed::Link(match look(office, token).await? {
            Standing::Good(_) => Standing::Used,
            other => other,
        }));
    };
    if claim.email != key(&account) {
        return Ok(Confirmed::Link(Standing::Used));
    }
    match work.claim_email(&account.id).await {
        Ok(true) => {}
        Err(Error::Taken(Field::Email)) => return Ok(Confirmed::Taken),
        Ok(false) => return Ok(Confirmed::Link(Standing::Used)),
        Err(error) => return Err(error.into()),
    }
    let event = match policy.mode {
        Registration::Open => Event::ConfirmOpen,
        // Whoever signed up before invitations were asked for has none.
        Registration::Invite if claim.invited => Event::ConfirmOpen,
        Registration::Approval | Registration::Invite | Registration::Closed => {
            Event::ConfirmPending
        }
    };
    let state = next(account.state, event).unwrap_or(State::Pending);
    let moved = work.move_account(&account.id, account.state, state, now);
    if !moved.await? {
        // Rejected in this moment.
        return Ok(Confirmed::Link(Standing::Used));
    }
    work.drop_tokens(&account.id, Purpose::Confirm, now).await?;
    let entry = Entry::new("signup.confirmed", Some(&account), "done").detail(state.as_str());
    note(office, &work, actor, &entry).await?;
    let account = Account {
        state,
        state_since: now,
        ..account
    };
    if state == State::Pending {
        outbox::mail(office, &work, &post::waiting(office, &account)).await?;
        notify::waiting(office, &work, &account, actor).await?;
    }
    work.commit().await?;
    Ok(if state == State::Active {
        Confirmed::Active
    } else {
        Confirmed::Waits
    })
}

/// Asks for the mail again. Nothing tells whether there was anything to send.
///
/// # Errors
/// [`Failure`].
pub async fn resend(office: &Office, actor: &Actor, email: &str) -> Result<(), Failure> {
    let policy = settings::policy(office).await?;
    let may_mail = pace::may_mail(office, email).await?;
    let work = office.store.begin().await?;
    let owner = work.account_by_email(email).await?;
    let waiting = work.unconfirmed_by_email(email).await?;
    let found = waiting.filter(|_| owner.is_none());
    let mut entry = Entry::new("signup.resent", found.as_ref(), "done");
    if let Some(account) = &found
        && may_mail
    {
        let invited = was_invited(&work, account).await?;
        let address = link(office, &work, account, invited, policy.confirm_days).await?;
        outbox::mail(office, &work, &post::confirm(office, account, &address)).await?;
    } else {
        work.last_token(&office.world.account_id(), Purpose::Confirm)
            .await?;
        let letter = |account: &Account, address: &str| post::confirm(office, account, address);
        link::pretend(office, &work, Purpose::Confirm, email, letter).await?;
        "refused".clone_into(&mut entry.outcome);
    }
    note(office, &work, actor, &entry).await?;
    Ok(work.commit().await?)
}
