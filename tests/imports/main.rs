//! Accounts that real programs wrote (Prosody, Django) are imported, and everybody's old password
//! is right afterwards. A program that is missing is a line `SKIPPED:`, and a failure when
//! `CHECK_STRICT` is 1.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests start programs, write files and say what they skip"
)]

#[path = "../databases/mod.rs"]
mod databases;
mod django;
mod lists;
mod names;
mod office;
mod prosody;

/// Says what is not proved here.
fn skip(what: &str, why: &str) {
    assert!(
        std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
        "not proved: {what}: {why}"
    );
    println!("SKIPPED: {what}: {why}");
}
