//! A page of a long list, and where the next one begins.

use super::error::{Error, Result};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// What to ask for the next page with; `None`: this is the last one. A page may have fewer
    /// rows than were asked for, even none, and yet not be the last: so many were looked at, and
    /// few fitted.
    pub next: Option<String>,
    /// How many rows there are on all pages, where that is known.
    pub total: Option<Total>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// At least so many: counting ended there.
    AtLeast(u64),
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::AtLeast(count) => write!(f, "{count}+"),
        }
    }
}

impl<T> Page<T> {
    /// A page out of one row more than was asked for; `key` makes the mark of the last row shown.
    pub(super) fn cut(mut rows: Vec<T>, size: usize, key: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(key);
        Self {
            rows,
            next,
            total: None,
        }
    }
}

/// The most rows of one page; exports ask for as many.
pub(super) const MOST: usize = 1000;

/// A size that is no more than [`MOST`] and no less than 1.
pub(super) fn size(asked: usize) -> usize {
    asked.clamp(1, MOST)
}

/// The mark of a row in an order: its value and its key. It comes back from a link on a page, so
/// it may be anything.
pub(super) fn mark(value: &str, id: &str) -> String {
    format!("{id}.{value}")
}

/// A mark read back: value and key.
pub(super) fn unmark(mark: &str) -> Result<(String, String)> {
    match mark.split_once('.') {
        Some((id, value)) if id.len() <= 40 && value.len() <= 800 && !mark.contains('\0') => {
            Ok((value.to_owned(), id.to_owned()))
        }
        _ => Err(Error::Refused {
            field: "after",
            why: "is no mark of a page".into(),
        }),
    }
}
