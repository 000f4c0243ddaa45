//! The console on real databases (SQLite, MariaDB, PostgreSQL), asked as a browser asks.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests make folders and say what they see"
)]

mod approval;
#[path = "../databases/mod.rs"]
mod databases;
mod elsewhere;
mod hostile;
mod house;
mod links;
mod lists;
mod people;
mod rules;
mod table;
