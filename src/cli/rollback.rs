//! `rollback [ID]`: back to a former generation.

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report, USAGE};
use super::scene::{self, Places};
use crate::apply::{plan_back, rollback};
use crate::command::terminal;
use crate::journal::Ledger;
use crate::plan::show;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The generation to go back to; 0 is before the first [default: the one before the last]
    generation: Option<u32>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let mut machine = target.open()?;
    let reader = target.open()?;
    let places = Places::system();
    let mut books = places.locked_books(&reader, "rollback")?;
    target.log(&reader, "rollback", report)?;
    super::apply::recover(&mut machine, &mut books, report)?;
    let generations = books.generations()?;
    let Some(last) = generations.last() else {
        return Err(Failure::new(
            FAILED,
            "there is no generation yet, so nothing to go back to",
        ));
    };
    let target = args.generation.unwrap_or(last.number - 1);
    let plan = plan_back(target, &machine, &books)?;
    if !report.is_json() {
        let table = show::table(&plan, report.paint(), global.verbose);
        report.data(&table);
    }
    if plan.changes() && !args.yes {
        match terminal::ask(&format!("Go back to generation {target}?")) {
            Some(true) => {}
            Some(false) => return Err(Failure::new(FAILED, "nothing was changed, as you said")),
            None => {
                return Err(Failure::new(
                    USAGE,
                    "there is no terminal to ask on, and nothing was changed",
                )
                .hint("say yes beforehand: `jitsi-install rollback --yes`"));
            }
        }
    }
    let outcome = rollback(&plan, target, &mut machine, &mut books, report)?;
    report.done();
    if report.is_json() {
        let mut value = show::json(&plan);
        value["generation"] = serde_json::json!(outcome.generation);
        value["taken"] = serde_json::json!(outcome.taken);
        report.result(value);
    } else {
        report.note(&match outcome.generation {
            Some(number) => format!(
                "back at generation {target}; this is generation {number}, {} steps",
                outcome.taken
            ),
            None => format!("everything is as generation {target} left it"),
        });
    }
    Ok(ExitCode::SUCCESS)
}
