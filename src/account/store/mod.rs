//! The database: the only SQL. SQLite, MariaDB and PostgreSQL by one portable set of statements.
//!
//! [`Store`] reads; what changes several rows is a [`Work`], begun by [`Store::begin`], which
//! reads inside its transaction and writes. A change of state names the state that it expects and
//! says whether it found it, so of two who do the same only one does it. There is one file for
//! each table, with its reads first.
//!
//! To add a table or a column: a file in `migrations/`, its line in `migrate.rs`, its columns in
//! `export.rs`; to add a statement: in the words that all three understand, with `?` for values.
//! No RETURNING, no upsert, no type but VARCHAR, TEXT, SMALLINT and BIGINT.

mod accounts;
mod ask;
mod audit;
mod bulk;
mod change;
mod claims;
mod connect;
mod count;
mod credentials;
mod error;
mod expiry;
mod export;
mod gather;
mod groups;
mod invites;
mod judge;
mod kind;
mod limits;
pub mod migrate;
mod notes;
mod outbox;
mod page;
mod restore;
mod sessions;
mod settings;
mod sqlite;
mod stream;
mod tables;
mod tokens;
mod users;
mod walk;
mod words;
mod work;

pub use accounts::{NewAccount, email_key};
pub use audit::AuditFilter;
pub use bulk::{Holder, Incoming};
pub use credentials::Credentials;
pub use error::{Error, Field, Result};
pub use groups::{Group, GroupId};
pub use invites::Invite;
pub use kind::Kind;
pub use notes::Note;
pub use outbox::{Letter, OutboxCount, Queued, What};
pub use page::{Page, Total};
pub use restore::Restored;
pub use sessions::{NewSession, Session};
pub use settings::Setting;
pub use tokens::{NewToken, Purpose, Token};
pub use users::{Sort, UserFilter, UserList};
pub use work::Work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::any::AnyRow;
use sqlx::{Any, Pool, Transaction};
use tokio::sync::Mutex;

use ask::{Ask, Fields, FromRow};

/// A pool of connections to one database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// The transaction that everything goes through, in a [`Work`].
    within: Option<Arc<Mutex<Option<Transaction<'static, Any>>>>>,
}

struct Shared {
    kind: Kind,
    /// The address, without a password.
    address: String,
    /// SQLite has one connection that writes, so that writers wait for each other in a queue of
    /// ours rather than fail in SQLite's; the servers have one pool for both.
    writes: Pool<Any>,
    reads: Pool<Any>,
    /// Statements so far.
    asked: AtomicU64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.shared.address).finish()
    }
}

/// How often what only reads is asked again when its connection turns out to be gone.
const TRIES: usize = 4;

impl Store {
    /// The kind of database.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// Its address, without a password: for logs and errors.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// How many statements it was asked since it was opened.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<()> {
        self.one::<i64>(ask::sql("SELECT 1")).await.map(|_| ())
    }

    /// Waits for those who use it and closes it. SQLite's log is folded into its file by that.
    pub async fn close(&self) {
        self.shared.reads.close().await;
        self.shared.writes.close().await;
    }

    /// All rows of a question.
    async fn all<T: FromRow>(&self, ask: Ask) -> Result<Vec<T>> {
        let rows = self.rows(&ask).await?;
        rows.iter()
            .map(|row| T::read(&mut Fields::of(row)).map_err(|error| self.error(&error)))
            .collect()
    }

    /// The only row, if there is one.
    async fn one<T: FromRow>(&self, ask: Ask) -> Result<Option<T>> {
        let rows = self.rows(&ask).await?;
        rows.first()
            .map(|row| T::read(&mut Fields::of(row)).map_err(|error| self.error(&error)))
            .transpose()
    }

    /// The number in the only row; 0 without one.
    async fn number(&self, ask: Ask) -> Result<i64> {
        Ok(self.one::<Option<i64>>(ask).await?.flatten().unwrap_or(0))
    }

    async fn rows(&self, ask: &Ask) -> Result<Vec<AnyRow>> {
        self.shared.asked.fetch_add(1, Ordering::Relaxed);
        let kind = self.shared.kind;
        if let Some(within) = &self.within {
            let mut within = within.lock().await;
            let transaction = within.as_mut().ok_or_else(|| self.ended())?;
            return ask
                .query(kind)?
                .fetch_all(&mut **transaction)
                .await
                .map_err(|error| self.error(&error));
        }
        let mut tried = 1;
        loop {
            match ask.query(kind)?.fetch_all(&self.shared.reads).await {
                Err(error) if tried < TRIES && error::is_broken(kind, &error) => tried += 1,
                other => return other.map_err(|error| self.error(&error)),
            }
        }
    }

    /// Carries out one statement that is a whole change by itself; how many rows it met.
    async fn run(&self, ask: Ask) -> Result<u64> {
        self.shared.asked.fetch_add(1, Ordering::Relaxed);
        let query = ask.query(self.shared.kind)?;
        let done = if let Some(within) = &self.within {
            let mut within = within.lock().await;
            let transaction = within.as_mut().ok_or_else(|| self.ended())?;
            query.execute(&mut **transaction).await
        } else {
            query.execute(&self.shared.writes).await
        };
        done.map(|done| done.rows_affected())
            .map_err(|error| self.error(&error))
    }

    /// The same, where exactly one row is meant: whether it was there.
    async fn did(&self, ask: Ask) -> Result<bool> {
        self.run(ask).await.map(|rows| rows == 1)
    }

    fn ended(&self) -> Error {
        Error::Other {
            database: self.shared.address.clone(),
            why: "the transaction has ended".into(),
        }
    }

    fn error(&self, error: &sqlx::Error) -> Error {
        error::of(self.shared.kind, &self.shared.address, error)
    }
}
