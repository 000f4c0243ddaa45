//! Sessions: begun at a sign-in, looked up at each page, ended. The key is 32 bytes of chance and
//! changes whenever somebody proves again who they are.

use super::Failure;
use super::link::digest;
use crate::account::audit::Entry;
use crate::account::store::{Error, NewSession, Work};
use crate::account::{Account, Actor, Office, State};
use crate::secret::Secret;

pub use crate::account::store::Session;

/// Seconds between two notes that a session is in use.
const NOTE: i64 = 60;

/// The account and session of a key, when both are still good.
///
/// # Errors
/// When the database does not answer.
pub async fn find(office: &Office, key: &str) -> Result<Option<(Account, Session)>, Error> {
    if key.len() != 43 {
        return Ok(None);
    }
    let now = office.world.now();
    let found = office.store.account_of_session(&digest(key), now).await?;
    let Some((account, session)) = found.filter(|(account, _)| account.state == State::Active)
    else {
        return Ok(None);
    };
    if now - session.seen >= NOTE {
        let end = end(office, session.created, now);
        office.store.touch_session(&session.hash, now, end).await?;
    }
    Ok(Some((account, session)))
}

/// Whether the password was typed a short while ago.
#[must_use]
pub fn is_fresh(office: &Office, session: &Session) -> bool {
    let minutes = office.settings.sessions.fresh_minutes;
    office.world.now() - session.fresh_at < minutes * 60
}

/// Begins a session, and ends the one that the browser had before; the new key.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    office: &Office,
    work: &Work,
    actor: &Actor,
    account: &Account,
    second_factor: bool,
    before: Option<&str>,
) -> Result<Secret<String>, Error> {
    if let Some(before) = before {
        let hash = digest(before);
        let now = office.world.now();
        if let Some((owner, _)) = work.account_of_session(&hash, now).await? {
            work.end_session(&owner.id, &hash).await?;
        }
    }
    let key = office.world.token();
    let now = office.world.now();
    work.add_session(&NewSession {
        hash: &digest(key.reveal()),
        account: &account.id,
        created: now,
        expires: end(office, now, now),
        second_factor,
        address: &crate::account::audit::place(actor),
        agent: &actor.agent,
    })
    .await?;
    work.seen(&account.id, now).await?;
    Ok(key)
}

/// Gives a session another key, fresh from now on.
///
/// # Errors
/// When the database refuses.
pub async fn renew(
    office: &Office,
    work: &Work,
    session: &Session,
) -> Result<Secret<String>, Error> {
    let key = office.world.token();
    let hash = digest(key.reveal());
    work.renew_session(&session.hash, &hash).await?;
    work.refresh_session(&hash, office.world.now()).await?;
    Ok(key)
}

/// The sessions of an account, the latest used first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(office: &Office, account: &Account) -> Result<Vec<Session>, Error> {
    office.store.sessions(&account.id, office.world.now()).await
}

/// Signs out: ends the session that asks.
///
/// # Errors
/// When the database refuses.
pub async fn sign_out(
    office: &Office,
    actor: &Actor,
    account: &Account,
    session: &Session,
) -> Result<(), Failure> {
    let work = office.store.begin().await?;
    work.end_session(&account.id, &session.hash).await?;
    super::note(
        office,
        &work,
        actor,
        &Entry::new("signout", Some(account), "done"),
    )
    .await?;
    Ok(work.commit().await?)
}

/// Ends one of one's own sessions; whether there was one.
///
/// # Errors
/// When the database refuses.
pub async fn end_one(
    office: &Office,
    actor: &Actor,
    account: &Account,
    hash: &str,
) -> Result<bool, Failure> {
    let work = office.store.begin().await?;
    let ended = work.end_session(&account.id, hash).await?;
    if ended {
        let entry = Entry::new("session.ended", Some(account), "done");
        super::note(office, &work, actor, &entry).await?;
    }
    work.commit().await?;
    Ok(ended)
}

/// Ends all of one's sessions but the one that asks; how many.
///
/// # Errors
/// When the database refuses.
pub async fn end_others(
    office: &Office,
    actor: &Actor,
    account: &Account,
    session: &Session,
) -> Result<u64, Failure> {
    let work = office.store.begin().await?;
    let ended = work.end_sessions(&account.id, Some(&session.hash)).await?;
    let entry = Entry::new("session.ended", Some(account), "done");
    let entry = entry.detail(format!("{ended} others"));
    super::note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(ended)
}

/// When a session ends unless it is used: after the idle time, and never later than the absolute one.
fn end(office: &Office, created: i64, now: i64) -> i64 {
    let rules = &office.settings.sessions;
    (now + rules.idle_minutes * 60).min(created + rules.absolute_hours * 3600)
}
