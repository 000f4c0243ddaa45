//! A keystore of anybody's, opened: its entries as Java 17 would see them.
//!
//! PKCS#12 is a heap of bags. Java makes entries of it (`sun.security.pkcs12.PKCS12KeyStore`): a key's
//! leaf is the certificate with the same `localKeyId`, else with the same `friendlyName`; its chain
//! follows by issuer and subject; a certificate that is in no chain is trusted if it has Oracle's
//! attribute, and invisible if not. JKS has entries of its own. To read another container: a
//! variant of [`Format`] and a function beside [`fn@jks`].

use std::fmt;

use p12_keystore::{Pkcs12Archive, error::Error as Refusal};
use x509_parser::asn1_rs::Tag;

use super::{
    certificate::parse,
    der::{SEQUENCE, fields, tlv, whole},
    error::KeystoreError,
    jks::{self, Item, Trouble},
    key::{self, PrivateKey},
    pkcs12::is_sealed,
    protection::{Protection, Use},
};

/// The form of a keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 7292; Java's own choice since version 9.
    Pkcs12,
    /// Java's own form before.
    Jks,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs12 => "PKCS12",
            Self::Jks => "JKS",
        })
    }
}

/// What an entry is to Java.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A private key with its chain.
    PrivateKey,
    /// A certificate to trust.
    TrustedCertificate,
    /// A secret key, which has no certificate.
    SecretKey,
    /// A certificate that belongs to no key and is not trusted: Java does not see it.
    LooseCertificate,
}

impl Kind {
    /// As keytool has it; `certificate, not seen by Java` for a loose one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "PrivateKeyEntry",
            Self::TrustedCertificate => "trustedCertEntry",
            Self::SecretKey => "SecretKeyEntry",
            Self::LooseCertificate => "certificate, not seen by Java",
        }
    }
}

/// What stands under one alias.
#[derive(Debug)]
pub struct Entry {
    /// As Java looks it up; not printable as it is: see [`super::printable`].
    pub alias: String,
    /// What it is.
    pub kind: Kind,
    /// Certificates in DER, leaf first; empty for a key whose leaf Java does not find.
    pub chain: Vec<Vec<u8>>,
    /// The private key, if there is one and it was asked for.
    pub(super) key: Option<Result<PrivateKey, KeystoreError>>,
}

/// An opened keystore.
#[derive(Debug)]
pub struct Store {
    /// Its form.
    pub format: Format,
    /// In the order of the file; keys before certificates in PKCS#12.
    pub entries: Vec<Entry>,
    pub(super) protection: Protection,
}

impl Store {
    /// Opens a keystore. Without a password JKS shows its certificates, unproved, and PKCS#12 opens
    /// if it is not encrypted.
    ///
    /// # Errors
    /// [`KeystoreError::NotAKeystore`], [`KeystoreError::DamagedStore`], [`KeystoreError::WrongPassword`],
    /// [`KeystoreError::PasswordNeeded`], [`KeystoreError::OtherKeyPassword`],
    /// [`KeystoreError::UnsupportedStore`].
    pub fn open(bytes: &[u8], password: Option<&str>) -> Result<Self, KeystoreError> {
        match bytes {
            [] => Err(KeystoreError::NotAKeystore("the file is empty")),
            [0x30, ..] => pkcs12(bytes, password),
            [0xce, 0xce, 0xce, 0xce, ..] => Err(KeystoreError::NotAKeystore(
                "it is JCEKS, which is not read here",
            )),
            _ if bytes.starts_with(&jks::MAGIC) => jks(bytes, password),
            _ if bytes.starts_with(b"-----BEGIN") => Err(KeystoreError::NotAKeystore("it is PEM")),
            _ => Err(KeystoreError::NotAKeystore(
                "it begins neither as PKCS12 nor as JKS",
            )),
        }
    }

    /// The algorithms that guard it, such as `AES-256`.
    #[must_use]
    pub fn algorithms(&self) -> Vec<&'static str> {
        let found = self.protection.found.iter();
        found.map(|(name, _)| *name).collect()
    }
}

