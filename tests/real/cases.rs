//! Many small questions in one test: all are asked, all failures are shown, then it fails once.

use std::fmt::Debug;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What was asked and what went wrong.
#[derive(Debug)]
pub(crate) struct Cases {
    title: String,
    begun: Instant,
    asked: usize,
    failed: Vec<String>,
}

impl Cases {
    pub(crate) fn new(title: &str) -> Self {
        Cases {
            title: title.to_owned(),
            begun: Instant::now(),
            asked: 0,
            failed: Vec::new(),
        }
    }

    pub(crate) fn same<T: PartialEq + Debug>(&mut self, name: &str, got: T, want: T) {
        self.holds(name, got == want, || {
            format!("got  {got:?}\n    want {want:?}")
        });
    }

    pub(crate) fn holds(&mut self, name: &str, holds: bool, seen: impl FnOnce() -> String) {
        self.asked += 1;
        if !holds {
            self.failed.push(format!("  {name}\n    {}", seen()));
        }
    }

    /// Takes the value out, or notes the failure.
    pub(crate) fn must<T, E: Debug>(&mut self, name: &str, got: Result<T, E>) -> Option<T> {
        match got {
            Ok(value) => {
                self.holds(name, true, String::new);
                Some(value)
            }
            Err(error) => {
                self.holds(name, false, || format!("{error:?}"));
                None
            }
        }
    }

    /// Shows every failure.
    pub(crate) fn finish(self) {
        let (title, asked, failed) = (self.title, self.asked, self.failed);
        let count = failed.len();
        let seconds = self.begun.elapsed().as_secs_f32();
        say(&format!(
            "{title}: {asked} cases, {count} failed, {seconds:.1} s"
        ));
        assert!(
            failed.is_empty(),
            "{title}: {count} of {asked} cases failed\n{}",
            failed.join("\n")
        );
    }
}

/// A line that the test harness does not swallow.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Are these programs here? Where not, says so, and fails if `CHECK_STRICT=1`.
pub(crate) fn are_here(programs: &[&str]) -> bool {
    match programs.iter().find(|program| find(program).is_none()) {
        None => true,
        Some(missing) => skip(&format!("{missing} is not on this machine")),
    }
}

/// Always false.
pub(crate) fn skip(why: &str) -> bool {
    assert!(
        std::env::var_os("CHECK_STRICT").is_none_or(|value| value != "1"),
        "CHECK_STRICT=1, and {why}"
    );
    say(&format!("SKIPPED: {why}"));
    false
}

/// Looks where `try` looks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    jitsi_install::host::process::find(program)
}
