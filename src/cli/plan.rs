//! `plan`: what would change.

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, PENDING, Report};
use super::scene::{self, Places, Scene};
use crate::journal::Ledger;
use crate::plan::{Plan, plan, show};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Exit with 2 when something would change
    #[arg(long)]
    exit_code: bool,
    /// Show the table only, without diffs
    #[arg(long)]
    no_diff: bool,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let machine = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let scene = Scene::set(site, platform, &machine, &places)?;
    let books = places.books(&machine);
    if let Some(number) = books.unfinished()? {
        report.warning(&format!(
            "generation {number} was never finished; the next apply takes it back first"
        ));
    }
    let plan = plan(&scene.layout()?, &machine.glance(), &books.applied()?);
    if report.is_json() {
        report.json(&show::json(&plan));
    } else {
        print(&plan, global, !args.no_diff, report);
    }
    if plan.blocked().next().is_some() {
        return Err(
            Failure::new(FAILED, "the plan is blocked").hint("mend the lines that begin with `!`")
        );
    }
    let code = if args.exit_code && plan.changes() {
        ExitCode::from(PENDING)
    } else {
        ExitCode::SUCCESS
    };
    // The process ends here. Secrets are wiped; freeing all the rest piece by piece would only take
    // time that whoever asks "is all as it should be?" waits for.
    let mut plan = plan;
    plan.veiled.clear();
    std::mem::forget(plan);
    Ok(code)
}

/// Diffs, then the table, so that the sum is what stays on the screen.
pub(super) fn print(plan: &Plan, global: &Global, diffs: bool, report: &mut Report) {
    let paint = report.paint();
    if diffs {
        let text = show::diffs(plan, paint);
        if !text.is_empty() {
            report.data(&text);
        }
    }
    let table = show::table(plan, paint, global.verbose);
    report.data(&table);
}
