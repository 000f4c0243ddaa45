//! `backup`, `restore` and `export`: everything as lines of JSON, the same for all kinds of
//! database; a file that ends in `.sqlite` is SQLite's own copy of itself. Either is as secret as
//! the database: for its owner only, and whole or not there at all.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::office::{self, failure};
use super::report::{Failure, Report, USAGE};
use super::{Global, file};
use crate::account::store::{Restored, Store};

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file to write; `NAME.sqlite` gets SQLite's own form
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A file that `backup` or `export` wrote
    file: PathBuf,
    /// Only read and check it
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn backup(
    global: &Global,
    args: &BackupArgs,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let store = store(global)?;
    let place = &args.file;
    let mut beside = place.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = write(store, place, &beside);
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    let rows = written?;
    if report.is_json() {
        report.json(&json!({ "file": place, "rows": rows }));
    } else {
        let rows = rows.map_or_else(String::new, |rows| format!("{rows} rows "));
        report.note(&format!("{rows}written to `{}`", place.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(opening: Opening, place: &Path, beside: &Path) -> Result<Option<u64>, Failure> {
    let io = |error: std::io::Error| Failure::io(place, &error);
    let _ = std::fs::remove_file(beside);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)
        .map_err(io)?;
    let is_copy = place.extension().is_some_and(|ending| ending == "sqlite");
    let rows = super::block_on(async {
        let store = opening.await?;
        let rows = if is_copy {
            let name = beside
                .to_str()
                .ok_or_else(|| Failure::failed("the name of the file is no text"))?;
            store.copy_into(name).await.map_err(failure)?;
            None
        } else {
            let mut out = BufWriter::new(&file);
            let rows = store.export(&mut out).await.map_err(failure)?;
            out.flush().map_err(io)?;
            Some(rows)
        };
        store.close().await;
        Ok(rows)
    })?;
    file.sync_all().map_err(io)?;
    std::fs::rename(beside, place).map_err(io)?;
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io)?;
    Ok(rows)
}

pub(super) fn export(global: &Global, _: &mut Report) -> Result<ExitCode, Failure> {
    if std::io::stdout().is_terminal() {
        return Err(Failure::new(
            USAGE,
            "an export holds hashes of passwords, and is not for a terminal",
        )
        .hint("jitsi-accounts export >FILE, or `users list --json`, which has no secrets"));
    }
    let opening = store(global)?;
    super::block_on(async {
        let store = opening.await?;
        let mut out = BufWriter::new(std::io::stdout());
        store.export(&mut out).await.map_err(failure)?;
        store.close().await;
        out.flush()
            .map_err(|error| Failure::io(Path::new("stdout"), &error))
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(
    global: &Global,
    args: &RestoreArgs,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let place = &args.file;
    let mut source = BufReader::new(File::open(place).map_err(|error| Failure::io(place, &error))?);
    let restored: Restored = if args.dry_run {
        Store::check_export(&mut source).map_err(failure)?
    } else {
        let opening = store(global)?;
        super::block_on(async {
            let store = opening.await?;
            let restored = store.restore(&mut source).await.map_err(failure);
            store.close().await;
            restored
        })?
    };
    if report.is_json() {
        report.json(&json!({ "dry_run": args.dry_run, "tables": restored }));
        return Ok(ExitCode::SUCCESS);
    }
    for (table, rows) in &restored {
        report.data(&format!("{table:<16} {rows}"));
    }
    report.note(if args.dry_run {
        "it can be restored; nothing was written"
    } else {
        "restored"
    });
    Ok(ExitCode::SUCCESS)
}

type Opening = std::pin::Pin<Box<dyn Future<Output = Result<Store, Failure>>>>;

/// The database of the settings, to be opened.
fn store(global: &Global) -> Result<Opening, Failure> {
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    Ok(Box::pin(async move {
        office::store(&settings, secrets.database.as_ref()).await
    }))
}
