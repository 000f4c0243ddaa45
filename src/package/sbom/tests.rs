use std::io::{Cursor, Write};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;

use super::super::catalogue::Catalogue;
use super::super::meta::Arch;
use super::super::{Content, Meta, Node, PackagePath, Tree};
use super::{Made, of, own, purl};

/// A jar with these files.
fn jar(files: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let at = u32::try_from(bytes.len()).unwrap();
        let sizes = [packed.len(), text.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
        // version, flags, method 8, time, date, checksum (nobody looks)
        let middle = [&[20, 0, 0, 0, 8, 0][..], &[0; 8], &sizes.concat()].concat();
        let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
        bytes.extend([b"PK\x03\x04", &middle[..], &name_len, &[0, 0]].concat());
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend([b"PK\x01\x02", &[20, 0][..], &middle, &name_len, &[0; 12]].concat());
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let places = [directory.len(), bytes.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    bytes.extend(directory);
    bytes.extend(
        [
            b"PK\x05\x06",
            &[0; 4][..],
            &count,
            &count,
            &places.concat(),
            &[0, 0],
        ]
        .concat(),
    );
    bytes
}

fn pom(group: &str, artifact: &str, version: &str) -> (String, String) {
    let name = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    let text = format!("#Generated\nartifactId={artifact}\ngroupId={group}\nversion={version}\n");
    (name, text)
}

/// A jar that Maven made of these.
fn maven_jar(poms: &[(&str, &str, &str)]) -> Vec<u8> {
    let poms: Vec<_> = poms.iter().map(|(g, a, v)| pom(g, a, v)).collect();
    let mut files = vec![("a/A.class", "code")];
    files.extend(
        poms.iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    jar(&files)
}

fn list(files: &[(&str, &[u8])], file: &str) -> Value {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::own().unwrap());
    let piece = CATALOGUE.piece("jicofo").unwrap();
    let mut release = piece.release("1.0-1183").unwrap().clone();
    let mut other = release.sources[0].clone();
    other.url = "https://github.com/jitsi/jicofo/archive/refs/tags/a b.tar.gz".to_owned();
    other.arch = Some(Arch::Aarch64);
    release.sources.push(other);
    let meta = Meta {
        name: "jicofo".to_owned(),
        version: release.version.clone(),
        build: 1,
        arch: Arch::Any,
        summary: piece.summary.clone(),
        description: piece.description.clone(),
        homepage: piece.homepage.clone(),
        licence: piece.licence.clone(),
        copyright: piece.copyright.clone(),
        depends: piece.depends.clone(),
        replaces: Vec::new(),
        config: Vec::new(),
        links_that_were_folders: Vec::new(),
        time: 1_780_272_000,
    };
    // the first half waits in a spool, behind something else
    let mut tree = Tree::new();
    let mut spool = b"something else".to_vec();
    for (index, (path, bytes)) in files.iter().enumerate() {
        let content = if index % 2 == 0 {
            let at = spool.len() as u64;
            spool.extend_from_slice(bytes);
            let len = bytes.len() as u64;
            Content::Spooled { at, len }
        } else {
            Content::Bytes(bytes.to_vec())
        };
        let node = Node::File {
            mode: 0o644,
            content,
        };
        tree.put(PackagePath::parse(path).unwrap(), node).unwrap();
    }
    spool.extend_from_slice(b"and more");
    let sha256 = "f".repeat(64);
    let made = Made {
        piece,
        release: &release,
        meta: &meta,
        file,
        sha256: &sha256,
    };
    of(&made, &tree, &mut Cursor::new(spool)).unwrap()
}

fn purls(list: &Value) -> Vec<&str> {
    let components = list["components"].as_array().unwrap();
    components
        .iter()
        .map(|one| one["purl"].as_str().unwrap())
        .collect()
}

#[test]
fn jars_are_named_by_maven_and_else_by_their_file() {
    let known = maven_jar(&[
        ("org.jitsi", "jitsi-utils", "1.0-133-g6af1020"),
        ("org.shaded", "inner", "2.0"),
    ]);
    let plain = jar(&[("a/A.class", "code")]);
    let files: &[(&str, &[u8])] = &[
        (
            "usr/share/jicofo/lib/jitsi-utils-1.0-133-g6af1020.jar",
            &known,
        ),
        ("usr/share/jicofo/lib/kotlin-stdlib-jdk8-1.9.0.jar", &plain),
        ("usr/share/jicofo/jicofo.jar", &plain),
        ("usr/share/jicofo/jicofo.sh", b"#!/bin/sh\n"),
    ];
    let list = list(files, "jicofo_1.0-1183-1_all.deb");
    let mut purls = purls(&list);
    purls.retain(|one| !one.contains("checksum="));
    assert_eq!(
        purls,
        [
            "pkg:generic/jicofo",
            "pkg:generic/kotlin-stdlib-jdk8@1.9.0",
            "pkg:maven/org.jitsi/jitsi-utils@1.0-133-g6af1020?type=jar",
            "pkg:maven/org.shaded/inner@2.0?type=jar",
        ]
    );
    let main = &list["metadata"]["component"];
    assert_eq!(
        main["purl"],
        "pkg:deb/jitsi-install/jicofo@1.0-1183-1?arch=all"
    );
    assert_eq!(main["hashes"][0]["content"], "f".repeat(64));
    assert_eq!(list["metadata"]["timestamp"], "2026-06-01T00:00:00Z");
    // what was shaded in is below the jar, the jar below the whole
    let edges = list["dependencies"].as_array().unwrap();
    let below = |start: &str| {
        let edge = edges
            .iter()
            .find(|edge| edge["ref"].as_str().unwrap().starts_with(start));
        edge.unwrap()["dependsOn"].as_array().unwrap().clone()
    };
    assert_eq!(
        below("pkg:maven/org.jitsi"),
        ["pkg:maven/org.shaded/inner@2.0?type=jar#shaded"]
    );
    assert_eq!(below("pkg:deb").len(), 4);
    let every = list["components"].as_array().unwrap().len() + 1;
    assert_eq!(edges.len(), every, "each component has its line");
}

#[test]
fn the_same_package_gives_the_same_list_and_another_another() {
    let one = jar(&[("a", "b")]);
    let files: &[(&str, &[u8])] = &[("usr/share/a/b-1.jar", &one)];
    let (first, again) = (list(files, "a-1.txz"), list(files, "a-1.txz"));
    assert_eq!(first.to_string(), again.to_string());
    let other = jar(&[("a", "c")]);
    let other = list(&[("usr/share/a/b-1.jar", &other)], "a-1.txz");
    assert_ne!(first["serialNumber"], other["serialNumber"]);
    assert_eq!(
        first["metadata"]["component"]["purl"],
        "pkg:generic/jicofo@1.0-1183?arch=noarch"
    );
}

#[test]
fn one_jar_in_two_places_is_one_component() {
    let one = maven_jar(&[("g", "b", "1")]);
    let list = list(
        &[("usr/a/b-1.jar", &one), ("usr/c/b-1.jar", &one)],
        "a-1.txz",
    );
    assert_eq!(purls(&list).len(), 2, "the jar and the source");
    let places = list["components"]
        .as_array()
        .and_then(|all| all.iter().find(|part| part["name"] == "b"))
        .map(|part| &part["evidence"]["occurrences"]);
    let both =
        serde_json::json!([{ "location": "usr/a/b-1.jar" }, { "location": "usr/c/b-1.jar" }]);
    assert_eq!(places, Some(&both));
    // crates that several need have no place, and get none
    let ours = own("jitsi-install", None).unwrap().to_string();
    assert!(!ours.contains("evidence") && !ours.contains(":null"));
}

#[test]
fn a_source_is_named_where_it_comes_from_and_for_its_machine() {
    let list = list(&[], "a-1.txz");
    let sources = purls(&list);
    assert_eq!(
        sources.len(),
        1,
        "the other is for another machine: {sources:?}"
    );
    assert!(sources[0].starts_with("pkg:generic/jicofo@1.0-1183?checksum=sha256:"));
    let url = &list["components"][0]["externalReferences"][0];
    assert_eq!(url["type"], "distribution");
    assert_eq!(url["hashes"][0]["alg"], "SHA-256");
    assert_eq!(
        super::github("https://github.com/jitsi/jicofo/x"),
        Some("jitsi/jicofo")
    );
    assert_eq!(super::github("https://github.com/jitsi"), None);
    assert_eq!(
        purl("generic", "a b/ü", "1+2"),
        "pkg:generic/a%20b/%C3%BC@1%2B2"
    );
}

#[test]
fn a_hostile_jar_is_listed_by_name_and_says_no_more() {
    let good = maven_jar(&[("org.jitsi", "x", "1")]);
    let huge = format!(
        "{}\ngroupId=g\nartifactId=x\nversion=1\n",
        " ".repeat(1 << 20)
    );
    let bomb = jar(&[("META-INF/maven/g/x/pom.properties", &huge)]);
    let odd = |value: &str| maven_jar(&[("g", "x", value)]);
    let mut lies = good.clone();
    let end = lies.len() - 6;
    lies[end..end + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut wide = good.clone();
    let end = wide.len() - 10;
    wide[end..end + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut cases = vec![Vec::new(), b"PK".to_vec(), bomb, lies, wide];
    cases.extend(["${v}", "", "1 2", "../..", &"9".repeat(500)].map(odd));
    for bytes in cases {
        let list = list(&[("usr/x.jar", &bytes)], "a-1.txz");
        assert!(purls(&list).contains(&"pkg:generic/x"), "{list}");
    }
    // cut or spoiled anywhere: never a panic
    for at in 0..good.len() {
        list(&[("usr/x.jar", &good[..at])], "a-1.txz");
        let mut spoiled = good.clone();
        spoiled[at] ^= 0xff;
        list(&[("usr/x.jar", &spoiled)], "a-1.txz");
    }
}

#[test]
fn our_own_list_has_what_is_linked_and_no_tests() {
    let list = own("jitsi-install", None).unwrap();
    let purls = purls(&list);
    assert!(
        purls
            .iter()
            .any(|one| one.starts_with("pkg:cargo/aws-lc-rs@"))
    );
    assert!(
        !purls
            .iter()
            .any(|one| one.starts_with("pkg:cargo/tungstenite@"))
    );
    let edges = list["dependencies"].as_array().unwrap();
    let own = edges[0]["dependsOn"].as_array().unwrap();
    assert!(own.len() > 20 && own.len() < purls.len(), "{own:?}");
    assert!(list["metadata"].get("timestamp").is_none());
}
