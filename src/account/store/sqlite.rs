//! SQLite's file: the one thing of a database that lies on this machine's own disk.
#![allow(
    clippy::disallowed_methods,
    reason = "SQLite would make its file readable for everybody, so it is made here first"
)]

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;

use super::Store;
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::{Error, Result};
use super::kind::Kind;

/// Makes the file where it is missing, closed to all but its owner and, to read, its group: that
/// of the folder, where Prosody reads it. The log and the index that SQLite puts beside it get the
/// same mode.
pub(super) fn prepare(file: &str, database: &str) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(file);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::Down {
            database: database.to_owned(),
            why: error.to_string(),
            hint: Kind::Sqlite.look(),
        }),
    }
}

impl Store {
    /// Writes a whole copy of SQLite's database, as of one moment, into an **empty** file that
    /// the caller made for its owner only, syncs, and renames when this has returned. People go
    /// on working meanwhile. The servers have their own tools for that.
    pub async fn copy_into(&self, file: &str) -> Result<()> {
        if self.kind() != Kind::Sqlite {
            return Err(Error::Unfit {
                database: self.address().to_owned(),
                why: "cannot be copied into a file".into(),
                hint:
                    "`mariadb-dump --single-transaction` or `pg_dump`, or `jitsi-accounts export`"
                        .into(),
            });
        }
        // A connection of its own: those of the pool only read, or are waited for.
        let copy = async {
            let mut connection = self.shared.reads.connect_options().connect().await?;
            let ask = sqlx::query("VACUUM INTO ?").bind(file.to_owned());
            ask.execute(&mut connection).await?;
            connection.close().await
        };
        copy.await.map_err(|error| self.error(&error))
    }
}
