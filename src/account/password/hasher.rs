//! Hashes and checks passwords on threads of their own, a bounded number at a time.
//!
//! # What the time of an answer tells
//!
//! An unknown account costs one hash of the default kind, made once from chance and thrown away.
//! Accounts whose hash came from elsewhere cost more or less than that until their owners sign in.
//! So no refusal is given before as much time has gone by as the slowest kind has been seen to
//! take, whatever the account. What remains: the first refusals after a start, while a slow kind
//! has not been seen yet; and a right password is answered without waiting, to its owner.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::breached::Breached;
use super::form::{Digest, Form};
use super::{Busy, Keys, LONGEST, Verdict, Weak, scram, strength};
use crate::account::settings::Passwords;
use crate::secret::Secret;

/// How many may wait for each one that is at work.
const WAITING: usize = 32;
/// How long one waits before it is told that the house is full.
const PATIENCE: Duration = Duration::from_secs(8);
/// No refusal waits longer than this for the sake of equal times.
const LONGEST_PAUSE: u64 = 3_000_000;

/// Hashes and checks passwords, a bounded number at a time.
#[derive(Clone)]
pub struct Hasher {
    shared: Arc<Shared>,
}

struct Shared {
    rules: Arc<Passwords>,
    places: Arc<Semaphore>,
    /// Those who wait or work.
    inside: AtomicUsize,
    most: usize,
    /// What stands in for the hash of an account that is not there.
    decoy: OnceLock<Option<Form>>,
    /// Microseconds that the slowest kind took: a slow average for each kind, the most of all here.
    pace: Pace,
    breached: Option<Arc<dyn Breached>>,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hasher({} at a time)", self.shared.most / (WAITING + 1))
    }
}

impl Hasher {
    /// By the rules of the settings.
    #[must_use]
    pub fn new(rules: Arc<Passwords>) -> Self {
        Self::built(rules, None)
    }

    /// With a list of passwords that are known from breaches.
    #[must_use]
    pub fn with_breached(rules: Arc<Passwords>, list: Arc<dyn Breached>) -> Self {
        Self::built(rules, Some(list))
    }

    fn built(rules: Arc<Passwords>, breached: Option<Arc<dyn Breached>>) -> Self {
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        let places = match rules.concurrent {
            0 => (processors / 2).max(1),
            given => given.min(1024),
        };
        Self {
            shared: Arc::new(Shared {
                rules,
                places: Arc::new(Semaphore::new(places)),
                inside: AtomicUsize::new(0),
                most: places * (WAITING + 1),
                decoy: OnceLock::new(),
                pace: Pace::default(),
                breached,
            }),
        }
    }

    /// The keys of a new password. The name is not part of them; it is there for kinds that need it.
    ///
    /// # Errors
    /// When too many wait already.
    pub async fn make(&self, password: &Secret<String>, _login: &str) -> Result<Keys, Busy> {
        let place = self.place().await?;
        let shared = Arc::clone(&self.shared);
        let password = password.clone();
        let work = move || {
            let _place = place;
            shared.keys(password.reveal())
        };
        tokio::task::spawn_blocking(work)
            .await
            .ok()
            .flatten()
            .ok_or(Busy)
    }

    /// Whether a password is right. No account (`None`) takes the same work and is `Wrong`.
    ///
    /// # Errors
    /// When too many wait already.
    pub async fn check(
        &self,
        password: &Secret<String>,
        kept: Option<&Keys>,
    ) -> Result<Verdict, Busy> {
        let place = self.place().await?;
        let shared = Arc::clone(&self.shared);
        let (password, kept) = (password.clone(), kept.cloned());
        let began = Instant::now();
        let tries = u32::from(reading(password.reveal()).is_some()) + 1;
        let work = move || {
            let _place = place;
            shared.judged(password.reveal(), kept.as_ref())
        };
        let verdict = tokio::task::spawn_blocking(work).await.map_err(|_| Busy)?;
        if verdict == Verdict::Wrong {
            tokio::time::sleep_until(began + self.shared.pace.slowest() * tries).await;
        }
        Ok(verdict)
    }

