//! Everything that is printed: stdout is for data, stderr for people.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Global, When};
use crate::apply::{ApplyError, Progress};
use crate::name::AbsPath;
use crate::plan::Step;
use crate::plan::show::Paint;

/// Something failed.
pub(super) const FAILED: u8 = 1;
/// Changes are pending (`plan --exit-code`).
pub(super) const PENDING: u8 = 2;
/// The command line makes no sense.
pub(super) const USAGE: u8 = 64;
/// The site file, or what it names, is wrong.
pub(super) const BAD_SITE: u8 = 65;
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

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// A failed look at, or change of, a file.
    pub(super) fn io(place: &std::path::Path, error: &std::io::Error) -> Self {
        let code = if error.kind() == std::io::ErrorKind::PermissionDenied {
            NOT_PERMITTED
        } else {
            FAILED
        };
        let failure = Self::new(code, format!("`{}`: {error}", place.display()));
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => failure.hint("run it as root, or with `sudo`"),
            std::io::ErrorKind::NotFound => failure.hint("check the path"),
            _ => failure,
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let text = error.to_string();
        let code = if text.contains("EACCES")
            || text.contains("Permission denied")
            || text.contains("EPERM")
        {
            NOT_PERMITTED
        } else {
            FAILED
        };
        let hint = match &error {
            ApplyError::Blocked(_) => "mend what is named, then run it again",
            ApplyError::Moved(_) => "somebody else changes this machine; run it again",
            ApplyError::HalfWay { .. } => {
                "free the disk or mend the error, then run `jitsi-install apply` again: it takes the rest back first"
            }
            ApplyError::Owner { .. } => {
                "the package that brings this user is not what was expected; everything was taken back"
            }
            ApplyError::NoGeneration(_) => "`jitsi-install history` lists them",
            _ if code == NOT_PERMITTED => {
                "run it as root, or with `sudo`; everything was taken back"
            }
            ApplyError::Ledger(_)
            | ApplyError::Alter(_)
            | ApplyError::LeftOut(_)
            | ApplyError::Recipe { .. } => {
                "everything was taken back; mend the error and run it again"
            }
        };
        Self::new(code, text).hint(hint)
    }
}

impl From<crate::journal::LedgerError> for Failure {
    fn from(error: crate::journal::LedgerError) -> Self {
        let denied = error.why.contains("Permission denied") || error.why.contains("EACCES");
        let code = if denied { NOT_PERMITTED } else { FAILED };
        Self::new(code, error.to_string()).hint(if denied {
            "run it as root, or with `sudo`"
        } else if error.why.contains("(os error") {
            "nothing was changed; mend the disk, then run it again"
        } else {
            ""
        })
    }
}

/// Prints.
pub(super) struct Report {
    quiet: bool,
    json: bool,
    out: Paint,
    err: Paint,
    bar: Option<ProgressBar>,
    log: Option<Log>,
    begun: crate::host::Stopwatch,
}

/// The log of what is done to a running machine.
struct Log(std::fs::File);

impl Log {
    fn write(&mut self, text: &str) {
        let at = time::OffsetDateTime::from_unix_timestamp(crate::host::now())
            .ok()
            .and_then(|at| {
                at.format(&time::format_description::well_known::Rfc3339)
                    .ok()
            })
            .unwrap_or_default();
        for line in text.lines() {
            let _ = writeln!(self.0, "{at} {line}");
        }
    }
}

impl Report {
    pub(super) fn new(global: &Global) -> Self {
        let no_color = crate::host::stand::no_color();
        let colors = |is_terminal: bool| {
            Paint(match global.color {
                When::Always => true,
                When::Never => false,
                When::Auto => is_terminal && !no_color,
            })
        };
        Self {
            quiet: global.quiet,
            json: global.json,
            out: colors(std::io::stdout().is_terminal()),
            err: colors(std::io::stderr().is_terminal()),
            bar: None,
            log: None,
            begun: crate::host::Stopwatch::start(),
        }
    }

    /// From here on also writes a log; what reaches it holds no secret.
    pub(super) fn log_to(&mut self, file: std::fs::File, title: &str) {
        let mut log = Log(file);
        log.write(&format!("{title}, version {}", env!("CARGO_PKG_VERSION")));
        self.log = Some(log);
    }

