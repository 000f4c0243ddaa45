//! What administrators do with an account, in the console or on the command line. Nobody chooses
//! the password of somebody else: they get a link and choose it themselves.

use super::approve::{REASON, step};
use super::refusal::{Refusal, Result};
use super::staff::{find, moved, not_oneself, somebody_is_left};
use super::{check, confirm, groups, link, note, outbox};
use crate::account::audit::Entry;
use crate::account::login::Login;
use crate::account::state::Event;
use crate::account::store::{GroupId, NewAccount, Purpose, Work};
use crate::account::{Account, AccountId, Actor, Office, Origin, Role, State, post};
use crate::secret::Secret;

/// Seconds for which a link to a first password is good.
pub const SETUP: i64 = 3 * 86_400;

/// An account to be made.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// The name, as it was typed.
    pub login: &'a str,
    /// The name that others see; the login when empty.
    pub display_name: &'a str,
    /// The address; may be empty.
    pub email: &'a str,
    /// The language of pages and mails.
    pub language: &'a str,
    /// What its owner may do.
    pub role: Role,
    /// The first group.
    pub group: Option<&'a GroupId>,
    /// Whether the link is mailed; else whoever asks hands it over.
    pub mail: bool,
}

/// Makes an active account without a password, and the one-time link by which its owner chooses one.
/// The link is given back unless it was mailed.
///
/// # Errors
/// When a value breaks a rule, or name or address is taken.
pub async fn create(
    office: &Office,
    actor: &Actor,
    new: &New<'_>,
) -> Result<(Account, Option<Secret<String>>)> {
    let login = Login::parse_known(new.login).map_err(|why| Refusal::Login(why.to_string()))?;
    let email = address(new.email)?;
    if new.mail && email.is_none() {
        return Err(Refusal::EmailNone);
    }
    let mut display_name = name(new.display_name)?;
    if display_name.is_empty() {
        login.as_str().clone_into(&mut display_name);
    }
    let now = office.world.now();
    let work = office.store.begin().await?;
    let row = NewAccount {
        id: office.world.account_id(),
        login_skeleton: login.skeleton(),
        login,
        email,
        display_name,
        state: State::Active,
        role: new.role,
        language: language(new.language)?,
        origin: Origin::Admin,
        reason: String::new(),
        created: now,
        keys: None,
        stamp: office.world.id(),
    };
    work.add_account(&row).await?;
    let account = find(&work, &row.id).await?;
    let role = format!("role: {}", new.role.as_str());
    let entry = Entry::new("account.made", Some(&account), "done").detail(role);
    note(office, &work, actor, &entry).await?;
    if let Some(group) = new.group {
        let group = groups::get(&work, group).await?;
        work.join_group(&account.id, &group.id).await?;
        let entry = Entry::new("group.joined", Some(&account), "done").detail(group.name);
        note(office, &work, actor, &entry).await?;
    }
    let link = link::make(office, &work, &account.id, Purpose::Setup, "", SETUP).await?;
    let link = if new.mail {
        outbox::mail(office, &work, &post::setup(office, &account, &link)).await?;
        None
    } else {
        Some(Secret::new(link))
    };
    work.commit().await?;
    Ok((account, link))
}

/// What may be changed of an account without its owner.
#[derive(Debug, Clone)]
pub struct Edit<'a> {
    /// The name that others see.
    pub display_name: &'a str,
    /// The address; empty takes it away.
    pub email: &'a str,
    /// The language of pages and mails.
    pub language: &'a str,
}