fn jks(bytes: &[u8], password: Option<&str>) -> Result<Store, KeystoreError> {
    let found = match jks::read(bytes, password) {
        Ok(found) => found,
        Err(Trouble::Damaged) => {
            let why = "it is cut, or a length in it is wrong";
            return Err(KeystoreError::DamagedStore(Format::Jks, why));
        }
        // A key that opens proves the password, so that it must be the rest that has changed.
        Err(Trouble::Digest) => {
            let opens = |entry: &jks::Entry| match &entry.item {
                Item::Key { locked, .. } => {
                    password.is_some_and(|password| jks::unlock(locked, password).is_some())
                }
                Item::Trusted(_) => false,
            };
            let is_right = jks::read(bytes, None).is_ok_and(|found| found.iter().any(opens));
            return Err(if is_right {
                KeystoreError::DamagedStore(Format::Jks, CHANGED)
            } else {
                KeystoreError::WrongPassword(Format::Jks)
            });
        }
    };
    let entry = |jks::Entry { alias, item }| match item {
        Item::Key { locked, chain } => Entry {
            alias,
            kind: Kind::PrivateKey,
            chain,
            key: password.map(|password| {
                let der = jks::unlock(&locked, password)
                    .ok_or(KeystoreError::OtherKeyPassword(Format::Jks))?;
                private_key(&der)
            }),
        },
        Item::Trusted(der) => Entry {
            alias,
            kind: Kind::TrustedCertificate,
            chain: vec![der],
            key: None,
        },
    };
    Ok(Store {
        format: Format::Jks,
        entries: found.into_iter().map(entry).collect(),
        protection: Protection {
            found: vec![("SHA-1 and XOR", Use::Old)],
            open_key: false,
        },
    })
}

const CHANGED: &str = "it was changed after it was written";

fn private_key(der: &[u8]) -> Result<PrivateKey, KeystoreError> {
    key::check(der).unwrap_or_else(|| {
        Err(KeystoreError::UnsupportedKey(
            "it is not a key in PKCS#8".to_owned(),
        ))
    })
}

fn pkcs12(bytes: &[u8], password: Option<&str>) -> Result<Store, KeystoreError> {
    let unsealed = unseal(bytes)?;
    let protection = Protection::read(bytes);
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default())
        .map_err(|error| refusal(&error, bytes, password, &unsealed, &protection))?;
    Ok(Store {
        format: Format::Pkcs12,
        entries: entries(&archive),
        protection,
    })
}

/// The store without the MAC that seals it; an error when it is none, or not whole.
fn unseal(bytes: &[u8]) -> Result<Vec<u8>, KeystoreError> {
    let no_store = KeystoreError::NotAKeystore("it is DER, but not PKCS12");
    let cut = KeystoreError::DamagedStore(Format::Pkcs12, "it is cut, or a length in it is wrong");
    if bytes.get(1) == Some(&0x80) {
        let what = "lengths without an end (BER)".to_owned();
        return Err(KeystoreError::UnsupportedStore(Format::Pkcs12, what));
    }
    let Some(outer) = whole(bytes, Tag::Sequence) else {
        // The version, 3, tells a store that is cut from other DER that is.
        let begins = bytes.windows(3).take(8).any(|window| window == [2, 1, 3]);
        return Err(if begins || bytes.len() < 8 {
            cut
        } else {
            no_store
        });
    };
    let parts = fields(outer.data).ok_or(cut)?;
    match parts.as_slice() {
        [version, safe, ..] if version.tag() == Tag::Integer && safe.tag() == Tag::Sequence => {
            let safe = tlv(SEQUENCE, &[safe.data]);
            Ok(tlv(SEQUENCE, &[&tlv(2, &[version.data]), &safe]).to_vec())
        }
        _ => Err(no_store),
    }
}

