//! Private keys: every form that OpenSSL and acme.sh write becomes PKCS#8, the only one Java reads.
//!
//! A key that is wrapped wrongly makes a keystore that `keytool -list` praises and Java cannot
//! use, so a key that comes out of here has been read back by a cryptographic library, which also
//! tells its public half. No key byte may get into a message; buffers are wiped on drop.
//!
//! To add a form: its PEM name in [`read`] and [`to_pkcs8`], and a case in `tests/keystore.rs`.

use rustls_pki_types::PrivatePkcs8KeyDer;
use x509_parser::{
    asn1_rs::{Any, Class, FromDer, Oid, Tag},
    oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION},
};
use zeroize::Zeroizing;

use super::{
    algorithm::Algorithm,
    error::{KeystoreError, Part},
    pem::{self, Block},
};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// A private key that a library has read, with its public half.
pub(super) struct PrivateKey {
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// As the bits of a certificate's `subjectPublicKey` have it.
    pub(super) public: Vec<u8>,
}

/// Finds the one private key in a text; a second copy of the same key does no harm.
pub(super) fn read(key_pem: &[u8]) -> Result<PrivateKey, KeystoreError> {
    let blocks = pem::blocks(key_pem, Part::Key)?;
    if blocks.iter().any(Block::is_encrypted) {
        return Err(KeystoreError::EncryptedKey);
    }
    let mut found: Option<PrivateKey> = None;
    for block in &blocks {
        if !matches!(
            block.label,
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"
        ) {
            continue;
        }
        let key = check(to_pkcs8(block)?, block)?;
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
    let key = tlv(OCTET_STRING, &[&der]);
    Ok(tlv(SEQUENCE, &[&[INTEGER, 1, 0], &algorithm, &key]))
}

/// Has the key read by the library under exactly the algorithm it claims (rcgen's own guessing
/// would also take a SEC1 key that is labelled as PKCS#8, which Java then refuses).
fn check(pkcs8: Zeroizing<Vec<u8>>, block: &Block<'_>) -> Result<PrivateKey, KeystoreError> {
    let algorithm = pkcs8_algorithm(&pkcs8)
        .ok_or_else(|| block.damaged("is not the kind of key that its name says"))??;
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(pkcs8.as_slice()),
        algorithm.for_reading(),
    )
    .map_err(|_| {
        let name = algorithm.name();
        KeystoreError::UnsupportedKey(format!(
            "it is not a sound {name} key, or of a size out of use"
        ))
    })?;
    let public = pair.public_key_raw().to_vec();
    Ok(PrivateKey { pkcs8, public })
}

/// The algorithm in a PKCS#8 key; `None` when it is not PKCS#8 at all.
fn pkcs8_algorithm(pkcs8: &[u8]) -> Option<Result<Algorithm, KeystoreError>> {
    let fields = fields(whole(pkcs8, Tag::Sequence)?.data)?;
    let [version, algorithm, key, ..] = fields.as_slice() else {
        return None;
    };
    if (version.tag(), algorithm.tag(), key.tag())
        != (Tag::Integer, Tag::Sequence, Tag::OctetString)
    {
        return None;
    }
    let identifier = self::fields(algorithm.data)?;
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
#[allow(clippy::option_option)] // two different failures, told apart by the one caller
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

/// One element that fills all the bytes.
fn whole(der: &[u8], tag: Tag) -> Option<Any<'_>> {
    let (rest, any) = Any::from_der(der).ok()?;
    (rest.is_empty() && any.tag() == tag).then_some(any)
}

/// The elements that lie side by side in the content of a sequence.
fn fields(mut content: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut fields = Vec::new();
    while !content.is_empty() {
        let (rest, any) = Any::from_der(content).ok()?;
        fields.push(any);
        content = rest;
    }
    Some(fields)
}

/// One DER element around its parts; the buffer is made in full at once, so that growing leaves no
/// copy of a key behind.
fn tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 10));
    out.push(tag);
    let bytes = length.to_be_bytes();
    let digits = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
    match length {
        0..=0x7f => out.push(length as u8),
        _ => {
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}
