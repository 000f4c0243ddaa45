//! Choosing a password by a link: a forgotten one, or the first one of an account that somebody
//! else made. The second factor stays as it is.

use super::check::{self, Mistake};
use super::link::{self, Standing, life};
use super::{Failure, device, note, outbox, pace};
use crate::account::audit::Entry;
use crate::account::store::{Purpose, Token, Work};
use crate::account::{Account, Actor, Office, State, post};
use crate::secret::Secret;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Set {
    /// The password is set, and all sessions have ended.
    Done {
        /// The new value of the cookie that knows accounts, when it changes.
        device: Option<String>,
    },
    /// It breaks a rule; the link is still good.
    Mistake(Mistake),
    /// The link cannot be used.
    Link(Standing),
}

/// Asks for a link to choose another password. Nothing tells whether there is such an account.
///
/// # Errors
/// [`Failure`].
pub async fn ask(office: &Office, actor: &Actor, email: &str) -> Result<(), Failure> {
    let may_mail = pace::may_mail(office, email).await?;
    let work = office.store.begin().await?;
    let found = work.sign_in_by_email(email).await?;
    let found = found.filter(|(account, _)| may_reset(account));
    let account = found.as_ref().map(|(account, _)| account);
    let mut entry = Entry::new("reset.asked", account, "done");
    if let Some((account, held)) = &found
        && may_mail
    {
        let now = office.world.now();
        work.drop_tokens(&account.id, Purpose::Reset, now).await?;
        let stamp = &held.stamp;
        let address = link::make(
            office,
            &work,
            &account.id,
            Purpose::Reset,
            stamp,
            life::RESET,
        )
        .await?;
        outbox::mail(office, &work, &post::reset(office, account, &address)).await?;
    } else {
        work.drop_tokens(&office.world.account_id(), Purpose::Reset, 0)
            .await?;
        let letter = |account: &Account, address: &str| post::reset(office, account, address);
        link::pretend(office, &work, Purpose::Reset, email, letter).await?;
        "refused".clone_into(&mut entry.outcome);
    }
    note(office, &work, actor, &entry).await?;
    Ok(work.commit().await?)
}

/// How a link stands, for its page.
///
/// # Errors
/// When the database does not answer.
pub async fn look(office: &Office, token: &str, purpose: Purpose) -> Result<Standing, Failure> {
    let standing = link::look(office, token, purpose).await?;
    let Standing::Good(found) = &standing else {
        return Ok(standing);
    };
    let held = office.store.sign_in_by_id(&found.account).await?;
    let fits = held.is_some_and(|(account, held)| fits(found, &account, &held.stamp));
    Ok(if fits { standing } else { Standing::Used })
}

/// Sets the password by a link, and ends all sessions. The browser is known from now on: whoever
/// has the link may try the new password, however many others try theirs.
///
/// # Errors
/// [`Failure`].
pub async fn set(
    office: &Office,
    actor: &Actor,
    token: &str,
    purpose: Purpose,
    password: &Secret<String>,
    device: Option<&str>,
) -> Result<Set, Failure> {
    let found = match look(office, token, purpose).await? {
        Standing::Good(found) => found,
        other => return Ok(Set::Link(other)),
    };
    let Some(account) = office.store.account(&found.account).await? else {
        return Ok(Set::Link(Standing::Unknown));
    };
    if let Err(mistake) = judge(office, &account, password) {
        return Ok(Set::Mistake(mistake));
    }
    let keys = office.hasher.make(password, account.login.as_str()).await?;
    let now = office.world.now();
    let work = office.store.begin().await?;
    let taken = work.take_token(&link::digest(token), purpose, now).await?;
    let held = work.credentials(&account.id).await?;
    let fits = match (&taken, &held, work.account(&account.id).await?) {
        (Some(taken), Some(held), Some(account)) => fits(taken, &account, &held.stamp),
        _ => false,
    };
    if !fits {
        return Ok(Set::Link(Standing::Used));
    }
    changed(office, &work, actor, &account, &keys, None).await?;
    let action = if purpose == Purpose::Setup {
        "setup.done"
    } else {
        "reset.done"
    };
    note(
        office,
        &work,
        actor,
        &Entry::new(action, Some(&account), "done"),
    )
    .await?;
    work.commit().await?;
    Ok(Set::Done {
        device: device::remember(office, device, account.login.as_str()),
    })
}

/// A password was chosen: new keys, every other session and every link to choose one ends, and a
/// mail says so.
pub(super) async fn changed(
    office: &Office,
    work: &Work,
    actor: &Actor,
    account: &Account,
    keys: &crate::account::password::Keys,
    here: Option<&str>,
) -> Result<(), Failure> {
    let now = office.world.now();
    work.set_keys(&account.id, keys, &office.world.id()).await?;
    work.end_sessions(&account.id, here).await?;
    work.drop_tokens(&account.id, Purpose::Reset, now).await?;
    work.drop_tokens(&account.id, Purpose::Setup, now).await?;
    Ok(outbox::mail(
        office,
        work,
        &post::password_changed(office, account, actor),
    )
    .await?)
}

/// Judges a new password for an account.
pub(super) fn judge(
    office: &Office,
    account: &Account,
    password: &Secret<String>,
) -> Result<(), Mistake> {
    check::password(
        office,
        password.reveal(),
        account.login.as_str(),
        account.email.as_deref().unwrap_or_default(),
        &account.display_name,
    )
}

/// Whose password may be chosen anew: who may sign in, or may soon.
fn may_reset(account: &Account) -> bool {
    matches!(account.state, State::Active | State::Pending)
}

/// A link for a password that was changed since is none; one for a first password has no stamp.
fn fits(token: &Token, account: &Account, stamp: &str) -> bool {
    may_reset(account) && (token.data.is_empty() || token.data == stamp)
}
