//! Signing in: with a password, then with the second factor where one is set up; and Prosody's
//! question whether a password is right.
//!
//! An unknown name, a wrong password and an account without one take the same work and get the
//! same answer. How an account stands is told to those who know its password, and to nobody else.

use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::{Failure, device, note, second_factor, session};
use crate::account::audit::Entry;
use crate::account::login::Login;
use crate::account::password::{Keys, Verdict};
use crate::account::store::{Credentials, Work, email_key};
use crate::account::{Account, AccountId, Actor, Office, State};
use crate::secret::Secret;

/// What the form holds, and what the browser brings along.
#[derive(Debug)]
pub struct Form<'a> {
    /// The name, or the address.
    pub name: &'a str,
    /// The password, exactly as typed.
    pub password: Secret<String>,
    /// The cookie that knows accounts of this browser.
    pub device: Option<&'a str>,
    /// The key of a session that this browser has; it ends.
    pub before: Option<&'a str>,
}

/// How it ended.
#[derive(Debug)]
pub enum Outcome {
    /// Signed in.
    In {
        /// The key of the session.
        key: Secret<String>,
        /// The new value of the cookie that knows accounts, when it changes.
        device: Option<String>,
    },
    /// The password is right; now the second factor. The text is sealed and goes into a cookie.
    Half(String),
    /// The password is right, but the account stands so that nobody may sign in.
    Told(Box<Account>),
    /// Wrong name, password or code.
    Wrong,
    /// It took too long between the password and the code: from the beginning.
    Late,
}

/// Seconds between the password and the code.
const HALF: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Half {
    account: AccountId,
    stamp: String,
    until: i64,
}

/// Signs in with a password.
///
/// # Errors
/// [`Failure`], too many tries among them.
pub async fn ask(office: &Office, actor: &Actor, form: Form<'_>) -> Result<Outcome, Failure> {
    let found = find(office, form.name).await?;
    let asked = asked(form.name);
    let name = found
        .as_ref()
        .map_or(asked.as_str(), |(account, _)| account.login.as_str());
    let device = device::known(office, form.device, name);
    // Counted by what was typed: one count for a name and its address would tell whose it is.
    let pace = Pace::page(&asked, actor, device.as_deref());
    pace.step(office).await?;
    let keys = found.as_ref().and_then(|(_, held)| held.keys.as_ref());
    let verdict = look(office, &pace, &form.password, keys).await?;
    let (Some((account, held)), Verdict::Right(newer)) = (found.as_ref(), verdict) else {
        let account = found.as_ref().map(|(account, _)| account);
        failed(office, actor, account, "password").await?;
        return Ok(Outcome::Wrong);
    };
    pace.forgive(office).await?;
    let work = office.store.begin().await?;
    if let (Some(old), Some(new)) = (&held.keys, &newer) {
        work.upgrade_keys(&account.id, old, new).await?;
    }
    if account.state != State::Active {
        let entry = Entry::new("signin", Some(account), "refused").detail(account.state.as_str());
        note(office, &work, actor, &entry).await?;
        work.commit().await?;
        return Ok(Outcome::Told(Box::new(account.clone())));
    }
    if held.totp_seed.is_some() {
        work.commit().await?;
        let half = Half {
            account: account.id.clone(),
            stamp: held.stamp.clone(),
            until: office.world.now() + HALF,
        };
        let half = serde_json::to_vec(&half).unwrap_or_default();
        return Ok(Outcome::Half(office.seal.close("half", &half)));
    }
    finish(office, work, actor, account, &held.stamp, false, &form).await
}

/// Signs in with the code, after the password; `half` is what [`Outcome::Half`] gave.
///
/// # Errors
/// [`Failure`], too many tries among them.
pub async fn second(
    office: &Office,
    actor: &Actor,
    half: &str,
    code: &str,
    form: Form<'_>,
) -> Result<Outcome, Failure> {
    let Some((account, held)) = half_way(office, half).await? else {
        return Ok(Outcome::Late);
    };
    let pace = Pace::own(&account.id.0);
    pace.step(office).await?;
    let work = office.store.begin().await?;
    if !second_factor::prove(office, &work, actor, &account, &held, code).await? {
        drop(work);
        failed(office, actor, Some(&account), "code").await?;
        return Ok(Outcome::Wrong);
    }
    let outcome = finish(office, work, actor, &account, &held.stamp, true, &form).await?;
    pace.forgive(office).await?;
    Ok(outcome)
}

/// Whether somebody is between password and code.
///
/// # Errors
/// When the database does not answer.
pub async fn is_half(office: &Office, half: &str) -> Result<bool, Failure> {
    Ok(half_way(office, half).await?.is_some())
}

