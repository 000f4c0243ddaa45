//! Everything that is printed: stdout is for data, stderr for people.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use super::{Global, When};

/// Something failed.
pub(super) const FAILED: u8 = 1;
/// The command line makes no sense.
pub(super) const USAGE: u8 = 64;
/// The file of settings, or what it names, is wrong.
pub(super) const BAD_SETTINGS: u8 = 65;
/// Not permitted.
pub(super) const NOT_PERMITTED: u8 = 77;

/// Why a verb failed: exit code, what failed on what and why, and something to type.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(code: u8, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hint: None,
        }
    }

    /// A failure that is nobody's mistake in typing.
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self::new(FAILED, what)
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failed look at, or change of, a file.
    pub(super) fn io(place: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        let what = format!("`{}`: {error}", place.display());
        match error.kind() {
            PermissionDenied => {
                Self::new(NOT_PERMITTED, what).hint("run it as root, or as the user of the service")
            }
            NotFound => Self::failed(what).hint("check the path"),
            _ => Self::failed(what),
        }
    }
}

/// Prints.
pub(super) struct Report {
    quiet: bool,
    json: bool,
    has_color: bool,
}

impl Report {
    pub(super) fn new(global: &Global) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            quiet: global.quiet,
            json: global.json,
            has_color: match global.color {
                When::Always => true,
                When::Never => false,
                When::Auto => std::io::stderr().is_terminal() && !no_color,
            },
        }
    }

    /// Is JSON asked for?
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Data. A reader that went away is no error: `users list | head` should be silent.
    #[expect(clippy::unused_self, reason = "all printing passes one object")]
    pub(super) fn data(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
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
            line(text);
        }
    }

    /// A warning; shown even when quiet.
    pub(super) fn warning(&mut self, text: &str) {
        line(&format!("{}: {text}", self.paint(33, "warning")));
    }

    /// What to type next.
    pub(super) fn hint(&mut self, text: &str) {
        if !self.quiet {
            line(&format!("  {}: {text}", self.paint(36, "hint")));
        }
    }

    pub(super) fn failure(&mut self, failure: &Failure) -> ExitCode {
        line(&format!("{}: {}", self.paint(31, "error"), failure.what));
        if let Some(hint) = &failure.hint {
            line(&format!("  {}: {hint}", self.paint(36, "hint")));
        }
        ExitCode::from(failure.code)
    }

    fn paint(&self, color: u8, text: &str) -> String {
        if self.has_color {
            format!("\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
