//! The front door of `jitsi-install`: everything happens in [`jitsi_install::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    jitsi_install::cli::main()
}
