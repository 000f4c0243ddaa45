//! The pages of visitors and members on real databases (SQLite, MariaDB, PostgreSQL), asked as a browser asks: every act,
//! done well and done badly.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests make folders and say what they see"
)]

mod alike;
mod asvs;
#[path = "../databases/mod.rs"]
mod databases;
mod door;
mod elsewhere;
mod hostile;
mod house;
mod links;
mod member;
mod signing_in;
mod signing_up;
mod table;
