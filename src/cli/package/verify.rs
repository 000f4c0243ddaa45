//! `package verify`: is a file what it should be?
//!
//! A downloaded file is held against the catalogue and upstream's signed index; a package that is
//! in neither is read to its last byte, by the rules of its format.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::upstream::{Asked, Where};
use super::{Known, Way};
use crate::cli::Global;
use crate::cli::report::{FAILED, Failure, Report};
use crate::host::{cache, stand};
use crate::package::catalogue::Record;
use crate::package::index::Entry;
use crate::package::{Catalogue, Limits, Source, deb, txz};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Downloaded sources, or packages
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    upstream: Where,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    way: Way,
}

/// What is known of one file.
#[derive(Debug, Serialize)]
struct Row {
    file: PathBuf,
    sha256: String,
    size: u64,
    /// What the catalogue says.
    catalogue: Verdict,
    /// Who recorded the catalogue's hash.
    record: Option<Record>,
    /// What upstream's index says.
    index: Verdict,
    /// The rules of its format, for a package that nobody knows.
    form: Verdict,
    /// What is wrong, in words.
    faults: Vec<String>,
}

/// What somebody says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It is not known there.
    Unknown,
    /// Nobody asked.
    NotAsked,
}

impl Verdict {
    fn of(is_right: bool) -> Self {
        if is_right { Self::Right } else { Self::Wrong }
    }
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = args.known.catalogue(global)?;
    let asked = index(args, &catalogue, report)?;
    let mut rows = Vec::new();
    for path in &args.files {
        rows.push(look(path, &catalogue, asked.as_ref())?);
    }
    if report.is_json() {
        report.json(&serde_json::json!({
            "schema": catalogue.schema,
            "index": asked.as_ref().map(|asked| &asked.place),
            "is_signed": asked.as_ref().map(|asked| asked.is_signed),
            "files": rows,
        }));
    }
    let mut bad = 0;
    for row in &rows {
        let words = words(row, asked.as_ref());
        if !report.is_json() {
            report.data(&format!("{}: {words}", row.file.display()));
        }
        for fault in &row.faults {
            report.warning(&format!("`{}`: {fault}", row.file.display()));
        }
        bad += usize::from(!row.is_right());
    }
    if bad == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(
        FAILED,
        format!(
            "{bad} of {} files are not what they should be, or unknown",
            rows.len()
        ),
    )
    .hint("do not install them; `jitsi-install package fetch` downloads what the catalogue has"))
}

/// The index, if it was named or has something to say of these files; without a network it is done
/// without, unless it was named.
fn index(
    args: &Args,
    catalogue: &Catalogue,
    report: &mut Report,
) -> Result<Option<Asked>, Failure> {
    let is_upstreams = |path: &PathBuf| {
        let source = named(catalogue, &name_of(path));
        source.is_some_and(|source| source.url.starts_with(&catalogue.upstream.index))
    };
    if args.upstream.index.is_none() && !args.files.iter().any(is_upstreams) {
        return Ok(None);
    }
    match args
        .way
        .net()
        .and_then(|net| args.upstream.ask(catalogue, &net))
    {
        Err(failure) if args.upstream.index.is_none() => {
            report.warning(&format!("upstream's index was not asked: {}", failure.what));
            Ok(None)
        }
        asked => asked.map(Some),
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn sources(catalogue: &Catalogue) -> impl Iterator<Item = &Source> {
    let releases = catalogue.pieces.iter().flat_map(|piece| &piece.releases);
    releases.flat_map(|release| &release.sources)
}

fn named<'c>(catalogue: &'c Catalogue, name: &str) -> Option<&'c Source> {
    sources(catalogue).find(|source| source.file_name() == name)
}

