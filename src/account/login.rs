//! Names of accounts: one canonical form, safe as an XMPP localpart.

use serde::{Deserialize, Serialize};

/// A canonical name of an account: lower case, nodeprep-safe, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// A name as the database has it, canonical since it was written.
    #[must_use]
    pub fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
