//! The database: the only SQL. SQLite, MariaDB and PostgreSQL by one portable set of statements.

/// A pool of connections to one database.
#[derive(Debug, Clone)]
pub struct Store {}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct StoreError;
