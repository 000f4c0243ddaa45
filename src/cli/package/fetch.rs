//! `package fetch`: sources into the cache.

use std::process::ExitCode;

use serde::Serialize;

use super::progress::{Telling, size};
use super::{ArchArg, Stock, Way, arch};
use crate::cli::Global;
use crate::cli::report::{FAILED, Failure, Report};
use crate::host::cache::{Cache, file_name};
use crate::host::fetch::{self, Came, FetchError, Mirror};
use crate::host::stand;
use crate::package::catalogue::Record;
use crate::package::meta::Arch;
use crate::package::set::Choice;
use crate::package::{Catalogue, Source};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only these pieces [default: all of them]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The set of releases [default: the newest one without a known hole]
    #[arg(long, value_name = "VERSION")]
    set: Option<String>,
    /// A mirror, or a folder, that has the files under the same names
    #[arg(long, value_name = "URL|DIR", env = "JITSI_INSTALL_FROM")]
    from: Option<String>,
    /// How many files are downloaded at once
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// The kind of machine that they are for [default: this one's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<ArchArg>,
    #[command(flatten)]
    stock: Stock,
    #[command(flatten)]
    way: Way,
}

/// One file, and what came of it.
#[derive(Debug, Serialize)]
struct Row<'c> {
    piece: &'c str,
    version: &'c str,
    set: Option<&'c str>,
    file: &'c str,
    sha256: &'c str,
    record: Record,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = args.stock.catalogue(global)?;
    let arch = arch(args.arch)?;
    let choices = catalogue
        .choose(args.set.as_deref(), &args.names)
        .map_err(|error| Failure::from(&error))?;
    for choice in &choices {
        if choice.piece.is_below_minimum(choice.release) {
            report.warning(&below(choice));
        }
    }
    let wanted = wanted(&choices, arch)?;
    let mirror = args.from.as_deref().map(mirror).transpose()?;
    let cache = args.stock.cache(global)?;
    let net = args.way.net()?;
    let sources: Vec<&Source> = wanted.iter().map(|(_, source)| *source).collect();
    let telling = Telling::new(report, global.quiet);
    let jobs = usize::from(args.jobs);
    let results = fetch::fetch(&cache, &net, &sources, mirror.as_ref(), jobs, &telling);
    drop(telling);
    tell(&catalogue, &cache, &wanted, results, report)
}

/// What is said of a release with a known hole.
pub(super) fn below(choice: &Choice<'_>) -> String {
    let minimum = choice.piece.minimum.as_ref();
    format!(
        "{} {} has a known hole{}",
        choice.piece.name,
        choice.release.version,
        minimum.map_or_else(String::new, |minimum| format!(
            " ({}; {} is the oldest one without)",
            minimum.why, minimum.version
        ))
    )
}

/// Every file that is wanted, each once.
fn wanted<'c>(
    choices: &[Choice<'c>],
    arch: Arch,
) -> Result<Vec<(Choice<'c>, &'c Source)>, Failure> {
    let mut wanted: Vec<(Choice<'c>, &'c Source)> = Vec::new();
    for choice in choices {
        for source in choice.release.sources_for(arch) {
            let name = file_name(source).map_err(|error| Failure::from(&error))?;
            let same = |(_, other): &&(Choice<'c>, &Source)| file_name(other).ok() == Some(name);
            match wanted.iter().find(same) {
                Some((_, other)) if other.sha256 == source.sha256 => {}
                Some((other, _)) => {
                    return Err(Failure::new(
                        FAILED,
                        format!(
                            "`{name}` is a source of {} and, with another hash, of {}",
                            other.piece.name, choice.piece.name
                        ),
                    )
                    .hint("give one of them a `file` of its own in the catalogue"));
                }
                None => wanted.push((*choice, source)),
            }
        }
    }
    Ok(wanted)
}

/// A mirror, or a folder that is there.
fn mirror(from: &str) -> Result<Mirror, Failure> {
    if from.contains("://") {
        return Ok(Mirror::new(from));
    }
    if !stand::is_dir(from.as_ref()) {
        return Err(Failure::new(FAILED, format!("there is no folder `{from}`"))
            .hint("`--from` takes a folder, or an address that begins with https://"));
    }
    Ok(Mirror::new(from))
}

fn tell(
    catalogue: &Catalogue,
    cache: &Cache,
    wanted: &[(Choice<'_>, &Source)],
    results: Vec<Result<Came, FetchError>>,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let (mut had, mut received, mut bytes) = (0, 0, 0);
    for ((choice, source), result) in wanted.iter().zip(results) {
        let state = match &result {
            Ok(Came::WasThere) => {
                had += 1;
                "was-there"
            }
            Ok(Came::Received(length)) => {
                received += 1;
                bytes += length;
                "received"
            }
            Err(_) => "failed",
        };
        rows.push(Row {
            piece: &choice.piece.name,
            version: &choice.release.version,
            set: choice.release.set.as_deref(),
            file: file_name(source).unwrap_or_default(),
            sha256: &source.sha256,
            record: source.record,
            state,
            why: result.as_ref().err().map(ToString::to_string),
        });
        failures.extend(result.err());
    }
    if report.is_json() {
        report.json(&serde_json::json!({
            "schema": catalogue.schema, "cache": cache.place(), "files": rows,
        }));
    }
    report.note(&format!(
        "{received} received ({}), {had} in `{}` already",
        size(bytes),
        cache.place().display()
    ));
    let Some((last, others)) = failures.split_last() else {
        return Ok(ExitCode::SUCCESS);
    };
    for failure in others {
        report.warning(&failure.to_string());
    }
    Err(Failure::from(last))
}