    /// Whether a new password is good enough: length, how easily it is guessed, words that are
    /// known of its owner and the site (`context`), and the list of breached ones. No rule asks
    /// for kinds of characters, and nothing is trimmed.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn judge(&self, password: &str, context: &[&str]) -> Result<(), Weak> {
        let rules = &self.shared.rules;
        let forbidden = rules.forbidden.iter().map(String::as_str);
        let words: Vec<&str> = context.iter().copied().chain(forbidden).collect();
        strength::judge(password, rules.minimum, &words)?;
        match &self.shared.breached {
            Some(list) if list.has(password) => Err(Weak::Breached),
            _ => Ok(()),
        }
    }

    /// How many are at work or wait, for metrics.
    #[must_use]
    pub fn load(&self) -> usize {
        self.shared.inside.load(Ordering::Relaxed)
    }

    /// A place among those who work; the way to it is bounded in number and in time.
    async fn place(&self) -> Result<Place, Busy> {
        let inside = Inside::enter(&self.shared)?;
        let permit = Arc::clone(&self.shared.places).acquire_owned();
        match tokio::time::timeout(PATIENCE, permit).await {
            Ok(Ok(permit)) => Ok(Place {
                _permit: permit,
                _inside: inside,
            }),
            _ => Err(Busy),
        }
    }
}

/// Held by the thread that works, so that whoever goes away makes no room for another.
struct Place {
    _permit: OwnedSemaphorePermit,
    _inside: Inside,
}

struct Inside(Arc<Shared>);

