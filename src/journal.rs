//! The books: what each apply is about to do and how to take it back.
//!
//! Before a step is taken, its [`Entry`] is written and synced, with a copy of what stood there.
//! A journal that never got its final line is unfinished and is taken back at the next start. The
//! host room keeps the books on disk by implementing [`Ledger`]; nothing here touches one.

use serde::{Deserialize, Serialize};

use crate::name::{AbsPath, Mode};
use crate::plan::{Applied, State};
use crate::resource::PackageVersion;

/// What stood at a path before a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "lowercase")]
pub enum Undo {
    /// Nothing.
    Absent,
    /// A folder with these permissions.
    Dir {
        /// Permissions, as a number.
        mode: u32,
        /// User and group number.
        ids: Option<(u32, u32)>,
    },
    /// A file whose contents lie in the copy of this entry.
    File {
        /// Permissions, as a number.
        mode: u32,
        /// User and group number.
        ids: Option<(u32, u32)>,
    },
    /// A link.
    Link {
        /// Its text.
        target: String,
    },
    /// A group or user.
    Present,
    /// A package of this version.
    Package(PackageVersion),
    /// A service.
    Service {
        /// Did it start at boot?
        enabled: bool,
        /// Did it run?
        running: bool,
    },
    /// A database.
    Database {
        /// Did its roles come in with the passwords that were wanted?
        fits: bool,
    },
}

impl Undo {
    /// The way back to a state.
    #[must_use]
    pub fn to(state: &State) -> Self {
        match state {
            State::Absent => Self::Absent,
            State::Dir { mode, ids } => Self::Dir {
                mode: mode.0,
                ids: *ids,
            },
            State::File { mode, ids, .. } => Self::File {
                mode: mode.0,
                ids: *ids,
            },
            State::Link { target } => Self::Link {
                target: target.clone(),
            },
            State::Present => Self::Present,
            State::Package(version) => Self::Package(version.clone()),
            State::Database { fits } => Self::Database { fits: *fits },
            State::Service { enabled, running } => Self::Service {
                enabled: *enabled,
                running: *running,
            },
        }
    }

    /// The state itself, with the contents of the copy.
    #[must_use]
    pub fn state(&self, copy: Vec<u8>) -> State {
        match self {
            Self::Absent => State::Absent,
            Self::Dir { mode, ids } => State::Dir {
                mode: Mode(*mode),
                ids: *ids,
            },
            Self::File { mode, ids } => State::File {
                bytes: copy,
                mode: Mode(*mode),
                ids: *ids,
            },
            Self::Link { target } => State::Link {
                target: target.clone(),
            },
            Self::Present => State::Present,
            Self::Package(version) => State::Package(version.clone()),
            Self::Database { fits } => State::Database { fits: *fits },
            Self::Service { enabled, running } => State::Service {
                enabled: *enabled,
                running: *running,
            },
        }
    }
}

/// One step, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number within its generation, from 1.
    pub step: usize,
    /// The resource.
    pub id: String,
    /// Where; the name, for what has no path.
    pub path: String,
    /// Names of the services that must hear when this is taken back.
    #[serde(default)]
    pub wakes: Vec<String>,
    /// What a group or user that goes was like, with its numbers; the version of a package.
    #[serde(default)]
    pub details: String,
    /// Digest of what the step puts there, for a file.
    #[serde(default)]
    pub puts: String,
    /// The way back.
    pub undo: Undo,
}

impl Entry {
    /// The path as a word; `None` if the books were tampered with.
    #[must_use]
    pub fn place(&self) -> Option<AbsPath> {
        AbsPath::parse(&self.path).ok()
    }
}

/// A finished apply or rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, from 1.
    pub number: u32,
    /// When it was finished, in seconds since 1970.
    pub at: i64,
    /// What it was, as `apply` or `rollback to 3`.
    pub title: String,
    /// How many steps it took.
    pub steps: usize,
}

/// A failure to read or write the books.
#[derive(Debug, thiserror::Error)]
#[error("the books in `{place}`: {why}")]
pub struct LedgerError {
    /// File or folder.
    pub place: String,
    /// What went wrong.
    pub why: String,
}

/// Keeps the books.
pub trait Ledger {
    /// What the last finished generation put in place.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn applied(&self) -> Result<Applied, LedgerError>;
    /// What generation `number` put in place; empty for 0.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn applied_at(&self, number: u32) -> Result<Applied, LedgerError>;
    /// The finished generations that are kept, oldest first.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn generations(&self) -> Result<Vec<Generation>, LedgerError>;
    /// The journal of a generation.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn entries(&self, number: u32) -> Result<Vec<Entry>, LedgerError>;
    /// The copy that an entry made.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn copy(&self, number: u32, step: usize) -> Result<Vec<u8>, LedgerError>;
    /// The number of a generation that was begun and never finished.
    ///
    /// # Errors
    /// When the books cannot be read.
    fn unfinished(&self) -> Result<Option<u32>, LedgerError>;
    /// Opens a new generation and gives its number.
    ///
    /// # Errors
    /// When the books cannot be written.
    fn begin(&mut self) -> Result<u32, LedgerError>;
    /// Writes an entry and the copy of what stands there, and syncs both.
    ///
    /// # Errors
    /// When the books cannot be written; the step must not be taken then.
    fn note(&mut self, number: u32, entry: &Entry, copy: Option<&[u8]>) -> Result<(), LedgerError>;
    /// Keeps a copy of what somebody else wrote, for good, and says where. The same contents of
    /// the same path are kept once.
    ///
    /// # Errors
    /// When the books cannot be written; the step must not be taken then.
    fn back_up(&mut self, path: &AbsPath, bytes: &[u8]) -> Result<AbsPath, LedgerError>;
    /// Finishes a generation.
    ///
    /// # Errors
    /// When the books cannot be written.
    fn finish(
        &mut self,
        number: u32,
        title: &str,
        applied: &Applied,
    ) -> Result<Generation, LedgerError>;
    /// Makes a finished generation part of the one before, which then has put in place what both
    /// did; its journal is dropped, so that going back never brings back what it replaced. The first
    /// stays as it is.
    ///
    /// # Errors
    /// When the books cannot be written.
    fn fold(&mut self, number: u32) -> Result<(), LedgerError>;
    /// Strikes a generation that was taken back.
    ///
    /// # Errors
    /// When the books cannot be written.
    fn strike(&mut self, number: u32) -> Result<(), LedgerError>;
}
