//! `uninstall`: everything back to how it was found.

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report, USAGE};
use super::scene::{self, Places};
use crate::apply::apply;
use crate::command::terminal;
use crate::host::Machine;
use crate::host::books::Books;
use crate::journal::Ledger;
use crate::name::AbsPath;
use crate::plan::{Applied, plan, show};
use crate::resource::Layout;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Remove data too: logs and whatever else stands in our own folders, secrets, the books and
    /// all copies
    #[arg(long)]
    purge: bool,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let (mut machine, reader) = (target.open()?, target.open()?);
    let places = Places::system();
    let mut books = places.locked_books(&reader, "uninstall")?;
    target.log(&reader, "uninstall", report)?;
    super::apply::recover(&mut machine, &mut books, report)?;
    let applied = books.applied()?;
    let plan = plan(&Layout::default(), &machine, &applied);
    if !report.is_json() {
        let table = show::table(&plan, report.paint(), global.verbose);
        report.data(&table);
    }
    if plan.blocked().next().is_none() && (plan.changes() || args.purge) && !args.yes {
        let question = if args.purge {
            "Take all this back, and remove data too?"
        } else {
            "Take all this back?"
        };
        match terminal::ask(question) {
            Some(true) => {}
            Some(false) => return Err(Failure::new(FAILED, "nothing was changed, as you said")),
            None => {
                return Err(Failure::new(
                    USAGE,
                    "there is no terminal to ask on, and nothing was changed",
                )
                .hint("say yes beforehand: `jitsi-install uninstall --yes`"));
            }
        }
    }
    let outcome = apply(&plan, "uninstall", &mut machine, &mut books, report)?;
    report.done();
    if args.purge {
        purge(&mut machine, &mut books, &applied, &places, report)?;
    }
    if report.is_json() {
        let mut value = show::json(&plan);
        value["taken"] = serde_json::json!(outcome.taken);
        value["purged"] = serde_json::json!(args.purge);
        report.result(value);
    } else {
        report.note(&match (outcome.taken, args.purge) {
            (0, false) => "nothing of jitsi-install is in place".to_owned(),
            (taken, false) => format!("took {taken} things back; secrets, logs and copies are kept (`--purge` removes them)"),
            (taken, true) => format!("took {taken} things back, and removed data, secrets, books and copies"),
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes what an uninstall keeps. There is no way back from here, so it comes last; the site
/// file and templates of the administrator's own stay.
fn purge(
    machine: &mut Machine,
    books: &mut Books,
    applied: &Applied,
    places: &Places,
    report: &mut Report,
) -> Result<(), Failure> {
    let failed =
        |path: &AbsPath, error: &std::io::Error| Failure::new(FAILED, format!("`{path}`: {error}"));
    let ours = applied
        .iter()
        .filter(|(_, mark)| mark.is_own_folder() && mark.was.is_none());
    for (id, _) in ours {
        if let Some(Ok(path)) = id.strip_prefix("dir ").map(AbsPath::parse) {
            machine
                .root()
                .remove_tree(&path)
                .map_err(|error| failed(&path, &error))?;
        }
    }
    for (id, _) in applied.iter().filter(|(_, mark)| mark.was.is_none()) {
        if id.starts_with("database ") {
            machine
                .drop_database(id, applied)
                .map_err(|why| Failure::new(FAILED, format!("`{id}`: {why}")))?;
        }
    }
    // With the data those go who stayed for their sake.
    let rest = plan(&Layout::default(), machine, &books.applied()?);
    apply(&rest, "uninstall --purge", machine, books, report)?;
    report.done();
    for path in [places.secrets(), places.state.clone()] {
        machine
            .root()
            .remove_tree(&path)
            .map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}
