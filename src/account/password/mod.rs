//! Passwords: how they are kept, checked and chosen.

use super::settings::Passwords;
use crate::secret::Secret;

/// What is kept of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The hash, in Django's or PHC form: `argon2id…`, `pbkdf2_sha256$…`; empty: no password.
    pub hash: Secret<String>,
    /// `iterations$salt$stored$server` (the last three base64), or nothing.
    pub scram_sha_1: Option<Secret<String>>,
    /// The same for SHA-256.
    pub scram_sha_256: Option<Secret<String>>,
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

/// Hashes and checks passwords on threads of their own, a bounded number at a time.
#[derive(Debug, Clone)]
pub struct Hasher {
    _rules: std::sync::Arc<Passwords>,
}