/// Prosody's question whether a password is right for a meeting. Unknown, not active and wrong
/// take the same work and are all `false`.
///
/// # Errors
/// [`Failure`]: the answers are 429 and 503.
pub async fn for_prosody(
    office: &Office,
    actor: &Actor,
    login: &str,
    password: &Secret<String>,
) -> Result<bool, Failure> {
    let name = typed(login);
    let pace = Pace::meeting(office, &name, actor).await?;
    pace.step(office).await?;
    let found = office.store.sign_in_by_login(&name).await?;
    let keys = found
        .as_ref()
        .filter(|(account, _)| account.state == State::Active)
        .and_then(|(_, held)| held.keys.as_ref());
    let verdict = look(office, &pace, password, keys).await?;
    let account = found.as_ref().map(|(account, _)| account);
    let (Some((account, held)), Verdict::Right(newer)) = (found.as_ref(), verdict) else {
        failed(office, actor, account, "meeting").await?;
        return Ok(false);
    };
    pace.forgive(office).await?;
    let work = office.store.begin().await?;
    if let (Some(old), Some(new)) = (&held.keys, &newer) {
        work.upgrade_keys(&account.id, old, new).await?;
    }
    work.seen(&account.id, office.world.now()).await?;
    let entry = Entry::new("signin", Some(account), "done").detail("meeting");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(true)
}

/// Looks at the password; one that could not be looked at was no try.
async fn look(
    office: &Office,
    pace: &Pace,
    password: &Secret<String>,
    keys: Option<&Keys>,
) -> Result<Verdict, Failure> {
    match office.hasher.check(password, keys).await {
        Ok(verdict) => Ok(verdict),
        Err(busy) => {
            pace.step_back(office).await?;
            Err(busy.into())
        }
    }
}

/// What was typed in one form: a name, or an address as it is compared.
fn asked(name: &str) -> String {
    if name.contains('@') {
        email_key(name)
    } else {
        typed(name)
    }
}

async fn find(office: &Office, name: &str) -> Result<Option<(Account, Credentials)>, Failure> {
    Ok(if name.contains('@') {
        office.store.sign_in_by_email(name).await?
    } else {
        office.store.sign_in_by_login(&typed(name)).await?
    })
}

/// The canonical form of what was typed; where there is none, the beginning of it, for the counts.
fn typed(name: &str) -> String {
    Login::parse_known(name).map_or_else(
        |_| {
            let plain = name.trim().to_lowercase();
            plain.chars().filter(|c| !c.is_control()).take(64).collect()
        },
        |login| login.as_str().to_owned(),
    )
}

async fn half_way(office: &Office, half: &str) -> Result<Option<(Account, Credentials)>, Failure> {
    let Some(half) = office.seal.open("half", half) else {
        return Ok(None);
    };
    let Ok(half) = serde_json::from_slice::<Half>(&half) else {
        return Ok(None);
    };
    if half.until <= office.world.now() {
        return Ok(None);
    }
    let found = office.store.sign_in_by_id(&half.account).await?;
    Ok(found.filter(|(account, held)| {
        account.state == State::Active && held.stamp == half.stamp && held.totp_seed.is_some()
    }))
}

/// Begins the session, unless the password was changed or the account suspended while the one that
/// was typed was looked at: that takes time, and sessions of before have ended by then.
async fn finish(
    office: &Office,
    work: Work,
    actor: &Actor,
    account: &Account,
    stamp: &str,
    second_factor: bool,
    form: &Form<'_>,
) -> Result<Outcome, Failure> {
    // Held first and read then: whoever changes it waits for this session, and ends it.
    work.seen(&account.id, office.world.now()).await?;
    let now = work.sign_in_by_id(&account.id).await?;
    if !now.is_some_and(|(now, held)| now.state == State::Active && held.stamp == stamp) {
        return Ok(Outcome::Late);
    }
    let login = account.login.as_str();
    let actor = Actor {
        account: Some(account.id.clone()),
        name: login.to_owned(),
        ..actor.clone()
    };
    let key = session::begin(office, &work, &actor, account, second_factor, form.before).await?;
    note(
        office,
        &work,
        &actor,
        &Entry::new("signin", Some(account), "done"),
    )
    .await?;
    work.commit().await?;
    Ok(Outcome::In {
        key,
        device: device::remember(office, form.device, login),
    })
}

/// Writes a failure down. A name that nobody has is not: passwords do get typed into that field.
async fn failed(
    office: &Office,
    actor: &Actor,
    account: Option<&Account>,
    what: &str,
) -> Result<(), Failure> {
    let entry = Entry::new("signin", account, "failed").detail(what);
    let work = office.store.begin().await?;
    note(office, &work, actor, &entry).await?;
    Ok(work.commit().await?)
}
