//! `package sbom`: what this program is made of.

use std::process::ExitCode;

use crate::cli::report::{FAILED, Failure, Report};
use crate::package::sbom;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Which of the two programs
    #[arg(default_value = "jitsi-install", value_parser = ["jitsi-install", "jitsi-accounts"])]
    program: String,
    /// The list's time, in seconds since 1970 [default: it says none]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    time: Option<u64>,
}

pub(super) fn run(args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let list = sbom::own(&args.program, args.time)
        .map_err(|error| Failure::new(FAILED, error.to_string()))?;
    report.json(&list);
    Ok(ExitCode::SUCCESS)
}
