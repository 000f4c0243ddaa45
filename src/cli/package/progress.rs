//! How far downloads are: bars on a terminal, lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::report::Report;
use crate::host::cache::CacheError;
use crate::host::fetch::Watch;

/// Tells of downloads. Lines pass the report, as everything that is printed.
pub(super) struct Telling<'r> {
    report: Mutex<&'r mut Report>,
    all: Option<MultiProgress>,
    open: Mutex<BTreeMap<String, ProgressBar>>,
}

impl<'r> Telling<'r> {
    pub(super) fn new(report: &'r mut Report, is_quiet: bool) -> Self {
        let has_bars = !is_quiet && !report.is_json() && std::io::stderr().is_terminal();
        Self {
            report: Mutex::new(report),
            all: has_bars.then(MultiProgress::new),
            open: Mutex::default(),
        }
    }

    fn line(&self, say: impl FnOnce(&mut Report)) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.all {
            Some(all) => all.suspend(|| say(&mut report)),
            None => say(&mut report),
        }
    }

    fn close(&self, name: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(bar), Some(all)) = (open.remove(name), &self.all) {
            bar.finish_and_clear();
            all.remove(&bar);
        }
    }
}

impl Watch for Telling<'_> {
    fn begin(&self, name: &str, have: u64, total: Option<u64>) {
        let Some(all) = &self.all else { return };
        let template = match total {
            Some(_) => "{bar:20} {bytes:>10}/{total_bytes:<10} {bytes_per_sec:>12} {wide_msg}",
            None => "{spinner} {bytes:>10} {bytes_per_sec:>12} {wide_msg}",
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = open.entry(name.to_owned()).or_insert_with(|| {
            let bar = all.add(ProgressBar::no_length());
            bar.set_message(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(have);
        bar.reset_eta();
    }

    fn more(&self, name: &str, bytes: u64) {
        if self.all.is_none() {
            return;
        }
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = open.get(name) {
            bar.inc(bytes);
        }
    }

    fn again(&self, name: &str, why: &str) {
        self.line(|report| report.note(&format!("{name}: {why}; trying again")));
    }

    fn done(&self, name: &str) {
        self.close(name);
        self.line(|report| report.note(&format!("fetched {name}")));
    }

    fn set_aside(&self, what: &CacheError) {
        self.line(|report| report.warning(&what.to_string()));
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if let Some(all) = &self.all {
            let _ = all.clear();
        }
    }
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    let (mut number, mut unit) = (bytes, "B");
    let mut tenths = 0;
    for next in ["kB", "MB", "GB"] {
        if number < 1000 {
            break;
        }
        tenths = number % 1000 / 100;
        number /= 1000;
        unit = next;
    }
    if unit == "B" || number >= 10 {
        format!("{number} {unit}")
    } else {
        format!("{number}.{tenths} {unit}")
    }
}
