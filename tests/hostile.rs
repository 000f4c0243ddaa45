//! Hostile text in every place where text comes in: refused with a reason, or carried as data.
//!
//! `keys` drives every key of the site file (`carried` reads what came through), `free` the tables of
//! the administrator's own keys, `words` the secrets and names, `literals` each language's escaper,
//! `whole` files that are no site files. What was carried is always read back by the program that
//! reads it on a machine; values go to it in bulk. `values` holds the texts.
#![cfg(all(feature = "install", feature = "accounts"))]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test looks at the disk itself, and says what it skips"
)]

#[path = "hostile/carried.rs"]
mod carried;
#[path = "hostile/free.rs"]
mod free;
#[path = "hostile/keys.rs"]
mod keys;
#[path = "hostile/literals.rs"]
mod literals;
#[path = "proving/mod.rs"]
mod proving;
#[path = "hostile/values.rs"]
mod values;
#[path = "hostile/whole.rs"]
mod whole;
#[path = "hostile/words.rs"]
mod words;
