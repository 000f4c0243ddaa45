//! Packages, made and read by this program and by the programs that everybody has.
//!
//! Archives come from here and from python, dpkg-deb and tar; what is written is read by dpkg-deb,
//! ar, tar, xz and lintian. Where one is missing a line `SKIPPED: …` says so, and `CHECK_STRICT=1`
//! makes that a failure. To add a case: a line in the table of its file.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests compare with what stands on the disk"
)]

mod archives;
#[path = "../real/cases.rs"]
mod cases;
mod chance;
mod checked;
mod damage;
mod hostile;
mod ours;
mod read_by_others;
mod same_bytes;
#[path = "../booted/shell.rs"]
mod shell;
mod styles;
mod unpacked;
mod upstream;
mod upstreams_debs;
mod verb;
mod whole;
