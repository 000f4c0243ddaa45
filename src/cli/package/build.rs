//! `package build`: sources from the cache become packages.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;

use super::{ArchArg, Stock, arch, fetch};
use crate::cli::Global;
use crate::cli::report::{FAILED, Failure, Report};
use crate::host::build::{BuildError, Job, build};
use crate::host::stand;
use crate::package::assemble::Family;
use crate::package::set::Choice;

use super::progress::size;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The pieces [default: all of the set]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The format
    #[arg(long, value_name = "FORMAT")]
    format: FormatArg,
    /// The folder of the packages
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The set of releases [default: the newest one without a known hole]
    #[arg(long, value_name = "VERSION")]
    set: Option<String>,
    /// The kind of machine that they are for [default: this one's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<ArchArg>,
    /// The time of everything in them, in seconds since 1970 [default: the release's]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    time: Option<u64>,
    #[command(flatten)]
    stock: Stock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// Slackware's
    Txz,
    /// Debian's
    Deb,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = args.stock.catalogue(global)?;
    let arch = arch(args.arch)?;
    let set = args.set.as_deref();
    let mut choices = catalogue
        .choose(set, &args.names)
        .map_err(|error| Failure::from(&error))?;
    if args.names.is_empty() {
        choices.retain(|choice| choice.release.set.is_some());
    }
    let cache = args.stock.cache(global)?;
    if !stand::is_dir(&args.out) {
        let what = format!("there is no folder `{}`", args.out.display());
        let hint = format!("make it first: `mkdir -p {}`", args.out.display());
        return Err(Failure::new(FAILED, what).hint(hint));
    }
    let mut built = Vec::new();
    for choice in choices {
        let Choice { piece, release } = choice;
        if piece.is_below_minimum(release) {
            report.warning(&fetch::below(&choice));
        }
        report.note(&format!("building {} {}", piece.name, release.version));
        let job = Job {
            choice,
            family: match args.format {
                FormatArg::Txz => Family::Slackware,
                FormatArg::Deb => Family::Debian,
            },
            arch,
            time: args.time,
        };
        let made = build(&job, &cache, &args.out).map_err(|error| failure(&piece.name, &error))?;
        if report.is_json() {
            built.push(json!({
                "piece": piece.name, "version": release.version, "set": release.set,
                "file": made.file, "sha256": made.sha256, "size": made.size, "sbom": made.sbom,
            }));
        } else {
            report.data(&format!("{}  {}", made.sha256, made.file.display()));
            report.note(&format!("  {}", size(made.size)));
        }
    }
    if report.is_json() {
        report.json(&json!({ "packages": built }));
    }
    Ok(ExitCode::SUCCESS)
}

fn failure(piece: &str, error: &BuildError) -> Failure {
    match error {
        BuildError::Cache(error) => {
            let failure = Failure::from(error);
            Failure::new(failure.code, format!("{piece}: {}", failure.what)).hint(format!(
                "`jitsi-install package fetch {piece}` downloads it"
            ))
        }
        error => Failure::new(FAILED, format!("{piece}: {error}"))
            .hint("nothing of it was kept; the other packages are whole"),
    }
}
