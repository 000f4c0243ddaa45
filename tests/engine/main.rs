//! The engine on a real file system: plan, apply, rollback, recovery, and what stands in the way.
#![cfg(feature = "install")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod faults;
mod kill;
mod live;
mod pruning;
mod spoiled;
mod stage;
mod steps;
mod upgrades;