    /// An event of a longer work: a line of JSON, when that is asked for, and a line in the log.
    fn event(&mut self, value: &serde_json::Value, line: &str) {
        if let Some(log) = &mut self.log {
            log.write(line);
        }
        if self.json {
            self.line_of_json(value.clone());
        }
    }

    /// A line of JSON, with the milliseconds since the program started.
    fn line_of_json(&mut self, mut value: serde_json::Value) {
        value["ms"] = json!(self.begun.ms());
        self.data(&value.to_string());
    }

    /// Packages are installed: what is missing before, nothing any more after.
    pub(super) fn packages(&mut self, missing: &[String]) {
        let line = match missing {
            [] => "packages are installed".to_owned(),
            names => format!("installing packages: {}", names.join(", ")),
        };
        self.event(&json!({ "event": "packages", "missing": missing }), &line);
        self.say(&line);
    }

    /// The last event of a longer work, with everything about it.
    pub(super) fn result(&mut self, mut value: serde_json::Value) {
        value["event"] = serde_json::json!("result");
        self.line_of_json(value);
    }

    /// Colours of stdout.
    pub(super) fn paint(&self) -> Paint {
        self.out
    }

    /// Is JSON asked for?
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Data. A reader that went away is no error: `plan | head` should be silent.
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
        let text =
            serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("\"{error}\""));
        self.data(&text);
    }

    /// A line for people.
    pub(super) fn note(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.write(text);
        }
        self.say(text);
    }

    /// Something to type next.
    pub(super) fn hint(&mut self, text: &str) {
        let text = format!("  {}: {text}", self.err.paint(36, "hint"));
        self.say(&text);
    }

    fn say(&mut self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// A warning; shown even when quiet.
    pub(super) fn warning(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.write(&format!("warning: {text}"));
        }
        let text = format!("{}: {text}", self.err.paint(33, "warning"));
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }

    pub(super) fn failure(&mut self, failure: &Failure) -> ExitCode {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(log) = &mut self.log {
            log.write(&format!("error: {}", failure.what));
        }
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}: {}", self.err.paint(31, "error"), failure.what);
        if let Some(hint) = &failure.hint {
            let _ = writeln!(err, "  {}: {hint}", self.err.paint(36, "hint"));
        }
        ExitCode::from(failure.code)
    }

    /// Asks a yes-or-no question on the terminal; `None` when there is none to ask on.
    pub(super) fn ask(&mut self, question: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{question} [y/N] ");
        let _ = err.flush();
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        Some(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }

    /// Ends the progress bar.
    pub(super) fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Report {
    fn step(&mut self, number: usize, total: usize, step: &Step) {
        let event = json!({
            "event": "step", "number": number, "total": total, "id": step.id, "action": step.action, "reason": step.reason,
        });
        self.event(&event, &format!("step {number} of {total}: {}", step.id));
        if self.quiet || self.json {
            return;
        }
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new(total as u64);
                let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.enable_steady_tick(Duration::from_millis(200));
                bar
            });
            bar.set_position(number as u64);
            bar.set_message(step.id.clone());
        } else {
            self.line(&format!("[{number}/{total}] {}", step.id));
        }
    }

    fn kept(&mut self, path: &AbsPath, backup: &AbsPath) {
        let line = format!("kept what stood at `{path}` as `{backup}`");
        self.event(
            &json!({ "event": "kept", "path": path, "backup": backup }),
            &line,
        );
        self.say(&line);
    }

    fn back(&mut self, what: &str) {
        self.done();
        let line = format!("taking back {what}");
        self.event(&json!({ "event": "back", "what": what }), &line);
        self.say(&line);
    }

    fn service(&mut self, name: &str, what: &str) {
        self.done();
        let line = format!("{name}: {what}");
        self.event(
            &json!({ "event": "service", "name": name, "what": what }),
            &line,
        );
        self.say(&line);
    }

    fn failed(&mut self, id: &str, why: &str) {
        self.done();
        if self.json {
            self.data(&json!({ "event": "failed", "id": id, "why": why }).to_string());
        }
        self.warning(&format!("{id}: {why}"));
    }

    fn warn(&mut self, text: &str) {
        self.done();
        if self.json {
            self.line_of_json(json!({ "event": "warning", "text": text }));
        }
        self.warning(text);
    }
}
