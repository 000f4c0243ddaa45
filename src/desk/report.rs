//! Everything that is printed: stdout is for data, stderr for people.

use std::process::ExitCode;

use super::Global;
use crate::command::terminal::{self, Paint};

pub(super) use crate::command::{BAD_FILE as BAD_SETTINGS, FAILED, Failure, NOT_PERMITTED, USAGE};

/// Prints.
pub(super) struct Report {
    quiet: bool,
    json: bool,
    err: Paint,
}

impl Report {
    pub(super) fn new(global: &Global) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            quiet: global.quiet,
            json: global.json,
            err: global.color.paint(&std::io::stderr(), no_color),
        }
    }

    /// Is JSON asked for?
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Data.
    #[expect(clippy::unused_self, reason = "all printing passes one object")]
    pub(super) fn data(&mut self, text: &str) {
        terminal::data(text);
    }

    /// Data as JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(&text),
            Err(error) => self.warning(&format!("this cannot be written as JSON: {error}")),
        }
    }

    /// A line for people.
    pub(super) fn note(&mut self, text: &str) {
        if !self.quiet {
            terminal::line(text);
        }
    }

    /// A warning; shown even when quiet.
    pub(super) fn warning(&mut self, text: &str) {
        terminal::line(&self.err.warning(text));
    }

    /// What to type next.
    pub(super) fn hint(&mut self, text: &str) {
        if !self.quiet {
            terminal::line(&self.err.hint(text));
        }
    }

    pub(super) fn failure(&mut self, failure: Failure) -> ExitCode {
        let failure = failure.or_who("run it as root, or as the user of the service");
        terminal::line(&self.err.failure(&failure));
        ExitCode::from(failure.code)
    }
}
