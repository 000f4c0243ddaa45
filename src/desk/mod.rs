//! The account service's own desk: its file of settings, clock, sockets, mail and command line.
//! It knows nothing of the installer.

use std::process::ExitCode;

/// Runs `jitsi-accounts`.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
