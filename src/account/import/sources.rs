//! Each source from its beginning to the report: what the verbs call.

use std::io::BufRead;

use super::candidate::Unfit;
use super::foreign::Foreign;
use super::run::{BATCH, Piece, Run};
use super::{ImportError, Options, Report, csv, django, ldif, prosody};
use crate::account::store::Kind;
use crate::account::{Office, Origin};
use crate::secret::Secret;

/// Is told how far it is, after each batch.
pub type Progress<'a> = &'a mut (dyn FnMut(&Report) + Send);

/// Imports the files of Prosody's internal storage.
///
/// # Errors
/// When our database ends it. A file that cannot be read is in the report.
pub async fn from_prosody(
    office: &Office,
    files: impl Iterator<Item = prosody::File>,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Report, ImportError> {
    let mut run = Run::new(office, Origin::Prosody, options);
    let pieces = files.map(|file| Ok(prosody::from_file_of(&file, options.host.as_deref())));
    run.all(pieces, progress).await?;
    run.finish().await
}

/// Imports the table `prosody` of Prosody's SQL storage.
///
/// # Errors
/// What cannot be reached or read, here or there.
pub async fn from_prosody_sql(
    office: &Office,
    url: &str,
    password: Option<&Secret<String>>,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Report, ImportError> {
    let mut foreign = Foreign::open(url, password).await?;
    let mut run = Run::new(office, Origin::Prosody, options);
    rows(&mut foreign, &mut run, options, progress).await?;
    foreign.close().await;
    run.finish().await
}

/// Imports a database that Django wrote.
///
/// # Errors
/// What cannot be reached or read, here or there.
pub async fn from_django(
    office: &Office,
    url: &str,
    password: Option<&Secret<String>>,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Report, ImportError> {
    let mut foreign = Foreign::open(url, password).await?;
    let mut run = Run::new(office, Origin::Django, options);
    django::read(&mut foreign, &mut run, progress).await?;
    foreign.close().await;
    run.finish().await
}

/// Imports a list; `name` is what it is called in the report.
///
/// # Errors
/// A list that cannot be read, and what our database refuses.
pub async fn from_csv(
    office: &Office,
    name: &str,
    source: impl BufRead,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Report, ImportError> {
    let rows = csv::Rows::new(name, source)?;
    let mut run = Run::new(office, Origin::Csv, options);
    run.all(rows, progress).await?;
    run.finish().await
}

/// Imports an LDIF file; `name` is what it is called in the report.
///
/// # Errors
/// A file that cannot be read, and what our database refuses.
pub async fn from_ldif(
    office: &Office,
    name: &str,
    source: impl BufRead,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Report, ImportError> {
    let entries = ldif::Entries::new(name, source);
    let mut run = Run::new(office, Origin::Ldif, options);
    run.all(entries, progress).await?;
    run.finish().await
}

/// Reads Prosody's table account by account, in order of host and user.
async fn rows(
    foreign: &mut Foreign,
    run: &mut Run<'_>,
    options: &Options,
    progress: Progress<'_>,
) -> Result<(), ImportError> {
    if !foreign.has("prosody").await {
        return Err(ImportError::source(
            &foreign.address,
            "there is no table `prosody` that may be read",
        ));
    }
    let column = |name: &str| foreign.text(&foreign.quoted(name));
    let columns = ["host", "user", "key", "type", "value"].map(column);
    let (host, user) = (foreign.quoted("host"), foreign.quoted("user"));
    // The order of bytes, whatever the database's own: what is behind a name must be behind it here.
    let binary = match foreign.kind() {
        Kind::MySql => " COLLATE utf8mb4_bin",
        Kind::Postgres => " COLLATE \"C\"",
        Kind::Sqlite => " COLLATE BINARY",
    };
    let statement = format!(
        "SELECT {} FROM prosody WHERE store = 'accounts' AND ({host}{binary} > ? OR ({host} = ? AND {user}{binary} > ?)) \
         ORDER BY {host}{binary}, {user}{binary} LIMIT {}",
        columns.join(", "),
        BATCH * 8
    );
    let (mut last_host, mut last_user) = (String::new(), String::new());
    loop {
        let values = [&*last_host, &*last_host, &*last_user];
        let mut rows = foreign.rows(&statement, &values).await?;
        let full = rows.len() == BATCH * 8;
        let Some(last) = rows.last().map(|row| (row[0].clone(), row[1].clone())) else {
            return Ok(());
        };
        if full {
            // The last account may go on behind the limit; it is read again.
            rows.retain(|row| (&row[0], &row[1]) != (&last.0, &last.1));
        }
        let Some(end) = rows.last().map(|row| (row[0].clone(), row[1].clone())) else {
            let why = format!(
                "`{}` of `{}` has more rows than any account",
                last.1, last.0
            );
            return Err(ImportError::source(&foreign.address, why));
        };
        (last_host, last_user) = end;
        let accounts = rows.chunk_by(|a, b| a[..2] == b[..2]);
        for batch in accounts
            .map(|rows| piece(rows, options))
            .collect::<Vec<_>>()
            .chunks(BATCH)
        {
            run.take(batch.to_vec()).await?;
            progress(run.report());
        }
        if !full {
            return Ok(());
        }
    }
}

fn piece(rows: &[Vec<String>], options: &Options) -> Piece {
    let (host, user) = (rows[0][0].as_str(), rows[0][1].as_str());
    let place = format!("prosody:{user}@{host}");
    prosody::of_host(host, options.host.as_deref(), &place, user)?;
    let table = prosody::table_of(rows.iter().map(|row| (&*row[2], &*row[3], &*row[4])));
    let table = table.map_err(|why| Unfit::spoiled(&place, user, why))?;
    prosody::from_table(place, user, &table)
}
