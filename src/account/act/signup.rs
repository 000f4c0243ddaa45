//! Signing up. Whoever asks with an address that has an account gets the same answer after the same
//! work as with one that has none; only the owner of the address learns more, by mail.
//!
//! An address belongs to nobody until it is confirmed: any number of sign-ups may wait for the
//! same one, and the first that is confirmed has it. The name, on the other hand, is taken at once,
//! also when the address has an account already: otherwise a second try would tell.

use super::check::{self, Mistake};
use super::{Failure, confirm, link, note, outbox, pace, settings};
use crate::account::audit::Entry;
use crate::account::login::Login;
use crate::account::policy::{Policy, Registration};
use crate::account::store::{Error, Field, Invite, NewAccount, Work};
use crate::account::{Account, Actor, Office, Origin, Role, State, post};
use crate::secret::Secret;

/// What the form holds.
#[derive(Debug, Default)]
pub struct Form {
    /// The name.
    pub login: String,
    /// The address.
    pub email: String,
    /// The name that others see; the login when empty.
    pub display_name: String,
    /// The password, exactly as typed.
    pub password: Option<Secret<String>>,
    /// For those who approve.
    pub reason: String,
    /// Whether the terms were accepted.
    pub terms: bool,
    /// A field that people do not see: only machines fill it in.
    pub trap: String,
    /// What [`check::began`] gave with the form.
    pub began: String,
    /// The code of an invitation, if there is one.
    pub invite: String,
    /// The language of the page.
    pub language: String,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// A mail is on its way, whoever the address belongs to.
    Sent,
    /// Something is to be mended.
    Mistakes(Vec<Mistake>),
    /// Nobody may sign up.
    Closed,
}

/// How the page stands: who may sign up, and whether an invitation is good.
///
/// # Errors
/// When the database does not answer.
pub async fn door(office: &Office, code: &str) -> Result<(Policy, bool), Failure> {
    let policy = settings::policy(office).await?;
    let invited = invitation(office, code).await?.is_some();
    Ok(((*policy).clone(), invited))
}

/// Asks for an account.
///
/// # Errors
/// [`Failure`].
pub async fn ask(office: &Office, actor: &Actor, form: Form) -> Result<Asked, Failure> {
    let policy = settings::policy(office).await?;
    let invite = invitation(office, &form.invite).await?;
    if policy.mode == Registration::Closed {
        return Ok(Asked::Closed);
    }
    let asked = match read(office, &policy, &form) {
        Ok(asked) => asked,
        Err(mistakes) => return Ok(Asked::Mistakes(mistakes)),
    };
    let needs_one = policy.mode == Registration::Invite || !form.invite.is_empty();
    if needs_one && invite.is_none() {
        return Ok(mistake("form", "signup.invite.bad"));
    }
    let keys = office
        .hasher
        .make(asked.password, asked.login.as_str())
        .await?;
    let may_mail = pace::may_mail(office, &asked.email).await?;
    let now = office.world.now();
    let new = NewAccount {
        id: office.world.account_id(),
        login_skeleton: asked.login.skeleton(),
        login: asked.login,
        email: Some(asked.email),
        display_name: asked.display_name,
        state: State::Unconfirmed,
        role: Role::Member,
        language: form.language.clone(),
        origin: Origin::Signup,
        reason: asked.reason,
        created: now,
        keys: Some(keys),
        stamp: office.world.id(),
    };
    let work = office.store.begin().await?;
    let owner = work
        .account_by_email(new.email.as_deref().unwrap_or_default())
        .await?;
    match work.add_account(&new).await {
        Err(Error::Taken(Field::Login | Field::Skeleton)) => {
            return Ok(mistake("login", "name.unusable"));
        }
        other => other?,
    }
    let invited = invite.is_some();
    if let Some(invite) = invite
        && !take(&work, &new, &invite, now).await?
    {
        return Ok(mistake("form", "signup.invite.bad"));
    }
    let account = account(&new);
    let days = policy.confirm_days;
    let address = confirm::link(office, &work, &account, invited, days).await?;
    // Both are written, so that both take the time; one is sent.
    let confirm = post::confirm(office, &account, &address);
    let already = post::already_registered(office, owner.as_ref().unwrap_or(&account));
    if may_mail {
        let told = if owner.is_some() { already } else { confirm };
        outbox::mail(office, &work, &told).await?;
    }
    note(
        office,
        &work,
        actor,
        &Entry::new("signup", Some(&account), "done"),
    )
    .await?;
    work.commit().await?;
    Ok(Asked::Sent)
}

