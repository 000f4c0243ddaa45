//! Upstream's releases made into packages.

mod list;
mod recipe;

use std::process::ExitCode;

use clap::Subcommand;

use super::report::{Failure, Report};

/// Packages from the catalogue.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the pieces of the catalogue
    List,
    /// Write what is needed to make a package without this program
    Recipe(recipe::Args),
}

pub(super) fn run(verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    match verb {
        Verb::List => list::run(report),
        Verb::Recipe(args) => recipe::run(args, report),
    }
}
