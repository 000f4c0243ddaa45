//! Issuance and renewal with the real programs: pebble as the authority, certbot, lego and Caddy as
//! its clients, nginx, Caddy and Prosody as those who show what was issued.
//!
//! Everything runs on loopback, on free ports, below one folder, and without rights: root's tests
//! run it as `nobody` (`place.rs`). A staged tree's services are left to its machine, so a test
//! tells them itself, as their units would; `tests/booted/renewal.rs` has the real units. acme.sh is
//! in no distribution: its folder is written here as it leaves it, and its caller is a stand-in.
//!
//! What is not on the machine is a line `SKIPPED: …`; `CHECK_STRICT=1` makes that a failure.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]
#![allow(
    unreachable_pub,
    reason = "the XMPP clients are written like a library"
)]

mod acme_sh;
mod authority;
mod caddy;
#[path = "../real/cases.rs"]
#[allow(dead_code, reason = "shared; each test uses its part")]
mod cases;
mod certbot;
mod connections;
mod lego;
mod place;
#[path = "../real/xmpp.rs"]
mod xmpp;
