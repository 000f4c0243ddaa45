//! The tables, made and moved forward; never back.
//!
//! Files of `migrations/` are built in, numbered, and said in the words of each kind. What was
//! carried out stands in the table `migrations` with a digest of the file: a database that a
//! newer program moved, or another text under the same number, is refused.
//!
//! One instance at a time: SQLite and PostgreSQL do everything in one transaction (with
//! PostgreSQL's advisory lock), which ends with its connection. MariaDB cannot take DDL back, so
//! there the number of finished statements is kept, the lock belongs to the connection, and the
//! one statement that may have been carried out without being counted is carried out again: that
//! its table is there already is no error then.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _};

use super::Store;
use super::ask::{Ask, Fields, sql};
use super::error::{Error, Result};
use super::kind::Kind;

/// A step of the tables: a file of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number: the first is 1, and none is left out.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// Its statements.
    pub text: &'static str,
}

/// All of them, in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "accounts",
    text: include_str!("../../../migrations/0001_accounts.sql"),
}];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL, name VARCHAR(100) NOT NULL, \
     digest VARCHAR(64) NOT NULL, steps BIGINT NOT NULL, finished SMALLINT NOT NULL, PRIMARY KEY (number));";

/// What the table says of one migration.
struct Applied {
    number: i64,
    name: String,
    digest: String,
    steps: usize,
    finished: bool,
}

/// Brings the tables to what this program knows.
pub(super) async fn run(store: &Store) -> Result<()> {
    store.migrate(MIGRATIONS).await
}

impl Store {
    /// The number of the newest migration of this program.
    #[must_use]
    pub fn schema() -> i64 {
        MIGRATIONS.last().map_or(0, |newest| newest.number)
    }

    /// Carries out those of the given migrations that are missing.
    pub async fn migrate(&self, known: &[Migration]) -> Result<()> {
        let (kind, pool) = (self.kind(), &self.shared.writes);
        let failed = |error: sqlx::Error| self.error(&error);
        let mut connection = pool.acquire().await.map_err(failed)?;
        let found = applied(kind, &mut connection).await.map_err(failed)?;
        if missing(self, known, &found)?.is_empty() {
            return Ok(());
        }
        // A connection that holds a lock, or half a transaction, never goes back into the pool.
        connection.close_on_drop();
        self.locked(&mut connection, known).await
    }

    async fn locked(&self, connection: &mut AnyConnection, known: &[Migration]) -> Result<()> {
        let kind = self.kind();
        let failed = |error: sqlx::Error| self.error(&error);
        let lock = match kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::MySql => "DO GET_LOCK(CONCAT('jitsi-accounts ', DATABASE()), 60)",
            // Any number will do that nobody else takes in this database.
            Kind::Postgres => {
                "BEGIN; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(7310867511)"
            }
        };
        raw(connection, lock.to_owned()).await.map_err(failed)?;
        if kind == Kind::MySql && !holds_lock(connection).await.map_err(failed)? {
            return Err(Error::Busy {
                database: self.address().to_owned(),
                why: "another instance has been changing the tables for a minute".into(),
            });
        }
        raw(connection, dialect(kind, TABLE))
            .await
            .map_err(failed)?;
        let applied = applied(kind, &mut *connection).await.map_err(failed)?;
        for migration in missing(self, known, &applied)? {
            let steps = applied
                .iter()
                .find(|row| row.number == migration.number)
                .map(|row| row.steps);
            self.carry_out(connection, migration, steps).await?;
        }
        match kind {
            Kind::Sqlite | Kind::Postgres => {
                raw(connection, "COMMIT".to_owned()).await.map_err(failed)
            }
            // The lock goes with the connection.
            Kind::MySql => Ok(()),
        }
    }

    /// Carries out one migration; `begun` says how many statements of it are finished.
    async fn carry_out(
        &self,
        connection: &mut AnyConnection,
        migration: &Migration,
        begun: Option<usize>,
    ) -> Result<()> {
        let kind = self.kind();
        let failed = |why: String| Error::Tables {
            database: self.address().to_owned(),
            why: format!(
                "could not be changed by migration {} ({}): {why}",
                migration.number, migration.name
            ),
            hint: "see that the database's user may create tables, indexes and views",
        };
        let described = |error: &sqlx::Error| match self.error(error) {
            Error::Other { why, .. } => failed(why),
            other => other,
        };
        if begun.is_none() {
            let ask = sql(
                "INSERT INTO migrations (number, name, digest, steps, finished) VALUES (?,?,?,0,0)",
            )
            .number(migration.number)
            .text(migration.name)
            .text(digest(migration));
            put(kind, connection, &ask)
                .await
                .map_err(|error| described(&error))?;
        }
        let statements = statements(kind, migration.text);
        for (at, statement) in statements.iter().enumerate().skip(begun.unwrap_or(0)) {
            let again = begun == Some(at);
            match raw(connection, statement.clone()).await {
                Err(error) if again && is_there(kind, &error) => {}
                other => other.map_err(|error| described(&error))?,
            }
            let ask = sql("UPDATE migrations SET steps = ?, finished = ? WHERE number = ?")
                .number(i64::try_from(at + 1).unwrap_or(i64::MAX))
                .number(i64::from(at + 1 == statements.len()))
                .number(migration.number);
            put(kind, connection, &ask)
                .await
                .map_err(|error| described(&error))?;
        }
        Ok(())
    }
}

