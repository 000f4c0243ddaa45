//! Passwords: how they are kept, checked and chosen.
//!
//! [`form`] reads every kind of hash that we know and says what it costs; [`proof`] tells whether
//! a password is the one behind a hash; [`scram`] makes the keys that XMPP servers need;
//! [`strength`] judges new passwords. [`Hasher`] puts them together, on threads of their own and a
//! bounded number at a time. To add a kind of hash: a variant of [`form::Form`], how it is read
//! and proved, and a vector in the tests.

pub mod breached;
pub mod form;
mod hasher;
mod memory;
pub mod proof;
pub mod scram;
pub mod strength;
#[cfg(test)]
mod tests;

pub use hasher::Hasher;
pub use strength::Weak;

use super::settings::Passwords;
use crate::secret::Secret;

/// Longest password that is looked at, in bytes.
pub const LONGEST: usize = 1024;

/// What is kept of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The hash, in Django's or PHC form: `$argon2id$…`, `pbkdf2_sha256$…`; empty: no password.
    pub hash: Secret<String>,
    /// `iterations$salt$stored$server` (the last three base64), or nothing.
    pub scram_sha_1: Option<Secret<String>>,
    /// The same for SHA-256.
    pub scram_sha_256: Option<Secret<String>>,
}

impl Keys {
    /// Keys of an account that no password opens.
    #[must_use]
    pub fn none() -> Self {
        Self {
            hash: Secret::new(String::new()),
            scram_sha_1: None,
            scram_sha_256: None,
        }
    }

    /// A hash that was made elsewhere, with those of the SCRAM keys that the site asks for which
    /// follow from it without knowing the password (see [`scram::from_form`]).
    ///
    /// # Errors
    /// Why nobody could sign in with it.
    pub fn taken_over(hash: &str, rules: &Passwords) -> Result<Self, form::Unread> {
        let form = form::Form::parse(hash)?;
        let (sha_1, sha_256) = scram::from_form(&form);
        Ok(Self {
            hash: Secret::new(hash.to_owned()),
            scram_sha_1: sha_1.filter(|_| rules.wants_scram("SHA-1")),
            scram_sha_256: sha_256.filter(|_| rules.wants_scram("SHA-256")),
        })
    }
}

impl Passwords {
    /// Whether the site keeps SCRAM keys of this kind: `SHA-1` or `SHA-256`.
    #[must_use]
    pub fn wants_scram(&self, name: &str) -> bool {
        self.scram
            .iter()
            .any(|wanted| wanted.eq_ignore_ascii_case(name))
    }
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right; the keys to keep instead, when those in the database are of an older kind.
    Right(Option<Keys>),
    /// It is wrong, or there is none.
    Wrong,
}

/// Every place is taken: the caller answers "try again in a moment" (503).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;