struct Read<'a> {
    login: Login,
    email: String,
    display_name: String,
    reason: String,
    password: &'a Secret<String>,
}

/// Every mistake, or what was meant.
fn read<'a>(office: &Office, policy: &Policy, form: &'a Form) -> Result<Read<'a>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut keep = |mistake| mistakes.push(mistake);
    let login = Login::parse(&form.login)
        .map_err(|why| keep(Mistake::new("login", name_key(why))))
        .ok();
    let email = check::address(&form.email)
        .and_then(|email| check::welcome(policy, &email).map(|()| email))
        .map_err(&mut keep)
        .ok();
    let display_name = check::display_name(&form.display_name)
        .map_err(&mut keep)
        .ok();
    let reason = check::reason(&form.reason).map_err(&mut keep).ok();
    if !policy.terms_url.is_empty() && !form.terms {
        keep(Mistake::new("terms", "form.terms"));
    }
    if !form.trap.is_empty() {
        keep(Mistake::new("form", "form.trap"));
    }
    if let Err(mistake) = check::age(office, &form.began) {
        keep(mistake);
    }
    if let Some(password) = &form.password {
        let name = login.as_ref().map_or(form.login.as_str(), Login::as_str);
        let shown = form.display_name.as_str();
        let judged = check::password(office, password.reveal(), name, &form.email, shown);
        judged.unwrap_or_else(&mut keep);
    } else {
        keep(Mistake::new("password", "form.password.empty"));
    }
    match (login, email, display_name, reason, &form.password) {
        (Some(login), Some(email), Some(name), Some(reason), Some(password))
            if mistakes.is_empty() =>
        {
            Ok(Read {
                display_name: if name.is_empty() {
                    login.as_str().to_owned()
                } else {
                    name
                },
                login,
                email,
                reason,
                password,
            })
        }
        _ => Err(mistakes),
    }
}

/// A name that is reserved is told like one that is taken or looks like one.
fn name_key(why: crate::account::login::NameError) -> &'static str {
    use crate::account::login::NameError;
    match why {
        NameError::Reserved => "name.unusable",
        other => other.key(),
    }
}

fn mistake(field: &'static str, key: &'static str) -> Asked {
    Asked::Mistakes(vec![Mistake::new(field, key)])
}

/// An invitation that can still be used.
async fn invitation(office: &Office, code: &str) -> Result<Option<Invite>, Failure> {
    if code.is_empty() {
        return Ok(None);
    }
    let now = office.world.now();
    let found = office.store.invite(&link::digest(code)).await?;
    Ok(found.filter(|invite| invite.uses_left > 0 && invite.expires > now))
}

/// Uses an invitation, and its group; `false` when somebody was faster.
async fn take(work: &Work, new: &NewAccount, invite: &Invite, now: i64) -> Result<bool, Error> {
    let Some(taken) = work.take_invite(&invite.hash, now).await? else {
        return Ok(false);
    };
    if let Some(group) = &taken.group {
        work.join_group(&new.id, group).await?;
    }
    Ok(true)
}

fn account(new: &NewAccount) -> Account {
    Account {
        id: new.id.clone(),
        login: new.login.clone(),
        email: new.email.clone(),
        display_name: new.display_name.clone(),
        state: new.state,
        role: new.role,
        language: new.language.clone(),
        origin: new.origin,
        reason: new.reason.clone(),
        created: new.created,
        state_since: new.created,
        last_seen: None,
        has_totp: false,
    }
}