/// The migrations that are not finished; an error when the database knows others.
fn missing<'a>(
    store: &Store,
    known: &'a [Migration],
    applied: &[Applied],
) -> Result<Vec<&'a Migration>> {
    let refuse = |why: String, hint| {
        Err(Error::Tables {
            database: store.address().to_owned(),
            why,
            hint,
        })
    };
    for row in applied {
        match known.iter().find(|known| known.number == row.number) {
            None => {
                return refuse(
                    format!(
                        "were made by a newer version: migration {} ({}) is unknown here",
                        row.number, row.name
                    ),
                    "install the version that was used last; tables are never moved back",
                );
            }
            Some(known) if digest(known) != row.digest => {
                return refuse(
                    format!(
                        "were made by another program: migration {} ({}) has another text",
                        row.number, row.name
                    ),
                    "name a database of its own for this service",
                );
            }
            Some(_) => {}
        }
    }
    Ok(known
        .iter()
        .filter(|known| {
            !applied
                .iter()
                .any(|row| row.number == known.number && row.finished)
        })
        .collect())
}

/// What was carried out; nothing where there is no table yet.
async fn applied(kind: Kind, connection: &mut AnyConnection) -> Result<Vec<Applied>, sqlx::Error> {
    let table = match kind {
        Kind::Sqlite => {
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"
        }
        Kind::MySql => {
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'migrations'"
        }
        Kind::Postgres => {
            "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('migrations')"
        }
    };
    let row = sqlx::query(table).fetch_one(&mut *connection).await?;
    if Fields::of(&row).number()? == 0 {
        return Ok(Vec::new());
    }
    let rows = "SELECT number, name, digest, steps, finished FROM migrations ORDER BY number";
    let rows = sqlx::query(rows).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Applied, sqlx::Error> {
    let mut fields = Fields::of(row);
    Ok(Applied {
        number: fields.number()?,
        name: fields.text()?,
        digest: fields.text()?,
        steps: usize::try_from(fields.number()?).unwrap_or(0),
        finished: fields.number()? == 1,
    })
}

/// Whether this connection has MariaDB's lock: asking for it a second time costs nothing.
async fn holds_lock(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let question = "SELECT IS_USED_LOCK(CONCAT('jitsi-accounts ', DATABASE())) = CONNECTION_ID()";
    let row = sqlx::query(question).fetch_one(connection).await?;
    Ok(Fields::of(&row).maybe_number()? == Some(1))
}

async fn raw(connection: &mut AnyConnection, statement: String) -> Result<(), sqlx::Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    connection.execute(statement).await.map(|_| ())
}

