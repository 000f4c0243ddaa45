//! Sessions: made at a sign-in, looked up at each request, ended.

use crate::account::store::StoreError;
use crate::account::{Account, Office};

/// A session as a page sees it.
#[derive(Debug, Clone)]
pub struct Session {
    /// What the database knows it by: the hash of its key.
    pub hash: String,
    /// Unix seconds.
    pub created: i64,
    /// When the password was last typed.
    pub fresh_at: i64,
    /// Whether a second factor was shown.
    pub second_factor: bool,
}

/// The account and session of a key, when it is still good.
///
/// # Errors
/// When the database does not answer.
pub async fn find(_office: &Office, _key: &str) -> Result<Option<(Account, Session)>, StoreError> {
    Ok(None)
}

/// Whether the password was typed a short while ago.
#[must_use]
pub fn is_fresh(office: &Office, session: &Session) -> bool {
    let minutes = office.settings.sessions.fresh_minutes;
    office.world.now() - session.fresh_at < minutes * 60
}