/// Changes name, address and language. The old address is told of a new one; links that were
/// mailed to it stop working.
///
/// # Errors
/// When a value breaks a rule, or the address is taken.
pub async fn edit(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    edit: &Edit<'_>,
) -> Result<Account> {
    let (display_name, email) = (name(edit.display_name)?, address(edit.email)?);
    let tongue = language(edit.language)?;
    let work = office.store.begin().await?;
    let before = find(&work, id).await?;
    let mut changed = Vec::new();
    if before.display_name != display_name {
        work.set_display_name(id, &display_name).await?;
        changed.push(format!(
            "display_name: {} → {display_name}",
            before.display_name
        ));
    }
    if before.language != tongue {
        work.set_language(id, &tongue).await?;
        changed.push(format!("language: {} → {tongue}", before.language));
    }
    if before.email != email {
        let old = before.email.as_deref();
        if !work.set_email(id, old, email.as_deref()).await? {
            return Err(moved(&work, id).await);
        }
        let now = office.world.now();
        for purpose in Purpose::ALL {
            work.drop_tokens(id, purpose, now).await?;
        }
        // An address that nobody confirmed may be somebody else's.
        if let Some(old) = old.filter(|_| before.state != State::Unconfirmed) {
            outbox::mail(office, &work, &post::email_moved(office, &before, old)).await?;
        }
        let shown = |email: Option<&str>| email.unwrap_or("–").to_owned();
        let (from, to) = (shown(old), shown(email.as_deref()));
        changed.push(format!("email: {from} → {to}"));
    }
    if !changed.is_empty() {
        let entry = Entry::new("account.changed", Some(&before), "done");
        note(office, &work, actor, &entry.detail(changed.join("\n"))).await?;
        work.commit().await?;
    }
    Ok(Account {
        display_name,
        email,
        language: tongue,
        ..before
    })
}

/// Forbids signing in for now, in meetings too; ends all sessions, and tells the owner.
///
/// # Errors
/// When the account is not active, is one's own, or the last administrator's, or the reason is too
/// long.
pub async fn suspend(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    reason: &str,
) -> Result<Account> {
    not_oneself(actor, id)?;
    let reason = reason.trim();
    if reason.chars().count() > REASON {
        return Err(Refusal::Long("reason"));
    }
    let work = office.store.begin().await?;
    somebody_is_left(&work, &find(&work, id).await?).await?;
    let account = step(office, &work, id, Event::Suspend).await?;
    let ended = end(office, &work, id).await?;
    let detail = [reason, &format!("sessions ended: {ended}")];
    let detail: Vec<&str> = detail.into_iter().filter(|text| !text.is_empty()).collect();
    let entry = Entry::new("account.suspended", Some(&account), "done").detail(detail.join("\n"));
    note(office, &work, actor, &entry).await?;
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    outbox::mail(office, &work, &post::suspended(office, &account, reason)).await?;
    work.commit().await?;
    Ok(account)
}

/// Takes a suspension back, and tells the owner.
///
/// # Errors
/// When the account is not suspended.
pub async fn resume(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    let work = office.store.begin().await?;
    let account = step(office, &work, id, Event::Resume).await?;
    let entry = Entry::new("account.resumed", Some(&account), "done");
    note(office, &work, actor, &entry).await?;
    outbox::mail(office, &work, &post::resumed(office, &account)).await?;
    work.commit().await?;
    Ok(account)
}

/// Deletes an account for good; its name stays reserved. Whoever has an address is told.
///
/// # Errors
/// When the account is not there, is one's own, or the last administrator's.
pub async fn delete(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    not_oneself(actor, id)?;
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    somebody_is_left(&work, &account).await?;
    if !work.erase(id, account.state, office.world.now()).await? {
        return Err(moved(&work, id).await);
    }
    let entry = Entry::new("account.deleted", Some(&account), "done");
    note(office, &work, actor, &entry).await?;
    // An address that nobody confirmed may be somebody else's.
    if account.state != State::Unconfirmed {
        outbox::mail(office, &work, &post::deleted(office, &account)).await?;
    }
    work.commit().await?;
    Ok(account)
}

/// Gives an account another role, and ends all its sessions.
///
/// # Errors
/// When it is one's own, or nobody would be left to administrate.
pub async fn role(office: &Office, actor: &Actor, id: &AccountId, role: Role) -> Result<Account> {
    not_oneself(actor, id)?;
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    if account.role == role {
        return Ok(account);
    }
    if role != Role::Admin {
        somebody_is_left(&work, &account).await?;
    }
    if !work.set_role(id, account.role, role).await? {
        return Err(moved(&work, id).await);
    }
    end(office, &work, id).await?;
    let change = format!("{} → {}", account.role.as_str(), role.as_str());
    let entry = Entry::new("account.role", Some(&account), "done").detail(change);
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(Account { role, ..account })
}

