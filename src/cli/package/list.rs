//! `package list`: what the catalogue has, and what of it is in the cache.

use std::process::ExitCode;

use serde::Serialize;

use super::progress::size;
use super::{ArchArg, Stock, arch};
use crate::cli::Global;
use crate::cli::report::{Failure, Report};
use crate::host::cache::{Cache, file_name};
use crate::package::catalogue::{Record, Style};
use crate::package::meta::Arch;
use crate::package::set::Choice;

/// Characters of a licence in the table.
const LICENCE: usize = 16;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// List every release, not only the ones that are taken
    #[arg(long)]
    all: bool,
    /// The set of releases [default: the newest one without a known hole]
    #[arg(long, value_name = "VERSION", conflicts_with = "all")]
    set: Option<String>,
    /// The kind of machine that they are for [default: this one's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<ArchArg>,
    #[command(flatten)]
    stock: Stock,
}

/// One release of a piece.
#[derive(Debug, Serialize)]
struct Row<'c> {
    name: &'c str,
    version: &'c str,
    set: Option<&'c str>,
    licence: &'c str,
    style: Style,
    summary: &'c str,
    /// Is it below the oldest version without a known hole?
    has_known_hole: bool,
    /// Bytes of all files, when all are known.
    size: Option<u64>,
    files: Vec<FileRow<'c>>,
}

/// One of its files.
#[derive(Debug, Serialize)]
struct FileRow<'c> {
    name: &'c str,
    url: &'c str,
    sha256: &'c str,
    record: Record,
    size: Option<u64>,
    is_cached: bool,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = args.stock.catalogue(global)?;
    let arch = arch(args.arch)?;
    let choices: Vec<Choice<'_>> = if args.all {
        let all = |piece| move |release| Choice { piece, release };
        let pieces = catalogue.pieces.iter();
        pieces
            .flat_map(|piece| piece.releases.iter().map(all(piece)))
            .collect()
    } else {
        catalogue
            .choose(args.set.as_deref(), &[])
            .map_err(|error| Failure::from(&error))?
    };
    let cache = args.stock.cache_if_there(global)?;
    let rows = choices
        .iter()
        .map(|choice| row(choice, arch, cache.as_ref()))
        .collect::<Result<Vec<_>, Failure>>()?;
    if report.is_json() {
        report.json(&serde_json::json!({
            "schema": catalogue.schema,
            "set": catalogue.newest_set(),
            "pieces": rows,
        }));
    } else {
        report.data(&table(&rows, args.all));
        let set = args.set.as_deref().or_else(|| catalogue.newest_set());
        if let Some(set) = set.filter(|_| !args.all) {
            report.note(&format!("set {set}"));
        }
        notes(&rows, report);
    }
    Ok(ExitCode::SUCCESS)
}

fn row<'c>(choice: &Choice<'c>, arch: Arch, cache: Option<&Cache>) -> Result<Row<'c>, Failure> {
    let (piece, release) = (choice.piece, choice.release);
    let mut files = Vec::new();
    for source in release.sources_for(arch) {
        files.push(FileRow {
            name: file_name(source).map_err(|error| Failure::from(&error))?,
            url: &source.url,
            sha256: &source.sha256,
            record: source.record,
            size: source.size,
            is_cached: cache.is_some_and(|cache| cache.has(source)),
        });
    }
    Ok(Row {
        name: &piece.name,
        version: &release.version,
        set: release.set.as_deref(),
        licence: &piece.licence,
        style: piece.style,
        summary: &piece.summary,
        has_known_hole: piece.is_below_minimum(release),
        size: files.iter().map(|file| file.size).sum(),
        files,
    })
}

/// A table of at most 80 columns, when names and versions are of the usual length; with every
/// release the sets come after that.
fn table(rows: &[Row<'_>], with_sets: bool) -> String {
    let heads = ["NAME", "VERSION", "LICENCE", "STYLE", "SIZE", "HERE", "SET"];
    let lines = rows.iter().map(|row| {
        let there = row.files.iter().filter(|file| file.is_cached).count();
        let here = match (there, row.files.len()) {
            (_, 0) => "-".to_owned(),
            (0, _) => "no".to_owned(),
            (there, all) if there == all => "yes".to_owned(),
            (there, all) => format!("{there}/{all}"),
        };
        let mut files = row.files.iter();
        let star = if files.any(|file| file.record == Record::ThirdParty) {
            "*"
        } else {
            ""
        };
        let hole = if row.has_known_hole { "!" } else { "" };
        [
            row.name.to_owned(),
            format!("{}{star}{hole}", row.version),
            short(row.licence),
            row.style.word().trim_start_matches("upstream-").to_owned(),
            row.size.map_or_else(|| "?".to_owned(), size),
            here,
            row.set.unwrap_or_default().to_owned(),
        ]
    });
    let lines = std::iter::once(heads.map(str::to_owned)).chain(lines);
    super::columns(lines.map(|mut line| {
        if !with_sets {
            line[6].clear();
        }
        line
    }))
}

/// A licence as far as there is room for it; `--json` has all of it.
fn short(licence: &str) -> String {
    if licence.chars().count() <= LICENCE {
        return licence.to_owned();
    }
    let mut short: String = licence.chars().take(LICENCE - 1).collect();
    short.push('…');
    short
}

fn notes(rows: &[Row<'_>], report: &mut Report) {
    let mut files = rows.iter().flat_map(|row| &row.files);
    if files.any(|file| file.record == Record::ThirdParty) {
        report.note(
            "* its hash is recorded by a third party; `package outdated` asks Jitsi's signed index",
        );
    }
    if rows.iter().any(|row| row.has_known_hole) {
        report.note("! it has a known hole");
    }
}
