//! A transaction: all of it happens or nothing.

use std::ops::Deref;
use std::sync::Arc;

use sqlx::{Any, Transaction};
use tokio::sync::Mutex;

use super::{Result, Store, TRIES, error};

/// A transaction under way. It reads what a [`Store`] reads, through itself, and has the methods
/// that write. Dropped without [`Work::commit`] it leaves nothing.
///
/// SQLite has one writer: a second `begin` in the same task, before the first has ended, waits
/// for itself until it times out.
#[derive(Debug)]
pub struct Work {
    store: Store,
}

impl Deref for Work {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Store {
    /// Begins a transaction.
    pub async fn begin(&self) -> Result<Work> {
        let kind = self.shared.kind;
        let mut tried = 1;
        loop {
            match self.shared.writes.begin_with(kind.begin()).await {
                Ok(transaction) => {
                    return Ok(Work {
                        store: Store {
                            shared: Arc::clone(&self.shared),
                            within: Some(Arc::new(Mutex::new(Some(transaction)))),
                        },
                    });
                }
                Err(error) if tried < TRIES && error::is_broken(kind, &error) => tried += 1,
                Err(error) => return Err(self.error(&error)),
            }
        }
    }
}

impl Work {
    /// Confirms everything. After an error nobody knows whether it is written: a server that died
    /// at this moment may have confirmed it to itself, and did so wholly or not at all.
    pub async fn commit(self) -> Result<()> {
        let transaction = self.take().await?;
        transaction
            .commit()
            .await
            .map_err(|error| self.store.error(&error))
    }

    /// Takes everything back now, rather than when the connection is next used.
    pub async fn roll_back(self) -> Result<()> {
        let transaction = self.take().await?;
        transaction
            .rollback()
            .await
            .map_err(|error| self.store.error(&error))
    }

    async fn take(&self) -> Result<Transaction<'static, Any>> {
        let within = self.store.within.as_ref();
        let within = within.ok_or_else(|| self.store.ended())?;
        let taken = within.lock().await.take();
        taken.ok_or_else(|| self.store.ended())
    }
}
