//! What can go wrong with a database, told apart as far as callers must.

use std::fmt;

use super::kind::Kind;

/// A failure of the database, or of what was to be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not answer; the page says "try again in a moment" (503).
    #[error("the database {database} does not answer: {why}\nhint: {hint}")]
    Down {
        /// Its address without a password.
        database: String,
        /// What the driver says.
        why: String,
        /// What to look at.
        hint: &'static str,
    },
    /// Another row has this already.
    #[error("this {0} is taken")]
    Taken(Field),
    /// A text that cannot be kept.
    #[error("`{field}` {why}")]
    Refused {
        /// The column.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Two writers stood in each other's way, or the database is busy; nothing was written, and
    /// the same may work in a moment (503).
    #[error("the database {database} is busy: {why}")]
    Busy {
        /// Its address without a password.
        database: String,
        /// What the driver says.
        why: String,
    },
    /// The address of a database that nobody can use.
    #[error(
        "`{url}` is no database: {why}\nhint: `sqlite:/var/lib/jitsi-accounts/accounts.sqlite`, `mysql://user@host/name` or `postgres://user@host/name`"
    )]
    Address {
        /// What was written, without a password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The tables are not those that this program knows.
    #[error("the tables of the database {database} {why}\nhint: {hint}")]
    Tables {
        /// Its address without a password.
        database: String,
        /// What was found.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// A database that is not set up as it must be.
    #[error("the database {database} {why}\nhint: {hint}")]
    Unfit {
        /// Its address without a password.
        database: String,
        /// What was found.
        why: String,
        /// What to do.
        hint: String,
    },
    /// Anything else.
    #[error("the database {database} refused a statement: {why}")]
    Other {
        /// Its address without a password.
        database: String,
        /// What the driver says; never a value of a row.
        why: String,
    },
}

/// What must be the only one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The name of an account.
    Login,
    /// What a name looks like.
    Skeleton,
    /// An e-mail address.
    Email,
    /// The name of a group.
    Group,
    /// A key that chance made; it cannot happen twice unless the same row is written twice.
    Key,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "login",
            Self::Skeleton => "login, or one that looks like it,",
            Self::Email => "e-mail address",
            Self::Group => "name of a group",
            Self::Key => "key",
        })
    }
}

/// Most failures are one of these.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Tells a driver's error apart. Messages of servers about double keys carry the value, so none
/// of their texts is shown for those.
pub(super) fn of(kind: Kind, database: &str, error: &sqlx::Error) -> Error {
    let database = database.to_owned();
    if let sqlx::Error::Database(inner) = error {
        let code = inner.code().unwrap_or_default();
        let number = kind.number(error);
        if inner.is_unique_violation() {
            return Error::Taken(field(inner.message()));
        }
        let why = first_line(inner.message());
        return match (kind, &*code, number) {
            (Kind::Postgres, "40001" | "40P01" | "55P03", _)
            | (Kind::MySql, _, 1205 | 1213 | 1020)
            | (Kind::Sqlite, _, 5 | 6) => Error::Busy { database, why },
            (Kind::Postgres, "57P01" | "57P02" | "57P03" | "53300", _)
            | (Kind::MySql, _, 1040 | 1053 | 1927 | 4031)
            | (Kind::Sqlite, _, 10 | 13 | 14 | 26 | 11) => Error::Down {
                database,
                why,
                hint: kind.look(),
            },
            _ => Error::Other { database, why },
        };
    }
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Error::Down {
            database,
            why: match error {
                sqlx::Error::PoolTimedOut => "no connection came to be in time".into(),
                other => first_line(&other.to_string()),
            },
            hint: kind.look(),
        },
        other => Error::Other {
            database,
            why: first_line(&other.to_string()),
        },
    }
}

/// Whether the connection is gone, so that another one may do what this one could not.
pub(super) fn is_broken(kind: Kind, error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(inner) => match kind {
            Kind::Postgres => inner
                .code()
                .is_some_and(|code| matches!(&*code, "57P01" | "57P02" | "57P03")),
            Kind::MySql => matches!(kind.number(error), 1053 | 1927 | 4031),
            Kind::Sqlite => false,
        },
        _ => false,
    }
}

/// The field of a double key, by the name of the index or column: what follows the last `key '`
/// in MariaDB's words, the constraint in PostgreSQL's, the columns in SQLite's.
fn field(message: &str) -> Field {
    let tail = message
        .rsplit_once("for key ")
        .map_or(message, |(_, tail)| tail);
    for (word, field) in [
        ("login_skeleton", Field::Skeleton),
        ("accounts_login", Field::Login),
        ("accounts.login", Field::Login),
        ("email_key", Field::Email),
        ("account_groups_name", Field::Group),
        ("account_groups.name", Field::Group),
    ] {
        if tail.contains(word) {
            return field;
        }
    }
    Field::Key
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_a_double_key() {
        for (message, expected) in [
            ("UNIQUE constraint failed: accounts.login", Field::Login),
            (
                "UNIQUE constraint failed: accounts.login_skeleton",
                Field::Skeleton,
            ),
            (
                "duplicate key value violates unique constraint \"accounts_email_key\"",
                Field::Email,
            ),
            (
                "Duplicate entry 'for key 'email_key'' for key 'accounts_login'",
                Field::Login,
            ),
            (
                "UNIQUE constraint failed: account_groups.name",
                Field::Group,
            ),
            ("UNIQUE constraint failed: tokens.hash", Field::Key),
        ] {
            assert_eq!(field(message), expected, "{message}");
        }
    }
}
