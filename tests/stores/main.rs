//! The store on real databases: every test runs on SQLite, MariaDB and PostgreSQL.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test starts servers, looks at the disk, and says what it skips"
)]

#[path = "../databases/mod.rs"]
mod databases;

mod books;
mod carried;
mod crash;

mod documented;
mod hostile;
mod lists;
mod moved;
mod people;
mod races;
mod rooms;
mod rows;
mod signed_in;