/// Ends all sessions of an account; how many.
///
/// # Errors
/// When the account is not there.
pub async fn end_sessions(office: &Office, actor: &Actor, id: &AccountId) -> Result<u64> {
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    let ended = work.end_sessions(id, None).await?;
    let entry = Entry::new("session.ended_all", Some(&account), "done");
    let entry = entry.detail(format!("sessions ended: {ended}"));
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(ended)
}

/// Mails a link by which the owner chooses a new password.
///
/// # Errors
/// When the account may not sign in, or has no address.
pub async fn reset(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    let work = office.store.begin().await?;
    let account = signs_in(&work, id).await?;
    if account.email.is_none() {
        return Err(Refusal::EmailNone);
    }
    let link = fresh(office, &work, &account).await?;
    outbox::mail(office, &work, &post::reset(office, &account, &link)).await?;
    let entry = Entry::new("password.reset_started", Some(&account), "done").detail("by mail");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(account)
}

/// Makes a one-time link by which the owner chooses a password, for whoever asks to hand over.
///
/// # Errors
/// When the account may not sign in.
pub async fn setup(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
) -> Result<(Account, Secret<String>)> {
    let work = office.store.begin().await?;
    let account = signs_in(&work, id).await?;
    let link = fresh(office, &work, &account).await?;
    let entry = Entry::new("password.reset_started", Some(&account), "done").detail("link shown");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok((account, Secret::new(link)))
}

/// Removes the second factor of somebody who lost it, and tells them; all sessions end. Without
/// one nothing changes.
///
/// # Errors
/// When the account is not there, or is one's own.
pub async fn remove_totp(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    not_oneself(actor, id)?;
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    if !work.clear_totp(id).await? {
        return Ok(account);
    }
    work.end_sessions(id, None).await?;
    let entry = Entry::new("second_factor.removed", Some(&account), "done").detail("by staff");
    note(office, &work, actor, &entry).await?;
    let mail = post::second_factor_off(office, &account, actor);
    outbox::mail(office, &work, &mail).await?;
    work.commit().await?;
    Ok(Account {
        has_totp: false,
        ..account
    })
}

/// Sends the mail that asks to confirm an address once more; the older link stops working.
///
/// # Errors
/// When the address is confirmed, or there is none.
pub async fn resend(office: &Office, actor: &Actor, id: &AccountId) -> Result<Account> {
    let days = super::settings::policy(office).await?.confirm_days;
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    if account.state != State::Unconfirmed {
        return Err(moved(&work, id).await);
    }
    if account.email.is_none() {
        return Err(Refusal::EmailNone);
    }
    let invited = confirm::was_invited(&work, &account).await?;
    let now = office.world.now();
    work.drop_tokens(id, Purpose::Confirm, now).await?;
    let link = confirm::link(office, &work, &account, invited, days).await?;
    outbox::mail(office, &work, &post::confirm(office, &account, &link)).await?;
    let entry = Entry::new("signup.resent", Some(&account), "done").detail("by staff");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(account)
}

/// A link to choose a password, which takes the place of those before it.
async fn fresh(office: &Office, work: &Work, account: &Account) -> Result<String> {
    let (id, purpose) = (&account.id, Purpose::Reset);
    work.drop_tokens(id, purpose, office.world.now()).await?;
    Ok(link::make(office, work, id, purpose, "", link::life::RESET).await?)
}

/// Ends sessions and links: whoever holds one is out at once.
async fn end(office: &Office, work: &Work, id: &AccountId) -> Result<u64> {
    for purpose in Purpose::ALL {
        work.drop_tokens(id, purpose, office.world.now()).await?;
    }
    Ok(work.end_sessions(id, None).await?)
}

async fn signs_in(work: &Work, id: &AccountId) -> Result<Account> {
    let account = find(work, id).await?;
    if account.state != State::Active {
        return Err(moved(work, id).await);
    }
    Ok(account)
}

fn address(text: &str) -> Result<Option<String>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    check::address(text).map(Some).map_err(|_| Refusal::Email)
}

fn name(text: &str) -> Result<String> {
    check::display_name(text).map_err(|_| Refusal::Name)
}

fn language(code: &str) -> Result<String> {
    let known = crate::account::text::catalogue::LANGUAGES;
    let found = known.into_iter().find(|known| *known == code);
    found.map(str::to_owned).ok_or(Refusal::Language)
}
