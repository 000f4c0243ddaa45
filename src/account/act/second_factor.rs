//! The second factor: codes by time from an app, and ten recovery codes for the day the telephone
//! is lost. The seed is sealed in the database, the codes are there as hashes.

use super::check::Mistake;
use super::{Failure, note, outbox, session};
use crate::account::audit::Entry;
use crate::account::store::{Credentials, Error, Work};
use crate::account::totp::{self, Seed};
use crate::account::{Account, Actor, Office, post};
use crate::secret::Secret;

const KEPT: &str = "totp";
const OFFERED: &str = "totp offered";
/// Seconds that an offer stands.
const OFFER: i64 = 1800;

/// A seed that is shown, and not set yet.
#[derive(Debug)]
pub struct Offer {
    /// The seed, sealed for this account: the form carries it.
    pub sealed: String,
    /// What is typed where there is no camera.
    pub base32: Secret<String>,
    /// The picture, SVG.
    pub picture: Option<String>,
}

/// What became of switching it on.
#[derive(Debug)]
pub enum On {
    /// It is on.
    Done {
        /// The recovery codes, shown once.
        codes: Vec<Secret<String>>,
        /// The new key of the session.
        key: Secret<String>,
    },
    /// The code does not fit.
    Wrong(Mistake),
    /// The offer is too old, or it is on already.
    Gone,
}

/// Offers a seed.
#[must_use]
pub fn offer(office: &Office, account: &Account, issuer: &str) -> Offer {
    let seed = Seed::new(&*office.world);
    shown(office, account, issuer, &seed, office.world.now() + OFFER)
}

/// The offer that a form carries, to be shown again.
#[must_use]
pub fn again(office: &Office, account: &Account, issuer: &str, sealed: &str) -> Option<Offer> {
    let (seed, until) = offered(office, account, sealed)?;
    Some(shown(office, account, issuer, &seed, until))
}

fn shown(office: &Office, account: &Account, issuer: &str, seed: &Seed, until: i64) -> Offer {
    let mut bytes = until.to_be_bytes().to_vec();
    bytes.extend_from_slice(seed.bytes());
    let purpose = format!("{OFFERED} {}", account.id);
    Offer {
        sealed: office.seal.close(&purpose, &bytes),
        base32: seed.base32(),
        picture: totp::svg(seed.uri(issuer, account.login.as_str()).reveal()),
    }
}

fn offered(office: &Office, account: &Account, sealed: &str) -> Option<(Seed, i64)> {
    let purpose = format!("{OFFERED} {}", account.id);
    let bytes = office.seal.open(&purpose, sealed)?;
    let (until, seed) = bytes.split_first_chunk::<8>()?;
    let until = i64::from_be_bytes(*until);
    let seed = Seed::from_bytes(seed.to_vec())?;
    (until > office.world.now()).then_some((seed, until))
}

/// Switches it on, once a code shows that the app has the seed. All other sessions end.
///
/// # Errors
/// [`Failure`].
pub async fn on(
    office: &Office,
    actor: &Actor,
    account: &Account,
    here: &session::Session,
    sealed: &str,
    code: &str,
) -> Result<On, Failure> {
    let Some((seed, _)) = offered(office, account, sealed) else {
        return Ok(On::Gone);
    };
    let now = office.world.now();
    let Some(step) = seed.check(code, now, None) else {
        return Ok(On::Wrong(Mistake::new("code", "form.code.wrong")));
    };
    let kept = Secret::new(office.seal.close(&purpose(account), seed.bytes()));
    let work = office.store.begin().await?;
    if !work.set_totp(&account.id, &kept, step).await? {
        return Ok(On::Gone);
    }
    let codes = new_codes(office, &work, account).await?;
    work.end_sessions(&account.id, Some(&here.hash)).await?;
    work.strengthen_session(&here.hash).await?;
    let key = session::renew(office, &work, here).await?;
    let entry = Entry::new("second_factor.on", Some(account), "done");
    note(office, &work, actor, &entry).await?;
    outbox::mail(
        office,
        &work,
        &post::second_factor_on(office, account, actor),
    )
    .await?;
    work.commit().await?;
    Ok(On::Done { codes, key })
}

/// Switches it off. All other sessions end.
///
/// # Errors
/// [`Failure`].
pub async fn off(
    office: &Office,
    actor: &Actor,
    account: &Account,
    here: &session::Session,
) -> Result<bool, Failure> {
    let work = office.store.begin().await?;
    if !work.clear_totp(&account.id).await? {
        return Ok(false);
    }
    work.end_sessions(&account.id, Some(&here.hash)).await?;
    let entry = Entry::new("second_factor.off", Some(account), "done");
    note(office, &work, actor, &entry).await?;
    outbox::mail(
        office,
        &work,
        &post::second_factor_off(office, account, actor),
    )
    .await?;
    work.commit().await?;
    Ok(true)
}

/// How many recovery codes are left.
///
/// # Errors
/// When the database does not answer.
pub async fn left(office: &Office, account: &Account) -> Result<i64, Failure> {
    Ok(office.store.recovery_codes(&account.id).await?)
}

/// Makes new recovery codes; the old ones are worth nothing any more.
///
/// # Errors
/// [`Failure`].
pub async fn codes(
    office: &Office,
    actor: &Actor,
    account: &Account,
) -> Result<Vec<Secret<String>>, Failure> {
    let work = office.store.begin().await?;
    let codes = new_codes(office, &work, account).await?;
    let entry = Entry::new("second_factor.codes", Some(account), "done");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(codes)
}

/// Whether a code is right, and uses it up: one of the app, or a recovery code, which is told by mail.
pub(super) async fn prove(
    office: &Office,
    work: &Work,
    actor: &Actor,
    account: &Account,
    held: &Credentials,
    code: &str,
) -> Result<bool, Error> {
    let now = office.world.now();
    let seed = held
        .totp_seed
        .as_ref()
        .and_then(|kept| office.seal.open(&purpose(account), kept.reveal()))
        .and_then(Seed::from_bytes);
    let step = seed.and_then(|seed| seed.check(code, now, Some(held.totp_step)));
    if let Some(step) = step {
        return work.use_totp_step(&account.id, step).await;
    }
    let Some(digest) = totp::recovery_digest(code) else {
        return Ok(false);
    };
    if !work.use_recovery_code(&account.id, &digest, now).await? {
        return Ok(false);
    }
    let left = work.recovery_codes(&account.id).await?;
    let entry = Entry::new("second_factor.code_used", Some(account), "done");
    note(office, work, actor, &entry).await?;
    let told = post::recovery_code_used(office, account, actor, left);
    outbox::mail(office, work, &told).await?;
    Ok(true)
}

async fn new_codes(
    office: &Office,
    work: &Work,
    account: &Account,
) -> Result<Vec<Secret<String>>, Error> {
    let codes = totp::recovery_codes(&*office.world);
    let digests: Vec<String> = codes
        .iter()
        .filter_map(|code| totp::recovery_digest(code.reveal()))
        .collect();
    let now = office.world.now();
    work.set_recovery_codes(&account.id, &digests, now).await?;
    Ok(codes)
}

fn purpose(account: &Account) -> String {
    format!("{KEPT} {}", account.id)
}
