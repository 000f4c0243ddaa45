//! How this program itself is packed and handed out: the Debian package made by Debian's own tools and
//! tried on a booted Debian, the program's need of a C library, the lists of what is in it, and the
//! pipelines that others can take over.
//!
//! Each proof needs programs that a machine may lack: a line `SKIPPED: …` says so, and
//! `CHECK_STRICT=1` makes that a failure.
#![cfg(all(feature = "install", feature = "accounts"))]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]
#![allow(dead_code, reason = "neighbours' parts are used in part")]

#[path = "../real/cases.rs"]
mod cases;
#[path = "../booted/container.rs"]
mod container;
mod deb;
#[path = "../booted/debs.rs"]
mod debs;
#[path = "../booted/gate.rs"]
mod gate;
mod linked;
mod machine;
#[path = "../booted/mirror.rs"]
mod mirror;
mod pipelines;
mod python;
#[path = "../booted/rootfs.rs"]
mod rootfs;
mod sbom;
#[path = "../booted/shell.rs"]
mod shell;
#[path = "../booted/tree.rs"]
mod tree;
mod txz;

use std::path::Path;

/// The folder of Cargo.toml.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
