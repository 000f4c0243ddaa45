//! Acts: one file for each thing that a person, an administrator or the clock does. Each writes
//! the audit trail, and the mails that tell of it, in the same transaction.

pub mod again;
pub mod approve;
pub mod check;
pub mod confirm;
pub mod csv;
pub mod decide;
pub mod device;
pub mod email;
pub mod expire;
pub mod export;
pub mod groups;
pub mod invite;
pub mod leave;
pub mod link;
pub mod notes;
pub mod notify;
pub mod outbox;
pub mod pace;
pub mod password;
pub mod profile;
pub mod refusal;
pub mod reset;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod signin;
pub mod signup;
mod staff;
pub mod users;

use super::audit::Entry;
use super::password::Busy;
use super::store::{Error, Work};
use super::{Actor, Office};

/// Why an act could not be done at all. What it refuses for a reason, it says in its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// Too many passwords at the same time.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Too many tries; the next one in so many seconds.
    #[error("too many tries; the next one in {0} seconds")]
    Limited(u64),
}

/// Writes an entry to the audit trail.
pub(super) async fn note(
    office: &Office,
    work: &Work,
    actor: &Actor,
    entry: &Entry,
) -> Result<(), Error> {
    work.append(&*office.world, actor, entry).await
}
