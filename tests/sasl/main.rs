//! Real Prosody with `mod_auth_sql_hashed`: people sign in by PLAIN, SCRAM-SHA-1 and SCRAM-SHA-256 with
//! rows in SQLite, MariaDB and PostgreSQL.
//!
//! `JITSI_PROSODY="PROGRAM WORDS"` comes before `prosody` on the command line and so runs another
//! one, such as Prosody 13 in a root of its own. The account service is itself in
//! `real_service.rs`, and elsewhere a stand-in (`standin_service.rs`) that says how long it takes;
//! what is not on the machine is skipped with a line `SKIPPED: …`. To add a case: a person in
//! `people.rs`, or a line in the file of its subject.

#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]
#![allow(
    unreachable_pub,
    reason = "the XMPP clients are written like a library"
)]
#![cfg(feature = "install")]

mod alike;
mod busy;
#[allow(dead_code, reason = "tests/real uses the rest")]
#[path = "../real/cases.rs"]
mod cases;
mod databases;
mod failing;
mod hostile;
mod logins;
mod people;
mod place;
#[cfg(feature = "accounts")]
mod real_service;
mod standin_service;
mod wal;
#[path = "../real/xmpp.rs"]
mod xmpp;