impl Inside {
    fn enter(shared: &Arc<Shared>) -> Result<Self, Busy> {
        let inside = Self(Arc::clone(shared));
        if shared.inside.fetch_add(1, Ordering::AcqRel) >= shared.most {
            return Err(Busy);
        }
        Ok(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shared {
    fn judged(&self, password: &str, kept: Option<&Keys>) -> Verdict {
        let form = kept.and_then(|keys| Form::parse(keys.hash.reveal()).ok());
        let decoy = self.decoy.get_or_init(|| {
            let form = Form::parse(&self.fresh("no account has this password")?).ok()?;
            self.pace.timed(&form, "");
            Some(form)
        });
        let fits = password.len() <= LONGEST;
        // Cut, so that length costs nothing.
        let some = password.get(..LONGEST.min(password.len())).unwrap_or("");
        let prepared = reading(some);
        let (Some(form), Some(kept), true) = (&form, kept, fits) else {
            for text in [Some(some), prepared.as_deref().map(String::as_str)] {
                if let (Some(decoy), Some(text)) = (decoy, text) {
                    self.pace.timed(decoy, text);
                }
            }
            return Verdict::Wrong;
        };
        let right = self.pace.timed(form, password);
        if !prepared.map_or(right, |text| self.pace.timed(form, &text) || right) {
            return Verdict::Wrong;
        }
        Verdict::Right(self.renewed(password, form, kept))
    }

    /// What is to be kept from now on, when that is not what is kept.
    fn renewed(&self, password: &str, form: &Form, kept: &Keys) -> Option<Keys> {
        let rules = &self.rules;
        let current = matches!(form, Form::Argon2 { algorithm: argon2::Algorithm::Argon2id,
            version: argon2::Version::V0x13, memory, passes, .. }
            if *memory >= rules.argon2_memory && *passes >= rules.argon2_passes);
        // In the form of the house: not Django's or an LDAP server's.
        let ours = current && kept.hash.reveal().starts_with('$');
        let in_order = |digest, key: &Option<Secret<String>>| {
            let rounds = key.as_ref().map(|key| {
                let rounds = key.reveal().split('$').next();
                rounds.and_then(|text| text.parse().ok()).unwrap_or(0u32)
            });
            match (self.wants(digest), rounds) {
                (true, Some(rounds)) => rounds >= rules.scram_iterations,
                (true, None) => scram::prepare(password).is_none(),
                (false, rounds) => rounds.is_none(),
            }
        };
        if ours
            && in_order(Digest::Sha1, &kept.scram_sha_1)
            && in_order(Digest::Sha256, &kept.scram_sha_256)
        {
            return None;
        }
        let hash = if ours {
            kept.hash.reveal().clone()
        } else {
            self.fresh(password)?
        };
        self.with_scram(password, hash)
    }

    fn keys(&self, password: &str) -> Option<Keys> {
        self.with_scram(password, self.fresh(password)?)
    }

    fn with_scram(&self, password: &str, hash: String) -> Option<Keys> {
        let hash = Secret::new(hash);
        Some(Keys {
            hash,
            scram_sha_1: self.scram(Digest::Sha1, password)?,
            scram_sha_256: self.scram(Digest::Sha256, password)?,
        })
    }

    fn wants(&self, digest: Digest) -> bool {
        match digest {
            Digest::Sha1 => self.rules.wants_scram("SHA-1"),
            Digest::Sha256 => self.rules.wants_scram("SHA-256"),
            Digest::Sha512 => false,
        }
    }

    /// `None` when there is no chance to be had.
    #[allow(clippy::option_option, reason = "no chance, no key, a key")]
    fn scram(&self, digest: Digest, password: &str) -> Option<Option<Secret<String>>> {
        if !self.wants(digest) {
            return Some(None);
        }
        let salt = chance()?;
        let rounds = self.rules.scram_iterations;
        let keys = scram::keys(digest, password, &salt, rounds);
        Some(keys.map(|keys| scram::text(rounds, &salt, &keys)))
    }

    /// argon2id in PHC form, of the password as SASLprep has it.
    fn fresh(&self, password: &str) -> Option<String> {
        let prepared = reading(password);
        let password = prepared.as_deref().map_or(password, String::as_str);
        let (memory, passes) = (self.rules.argon2_memory, self.rules.argon2_passes);
        let params = argon2::Params::new(memory, passes, 1, Some(32)).ok()?;
        let salt = chance()?;
        let mut output = Zeroizing::new([0; 32]);
        let how = (argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        super::memory::argon2(how, password, &salt, &mut *output)?;
        Some(format!(
            "$argon2id$v=19$m={memory},t={passes},p=1${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(*output)
        ))
    }
}

/// The password as XMPP servers read it, where that is another text than the one typed. What is
/// hashed here is hashed in this form, so that it does not matter whether it is typed into a page,
/// or into a client whose server prepares it before it asks; hashes of others are of either form.
fn reading(password: &str) -> Option<Zeroizing<String>> {
    let prepared = scram::prepare(password)?;
    (prepared != password).then(|| Zeroizing::new(prepared.into_owned()))
}

/// A salt. Nothing that is kept or tested follows from which it is, so it is drawn here.
fn chance() -> Option<[u8; 16]> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    Some(salt)
}

/// How long each kind takes, in microseconds: a slow average, so that one stumble of the machine
/// does not slow everybody for long.
#[derive(Default)]
struct Pace {
    kinds: [AtomicU64; 7],
}

impl Pace {
    fn timed(&self, form: &Form, password: &str) -> bool {
        let began = Instant::now();
        let right = form.proves(password);
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(LONGEST_PAUSE);
        let kind = &self.kinds[match form {
            Form::Argon2 { .. } => 0,
            Form::Pbkdf2 { .. } => 1,
            Form::Bcrypt { .. } => 2,
            Form::Scrypt { .. } => 3,
            Form::Scram { .. } => 4,
            Form::Salted { .. } => 5,
            Form::Crypt { .. } => 6,
        }];
        let before = kind.load(Ordering::Relaxed);
        // Up at once, down by an eighth.
        let after = if took > before {
            took
        } else {
            before - (before - took) / 8
        };
        kind.store(after.min(LONGEST_PAUSE), Ordering::Relaxed);
        right
    }

    fn slowest(&self) -> Duration {
        let kinds = self.kinds.iter();
        let most = kinds.map(|kind| kind.load(Ordering::Relaxed)).max();
        Duration::from_micros(most.unwrap_or(0))
    }
}
