//! The console on a real SQLite file, asked as a browser asks.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests make folders and say what they see"
)]

mod house;
mod table;
