//! Upstream's releases made into packages.
//!
//! To add a verb: a variant of [`Verb`], a file with `run`, its line in [`run`], a session in
//! `tests/fetch/` or a neighbour of it.

mod build;
mod cures;
mod fetch;
mod list;
mod outdated;
mod progress;
mod recipe;
mod sbom;
mod stock;
mod upstream;
mod verify;

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::Global;
use super::report::{Failure, Report, USAGE};
use crate::package::meta::Arch;
use stock::{Known, Stock, Way};

/// Packages from the catalogue.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the pieces of the catalogue
    List(list::Args),
    /// Download sources into the cache
    Fetch(fetch::Args),
    /// Build packages of sources in the cache
    Build(build::Args),
    /// Write what is needed to make a package without this program
    Recipe(recipe::Args),
    /// Compare the catalogue with upstream's signed index
    Outdated(outdated::Args),
    /// Say whether files are what they should be
    Verify(verify::Args),
    /// Print what this program is made of (CycloneDX)
    Sbom(sbom::Args),
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    match verb {
        Verb::List(args) => list::run(global, args, report),
        Verb::Fetch(args) => fetch::run(global, args, report),
        Verb::Build(args) => build::run(global, args, report),
        Verb::Recipe(args) => recipe::run(global, args, report),
        Verb::Outdated(args) => outdated::run(global, args, report),
        Verb::Verify(args) => verify::run(global, args, report),
        Verb::Sbom(args) => sbom::run(args, report),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchArg {
    /// 64-bit PCs
    #[value(name = "x86_64", alias = "amd64")]
    X86_64,
    /// 64-bit ARM
    #[value(alias = "arm64")]
    Aarch64,
}

/// The kind of machine that is meant: what was said, else this one.
pub(super) fn arch(said: Option<ArchArg>) -> Result<Arch, Failure> {
    match said {
        Some(ArchArg::X86_64) => Ok(Arch::X86_64),
        Some(ArchArg::Aarch64) => Ok(Arch::Aarch64),
        None if cfg!(target_arch = "x86_64") => Ok(Arch::X86_64),
        None if cfg!(target_arch = "aarch64") => Ok(Arch::Aarch64),
        None => Err(
            Failure::new(USAGE, "there are no packages for this kind of machine")
                .hint("name another one with `--arch x86_64` or `--arch aarch64`"),
        ),
    }
}

/// Lines with columns as wide as they have to be.
fn columns<const N: usize>(lines: impl Iterator<Item = [String; N]>) -> String {
    let lines: Vec<[String; N]> = lines.collect();
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(padded.join(" ").trim_end());
        text.push('\n');
    }
    text
}
