//! `apply` on the machine itself: real Debians, booted by systemd in containers.
//!
//! A container has a bare system (`rootfs.rs`), a folder of packages, and no network. Prosody,
//! nginx, Caddy, Java, apt and systemd are Debian's own. Jicofo, the bridge, Jitsi's Prosody
//! plugins and its web application are stand-ins from `tests/standins/` (`debs.rs`), since no
//! Debian package has the real ones; the Java programs read their configuration with the real
//! library, trust what the truststore trusts, and are healthy once Prosody has let them in.
//!
//! It needs root, namespaces and what `gate.rs` lists; where one is missing a line `SKIPPED: …`
//! says so, and `CHECK_STRICT=1` makes that a failure. To add a case: a question in
//! `journey.rs` (one machine from bare to uninstalled) or in a file of its own.
#![cfg(all(feature = "install", feature = "accounts"))]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]

mod accounts;
mod accounts_back;
mod arrival;
mod bench;
#[path = "../real/cases.rs"]
mod cases;
mod changes;
mod container;
mod debs;
mod doctor;
mod gate;
mod journey;
mod leaving;
mod mirror;
#[path = "../package/ours.rs"]
mod ours;
mod packages;
mod reference;
mod renewal;
mod renewal_caddy;
mod rootfs;
mod secrecy;
mod services;
mod sets;
#[path = "../proving/sets.rs"]
#[allow(dead_code, reason = "a neighbour uses the rest")]
mod sets_of_standins;
mod shell;
mod spoiled;
mod tree;
#[path = "../package/upstream.rs"]
mod upstream;

use rootfs::Release;
use services::Server;

#[test]
fn bookworm() {
    if gate::is_open() {
        journey::take(Release::Bookworm, Server::Nginx);
    }
}

#[test]
fn trixie() {
    if gate::is_open() {
        journey::take(Release::Trixie, Server::Nginx);
    }
}

#[test]
fn caddy() {
    if gate::is_open() {
        journey::take_spoiled(Release::Trixie, Server::Caddy);
    }
}

#[test]
fn accounts_on_sqlite() {
    if gate::is_open() {
        accounts::take(Release::Trixie, Server::Nginx, accounts::Database::Sqlite);
    }
}

#[test]
fn accounts_on_mariadb() {
    if gate::is_open() {
        accounts::take(Release::Trixie, Server::Caddy, accounts::Database::MariaDb);
    }
}

#[test]
fn accounts_on_postgresql() {
    if gate::is_open() {
        accounts::take(
            Release::Trixie,
            Server::Nginx,
            accounts::Database::PostgreSql,
        );
    }
}

#[test]
fn sets_of_packages() {
    if gate::is_open() {
        sets::take(Release::Trixie);
    }
}

#[test]
fn renewals() {
    if gate::is_open() {
        renewal::take(Release::Trixie);
    }
}

#[test]
fn renewals_by_caddy() {
    if gate::is_open() {
        renewal_caddy::take(Release::Trixie);
    }
}

#[test]
fn our_packages() {
    if gate::is_open() {
        packages::take(Release::Trixie);
    }
}

#[test]
fn our_packages_on_bookworm() {
    if gate::is_open() {
        packages::take(Release::Bookworm);
    }
}

#[test]
fn a_panic_leaves_nothing() {
    if !gate::is_open() {
        return;
    }
    // trixie: on a cold start, the two that begin then make a tree each
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let debs = debs::built().expect("stand-ins can be built");
        let machine = container::Container::boot(Release::Trixie, "panic", debs);
        let machine = machine.expect("it boots");
        let _ = tell.send(machine.name.clone());
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    let name = told.recv().expect("it booted");
    assert_eq!(container::left_over(&name), Vec::<String>::new());
}
