//! A list that somebody takes away: the audit trail has who, and which part of it.

use super::note;
use crate::account::audit::Entry;
use crate::account::store::Error;
use crate::account::{Actor, Office};

/// Notes that a list is taken away, before its first row is.
///
/// # Errors
/// When the database refuses.
pub async fn taken(office: &Office, actor: &Actor, what: List, filter: &str) -> Result<(), Error> {
    let work = office.store.begin().await?;
    let entry = Entry::new(what.action(), None, "done").detail(filter);
    note(office, &work, actor, &entry).await?;
    work.commit().await
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// People.
    Users,
    /// The audit trail.
    Audit,
}

impl List {
    fn action(self) -> &'static str {
        match self {
            Self::Users => "users.exported",
            Self::Audit => "audit.exported",
        }
    }
}
