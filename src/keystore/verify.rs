//! Whether Java would open a store and serve TLS with it, point by point.
//!
//! A server (Jetty in Jitsi Videobridge) is given a file and a password, and takes the one private
//! key that it finds. To add a point: here when it is about the store, in `examine.rs` when it is
//! about any chain; each with its words in `tests/keystore/`.

use super::{
    certificate::{describe, printable},
    error::KeystoreError,
    examine::{self, Finding, Grade},
    key::PrivateKey,
    pair::KeyPair,
    protection::Use,
    store::{Entry, Format, Kind, Store},
};

/// What a store should be good for.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// The host that clients ask for.
    pub domain: Option<&'a str>,
    /// The pair that should be in it.
    pub pair: Option<&'a KeyPair>,
}

const ANEW: &str = "make it anew with `jitsi-install keystore build`";

/// Examines a store at that time (seconds since 1970).
#[must_use]
pub fn verify(bytes: &[u8], password: &str, wanted: &Wanted<'_>, unix_now: i64) -> Vec<Finding> {
    let store = match Store::open(bytes, Some(password)) {
        Ok(store) => store,
        Err(error) => return vec![unopened(&error)],
    };
    let mut findings = vec![Finding::ok(
        "password",
        format!("opens the {} keystore", store.format),
    )];
    findings.extend(open_to_all(bytes, &store));
    findings.push(protection(&store));
    let keys: Vec<&Entry> = store
        .entries
        .iter()
        .filter(|entry| entry.kind == Kind::PrivateKey)
        .collect();
    match keys.as_slice() {
        [] => findings.push(Finding::bad("entries", "no private key", ANEW)),
        [key] => {
            findings.push(alias(&store, key));
            findings.extend(entry(key, wanted, unix_now));
        }
        [_, ..] => {
            let what = format!(
                "{} private keys: which one is served is not certain",
                keys.len()
            );
            findings.push(Finding::warn("entries", what, ANEW));
            for key in keys {
                findings.push(alias(&store, key));
                findings.extend(entry(key, wanted, unix_now));
            }
        }
    }
    findings
}

/// Why it does not open.
fn unopened(error: &KeystoreError) -> Finding {
    let about = match error {
        KeystoreError::WrongPassword(_) | KeystoreError::OtherKeyPassword(_) => "password",
        KeystoreError::UnsupportedStore(..) => "protection",
        _ => "format",
    };
    Finding::bad(about, error.to_string(), error.hint().unwrap_or(ANEW))
}

/// A store without encryption and MAC seems to open with whatever password is tried.
fn open_to_all(bytes: &[u8], store: &Store) -> Option<Finding> {
    (store.format == Format::Pkcs12 && Store::open(bytes, Some("")).is_ok()).then(|| {
        Finding::bad(
            "password",
            "everybody can open the keystore, without one",
            ANEW,
        )
    })
}

fn protection(store: &Store) -> Finding {
    let names = |of| store.protection.names(of).join(", ");
    if store.protection.open_key {
        let what = "the private key is not encrypted, and Java passes over such a key";
        return Finding::bad("protection", what, ANEW);
    }
    let (foreign, old) = (names(Use::NotInJava), names(Use::Old));
    if !foreign.is_empty() {
        return Finding::bad(
            "protection",
            format!("{foreign}: Java 17 does not read it"),
            ANEW,
        );
    }
    match store.format {
        Format::Jks => Finding::warn(
            "protection",
            "JKS hides the key with SHA-1 only",
            "prefer PKCS12 where the program reads it, and let nobody else read the file",
        ),
        Format::Pkcs12 if !old.is_empty() => Finding::warn(
            "protection",
            format!("{old}: broken or nearly so"),
            "make it anew without `--compat`, unless the reader needs it",
        ),
        Format::Pkcs12 => Finding::ok("protection", names(Use::Current)),
    }
}

/// JKS keeps an alias as it was written and Java looks it up in lower case.
fn alias(store: &Store, key: &Entry) -> Finding {
    let name = printable(&key.alias);
    if store.format == Format::Jks && key.alias != key.alias.to_lowercase() {
        let what = format!("`{name}` has upper-case letters, so that Java does not find it");
        return Finding::bad("alias", what, "make it anew with an alias in lower case");
    }
    Finding::ok("alias", format!("`{name}`"))
}

fn entry(entry: &Entry, wanted: &Wanted<'_>, unix_now: i64) -> Vec<Finding> {
    let Some(leaf) = entry.chain.first() else {
        let what = "no certificate has the key's id or name, so that Java has no chain for it";
        return vec![Finding::bad("chain", what, ANEW)];
    };
    let mut findings = vec![match &entry.key {
        Some(Ok(key)) => matches(key, leaf),
        Some(Err(error)) => Finding::bad("key", error.to_string(), error.hint().unwrap_or(ANEW)),
        None => Finding::bad("key", "was not read, for want of a password", ANEW),
    }];
    findings.extend(examine::chain(&entry.chain, unix_now));
    if let (Some(domain), Ok(info)) = (wanted.domain, describe(leaf)) {
        findings.push(if info.covers(domain) {
            Finding::ok("names", format!("cover `{domain}`"))
        } else {
            let names = match info.names.as_slice() {
                [] => "no name at all".to_owned(),
                names => format!("only `{}`", names.join("`, `")),
            };
            let what = format!("do not cover `{domain}`: {names}");
            Finding::bad("names", what, "have a certificate issued for that name")
        });
    }
    if let Some(pair) = wanted.pair {
        // A key that fits the leaf is the one in PEM, however its bytes are arranged.
        let same = entry.chain == pair.chain() && findings[0].grade == Grade::Ok;
        findings.push(if same {
            Finding::ok("source", "the same chain and key as in PEM")
        } else if leaf == pair.leaf() {
            Finding::bad(
                "source",
                "the same leaf as in PEM, but not the same chain or key",
                ANEW,
            )
        } else {
            Finding::bad("source", "another certificate than that in PEM", ANEW)
        });
    }
    findings
}

fn matches(key: &PrivateKey, leaf: &[u8]) -> Finding {
    let Ok(certificate) = super::certificate::parse(leaf) else {
        return Finding::bad("key", "its leaf is not a certificate", ANEW);
    };
    if *certificate.public_key().subject_public_key.data == *key.public {
        Finding::ok("key", "opens with the same password and fits the leaf")
    } else {
        Finding::bad("key", "does not fit the leaf", ANEW)
    }
}
