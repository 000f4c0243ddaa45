//! The account service's own desk: its file of settings, clock, sockets, mail and command line.
//! It knows nothing of the installer.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the room that touches the machine for the account service"
)]

pub mod accounts_folder;

use std::process::ExitCode;

/// Runs `jitsi-accounts`.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
