//! Reads a TOML file of ours key by key and remembers where everything stood: the site file, and
//! the settings of the account service.
//!
//! A reader is asked for the keys it should know; what it was never asked for is an unknown key.
//! Problems are gathered rather than returned, so that one run names them all. (A serde mirror
//! with `deny_unknown_fields` would stop at the first, and lose the line.)

mod table;
mod value;

pub use table::Table;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use toml::de::DeTable;

use crate::name::excerpt;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, empty for the file as a whole.
    pub key: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong; lower case, no full stop.
    pub what: String,
    /// What to type instead.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A parsed file, the problems found so far and the keys asked for.
pub struct Document<'t> {
    name: &'static str,
    text: &'t str,
    root: DeTable<'t>,
    problems: RefCell<Vec<Problem>>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'t> Document<'t> {
    /// Parses TOML; a syntax error is the only problem then. The name is for messages: `the site file`.
    ///
    /// # Errors
    /// That one.
    pub fn parse(name: &'static str, text: &'t str) -> Result<Self, Problem> {
        if let Some((before, _)) = text.split_once('\0') {
            return Err(Problem {
                key: String::new(),
                line: line_of(text, before.len()),
                what: "the file has a NUL character".to_owned(),
                hint: Some("save it as plain UTF-8 text".to_owned()),
            });
        }
        match DeTable::parse(text) {
            Ok(root) => Ok(Self {
                name,
                text,
                root: root.into_inner(),
                problems: RefCell::default(),
                asked: RefCell::default(),
            }),
            Err(error) => Err(Problem {
                key: String::new(),
                line: line_of(text, error.span().map_or(0, |span| span.start)),
                what: format!("this is not TOML: {}", excerpt(error.message())),
                hint: Some(
                    "text stands in \"double quotes\", a table's name in [brackets]".to_owned(),
                ),
            }),
        }
    }

    /// The table of the whole file.
    pub fn root(&self) -> Table<'_> {
        Table {
            sink: Sink {
                name: self.name,
                text: self.text,
                problems: &self.problems,
                asked: &self.asked,
            },
            path: String::new(),
            span: 0..0,
            table: Some(&self.root),
            known: RefCell::default(),
        }
    }

    /// All problems in the order of their lines, and every key that was asked for.
    pub fn finish(self) -> (Vec<Problem>, BTreeSet<String>) {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| a.line.cmp(&b.line).then_with(|| a.key.cmp(&b.key)));
        (problems, self.asked.into_inner())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

#[derive(Clone, Copy)]
struct Sink<'d> {
    name: &'static str,
    text: &'d str,
    problems: &'d RefCell<Vec<Problem>>,
    asked: &'d RefCell<BTreeSet<String>>,
}
