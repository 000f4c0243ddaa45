//! The audit trail: who did what to whom, when and from where. Rows are only ever added; what is
//! older than the policy says is pruned by the timer, and that is written too.

use serde::{Deserialize, Serialize};

use super::{AccountId, Actor};

/// An entry to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// What was done, one of a fixed list of words: `signup.asked`, `signin.failed`, …
    pub action: String,
    /// The account that it was done to.
    pub target: Option<AccountId>,
    /// Its name at that time, or what was typed where there is no account (cut, encoded).
    pub target_name: String,
    /// How it ended: `done`, `refused`, `failed`.
    pub outcome: String,
    /// More, without secrets: the reason given, fields that changed.
    pub detail: String,
}

/// An entry that was written.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// Its key; sorts by time.
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    /// Who.
    pub actor_name: String,
    /// Their account.
    pub actor: Option<AccountId>,
    /// From where.
    pub address: String,
    /// What.
    pub entry: Entry,
}

impl Entry {
    /// An entry about an account.
    #[must_use]
    pub fn new(action: &str, target: Option<&super::Account>, outcome: &str) -> Self {
        Self {
            action: action.into(),
            target: target.map(|account| account.id.clone()),
            target_name: target.map_or_else(String::new, |account| account.login.as_str().into()),
            outcome: outcome.into(),
            detail: String::new(),
        }
    }

    /// With more.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = text.into();
        self
    }
}

/// Shows who acted, for logs.
#[must_use]
pub fn place(actor: &Actor) -> String {
    actor.address.map_or_else(String::new, |ip| ip.to_string())
}
