//! Another e-mail address: asked for by the owner, confirmed at the new one, told to the old one,
//! which can take it back.

use serde::{Deserialize, Serialize};

use super::check::{self, Mistake};
use super::link::{self, Standing, life};
use super::{Failure, note, outbox, pace, settings};
use crate::account::audit::Entry;
use crate::account::password::Keys;
use crate::account::store::{Error, Field, Purpose, Token};
use crate::account::{Account, Actor, Office, State, post};

/// What a link for an address does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Plan {
    /// Makes this the address.
    To { new: String },
    /// Makes this the address again.
    Back { old: String },
}

/// What became of asking.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// A mail is on its way, whoever the address belongs to.
    Sent,
    /// Something is to be mended.
    Mistake(Mistake),
}

/// What a link offers.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    /// To make this the address.
    To(String),
    /// To make this the address again.
    Back(String),
    /// Nothing.
    Link(Standing),
}

/// What became of a link.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// The new address holds.
    Done,
    /// The old one holds again: all sessions ended, the password is gone, and a link to choose
    /// another was mailed.
    Back,
    /// Another account has the address meanwhile.
    Taken,
    /// The link cannot be used.
    Link(Standing),
}

/// Asks for another address.
///
/// # Errors
/// [`Failure`].
pub async fn ask(
    office: &Office,
    actor: &Actor,
    account: &Account,
    new: &str,
) -> Result<Asked, Failure> {
    let policy = settings::policy(office).await?;
    let checked = check::address(new);
    let new = match checked.and_then(|new| check::welcome(&policy, &new).map(|()| new)) {
        Ok(new) => new,
        Err(mistake) => return Ok(Asked::Mistake(mistake)),
    };
    if account.email.as_deref() == Some(new.as_str()) {
        return Ok(Asked::Mistake(Mistake::new("email", "form.email.same")));
    }
    let may_mail = pace::may_mail(office, &new).await?;
    let now = office.world.now();
    let work = office.store.begin().await?;
    let owner = work.account_by_email(&new).await?;
    let owner = owner.filter(|owner| owner.id != account.id);
    work.drop_tokens(&account.id, Purpose::Email, now).await?;
    let plan = Plan::To { new: new.clone() };
    let data = serde_json::to_string(&plan).unwrap_or_default();
    let address = link::make(
        office,
        &work,
        &account.id,
        Purpose::Email,
        &data,
        life::EMAIL,
    )
    .await?;
    let told = match &owner {
        Some(owner) => post::already_registered(office, owner),
        None => post::email_change(office, account, &new, &address),
    };
    if may_mail {
        outbox::mail(office, &work, &told).await?;
    }
    let entry = Entry::new("email.asked", Some(account), "done").detail(new);
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(Asked::Sent)
}

/// What a link offers, for its page.
///
/// # Errors
/// When the database does not answer.
pub async fn look(office: &Office, token: &str) -> Result<Offer, Failure> {
    let standing = link::look(office, token, Purpose::Email).await?;
    let Standing::Good(found) = &standing else {
        return Ok(Offer::Link(standing));
    };
    Ok(match plan(found) {
        Some(Plan::To { new }) => Offer::To(new),
        Some(Plan::Back { old }) => Offer::Back(old),
        None => Offer::Link(Standing::Unknown),
    })
}

/// Does what a link offers.
///
/// # Errors
/// [`Failure`].
pub async fn done(office: &Office, actor: &Actor, token: &str) -> Result<Changed, Failure> {
    let now = office.world.now();
    let work = office.store.begin().await?;
    let taken = work
        .take_token(&link::digest(token), Purpose::Email, now)
        .await?;
    let account = match &taken {
        Some(token) => work.account(&token.account).await?,
        None => None,
    };
    let account = account.filter(|account| account.state == State::Active);
    let (Some(account), Some(plan)) = (account, taken.as_ref().and_then(plan)) else {
        drop(work);
        return Ok(Changed::Link(
            match link::look(office, token, Purpose::Email).await? {
                Standing::Good(_) => Standing::Used,
                other => other,
            },
        ));
    };
    let (new, is_back) = match plan {
        Plan::To { new } => (new, false),
        Plan::Back { old } => (old, true),
    };
    let old = account.email.clone();
    match work
        .set_email(&account.id, old.as_deref(), Some(&new))
        .await
    {
        Err(Error::Taken(Field::Email)) => return Ok(Changed::Taken),
        other => other?,
    };
    let after = Account {
        email: Some(new),
        ..account
    };
    let entry = Entry::new("email.changed", Some(&after), "done");
    let entry = entry.detail(if is_back { "taken back" } else { "" });
    note(office, &work, actor, &entry).await?;
    work.drop_tokens(&after.id, Purpose::Reset, now).await?;
    if is_back {
        // Whoever changed it knows the password.
        work.drop_tokens(&after.id, Purpose::Email, now).await?;
        work.end_sessions(&after.id, None).await?;
        let stamp = office.world.id();
        work.set_keys(&after.id, &Keys::none(), &stamp).await?;
        let address = link::make(
            office,
            &work,
            &after.id,
            Purpose::Reset,
            &stamp,
            life::EMAIL,
        )
        .await?;
        outbox::mail(office, &work, &post::reset(office, &after, &address)).await?;
        work.commit().await?;
        return Ok(Changed::Back);
    }
    if let Some(old) = old {
        let data = serde_json::to_string(&Plan::Back { old: old.clone() }).unwrap_or_default();
        let back = link::make(office, &work, &after.id, Purpose::Email, &data, life::BACK).await?;
        outbox::mail(
            office,
            &work,
            &post::email_changed(office, &after, &old, actor, &back),
        )
        .await?;
    }
    work.commit().await?;
    Ok(Changed::Done)
}

fn plan(token: &Token) -> Option<Plan> {
    serde_json::from_str(&token.data).ok()
}
