//! From an address to a pool of connections, with the tables as this program wants them.

use std::str::FromStr as _;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Pool};

use super::error::{Error, Result};
use super::kind::Kind;
use super::{Shared, Store};
use crate::secret::Secret;

/// How long an act waits for a connection.
const PATIENCE: Duration = Duration::from_secs(4);
/// Connections to a server.
const CONNECTIONS: u32 = 10;
/// What SQLite says when another connection has the file (`SQLITE_BUSY`).
const SQLITE_BUSY: u32 = 5;

/// Connections to SQLite that read; each is a thread.
const READERS: u32 = 4;

impl Store {
    /// Opens a database, makes or moves its tables, and says clearly what does not fit. The file
    /// of SQLite is made where it is missing, closed to all but its owner and its group.
    pub async fn connect(url: &str, password: Option<&Secret<String>>) -> Result<Self> {
        let store = Self::open(url, password).await?;
        store.fits().await?;
        super::migrate::run(&store).await?;
        Ok(store)
    }

    /// Opens a database without a look at its tables.
    pub(super) async fn open(url: &str, password: Option<&Secret<String>>) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let (kind, options, address) = parse(url, password)?;
        if kind == Kind::Sqlite {
            let (file, _) = address.split_once('?').unwrap_or((&address, ""));
            super::sqlite::prepare(file.trim_start_matches("sqlite:"), &address)?;
        }
        // Before there are pools: they try again until their patience ends, whereas the first
        // connection says why it failed, and a new file of SQLite learns of its log from one alone.
        let greeted = first(kind, &options).await;
        let (writes, reads) = if kind == Kind::Sqlite {
            (
                pool(kind, &options, 1, true),
                pool(kind, &options, READERS, false),
            )
        } else {
            let one = pool(kind, &options, CONNECTIONS, true);
            (one.clone(), one)
        };
        let store = Self {
            shared: Arc::new(Shared {
                kind,
                address,
                writes,
                reads,
                asked: AtomicU64::new(0),
            }),
            within: None,
        };
        match greeted {
            Ok(()) => Ok(store),
            Err(error) => Err(store.error(&error)),
        }
    }

    /// A database of MariaDB must keep every character, and PostgreSQL's must be UTF-8.
    async fn fits(&self) -> Result<()> {
        let (question, wanted, hint) = match self.kind() {
            Kind::Sqlite => return Ok(()),
            Kind::MySql => (
                "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = DATABASE()",
                "utf8mb4",
                "ALTER DATABASE NAME CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, while it is empty",
            ),
            Kind::Postgres => (
                "SELECT CAST(current_setting('server_encoding') AS TEXT)",
                "UTF8",
                "CREATE DATABASE NAME ENCODING 'UTF8' TEMPLATE template0",
            ),
        };
        let found: Option<String> = self.one(super::ask::sql(question)).await?;
        match found.as_deref() {
            Some(found) if found == wanted => Ok(()),
            found => Err(Error::Unfit {
                database: self.address().to_owned(),
                why: format!(
                    "keeps texts as `{}`; {wanted} is needed",
                    found.unwrap_or("?")
                ),
                hint: hint.into(),
            }),
        }
    }
}

/// Kind, what the driver needs, and the address as it may be shown.
fn parse(
    url: &str,
    password: Option<&Secret<String>>,
) -> Result<(Kind, AnyConnectOptions, String)> {
    let bad = |url: &str, why: &str| Error::Address {
        url: url.to_owned(),
        why: why.to_owned(),
    };
    let kind = Kind::of(url).ok_or_else(|| bad(scheme_only(url), "its kind is unknown"))?;
    let mut options = AnyConnectOptions::from_str(url)
        .map_err(|error| bad(scheme_only(url), &error.to_string()))?
        .disable_statement_logging();
    if kind == Kind::Sqlite {
        let rest = url.trim_start_matches("sqlite:").trim_start_matches("//");
        if rest.is_empty() || rest.contains(":memory:") {
            return Err(bad(url, "a file is needed"));
        }
        if rest.contains('?') {
            return Err(bad(url, "it takes no options"));
        }
        return Ok((kind, options, format!("sqlite:{rest}")));
    }
    let place = &mut options.database_url;
    if place.password().is_some() {
        return Err(bad(
            scheme_only(url),
            "a password does not belong into it (`database_password_file`)",
        ));
    }
    // The C library is never asked for a name; this one needs no asking.
    if place.host_str() == Some("localhost") {
        let _ = place.set_host(Some("127.0.0.1"));
    }
    let shown = place.to_string();
    if place.path().trim_matches('/').is_empty() {
        return Err(bad(&shown, "it names no database"));
    }
    if let Some(password) = password
        && place.set_password(Some(password.reveal())).is_err()
    {
        return Err(bad(&shown, "it has no place for a password"));
    }
    Ok((kind, options, shown))
}

/// As much of an address as cannot be a password.
fn scheme_only(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// The first connection. SQLite does not wait while another program turns the same file to its log,
/// so it is asked again for some seconds.
async fn first(kind: Kind, options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let greet = || async {
        let mut connection = options.connect().await?;
        (&mut connection).execute(kind.greeting(true)).await?;
        connection.close().await
    };
    for pause in [10, 50, 100, 250, 500, 1000, 2000] {
        match greet().await {
            Err(error) if kind == Kind::Sqlite && kind.number(&error) == SQLITE_BUSY => {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            ended => return ended,
        }
    }
    greet().await
}

fn pool(kind: Kind, options: &AnyConnectOptions, most: u32, writes: bool) -> Pool<Any> {
    let mut pool = AnyPoolOptions::new();
    if kind == Kind::Sqlite && writes {
        // With its last connection SQLite removes its index, and Prosody, which may only read,
        // could not open the file any more: one connection stays.
        pool = pool
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
    }
    pool.max_connections(most)
        .acquire_timeout(PATIENCE)
        // Asking each time costs a round trip; asking those that rested is enough, and what only
        // reads is asked again anyway.
        .test_before_acquire(false)
        .before_acquire(move |connection, rest| {
            Box::pin(async move {
                if kind != Kind::Sqlite && rest.idle_for > Duration::from_secs(1) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                let greeting = AssertSqlSafe(kind.greeting(writes));
                connection.execute(sqlx::raw_sql(greeting)).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        let password = Secret::new("hunter2 /?#@é".to_owned());
        match parse(url, Some(&password)) {
            Ok((_, _, shown)) => shown,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn no_password_is_ever_shown() {
        assert_eq!(shown("sqlite:/x/y.sqlite"), "sqlite:/x/y.sqlite");
        assert_eq!(
            shown("postgres://ann@192.0.2.1:5433/accounts"),
            "postgres://ann@192.0.2.1:5433/accounts"
        );
        assert_eq!(
            shown("mysql://ann@localhost/accounts?socket=/run/m.sock"),
            "mysql://ann@127.0.0.1/accounts?socket=/run/m.sock"
        );
        for url in [
            "postgres://ann:hunter2@192.0.2.1/accounts",
            "mysql://ann:hunter2@localhost",
            "postgres://ann@192.0.2.1/",
            "oracle://ann:hunter2@x/y",
            "sqlite:",
            "sqlite::memory:",
            "hunter2",
        ] {
            let text = shown(url);
            assert!(text.contains("hint: "), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
