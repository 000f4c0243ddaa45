//! What the command lines of both programs have in common: how they are read, their exit codes, and
//! how a failure is told. `manual` makes completions and man pages, `terminal` prints and asks.

pub mod manual;
pub mod terminal;

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

/// Something failed.
pub const FAILED: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 64;
/// The file that says what is wanted, or what it names, is wrong.
pub const BAD_FILE: u8 = 65;
/// Not permitted.
pub const NOT_PERMITTED: u8 = 77;

/// The command line of this process. What is wrong with it is said, and so are help and version;
/// then there is an exit code in its place.
///
/// # Errors
/// When there is nothing more to do.
pub fn read<T: clap::Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::from(USAGE)
        } else {
            ExitCode::SUCCESS
        }
    })
}

/// Why a verb failed: exit code, what failed on what and why, and something to type.
#[derive(Debug)]
pub struct Failure {
    /// What the program ends with.
    pub code: u8,
    /// What failed, on what, and why.
    pub what: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without advice.
    #[must_use]
    pub fn new(code: u8, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hint: None,
        }
    }

    /// A failure that is nobody's mistake in typing.
    #[must_use]
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(FAILED, what)
    }

    /// With advice; an empty text is none.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// A failed look at, or change of, a file. What is not permitted has no advice here: each
    /// program knows who may.
    #[must_use]
    pub fn io(place: &Path, error: &std::io::Error) -> Self {
        let what = format!("`{}`: {error}", place.display());
        match error.kind() {
            ErrorKind::PermissionDenied => Self::new(NOT_PERMITTED, what),
            ErrorKind::NotFound => Self::failed(what).hint("check the path"),
            _ => Self::failed(what),
        }
    }

    /// The failure with `who`, where it is about permission and has no advice of its own.
    #[must_use]
    pub fn or_who(mut self, who: &str) -> Self {
        if self.code == NOT_PERMITTED && self.hint.is_none() {
            self.hint = Some(who.to_owned());
        }
        self
    }
}
