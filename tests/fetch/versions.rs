//! The order of versions, beside dpkg's own.

use std::cmp::Ordering;
use std::process::Command;

use jitsi_install::package::version::compare;

use crate::proving::program;

#[test]
fn as_dpkg_has_it() {
    let Some(dpkg) = program("dpkg", "dpkg") else {
        return;
    };
    let versions = [
        "0",
        "0.0",
        "00",
        "1",
        "1.0",
        "1.00",
        "1.0-0",
        "1.0-1",
        "1.0-1-1",
        "1.0~",
        "1.0~rc1",
        "1.0~~",
        "1.0~rc1-1~bpo12+1",
        "1.0-1133",
        "1.0-1183-1",
        "1.0-1183-1+ji1",
        "1.0-1189-1",
        "1.0.9268-1",
        "1.0.9365-1",
        "1.0a",
        "1.0+",
        "1.0+git1",
        "1.0.",
        "1a1",
        "1a01",
        "1a1b",
        "1.09",
        "1.9",
        "1.10",
        "2.0.11031-1",
        "2.0.11146-1",
        "2.3-287-g4f55d380a-1",
        "2.3-295-g8d5c0037b-1",
        "2.3-307-g4bb0aead1-1",
        "2.3.38",
        "2.4",
        "0:1.0",
        "1:0.1",
        "2:0",
        "1.0-a",
        "1.0-~",
        "20240101",
        "20240101.1",
        "99999999999999999999999",
        "099999999999999999999999",
        "1.0Z",
        "1.0z",
    ];
    let mut pairs = 0;
    for (at, one) in versions.iter().enumerate() {
        for other in &versions[at..] {
            let relation = match compare(one, other) {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            let output = Command::new(&dpkg)
                .args(["--compare-versions", one, relation, other])
                .output()
                .unwrap();
            assert!(output.status.success(), "{one} {relation} {other}");
            assert_eq!(compare(other, one), compare(one, other).reverse());
            pairs += 1;
        }
    }
    assert!(pairs > 1000);
}
