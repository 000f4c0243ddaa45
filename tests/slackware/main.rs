//! `apply` on a Slackware machine: a root in namespaces of its own, made of this machine's `/usr`
//! (`tests/standins/slackware/root.sh`), without systemd and apt.
//!
//! Prosody, nginx, Caddy, Java, `useradd` and the rc scripts are real. Slackware's pkgtools, the
//! order of its boot scripts and the packages of SlackBuilds.org are stand-ins of our own writing,
//! in `tests/standins/pkgtools` and `tests/standins/slackware`: they enforce the rules of the real
//! ones and are none. It needs root, namespaces and what `gate.rs` lists; where one is missing a
//! line `SKIPPED: …` says so, and `CHECK_STRICT=1` makes that a failure. To add a case: a question
//! in `journey.rs` (one machine from bare to uninstalled), in `boot.rs` (what `rc.local` is for) or in
//! `accounts.rs` (a site that gets accounts and loses them);
//! `kill.rs` lets a small site (`small.rs`) die at every step.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]

mod accounts;
mod accounts_back;
mod accounts_doctor;
mod boot;
#[path = "../real/cases.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod cases;
mod doctor;
mod gate;
mod journey;
mod kill;
mod machine;
mod packages;
mod sets;
#[path = "../proving/sets.rs"]
#[allow(dead_code, reason = "a neighbour uses the rest")]
mod sets_of_standins;
mod small;
mod tree;

#[test]
fn from_bare_to_uninstalled() {
    if gate::is_open() {
        journey::take();
    }
}

#[test]
fn boot_and_administrator() {
    if gate::is_open() {
        boot::take();
    }
}

#[test]
fn accounts_on_sqlite() {
    if gate::is_open() && cases::are_here(&["curl", "strip"]) {
        accounts::take(accounts::Database::Sqlite);
    }
}

#[test]
fn accounts_on_mariadb() {
    if gate::is_open() && cases::are_here(&["curl", "strip", "mariadbd"]) {
        accounts::take(accounts::Database::MariaDb);
    }
}

#[test]
fn packages_of_ours() {
    if gate::is_open() {
        packages::take();
    }
}

#[test]
fn the_doctor() {
    if gate::is_open() {
        doctor::take();
    }
}

#[test]
fn sets_of_packages() {
    if gate::is_open() && cases::are_here(&["dpkg-deb"]) {
        sets::take();
    }
}

#[test]
fn killed_at_each_sync() {
    if gate::is_open() && cases::are_here(&["strace"]) {
        kill::take(kill::SYNCING);
    }
}

#[test]
fn killed_at_each_change() {
    if gate::is_open() && cases::are_here(&["strace"]) {
        kill::take(kill::CHANGING);
    }
}

/// What `kill.rs` runs inside; nothing outside.
#[test]
fn small_site() {
    if let Ok(verb) = std::env::var(small::VERB) {
        small::carry_out(&verb);
    }
}
