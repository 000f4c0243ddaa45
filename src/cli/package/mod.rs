//! Upstream's releases made into packages.

mod list;
mod sbom;

use std::process::ExitCode;

use clap::Subcommand;

use super::report::{Failure, Report};

/// Packages from the catalogue.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the pieces of the catalogue
    List,
    /// Print what this program is made of (CycloneDX)
    Sbom(sbom::Args),
}

pub(super) fn run(verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    match verb {
        Verb::List => list::run(report),
        Verb::Sbom(args) => sbom::run(args, report),
    }
}