fn look(path: &Path, catalogue: &Catalogue, asked: Option<&Asked>) -> Result<Row, Failure> {
    let failed = |error: std::io::Error| Failure::io(path, &error);
    let mut file = stand::open(path).map_err(failed)?;
    let sha256 = cache::sha256(&mut file).map_err(failed)?;
    let size = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let name = name_of(path);
    // What has a known name has to be that; under any other name it is known by its hash.
    let by_hash = || sources(catalogue).find(|source| source.sha256 == sha256);
    let source = named(catalogue, &name).or_else(by_hash);
    let entry = asked.and_then(|asked| {
        let by_hash = |entry: &&Entry| entry.sha256 == sha256;
        let named = asked
            .index
            .file(source.map_or(name.as_str(), Source::file_name));
        named.or_else(|| asked.index.entries.iter().find(by_hash))
    });
    let mut row = Row {
        file: path.to_owned(),
        size,
        catalogue: source.map_or(Verdict::Unknown, |source| {
            Verdict::of(source.sha256 == sha256)
        }),
        record: source.map(|source| source.record),
        index: match (asked, entry) {
            (None, _) => Verdict::NotAsked,
            (_, None) => Verdict::Unknown,
            (_, Some(entry)) => Verdict::of(entry.sha256 == sha256),
        },
        form: Verdict::NotAsked,
        faults: Vec::new(),
        sha256,
    };
    if row.catalogue == Verdict::Wrong
        && let Some(source) = source
    {
        row.faults.push(format!(
            "its SHA-256 is {}, not {}",
            row.sha256, source.sha256
        ));
    }
    if row.index == Verdict::Wrong {
        row.faults
            .push("upstream's index has another hash for it".to_owned());
    }
    if source.is_none() && entry.is_none() {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        if let Some(faults) = faults_of_package(&name, &file).map_err(failed)? {
            row.form = Verdict::of(faults.is_empty());
            row.faults.extend(faults);
        }
    }
    Ok(row)
}

/// What a package breaks of its format's rules; `None` when it is no package.
fn faults_of_package(name: &str, file: &File) -> std::io::Result<Option<Vec<String>>> {
    let ending = Path::new(name).extension().unwrap_or_default();
    if ending == "txz" {
        let checked = txz::check(name, file);
        let faults = checked.err().unwrap_or_default();
        return Ok(Some(faults.iter().map(ToString::to_string).collect()));
    }
    if ending == "deb" {
        let mut spool = stand::spool()?;
        let checked = deb::check(name, file, &Limits::default(), &mut spool);
        let faults = checked.err().unwrap_or_default();
        return Ok(Some(faults.iter().map(ToString::to_string).collect()));
    }
    Ok(None)
}

impl Row {
    fn is_right(&self) -> bool {
        let all = [self.catalogue, self.index, self.form];
        all.contains(&Verdict::Right) && !all.contains(&Verdict::Wrong)
    }
}

fn words(row: &Row, asked: Option<&Asked>) -> String {
    let mut words = Vec::new();
    match (row.catalogue, row.record) {
        (Verdict::Right, Some(Record::ThirdParty)) => {
            words.push("right by the catalogue, whose hash is recorded by a third party");
        }
        (Verdict::Right, _) => words.push("right by the catalogue"),
        (Verdict::Wrong, _) => words.push("WRONG by the catalogue"),
        _ => words.push("not in the catalogue"),
    }
    let is_signed = asked.is_some_and(|asked| asked.is_signed);
    match (row.index, is_signed) {
        (Verdict::Right, true) => words.push("right by upstream's signed index"),
        (Verdict::Right, false) => words.push("right by an index that is not signed"),
        (Verdict::Wrong, _) => words.push("WRONG by upstream's index"),
        (Verdict::Unknown, _) => words.push("not in upstream's index"),
        (Verdict::NotAsked, _) => {}
    }
    match row.form {
        Verdict::Right => words.push("a package without a fault"),
        Verdict::Wrong => words.push("a package with FAULTS"),
        Verdict::Unknown | Verdict::NotAsked => {}
    }
    words.join("; ")
}
