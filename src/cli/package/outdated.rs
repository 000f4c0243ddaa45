//! `package outdated`: the catalogue beside upstream's index.

use std::process::ExitCode;

use super::upstream::Where;
use super::{Known, Way};
use crate::cli::Global;
use crate::cli::report::{FAILED, Failure, PENDING, Report};
use crate::package::standing::{Hash, Standing, State, standings};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Exit with 2 when something is outdated, has a known hole, or does not fit
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    upstream: Where,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    way: Way,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = args.known.catalogue(global)?;
    let asked = args.upstream.ask(&catalogue, &args.way.net()?)?;
    let all = standings(&catalogue, &asked.index);
    if report.is_json() {
        report.json(&serde_json::json!({
            "schema": catalogue.schema,
            "index": asked.place,
            "is_signed": asked.is_signed,
            "set": asked.index.newest(&catalogue.upstream.metapackage).map(|entry| &entry.version),
            "pieces": all,
        }));
    } else {
        report.data(&table(&all));
    }
    if !asked.is_signed {
        report.warning(&format!(
            "`{}` is not signed: nobody vouches for what it says",
            asked.place
        ));
    }
    let mut differs = false;
    for standing in &all {
        for fault in faults(standing) {
            report.warning(&fault);
        }
        differs |= standing
            .releases
            .iter()
            .any(|release| release.hash == Hash::Differs);
    }
    if differs {
        return Err(Failure::new(
            FAILED,
            "the catalogue and upstream's index have different hashes of the same file",
        )
        .hint("fetch and install neither until it is clear who is right"));
    }
    let needs_work = all.iter().any(Standing::needs_work);
    if needs_work && args.exit_code {
        return Ok(ExitCode::from(PENDING));
    }
    if !needs_work {
        report.note("nothing is outdated");
    }
    Ok(ExitCode::SUCCESS)
}

fn table(all: &[Standing<'_>]) -> String {
    let lines = all.iter().map(|one| {
        let hash = one
            .releases
            .first()
            .map_or("-", |release| match release.hash {
                Hash::Confirmed => "confirmed",
                Hash::Differs => "DIFFERS",
                Hash::Unknown => "-",
            });
        let state = match one.state {
            State::Current => "current",
            State::Outdated => "outdated",
            State::Newer => "newer",
            State::Unknown => "-",
        };
        [
            one.name,
            one.version,
            one.upstream.as_deref().unwrap_or("-"),
            state,
            hash,
        ]
        .map(str::to_owned)
    });
    let heads = ["NAME", "CATALOGUE", "UPSTREAM", "STATE", "HASH"].map(str::to_owned);
    super::columns(std::iter::once(heads).chain(lines))
}

/// What is wrong besides age, in words.
fn faults(standing: &Standing<'_>) -> Vec<String> {
    let name = standing.name;
    let mut faults = Vec::new();
    if let Some(why) = standing.known_hole {
        faults.push(format!(
            "{name} {} has a known hole ({why})",
            standing.version
        ));
    }
    for release in &standing.releases {
        let version = release.version;
        if let (Some(pinned), Some(set)) = (&release.pinned, release.set) {
            faults.push(format!(
                "{name} {version} is in the set {set} of the catalogue, and upstream's set has {pinned}"
            ));
        }
        if release.hash == Hash::Differs {
            faults.push(format!(
                "{name} {version} has another hash in upstream's index"
            ));
        }
    }
    faults
}
