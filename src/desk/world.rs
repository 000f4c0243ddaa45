//! The real clock and the system's source of randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::account::World;

/// Time and chance of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine;

impl World for Machine {
    fn millis(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or_default()
    }

    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no session, link or key may be made, so nothing can go on.
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
