//! A key pair as a PKCS#12 keystore (RFC 7292) in the form that JDK 17 writes itself.
//!
//! PBES2 with AES-256 and HMAC-SHA256, 10,000 iterations: the default of `java.security` since
//! JDK 16, and readable by OpenSSL 3 without its legacy provider. For readers that are older (Java 8
//! before update 301) triple DES and SHA-1, when asked. What Java insists on:
//! - the alias is the `friendlyName` of the key's bag; without one it is `1`;
//! - key and leaf share a `localKeyId`, else the alias has no chain and TLS no certificate;
//! - the key's password is the store's.
//!
//! Exactly one key goes in, since Jitsi Videobridge (Jetty) cannot be told an alias. To write
//! another container, add a file beside this one.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive,
    PrivateKey, PrivateKeyChain,
};
use sha1::{Digest, Sha1};
use x509_parser::asn1_rs::Tag;
use zeroize::Zeroizing;

use super::{
    credential::{Alias, Password},
    der::{fields, whole},
    error::KeystoreError,
    pair::KeyPair,
    pfx::{self, Attributes, ITERATIONS},
    protection::{Protection, Use},
};

/// By whom a store will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readers {
    /// Java since 8u301 and 11.0.12, OpenSSL since 1.1: AES-256, SHA-256.
    #[default]
    Current,
    /// Older ones: triple DES (PBE-SHA1-3DES) and a MAC with SHA-1.
    Old,
}

/// Makes a keystore with the pair as its only entry. Its bytes differ from call to call.
///
/// # Errors
/// [`KeystoreError::Write`] when the writer refuses what [`KeyPair`] has accepted, which is a bug.
pub fn build_pkcs12(
    pair: &KeyPair,
    alias: &Alias,
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    build_pkcs12_for(pair, alias, password, Readers::Current)
}

/// As [`build_pkcs12`], for the readers that are named.
///
/// # Errors
/// As [`build_pkcs12`].
pub fn build_pkcs12_for(
    pair: &KeyPair,
    alias: &Alias,
    password: &Password,
    readers: Readers,
) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let id = local_key_id(pair.leaf());
    match readers {
        Readers::Current => {
            let own = Attributes {
                friendly_name: Some(alias.as_str()),
                local_key_id: Some(&id),
                trusted: false,
            };
            let certificates: Vec<_> = pair
                .chain()
                .iter()
                .enumerate()
                .map(|(place, der)| match place {
                    0 => (der.as_slice(), own),
                    _ => (der.as_slice(), Attributes::default()),
                })
                .collect();
            let key = Some((pair.key_pkcs8(), own));
            pfx::write(key, &certificates, password.reveal())
                .map(Zeroizing::new)
                .map_err(|_| KeystoreError::Write("no randomness, or no cipher".to_owned()))
        }
        Readers::Old => {
            old(pair, alias, id, password).map_err(|error| KeystoreError::Write(error.to_string()))
        }
    }
}

/// As OpenSSL before 3 and Java before 8u301 wrote it.
fn old(
    pair: &KeyPair,
    alias: &Alias,
    id: Vec<u8>,
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, p12_keystore::error::Error> {
    let certificates = pair.chain().iter().map(|der| Certificate::from_der(der));
    let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKey::from_der(pair.key_pkcs8())?;
    let chain = PrivateKeyChain::new(id, key, certificates);
    let mut store = KeyStore::new();
    store.add_entry(alias.as_str(), KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password.reveal())
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .mac_iterations(ITERATIONS)
        .write()
        .map(Zeroizing::new)
}

/// Whether these bytes are a keystore that this password opens, with exactly one entry: this
/// alias, this chain, this key.
///
/// `false` also for a store that any password opens, or whose ciphers are out of use: build anew.
#[must_use]
pub fn pkcs12_holds(bytes: &[u8], pair: &KeyPair, alias: &Alias, password: &Password) -> bool {
    pkcs12_holds_for(bytes, pair, alias, password, Readers::Current)
}

/// As [`pkcs12_holds`], and that it is encrypted for the readers that are named.
#[must_use]
pub fn pkcs12_holds_for(
    bytes: &[u8],
    pair: &KeyPair,
    alias: &Alias,
    password: &Password,
    readers: Readers,
) -> bool {
    let Some(archive) = open(bytes, password, readers) else {
        return false;
    };
    let [key] = archive.keys.as_slice() else {
        return false;
    };
    // Java takes the certificate with the key's id as the leaf, and finds the others by name.
    let Some(id) = key.local_key_id.as_ref().map(|id| id.as_ref()) else {
        return false;
    };
    let (leaves, issuers): (Vec<_>, Vec<_>) = archive
        .certs
        .iter()
        .partition(|bag| bag.local_key_id.as_deref() == Some(id));
    let mut found: Vec<&[u8]> = issuers.iter().map(|bag| bag.cert.as_der()).collect();
    let mut wanted: Vec<&[u8]> = pair.chain()[1..].iter().map(Vec::as_slice).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    archive.secrets.is_empty()
        && is_named(key.friendly_name.as_deref(), alias)
        && key.key.as_der() == pair.key_pkcs8()
        && matches!(leaves.as_slice(), [leaf] if leaf.cert.as_der() == pair.leaf())
        && found == wanted
        && archive.certs.iter().all(|bag| !bag.trusted)
}

/// Decrypts a store, unless it is one that needs no password or is encrypted for other readers.
pub(super) fn open(bytes: &[u8], password: &Password, readers: Readers) -> Option<Pkcs12Archive> {
    let protection = Protection::read(bytes);
    let is_for_them = match readers {
        Readers::Current => protection
            .found
            .iter()
            .all(|(_, what)| *what == Use::Current),
        Readers::Old => protection.has("PBE-SHA1-3DES") && protection.found.len() == 2,
    };
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.reveal()).ok()?;
    // Without a MAC and encryption any password seems right; the library does not mind, we do. A key
    // beside a MAC may still lie open, and then Java passes it over.
    let is_open_to_all = !is_sealed(bytes) && Pkcs12Archive::from_pkcs12(bytes, "").is_ok();
    (is_for_them && !is_open_to_all && !protection.open_key).then_some(archive)
}

/// Whether there is a MAC, the third part of a store.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    whole(bytes, Tag::Sequence)
        .and_then(|outer| fields(outer.data))
        .is_some_and(|parts| parts.len() > 2)
}

/// Whether a bag has this alias, in whatever case: Java folds it.
pub(super) fn is_named(friendly_name: Option<&str>, alias: &Alias) -> bool {
    friendly_name.is_some_and(|name| name.to_lowercase() == alias.as_str())
}

/// OpenSSL's choice: SHA-1 of the leaf. It only links bags, so a weak hash is good enough.
fn local_key_id(leaf: &[u8]) -> Vec<u8> {
    Sha1::digest(leaf).to_vec()
}
