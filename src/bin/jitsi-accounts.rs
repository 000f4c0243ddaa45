//! The front door of `jitsi-accounts`: everything happens in [`jitsi_install::desk`].

use std::process::ExitCode;

fn main() -> ExitCode {
    jitsi_install::desk::main()
}
