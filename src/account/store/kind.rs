//! The three kinds of database, and where their words differ.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A file beside the service.
    Sqlite,
    /// MariaDB, and MySQL.
    MySql,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// The kind by the beginning of an address.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "mysql" | "mariadb" => Some(Self::MySql),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::MySql => "MariaDB",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// What to look at when it does not answer.
    pub(super) fn look(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "see that the file and its folder are there, writable for the service, and the disk not full"
            }
            Self::MySql => {
                "see that MariaDB runs, and that `database` and `database_password_file` are right"
            }
            Self::Postgres => {
                "see that PostgreSQL runs, and that `database` and `database_password_file` are right"
            }
        }
    }

    /// A statement with `?` for its values as this kind wants it: PostgreSQL numbers them.
    /// No statement of ours has a question mark in a text.
    pub(in crate::account) fn words<'a>(self, statement: &'a str) -> Cow<'a, str> {
        if self != Self::Postgres || !statement.contains('?') {
            return Cow::Borrowed(statement);
        }
        let mut out = String::with_capacity(statement.len() + 16);
        for (number, part) in statement.split('?').enumerate() {
            if number > 0 {
                let _ = write!(out, "${number}");
            }
            out.push_str(part);
        }
        Cow::Owned(out)
    }

    /// How a transaction begins. SQLite's takes the right to write at once: one that reads first
    /// and writes later could be refused in the middle.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::MySql => "START TRANSACTION",
            Self::Postgres => "BEGIN",
        }
    }

    /// What every new connection is told.
    ///
    /// SQLite: a confirmed write is on the disk (`FULL`), so that it survives a power cut too, as
    /// it does with the servers' defaults. MariaDB: a statement sees what others have confirmed,
    /// and what does not fit is refused rather than cut. PostgreSQL: a statement of ours is planned
    /// once, for any values, and not compiled; both would take longer than its answer.
    pub(super) fn greeting(self, writes: bool) -> &'static str {
        match (self, writes) {
            (Self::Sqlite, true) => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA cache_size = -8000; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY"
            }
            (Self::Sqlite, false) => {
                "PRAGMA busy_timeout = 10000; PRAGMA cache_size = -8000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY"
            }
            (Self::MySql, _) => {
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION innodb_lock_wait_timeout = 10; \
                 SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
            }
            (Self::Postgres, _) => {
                "SET client_min_messages = warning; SET lock_timeout = '10s'; SET standard_conforming_strings = on; \
                 SET jit = off; SET plan_cache_mode = force_generic_plan"
            }
        }
    }

    /// The server's own number of an error; 0 where there is none.
    pub(super) fn number(self, error: &sqlx::Error) -> u32 {
        let sqlx::Error::Database(inner) = error else {
            return 0;
        };
        match self {
            Self::Sqlite => inner
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .map_or(0, |code| code & 0xff),
            Self::MySql => inner
                .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                .map_or(0, |inner| u32::from(inner.number())),
            Self::Postgres => 0,
        }
    }

    /// "`(first, second)` is at `(?, ?)` or beyond" (`>=`, or `>`, `<`, `<=`) in words that this
    /// kind answers from an index. [`Self::beyond_values`] says how often the first value is bound.
    pub(super) fn beyond(self, first: &str, second: &str, sign: &str) -> String {
        if self == Self::MySql {
            let strict = &sign[..1];
            format!("({first} {strict} ? OR ({first} = ? AND {second} {sign} ?))")
        } else {
            format!("({first}, {second}) {sign} (?, ?)")
        }
    }

    /// How often the first value of [`Self::beyond`] is bound before the second.
    pub(super) fn beyond_values(self) -> usize {
        if self == Self::MySql { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_numbers_the_values() {
        let statement = "UPDATE t SET a = ? WHERE b = ? AND c IN (?,?)";
        assert_eq!(Kind::Sqlite.words(statement), statement);
        assert_eq!(
            Kind::Postgres.words(statement),
            "UPDATE t SET a = $1 WHERE b = $2 AND c IN ($3,$4)"
        );
    }

    #[test]
    fn kinds_by_address() {
        assert_eq!(Kind::of("sqlite:/x"), Some(Kind::Sqlite));
        assert_eq!(Kind::of("mariadb://u@h/n"), Some(Kind::MySql));
        assert_eq!(Kind::of("postgresql://u@h/n"), Some(Kind::Postgres));
        assert_eq!(Kind::of("oracle://u@h/n"), None);
        assert_eq!(Kind::of("nothing"), None);
    }
}
