//! The database of another program: read, never written.

use std::str::FromStr as _;
use std::sync::Once;

use sqlx::any::{AnyArguments, AnyConnectOptions, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::ImportError;
use crate::account::store::Kind;
use crate::secret::Secret;

/// A connection to it.
#[derive(Debug)]
pub(super) struct Foreign {
    connection: AnyConnection,
    kind: Kind,
    /// Its address without a password.
    pub(super) address: String,
}

impl Foreign {
    /// Opens it; a file of SQLite for reading only, and only when it is there.
    pub(super) async fn open(
        url: &str,
        password: Option<&Secret<String>>,
    ) -> Result<Self, ImportError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let kind = Kind::of(url).ok_or_else(|| {
            ImportError::source(
                url.split(':').next().unwrap_or_default(),
                "no database that is known\nhint: `sqlite:/path/db.sqlite3`, `mysql://user@host/name` or `postgres://user@host/name`",
            )
        })?;
        let bad = |why: sqlx::Error| ImportError::source(kind.name(), why);
        let text = if kind == Kind::Sqlite && !url.contains('?') {
            format!("{url}?mode=ro")
        } else {
            url.to_owned()
        };
        let mut options = AnyConnectOptions::from_str(&text)
            .map_err(bad)?
            .disable_statement_logging();
        if kind != Kind::Sqlite {
            let place = &mut options.database_url;
            // The C library is never asked for a name; this one needs no asking.
            if place.host_str() == Some("localhost") {
                let _ = place.set_host(Some("127.0.0.1"));
            }
            if let Some(password) = password {
                let _ = place.set_password(Some(password.reveal()));
            }
        }
        let mut shown = options.database_url.clone();
        let _ = shown.set_password(None);
        shown.set_query(None);
        let address = shown.to_string();
        let connection = options
            .connect()
            .await
            .map_err(|why| ImportError::source(&address, why))?;
        Ok(Self {
            connection,
            kind,
            address,
        })
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// A column as text, whatever its type: the driver for all kinds knows few.
    pub(super) fn text(&self, column: &str) -> String {
        match self.kind {
            Kind::Sqlite | Kind::Postgres => format!("CAST({column} AS TEXT)"),
            Kind::MySql => format!("CAST({column} AS CHAR(4000))"),
        }
    }

    /// A time as text in UTC, `2024-01-02 03:04:05…`.
    pub(super) fn time(&self, column: &str) -> String {
        match self.kind {
            Kind::Postgres => format!("CAST({column} AT TIME ZONE 'UTC' AS TEXT)"),
            _ => self.text(column),
        }
    }

    /// A name as this kind quotes it; names of ours only.
    pub(super) fn quoted(&self, name: &str) -> String {
        match self.kind {
            Kind::MySql => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// The rows of a question with `?` for its values, each a list of texts.
    pub(super) async fn rows(
        &mut self,
        statement: &str,
        values: &[&str],
    ) -> Result<Vec<Vec<String>>, ImportError> {
        let statement = self.kind.words(statement).into_owned();
        let mut query: sqlx::query::Query<'_, sqlx::Any, AnyArguments> =
            sqlx::query(AssertSqlSafe(statement));
        for value in values {
            query = query.bind((*value).to_owned());
        }
        let rows = query.fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|why| ImportError::source(&self.address, why))?;
        let read = |row: &AnyRow| {
            (0..row.len())
                .map(|at| {
                    row.try_get::<Option<String>, _>(at)
                        .map(Option::unwrap_or_default)
                })
                .collect()
        };
        let read: Result<Vec<Vec<String>>, sqlx::Error> = rows.iter().map(read).collect();
        read.map_err(|why| ImportError::source(&self.address, why))
    }

    /// Whether a table is there and can be read.
    pub(super) async fn has(&mut self, table: &str) -> bool {
        let statement = format!("SELECT COUNT(*) FROM {} WHERE 1 = 0", self.quoted(table));
        sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&mut self.connection)
            .await
            .is_ok()
    }

    /// Whether a table has a column.
    pub(super) async fn has_column(&mut self, table: &str, column: &str) -> bool {
        let (table, column) = (self.quoted(table), self.text(&format!("t.{column}")));
        let statement = format!("SELECT {column} FROM {table} t WHERE 1 = 0");
        sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&mut self.connection)
            .await
            .is_ok()
    }

    pub(super) async fn close(self) {
        let _ = self.connection.close().await;
    }
}
