//! What this program itself is made of, as its own lock file says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::PackageError;
use super::{Parts, hashes, purl};

const MANIFEST: &str = include_str!("../../../Cargo.toml");
const LOCK: &str = include_str!("../../../Cargo.lock");

#[derive(Debug, Deserialize)]
struct Manifest {
    features: BTreeMap<String, Vec<String>>,
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Locked {
    fn purl(&self) -> String {
        purl("cargo", &self.name, &self.version)
    }

    /// The lock file names a version where there are two.
    fn is_meant(&self, written: &str) -> bool {
        let mut words = written.split(' ');
        let (name, version) = (words.next(), words.next());
        name == Some(&self.name) && version.is_none_or(|version| version == self.version)
    }
}

/// The list for one of the two programs: every crate that `Cargo.lock` has for building it, on any
/// machine. Crates of tests, and of the other program alone, are left out.
///
/// # Errors
/// When the files that were compiled in are not cargo's.
pub fn own(program: &str, time: Option<u64>) -> Result<Value, PackageError> {
    let refuse = |error: toml::de::Error| PackageError::Archive {
        archive: "Cargo.lock".to_owned(),
        why: error.message().to_owned(),
    };
    let manifest: Manifest = toml::from_str(MANIFEST).map_err(refuse)?;
    let lock: Lock = toml::from_str(LOCK).map_err(refuse)?;
    let find = |written: &str| lock.package.iter().find(|one| one.is_meant(written));
    let itself = purl("cargo", program, env!("CARGO_PKG_VERSION"));
    // The feature of a program's name has what it takes beside what both do.
    let feature = program.trim_start_matches("jitsi-");
    let chosen = manifest.features.get(feature).into_iter().flatten();
    let chosen: BTreeSet<&str> = chosen.filter_map(|one| one.strip_prefix("dep:")).collect();
    let is_linked = |name: &str| match manifest.dependencies.get(name) {
        Some(toml::Value::Table(details)) => {
            let is_optional = details.get("optional") == Some(&toml::Value::Boolean(true));
            !is_optional || chosen.contains(name)
        }
        found => found.is_some(),
    };
    let mut parts = Parts::default();
    let mut ahead: Vec<(&Locked, Option<String>)> = find(env!("CARGO_PKG_NAME"))
        .into_iter()
        .flat_map(|own| &own.dependencies)
        .filter(|written| is_linked(written.split(' ').next().unwrap_or_default()))
        .filter_map(|written| Some((find(written)?, None)))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some((here, above)) = ahead.pop() {
        parts.add(component(here), above);
        if seen.insert(here.purl()) {
            let below = here.dependencies.iter().filter_map(|written| find(written));
            ahead.extend(below.map(|one| (one, Some(here.purl()))));
        }
    }
    let main = json!({
        "type": "application",
        "bom-ref": itself,
        "name": program,
        "version": env!("CARGO_PKG_VERSION"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "licenses": [{ "expression": env!("CARGO_PKG_LICENSE") }],
        "purl": itself,
    });
    Ok(parts.document(main, time))
}

fn component(locked: &Locked) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": locked.purl(),
        "name": locked.name,
        "version": locked.version,
        "purl": locked.purl(),
    });
    if let Some(checksum) = &locked.checksum {
        component["hashes"] = hashes(checksum);
    }
    component
}