/// What the library's refusal means.
fn refusal(
    error: &Refusal,
    bytes: &[u8],
    password: Option<&str>,
    unsealed: &[u8],
    protection: &Protection,
) -> KeystoreError {
    let format = Format::Pkcs12;
    let Some(password) = password else {
        return KeystoreError::PasswordNeeded(format);
    };
    let opens = |bytes: &[u8], password: &str| Pkcs12Archive::from_pkcs12(bytes, password).is_ok();
    match error {
        // The password decrypts and another does not: it is right, and the contents are not.
        Refusal::MacError(_) if opens(unsealed, password) && !opens(unsealed, "") => {
            KeystoreError::DamagedStore(format, CHANGED)
        }
        Refusal::MacError(_) => KeystoreError::WrongPassword(format),
        Refusal::UnsupportedEncryptionScheme | Refusal::UnsupportedMacAlgorithm => {
            let names = protection.names(Use::NotInJava);
            let names = if names.is_empty() {
                protection.found.iter().map(|(name, _)| *name).collect()
            } else {
                names
            };
            KeystoreError::UnsupportedStore(format, format!("`{}`", names.join("`, `")))
        }
        Refusal::InvalidParameters => {
            KeystoreError::UnsupportedStore(format, "too many rounds, or none".to_owned())
        }
        Refusal::Pkcs5Error(_) | Refusal::UnpadError if is_sealed(bytes) => {
            KeystoreError::OtherKeyPassword(format)
        }
        Refusal::Pkcs5Error(_) | Refusal::UnpadError => KeystoreError::WrongPassword(format),
        _ => KeystoreError::DamagedStore(format, "its parts are not what they should be"),
    }
}

fn entries(archive: &Pkcs12Archive) -> Vec<Entry> {
    let mut used = vec![false; archive.certs.len()];
    // Java counts what has no name.
    let mut nameless = 0;
    let mut name = |friendly_name: Option<&str>| match friendly_name {
        Some(name) => name.to_lowercase(),
        None => {
            nameless += 1;
            nameless.to_string()
        }
    };
    let mut entries = Vec::new();
    for bag in &archive.keys {
        let id = bag.local_key_id.as_ref().map(AsRef::as_ref);
        let by_id = |i: &usize| id.is_some() && archive.certs[*i].local_key_id.as_deref() == id;
        let by_name = |i: &usize| {
            bag.friendly_name.is_some() && archive.certs[*i].friendly_name == bag.friendly_name
        };
        let all = || 0..archive.certs.len();
        let leaf = all().find(by_id).or_else(|| all().find(by_name));
        let chain = leaf.map_or(Vec::new(), |leaf| chain_from(archive, leaf, &mut used));
        entries.push(Entry {
            alias: name(bag.friendly_name.as_deref()),
            kind: Kind::PrivateKey,
            chain,
            key: Some(private_key(bag.key.as_der())),
        });
    }
    for bag in &archive.secrets {
        entries.push(Entry {
            alias: name(bag.friendly_name.as_deref()),
            kind: Kind::SecretKey,
            chain: Vec::new(),
            key: None,
        });
    }
    for (bag, _) in archive.certs.iter().zip(used).filter(|(_, used)| !used) {
        entries.push(Entry {
            alias: name(bag.friendly_name.as_deref()),
            kind: if bag.trusted {
                Kind::TrustedCertificate
            } else {
                Kind::LooseCertificate
            },
            chain: vec![bag.cert.as_der().to_vec()],
            key: None,
        });
    }
    entries
}

/// The leaf and whatever follows by issuer and subject; marks what was used.
fn chain_from(archive: &Pkcs12Archive, leaf: usize, used: &mut [bool]) -> Vec<Vec<u8>> {
    let mut chain = Vec::new();
    let mut next = Some(leaf);
    while let Some(place) = next {
        let der = archive.certs[place].cert.as_der();
        if chain.iter().any(|other: &Vec<u8>| other == der) {
            break;
        }
        used[place] = true;
        chain.push(der.to_vec());
        let Ok(certificate) = parse(der) else { break };
        let issuer = certificate.issuer().as_raw();
        next = (issuer != certificate.subject().as_raw())
            .then(|| {
                archive.certs.iter().position(|bag| {
                    parse(bag.cert.as_der()).is_ok_and(|other| other.subject().as_raw() == issuer)
                })
            })
            .flatten();
    }
    chain
}
