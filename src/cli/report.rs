//! Everything that is printed: stdout is for data, stderr for people.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Global;
use crate::apply::{ApplyError, Progress};
use crate::command::terminal::{self, Paint};
use crate::name::AbsPath;
use crate::plan::Step;

pub(super) use crate::command::{BAD_FILE as BAD_SITE, FAILED, Failure, NOT_PERMITTED, USAGE};

/// Changes are pending (`plan --exit-code`).
pub(super) const PENDING: u8 = 2;

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
        Self {
            quiet: global.quiet,
            json: global.json,
            out: global.color.paint(&std::io::stdout(), no_color),
            err: global.color.paint(&std::io::stderr(), no_color),
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

    /// Data.
    #[expect(clippy::unused_self, reason = "all printing passes one object")]
    pub(super) fn data(&mut self, text: &str) {
        terminal::data(text);
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
        self.say(&self.err.hint(text));
    }

    fn say(&mut self, text: &str) {
        if !self.quiet {
            terminal::line(text);
        }
    }

    /// A warning; shown even when quiet.
    pub(super) fn warning(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.write(&format!("warning: {text}"));
        }
        terminal::line(&self.err.warning(text));
    }

    pub(super) fn failure(&mut self, failure: Failure) -> ExitCode {
        let failure = failure.or_who("run it as root, or with `sudo`");
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(log) = &mut self.log {
            log.write(&format!("error: {}", failure.what));
        }
        terminal::line(&self.err.failure(&failure));
        ExitCode::from(failure.code)
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
            terminal::line(&format!("[{number}/{total}] {}", step.id));
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
