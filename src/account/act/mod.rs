//! Acts: one file for each thing that a person, an administrator or the clock does. Each writes
//! the audit trail, and the mails that tell of it, in the same transaction.

pub mod approve;
pub mod check;
pub mod csv;
pub mod decide;
pub mod export;
pub mod groups;
pub mod invite;
pub mod link;
pub mod notes;
pub mod notify;
pub mod outbox;
pub mod refusal;
pub mod session;
pub mod settings;
mod staff;
pub mod users;

use super::audit::Entry;
use super::store::{Error, Work};
use super::{Actor, Office};

/// Writes an entry to the audit trail.
pub(super) async fn note(
    office: &Office,
    work: &Work,
    actor: &Actor,
    entry: &Entry,
) -> Result<(), Error> {
    work.append(&*office.world, actor, entry).await
}
