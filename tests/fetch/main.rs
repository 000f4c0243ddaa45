//! Sources from servers of every temper into the cache: what is received, what is refused, and what
//! the cache holds afterwards. The servers are threads of these tests, on loopback.
//!
//! To add a case: a handler for a [`server::Server`], a run of the program on a [`stage::Stage`], and
//! what the cache must hold then.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests make servers and look at the disk"
)]

mod broken;
mod changed;
mod good;
mod place;
#[path = "../proving/mod.rs"]
mod proving;
mod server;
mod signed;
mod stage;
mod tls;
mod verify;
mod versions;
mod way;
