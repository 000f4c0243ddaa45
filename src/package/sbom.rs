//! The list of what is in a package, in CycloneDX 1.6 (ECMA-424), for programs that look for known
//! holes: the package, the sources that it was made of, and every jar with what is in that.
//!
//! The same package gives the same list: the serial number is made of the contents, and the time is
//! that of the package. Nothing is looked up anywhere.

mod jar;
mod own;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::catalogue::{Piece, Release, Source};
use super::{Content, Meta, Node, PackageError, Tree};

pub use own::own;

/// A package that was built.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// What it is.
    pub piece: &'a Piece,
    /// Which version of it, with the sources.
    pub release: &'a Release,
    /// What the package says of itself.
    pub meta: &'a Meta,
    /// The package's file name; its ending tells the format.
    pub file: &'a str,
    /// The package's SHA-256 in hexadecimal.
    pub sha256: &'a str,
}

/// The list for a package with this tree.
///
/// # Errors
/// When the spool cannot be read. A jar that is none is listed with its name and hash.
pub fn of<S: Read + Seek>(
    made: &Made<'_>,
    tree: &Tree,
    spool: &mut S,
) -> Result<Value, PackageError> {
    let mut parts = Parts::default();
    let main = made.component();
    for source in made.sources() {
        parts.add(made.source(source), None);
    }
    for (path, node) in tree.iter() {
        if let Node::File { content, .. } = node
            && path.as_str().ends_with(".jar")
        {
            for (part, inside) in jar::parts(path, content, spool)? {
                parts.add(part, inside);
            }
        }
    }
    Ok(parts.document(main, Some(made.meta.time)))
}

impl Made<'_> {
    fn component(&self) -> Value {
        let Meta { name, version, .. } = self.meta;
        let purl = if self.file.ends_with(".deb") {
            let arch = self.meta.arch.debian();
            // dpkg's version, with revision, stands in the name alone: NAME_VERSION_ARCH.deb
            let version = self.file.split('_').nth(1).unwrap_or(version);
            format!("{}?arch={arch}", purl("deb/jitsi-install", name, version))
        } else {
            let arch = self.meta.arch.slackware();
            format!("{}?arch={arch}", purl("generic", name, version))
        };
        json!({
            "type": "application",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "description": self.meta.summary,
            "licenses": [{ "expression": self.meta.licence }],
            "copyright": self.meta.copyright,
            "purl": purl,
            "hashes": hashes(self.sha256),
            "externalReferences": [{ "type": "website", "url": self.meta.homepage }],
            "properties": [
                { "name": "jitsi-install:file", "value": self.file },
                { "name": "jitsi-install:build", "value": self.meta.build.to_string() },
                { "name": "jitsi-install:depends", "value": self.meta.depends.join(", ") },
            ],
        })
    }

    /// The sources that are for this machine.
    fn sources(&self) -> impl Iterator<Item = &Source> {
        let arch = self.meta.arch;
        let fits = move |source: &&Source| source.arch.is_none_or(|one| one == arch);
        self.release.sources.iter().filter(fits)
    }

    fn source(&self, source: &Source) -> Value {
        let (name, version) = (&self.piece.name, &self.release.version);
        let last = source.url.rsplit('/').next().unwrap_or_default();
        let file = source.file.as_deref().unwrap_or(last);
        let purl = match github(&source.url) {
            Some(place) => purl("github", place, version),
            None => purl("generic", name, version),
        };
        // Several sources may be of one project; the hash tells them apart.
        let purl = format!("{purl}?checksum=sha256:{}", source.sha256);
        json!({
            "type": "application",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "description": format!("the source `{file}`"),
            "licenses": [{ "expression": self.piece.licence }],
            "purl": purl,
            "externalReferences": [{
                "type": "distribution",
                "url": source.url,
                "hashes": hashes(&source.sha256),
            }],
        })
    }
}

/// `OWNER/NAME` of what GitHub gives out.
fn github(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://github.com/")?;
    let (at, _) = rest.match_indices('/').nth(1)?;
    Some(&rest[..at])
}

/// A package URL (purl-spec) without qualifiers; `/` in the name parts its namespace from it.
fn purl(kind: &str, name: &str, version: &str) -> String {
    let plain = |text: &str, also: &[u8]| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'~' => {
                char::from(byte).to_string()
            }
            _ if also.contains(&byte) => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    format!("pkg:{kind}/{}@{}", plain(name, b"/"), plain(version, b""))
}

fn hashes(sha256: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sha256 }])
}

/// Components by reference, and what each holds.
#[derive(Debug, Default)]
struct Parts {
    components: BTreeMap<String, Value>,
    holds: BTreeMap<String, BTreeSet<String>>,
    /// What the whole holds itself.
    top: BTreeSet<String>,
}

impl Parts {
    /// Adds one, inside another or else inside the whole. The same thing twice, in two places, is
    /// one component that occurs twice.
    fn add(&mut self, part: Value, inside: Option<String>) {
        let Some(name) = part["bom-ref"].as_str().map(str::to_owned) else {
            return;
        };
        match inside {
            Some(above) => self.holds.entry(above).or_default().insert(name.clone()),
            None => self.top.insert(name.clone()),
        };
        let Some(known) = self.components.get_mut(&name) else {
            self.components.insert(name, part);
            return;
        };
        let (place, places) = ("/evidence/occurrences/0", "/evidence/occurrences");
        let place = part.pointer(place).cloned();
        if let Some(Value::Array(places)) = known.pointer_mut(places) {
            places.extend(place);
        }
    }

    fn document(self, main: Value, time: Option<u64>) -> Value {
        let whole = main["bom-ref"].as_str().unwrap_or_default().to_owned();
        let mut edges = vec![json!({ "ref": whole, "dependsOn": self.top })];
        for name in self.components.keys() {
            let below = self.holds.get(name).cloned().unwrap_or_default();
            edges.push(json!({ "ref": name, "dependsOn": below }));
        }
        let mut metadata = json!({
            "tools": { "components": [{
                "type": "application",
                "name": "jitsi-install",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": main,
        });
        let time = time.and_then(|time| i64::try_from(time).ok());
        let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
        if let Some(time) = time.and_then(|time| time.format(&Rfc3339).ok()) {
            metadata["timestamp"] = json!(time);
        }
        let mut document = json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": metadata,
            "components": self.components.into_values().collect::<Vec<_>>(),
            "dependencies": edges,
        });
        document["serialNumber"] = json!(serial(&document));
        document
    }
}

/// A UUID of version 8 (RFC 9562) out of everything else.
fn serial(document: &Value) -> String {
    let mut bytes = Sha256::digest(document.to_string());
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes[..16].iter().map(|b| format!("{b:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    format!("urn:uuid:{}", parts.join("-"))
}

/// SHA-256 of what is in a file, in hexadecimal.
fn digest<S: Read + Seek>(content: &Content, spool: &mut S) -> Result<String, PackageError> {
    let mut hash = Sha256::new();
    let mut from = content.open(spool)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests;
