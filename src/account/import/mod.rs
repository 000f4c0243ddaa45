//! Accounts from elsewhere: readers of foreign formats, pure, and what becomes of each account.
//!
//! A reader ([`prosody`], `django`, [`csv`], [`ldif`]) turns its source into [`Candidate`]s, a
//! bounded number at a time; a [`Run`] decides about each one and writes those that are taken
//! over, some thousands in a transaction. Nothing is merged or dropped in silence: the [`Report`]
//! names everyone who was not simply taken over. A second run over the same source finds everybody
//! there already, and so does one that goes on after a break. To add a source: a file here that
//! makes candidates, and its verb in the room `desk`.

pub mod candidate;
pub mod csv;
mod django;
mod foreign;
pub mod ldif;
pub mod lua;
pub mod prosody;
pub mod report;
pub mod run;
mod sources;

pub use candidate::{Candidate, Password, Unfit};
pub use report::{Note, Notes, Report};
pub use run::Run;
pub use sources::{from_csv, from_django, from_ldif, from_prosody, from_prosody_sql};

use super::Actor;

/// How an import goes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Who imports, for the audit trail.
    pub actor: Actor,
    /// The language of the accounts; empty: that of the settings.
    pub language: String,
    /// A group that everybody joins.
    pub group: Option<String>,
    /// Prosody: only the accounts of this host.
    pub host: Option<String>,
}

/// Why an import stopped. What was written until then is whole, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source cannot be read, or is none.
    #[error("{place}: {why}")]
    Source {
        /// File and line, or table.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Our own database refused.
    #[error("the accounts could not be written: {0}")]
    Store(String),
}

impl ImportError {
    /// Something is wrong with the source.
    pub fn source(place: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Source {
            place: place.into(),
            why: why.to_string(),
        }
    }
}
