//! Private keys: every form that OpenSSL, acme.sh, certbot, lego and Caddy write becomes PKCS#8 of
//! version 1 (RFC 5208) without attributes, the only one that every Java reads.
//!
//! A key that is wrapped wrongly makes a keystore that `keytool -list` praises and Java cannot
//! use, so a key that comes out of here has been read back by a cryptographic library, which also
//! tells its public half. No key byte may get into a message; buffers are wiped on drop.
//!
//! To add a form: its PEM name in [`read`] and [`to_pkcs8`], and a case in `tests/keystore.rs`.

use std::fmt;

use rustls_pki_types::PrivatePkcs8KeyDer;
use x509_parser::{
    asn1_rs::{Class, Oid, Tag},
    oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION},
};
use zeroize::Zeroizing;

use super::{
    algorithm::Algorithm,
    der::{INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, fields, tlv, whole},
    error::{KeystoreError, Part},
    locked,
    pem::{self, Block},
};

/// A private key that a library has read, with its public half.
pub(super) struct PrivateKey {
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// As the bits of a certificate's `subjectPublicKey` have it.
    pub(super) public: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••")
    }
}

/// Finds the one private key in a text; a second copy of the same key does no harm. `pass_phrase`
/// opens encrypted PKCS#8 and is not looked at for a key that stands open.
pub(super) fn read(
    key_pem: &[u8],
    pass_phrase: Option<&[u8]>,
) -> Result<PrivateKey, KeystoreError> {
    let blocks = pem::blocks(key_pem, Part::Key)?;
    let mut found: Option<PrivateKey> = None;
    for block in &blocks {
        let pkcs8 = match (block.label, pass_phrase) {
            (_, None) if block.is_encrypted() => return Err(KeystoreError::EncryptedKey),
            ("ENCRYPTED PRIVATE KEY", Some(pass_phrase)) => {
                locked::open(&block.der()?, pass_phrase)
                    .ok_or_else(|| block.damaged("is not an encrypted key"))??
            }
            (_, Some(_)) if block.is_encrypted() => {
                let old = "OpenSSL's old form with `DEK-Info`".to_owned();
                return Err(KeystoreError::UnsupportedLock(old));
            }
            ("PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY", _) => to_pkcs8(block)?,
            _ => continue,
        };
        let key = check(&pkcs8)
            .ok_or_else(|| block.damaged("is not the kind of key that its name says"))??;
        match &found {
            Some(first) if first.public != key.public => return Err(KeystoreError::TwoKeys),
            Some(_) => {}
            None => found = Some(key),
        }
    }
    found.ok_or_else(|| KeystoreError::NoPrivateKey(pem::labels(&blocks)))
}

/// Wraps PKCS#1 (RFC 8017) and SEC1 (RFC 5915) keys into PKCS#8 (RFC 5208); leaves PKCS#8 as it is.
fn to_pkcs8(block: &Block<'_>) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let der = block.der()?;
    let algorithm = match block.label {
        "RSA PRIVATE KEY" => {
            let oid = tlv(OBJECT_IDENTIFIER, &[OID_PKCS1_RSAENCRYPTION.as_bytes()]);
            tlv(SEQUENCE, &[&oid, &[NULL, 0]])
        }
        "EC PRIVATE KEY" => {
            let curve = sec1_curve(&der).ok_or_else(|| block.damaged("is not a SEC1 key"))?;
            let curve = curve.ok_or_else(nameless_curve)?;
            let oid = tlv(OBJECT_IDENTIFIER, &[OID_KEY_TYPE_EC_PUBLIC_KEY.as_bytes()]);
            let curve = tlv(OBJECT_IDENTIFIER, &[&curve]);
            tlv(SEQUENCE, &[&oid, &curve])
        }
        _ => return Ok(der),
    };
    Ok(version_one(&algorithm, &tlv(OCTET_STRING, &[&der])))
}

fn version_one(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(SEQUENCE, &[&[INTEGER, 1, 0], algorithm, key])
}

/// Has the key read by the library under exactly the algorithm it claims (rcgen's own guessing
/// would also take a SEC1 key that is labelled as PKCS#8, which Java then refuses); `None` when it
/// is not PKCS#8 at all.
pub(super) fn check(pkcs8: &[u8]) -> Option<Result<PrivateKey, KeystoreError>> {
    let fields = fields(whole(pkcs8, Tag::Sequence)?.data)?;
    let [version, identifier, key, ..] = fields.as_slice() else {
        return None;
    };
    if (version.tag(), identifier.tag(), key.tag())
        != (Tag::Integer, Tag::Sequence, Tag::OctetString)
    {
        return None;
    }
    let algorithm = match algorithm(identifier.data)? {
        Ok(algorithm) => algorithm,
        Err(error) => return Some(Err(error)),
    };
    // The version counts from 0; 1 (RFC 5958) may carry the public half, which no one needs.
    let plain = version_one(
        &tlv(SEQUENCE, &[identifier.data]),
        &tlv(OCTET_STRING, &[key.data]),
    );
    let read = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(plain.as_slice()),
        algorithm.for_reading(),
    );
    Some(match read {
        Ok(pair) => Ok(PrivateKey {
            public: pair.public_key_raw().to_vec(),
            pkcs8: plain,
        }),
        Err(_) => Err(KeystoreError::UnsupportedKey(format!(
            "it is not a sound {} key, or of a size out of use",
            algorithm.name()
        ))),
    })
}

/// The algorithm that an identifier names; `None` when it is none.
fn algorithm(identifier: &[u8]) -> Option<Result<Algorithm, KeystoreError>> {
    let identifier = fields(identifier)?;
    let oid = identifier.first()?.as_oid().ok()?;
    let curve = Algorithm::curve(identifier.get(1));
    Some(match Algorithm::from_oids(&oid, curve.as_ref()) {
        Some(known) => Ok(known),
        None if oid == OID_KEY_TYPE_EC_PUBLIC_KEY && curve.is_none() => Err(nameless_curve()),
        None => Err(unknown(curve.as_ref().unwrap_or(&oid))),
    })
}

/// The content of the curve's object identifier in a SEC1 key; the outer `None` when it is not
/// SEC1, the inner one when the curve is left out or described by numbers.
fn sec1_curve(der: &[u8]) -> Option<Option<Vec<u8>>> {
    let fields = fields(whole(der, Tag::Sequence)?.data)?;
    let [version, key, rest @ ..] = fields.as_slice() else {
        return None;
    };
    if (version.tag(), key.tag()) != (Tag::Integer, Tag::OctetString) {
        return None;
    }
    let parameters = rest
        .iter()
        .find(|any| any.class() == Class::ContextSpecific && any.tag() == Tag(0));
    Some(parameters.and_then(|any| Some(whole(any.data, Tag::Oid)?.data.to_vec())))
}

fn nameless_curve() -> KeystoreError {
    KeystoreError::UnsupportedKey("its elliptic curve is not given by name".to_owned())
}

fn unknown(oid: &Oid<'_>) -> KeystoreError {
    KeystoreError::UnsupportedKey(format!("its algorithm is `{oid}`"))
}
