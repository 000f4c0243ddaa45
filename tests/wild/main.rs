//! What the targets of `fuzz/` do, done here on bytes of chance and on spoiled copies of what is
//! right: names, hashes, files of others, headers, links, settings, exports and whole requests.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests make folders and start a program that removes them"
)]

mod bodies;
mod house;
mod seeds;

use std::sync::OnceLock;

use jitsi_install::account::store::Store;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Every body reads what is right, too.
#[test]
fn seeds_are_good() {
    let seeds = seeds::all();
    for (name, seed) in &seeds {
        let mut all = bodies::QUICK.iter().chain(bodies::SLOW);
        let body = all.find(|(body, _)| body == name);
        let (_, body) = body.unwrap_or_else(|| panic!("no body `{name}`"));
        body(seed);
    }
    for (name, _) in bodies::QUICK.iter().chain(bodies::SLOW) {
        assert!(seeds.iter().any(|(of, _)| of == name), "{name} has no seed");
    }
    let (_, export) = seeds.last().unwrap();
    let checked = Store::check_export(&mut export.as_slice()).unwrap();
    assert!(checked.len() > 4, "{checked:?}");
}

/// The list of targets is the list of bodies.
#[test]
fn every_body_is_a_target() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let targets: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"))
        .map(|line| line.trim_end_matches(".rs\""))
        .collect();
    let mut bodies: Vec<&str> = bodies::QUICK
        .iter()
        .chain(bodies::SLOW)
        .map(|body| body.0)
        .collect();
    let mut sorted = targets;
    sorted.sort_unstable();
    bodies.sort_unstable();
    assert_eq!(sorted, bodies);
}

/// A seed with something cut out of it and something put in.
fn spoiled() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let with = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        "\\PC{0,4}".prop_map(String::into_bytes),
    ];
    static ALL: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    let all = ALL.get_or_init(seeds::all);
    let places = (0..all.len(), any::<usize>(), with, 0..6usize);
    places.prop_map(|(which, at, with, cut)| {
        let (name, mut bytes) = all[which].clone();
        let at = at % (bytes.len() + 1);
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        (name, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn chance(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (_, body) in bodies::QUICK {
            body(&bytes);
        }
    }

    #[test]
    fn spoiled_copies((_, bytes) in spoiled()) {
        for (_, body) in bodies::QUICK {
            body(&bytes);
        }
    }
}

/// Whatever the service was asked, what it has written down can be restored.
#[test]
fn the_service() {
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(600)
    });
    let asked = runner.run(&spoiled(), |(name, bytes)| {
        if let Some((_, body)) = bodies::SLOW.iter().find(|(body, _)| *body == name) {
            body(&bytes);
        }
        Ok(())
    });
    asked.unwrap_or_else(|why| panic!("{why}"));
    let checked = Store::check_export(&mut house::house().exported().as_slice());
    assert!(checked.is_ok(), "{checked:?}");
}
