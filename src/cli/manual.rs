//! `completions` and `man`.

use std::process::ExitCode;

use clap::Command;

use super::report::{Failure, Report};
use crate::command::manual::{self, CompletionsArgs, ManArgs};
use crate::host::stand;

pub(super) fn completions(
    args: &CompletionsArgs,
    command: &mut Command,
    report: &mut Report,
) -> ExitCode {
    report.data(&manual::completions(args, command));
    ExitCode::SUCCESS
}

pub(super) fn man(
    args: &ManArgs,
    command: Command,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    stand::make_dirs(&args.dir).map_err(|error| Failure::io(&args.dir, &error))?;
    let pages = manual::pages(args, command, stand::write)?;
    if report.is_json() {
        report.json(&pages);
    } else {
        let folder = args.dir.display();
        report.note(&format!("wrote {} man pages into `{folder}`", pages.len()));
    }
    Ok(ExitCode::SUCCESS)
}
