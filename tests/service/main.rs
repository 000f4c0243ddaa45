//! The account service as a process: its sockets, its start and its end, slow and many clients,
//! what leaves by mail, every verb, and what its log never says.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests look at the machine themselves, and say what they skip"
)]

mod clients;
mod figures;
mod instances;
mod kill;
mod life;
mod post;
mod service;
mod strangers;
mod timers;
mod verbs;

#[path = "../databases/mod.rs"]
mod databases;
