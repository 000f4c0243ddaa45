//! Somebody who had an account elsewhere.

use crate::account::{Role, State};
use crate::secret::Secret;

/// Longest line, row or entry of a text that is read, in bytes.
pub(super) const LINE: usize = 64 * 1024;

/// What is known of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// There is none.
    Nothing,
    /// A hash, in one of the forms that [`crate::account::password::form`] reads, or another.
    Hash(Secret<String>),
    /// The password itself; hashed at once and not kept.
    Plain(Secret<String>),
}

/// An account as its source has it; nothing of it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// File and line, or table and row.
    pub place: String,
    /// The name, as it is written there.
    pub login: String,
    /// The address, as it is written there; may be empty.
    pub email: String,
    /// The name that others see; may be empty.
    pub display_name: String,
    /// The password.
    pub password: Password,
    /// Where the account stands.
    pub state: State,
    /// What its owner may do.
    pub role: Role,
    /// Groups by name.
    pub groups: Vec<String>,
    /// Unix seconds.
    pub created: Option<i64>,
    /// Unix seconds.
    pub last_seen: Option<i64>,
}

impl Candidate {
    /// A member in good standing of whom nothing but the name is known.
    #[must_use]
    pub fn new(place: impl Into<String>, login: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            login: login.into(),
            email: String::new(),
            display_name: String::new(),
            password: Password::Nothing,
            state: State::Active,
            role: Role::Member,
            groups: Vec::new(),
            created: None,
            last_seen: None,
        }
    }
}

/// A piece of a source that makes no candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// File and line, or table and row.
    pub place: String,
    /// The name, as far as it is known.
    pub login: String,
    /// Why.
    pub why: String,
    /// Whether it is none of ours on purpose: an account of a service, an entry about something else.
    pub on_purpose: bool,
}

impl Unfit {
    /// Something that should have been an account.
    pub fn spoiled(place: impl Into<String>, login: &str, why: impl std::fmt::Display) -> Self {
        Self {
            place: place.into(),
            login: login.to_owned(),
            why: why.to_string(),
            on_purpose: false,
        }
    }

    /// Something that is left where it is.
    pub fn left_alone(place: impl Into<String>, login: &str, why: impl std::fmt::Display) -> Self {
        Self {
            on_purpose: true,
            ..Self::spoiled(place, login, why)
        }
    }
}
