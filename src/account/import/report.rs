//! What became of everybody.

use std::fmt;

use serde::Serialize;

/// Names that are listed of each kind; all are counted.
const LISTED: usize = 10_000;

/// Somebody of whom there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// File and line, or table and row.
    pub place: String,
    /// The name, as it is written there.
    pub name: String,
    /// What there is to say.
    pub what: String,
}

/// Those of one kind: all counted, the first ten thousand named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// How many.
    pub count: u64,
    /// Who.
    pub listed: Vec<Note>,
}

impl Notes {
    /// One more.
    pub fn add(&mut self, place: &str, name: &str, what: impl fmt::Display) {
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(Note {
                place: place.to_owned(),
                name: name.to_owned(),
                what: what.to_string(),
            });
        }
    }
}

/// What became of everybody; or would have, in a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Pieces of the source that were looked at.
    pub seen: u64,
    /// Accounts that were taken over.
    pub taken: u64,
    /// Accounts that an earlier run took over.
    pub already: u64,
    /// Taken over under another spelling.
    pub renamed: Notes,
    /// Taken over, without some part that did not fit: an address that somebody else has, ….
    pub changed: Notes,
    /// Taken over, but no password opens them: a new one has to be set by mail.
    pub must_reset: Notes,
    /// Not taken over.
    pub refused: Notes,
    /// Left where they are on purpose.
    pub left_alone: Notes,
}

impl Notes {
    fn append(&mut self, other: Self) {
        let room = LISTED.saturating_sub(self.listed.len());
        self.count += other.count;
        self.listed.extend(other.listed.into_iter().take(room));
    }
}

impl Report {
    /// Adds what became of some more.
    pub fn append(&mut self, other: Self) {
        self.seen += other.seen;
        self.taken += other.taken;
        self.already += other.already;
        self.renamed.append(other.renamed);
        self.changed.append(other.changed);
        self.must_reset.append(other.must_reset);
        self.refused.append(other.refused);
        self.left_alone.append(other.left_alone);
    }
}
