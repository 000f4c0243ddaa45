//! A key pair as a PKCS#12 keystore (RFC 7292) in the form that JDK 17 writes itself.
//!
//! PBES2 with AES-256 and HMAC-SHA256, 10,000 iterations: the default of `java.security` since
//! JDK 16, and readable by OpenSSL 3 without its legacy provider. What Java insists on:
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
use zeroize::Zeroizing;

use super::{
    credential::{Alias, Password},
    error::KeystoreError,
    pair::KeyPair,
};

/// Of both key derivations; Java reads up to 5,000,000 and takes a second for one million.
const ITERATIONS: u32 = 10_000;

/// Makes a keystore with the pair as its only entry. Its bytes differ from call to call.
///
/// # Errors
/// [`KeystoreError::Write`] when the writer refuses what [`KeyPair`] has accepted, which is a bug.
pub fn build_pkcs12(
    pair: &KeyPair,
    alias: &Alias,
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let certificates = pair.chain().iter().map(|der| Certificate::from_der(der));
    let certificates = certificates
        .collect::<Result<Vec<_>, _>>()
        .map_err(refused)?;
    let key = PrivateKey::from_der(pair.key_pkcs8()).map_err(refused)?;
    let chain = PrivateKeyChain::new(local_key_id(pair.leaf()), key, certificates);
    write([(alias, KeyStoreEntry::PrivateKeyChain(chain))], password).map(Zeroizing::new)
}

/// Whether these bytes are a keystore that this password opens, with exactly one entry: this
/// alias, this chain, this key.
///
/// `false` also for a store that any password opens, or whose ciphers are out of use: build anew.
#[must_use]
pub fn pkcs12_holds(bytes: &[u8], pair: &KeyPair, alias: &Alias, password: &Password) -> bool {
    let Some(archive) = open(bytes, password) else {
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

/// Encrypts entries in the one form that this room writes.
pub(super) fn write<'a>(
    entries: impl IntoIterator<Item = (&'a Alias, KeyStoreEntry)>,
    password: &Password,
) -> Result<Vec<u8>, KeystoreError> {
    let mut store = KeyStore::new();
    for (alias, entry) in entries {
        store.add_entry(alias.as_str(), entry);
    }
    store
        .writer(password.reveal())
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(refused)
}

/// Decrypts a store, unless it is one that needs no password.
pub(super) fn open(bytes: &[u8], password: &Password) -> Option<Pkcs12Archive> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.reveal()).ok()?;
    // Without encryption and MAC any password seems right; the library does not mind, we do.
    let is_open_to_all = Pkcs12Archive::from_pkcs12(bytes, "").is_ok();
    (!is_open_to_all).then_some(archive)
}

/// Whether a bag has this alias, in whatever case: Java folds it.
pub(super) fn is_named(friendly_name: Option<&str>, alias: &Alias) -> bool {
    friendly_name.is_some_and(|name| name.to_lowercase() == alias.as_str())
}

/// The writer refused something that had been checked.
pub(super) fn refused(error: p12_keystore::error::Error) -> KeystoreError {
    KeystoreError::Write(error.to_string())
}

/// OpenSSL's choice: SHA-1 of the leaf. It only links bags, so a weak hash is good enough.
fn local_key_id(leaf: &[u8]) -> Vec<u8> {
    Sha1::digest(leaf).to_vec()
}
