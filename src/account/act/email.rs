//! Another e-mail address: asked for by the owner, confirmed at the new one, told to the old one,
//! which can take it back.
//!
//! What was asked for ends with the password that it was asked under: whoever knew that one gets no
//! address by it any more. The way back stays whatever happens to the account, and it takes back
//! all that came later: of several, the oldest address has the last word.

use serde::{Deserialize, Serialize};

use super::check::{self, Mistake};
use super::link::{self, Standing, life};
use super::{Failure, note, outbox, pace, settings};
use crate::account::audit::Entry;
use crate::account::password::Keys;
use crate::account::store::{Error, Field, NewToken, Purpose, Token, Work};
use crate::account::{Account, Actor, Office, State, post};

/// What a link for an address does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Plan {
    /// Makes this the address, while the account has this stamp.
    To { new: String, stamp: String },
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
    let held = work.credentials(&account.id).await?;
    let plan = Plan::To {
        new: new.clone(),
        stamp: held.map_or_else(String::new, |held| held.stamp),
    };
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
    let mut standing = link::look(office, token, Purpose::Email).await?;
    if standing == Standing::Unknown {
        standing = link::look(office, token, Purpose::Back).await?;
    }
    let Standing::Good(found) = &standing else {
        return Ok(Offer::Link(standing));
    };
    let held = office.store.credentials(&found.account).await?;
    Ok(match plan(found) {
        Some(Plan::To { new, stamp }) if held.is_some_and(|held| held.stamp == stamp) => {
            Offer::To(new)
        }
        Some(Plan::To { .. }) => Offer::Link(Standing::Used),
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
    let hash = link::digest(token);
    let taken = match work.take_token(&hash, Purpose::Email, now).await? {
        None => work.take_token(&hash, Purpose::Back, now).await?,
        taken => taken,
    };
    let Some((taken, plan)) = taken.and_then(|taken| plan(&taken).map(|plan| (taken, plan))) else {
        drop(work);
        return Ok(Changed::Link(stands(office, token).await?));
    };
    let account = work.account(&taken.account).await?;
    let account = account.filter(|account| account.state == State::Active);
    let held = work.credentials(&taken.account).await?;
    let (Some(account), Some(held)) = (account, held) else {
        return Ok(Changed::Link(Standing::Used));
    };
    let (new, is_back) = match plan {
        Plan::To { stamp, .. } if stamp != held.stamp => {
            return Ok(Changed::Link(Standing::Used));
        }
        Plan::To { new, .. } => (new, false),
        Plan::Back { old } => (old, true),
    };
    let old = account.email.clone();
    let changed = work.set_email(&account.id, old.as_deref(), Some(&new));
    match changed.await {
        Err(Error::Taken(Field::Email)) => return Ok(Changed::Taken),
        // Somebody else changed it in this moment.
        Ok(false) => return Ok(Changed::Link(Standing::Used)),
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
        take_back(office, &work, &after, &taken).await?;
        work.commit().await?;
        return Ok(Changed::Back);
    }
    if let Some(old) = old {
        tell(office, &work, actor, &after, &old).await?;
    }
    work.commit().await?;
    Ok(Changed::Done)
}

/// Whoever changed the address knows the password: it goes, with the sessions and with every later
/// address's way back.
async fn take_back(
    office: &Office,
    work: &Work,
    after: &Account,
    link: &Token,
) -> Result<(), Failure> {
    let now = office.world.now();
    work.drop_tokens(&after.id, Purpose::Email, now).await?;
    work.drop_tokens_since(&after.id, Purpose::Back, link.created, now)
        .await?;
    work.end_sessions(&after.id, None).await?;
    let stamp = office.world.id();
    work.set_keys(&after.id, &Keys::none(), &stamp).await?;
    let (purpose, life) = (Purpose::Reset, life::EMAIL);
    let address = link::make(office, work, &after.id, purpose, &stamp, life).await?;
    Ok(outbox::mail(office, work, &post::reset(office, after, &address)).await?)
}

/// Tells the old address, with its way back.
async fn tell(
    office: &Office,
    work: &Work,
    actor: &Actor,
    after: &Account,
    old: &str,
) -> Result<(), Failure> {
    let now = office.world.now();
    let plan = Plan::Back { old: old.into() };
    let before = work.newest_token(&after.id, Purpose::Back, now).await?;
    let token = office.world.token();
    work.add_token(&NewToken {
        hash: &link::digest(token.reveal()),
        purpose: Purpose::Back,
        account: &after.id,
        data: &serde_json::to_string(&plan).unwrap_or_default(),
        // Later than every other, also within one second.
        created: before.map_or(now, |before| now.max(before.created + 1)),
        expires: now + life::BACK,
    })
    .await?;
    let page = format!("{}?t={}", link::page(Purpose::Back), token.reveal());
    let address = post::link(office, &page);
    let told = post::email_changed(office, after, old, actor, &address);
    Ok(outbox::mail(office, work, &told).await?)
}

/// Why a link was not taken.
async fn stands(office: &Office, token: &str) -> Result<Standing, Failure> {
    Ok(match look(office, token).await? {
        Offer::Link(standing) => standing,
        _ => Standing::Used,
    })
}

fn plan(token: &Token) -> Option<Plan> {
    serde_json::from_str(&token.data).ok()
}
