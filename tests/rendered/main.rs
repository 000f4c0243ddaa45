//! Every example on every release, laid out below a folder by the engine itself, and every file
//! proved by the program that reads it.
//!
//! A file for each kind of reader. `stage` lays out once for all of them; what it changes in an
//! example for that is said there. A missing program is a line `SKIPPED:`.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test looks at the disk itself, and says what it skips"
)]

#[path = "../proving/mod.rs"]
mod proving;

mod bridges;
mod keystores;
mod prosody;
mod scripts;
mod secrets;
mod shell;
mod stage;
mod text;
mod units;
mod web;
