//! `history`: the generations.

use std::process::ExitCode;

use time::format_description::well_known::Rfc3339;

use super::Global;
use super::report::{Failure, Report};
use super::scene::{self, Places};
use crate::journal::Ledger;

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let machine = target.open()?;
    let books = Places::system().books(&machine);
    let generations = books.generations()?;
    let unfinished = books.unfinished()?;
    if report.is_json() {
        report.json(&serde_json::json!({ "generations": generations, "unfinished": unfinished }));
        return Ok(ExitCode::SUCCESS);
    }
    if generations.is_empty() {
        report.note("there is no generation yet: `jitsi-install apply` makes the first");
    }
    for generation in &generations {
        let at = time::OffsetDateTime::from_unix_timestamp(generation.at)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| generation.at.to_string());
        report.data(&format!(
            "{:>5}  {at}  {:>3} steps  {}",
            generation.number, generation.steps, generation.title
        ));
    }
    if let Some(number) = unfinished {
        report.warning(&format!(
            "generation {number} was never finished; the next apply takes it back"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