async fn put(kind: Kind, connection: &mut AnyConnection, ask: &Ask) -> Result<(), sqlx::Error> {
    let query = ask
        .query(kind)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    query.execute(connection).await.map(|_| ())
}

/// Whether MariaDB says that what a statement makes is there already.
fn is_there(kind: Kind, error: &sqlx::Error) -> bool {
    kind == Kind::MySql && matches!(kind.number(error), 1050 | 1060 | 1061 | 1091 | 1826)
}

fn digest(migration: &Migration) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(migration.text) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The statements of a file for one kind, in its words.
fn statements(kind: Kind, text: &str) -> Vec<String> {
    let (mut found, mut statement, mut is_for_us) = (Vec::new(), String::new(), true);
    for line in text.lines() {
        if let Some(only) = line.strip_prefix("--@ ") {
            is_for_us = only.trim()
                == match kind {
                    Kind::Sqlite => "sqlite",
                    Kind::MySql => "mysql",
                    Kind::Postgres => "postgres",
                };
            continue;
        }
        if line.trim_start().starts_with("--") || line.trim().is_empty() {
            continue;
        }
        statement.push_str(line);
        statement.push('\n');
        if line.ends_with(';') {
            let whole = std::mem::take(&mut statement);
            if is_for_us {
                found.push(dialect(kind, whole.trim_end()));
            }
            is_for_us = true;
        }
    }
    found
}

/// SQLite's words in those of another kind.
fn dialect(kind: Kind, statement: &str) -> String {
    let is_table = statement.starts_with("CREATE TABLE");
    match kind {
        Kind::Sqlite => statement.to_owned(),
        Kind::MySql if is_table => {
            let plain = statement
                .replace(" TEXT", " MEDIUMTEXT")
                .replace(" WITHOUT ROWID;", ";");
            plain.trim_end_matches(';').to_owned()
                + " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
        }
        Kind::Postgres if is_table => {
            let mut out = String::with_capacity(statement.len() * 2);
            for (number, part) in statement.split(" VARCHAR(").enumerate() {
                if number > 0 {
                    let (length, rest) = part.split_once(')').unwrap_or((part, ""));
                    out.push_str(" VARCHAR(");
                    out.push_str(length);
                    out.push_str(") COLLATE \"C\"");
                    out.push_str(rest);
                } else {
                    out.push_str(part);
                }
            }
            out.replace(" WITHOUT ROWID;", ";")
        }
        Kind::MySql | Kind::Postgres => statement.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_each_other_and_files_have_them() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, i64::try_from(at).unwrap() + 1);
            assert!(migration.text.ends_with(";\n"), "{}", migration.name);
        }
    }

    #[test]
    fn each_kind_has_its_words() {
        let text = "-- a\nCREATE TABLE t (\n    a VARCHAR(9) NOT NULL,\n    b TEXT\n) WITHOUT ROWID;\n--@ sqlite\nX;\n--@ mysql\nY;\nZ;\n";
        assert_eq!(
            statements(Kind::Sqlite, text),
            [
                "CREATE TABLE t (\n    a VARCHAR(9) NOT NULL,\n    b TEXT\n) WITHOUT ROWID;",
                "X;",
                "Z;"
            ]
        );
        assert_eq!(
            statements(Kind::Postgres, text),
            [
                "CREATE TABLE t (\n    a VARCHAR(9) COLLATE \"C\" NOT NULL,\n    b TEXT\n);",
                "Z;"
            ]
        );
        assert_eq!(
            statements(Kind::MySql, text)[0],
            "CREATE TABLE t (\n    a VARCHAR(9) NOT NULL,\n    b MEDIUMTEXT\n) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
        );
        assert_eq!(statements(Kind::MySql, text)[1..], ["Y;", "Z;"]);
    }
}
