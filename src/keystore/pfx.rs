//! The structure of a PKCS#12 file (PFX, RFC 7292), written for readers of today.
//!
//! Keys and certificates are encrypted with PBES2 (RFC 8018): AES-256 and PBKDF2 with HMAC-SHA256. Most
//! of the time goes into deriving keys, and a password is derived once for both parts, which
//! differ in their initial vectors: whoever guesses passwords has to derive each guess once in
//! any case, since either part tells whether it was right. Bytes become a store here; what goes
//! into it is decided in `pkcs12.rs` and `truststore.rs`.

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    error::Unspecified,
    hmac,
    iv::FixedLength,
};
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::{Oid, oid};
use zeroize::Zeroizing;

use super::der::{INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, tlv};

/// Of both derivations: Java's default; OpenSSL's is 2,048. Java reads up to 5,000,000, and takes a
/// second for one million.
pub(super) const ITERATIONS: u32 = 10_000;

const BMP_STRING: u8 = 0x1e;
const SET: u8 = 0x31;
const EXPLICIT: u8 = 0xa0;
const IMPLICIT: u8 = 0x80;

const DATA: Oid<'static> = oid!(1.2.840.113549.1.7.1);
const ENCRYPTED_DATA: Oid<'static> = oid!(1.2.840.113549.1.7.6);
const SHROUDED_KEY: Oid<'static> = oid!(1.2.840.113549.1.12.10.1.2);
const CERTIFICATE: Oid<'static> = oid!(1.2.840.113549.1.12.10.1.3);
const X509: Oid<'static> = oid!(1.2.840.113549.1.9.22.1);
const FRIENDLY_NAME: Oid<'static> = oid!(1.2.840.113549.1.9.20);
const LOCAL_KEY_ID: Oid<'static> = oid!(1.2.840.113549.1.9.21);
const ORACLE_TRUSTED: Oid<'static> = oid!(2.16.840.1.113894.746875.1.1);
const ANY_USAGE: Oid<'static> = oid!(2.5.29.37.0);
const PBES2: Oid<'static> = oid!(1.2.840.113549.1.5.13);
const PBKDF2: Oid<'static> = oid!(1.2.840.113549.1.5.12);
const HMAC_SHA256: Oid<'static> = oid!(1.2.840.113549.2.9);
const AES_256_CBC: Oid<'static> = oid!(2.16.840.1.101.3.4.1.42);
const SHA_256: Oid<'static> = oid!(2.16.840.1.101.3.4.2.1);

/// What a bag says about itself beside its content.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub(super) friendly_name: Option<&'a str>,
    pub(super) local_key_id: Option<&'a [u8]>,
    /// Oracle's sign of a certificate to trust.
    pub(super) trusted: bool,
}

/// Writes a store with a key in PKCS#8, or none, and certificates in DER.
pub(super) fn write(
    key: Option<(&[u8], Attributes<'_>)>,
    certificates: &[(&[u8], Attributes<'_>)],
    password: &str,
) -> Result<Vec<u8>, Unspecified> {
    let lock = Lock::new(password)?;
    let mut safes = Vec::new();
    if let Some((pkcs8, attributes)) = key {
        let (scheme, text) = lock.encrypt(pkcs8)?;
        let content = tlv(SEQUENCE, &[&scheme, &tlv(OCTET_STRING, &[&text])]);
        let bag = bag(&SHROUDED_KEY, &content, attributes);
        safes.extend_from_slice(&content_info(
            &DATA,
            &tlv(OCTET_STRING, &[&tlv(SEQUENCE, &[&bag])]),
        ));
    }
    let bags: Vec<_> = certificates
        .iter()
        .map(|(der, attributes)| {
            let der = tlv(EXPLICIT, &[&tlv(OCTET_STRING, &[der])]);
            bag(
                &CERTIFICATE,
                &tlv(SEQUENCE, &[&oid(&X509), &der]),
                *attributes,
            )
        })
        .collect();
    let (scheme, text) = lock.encrypt(&tlv(SEQUENCE, &[&bags.concat()]))?;
    let encrypted = tlv(SEQUENCE, &[&oid(&DATA), &scheme, &tlv(IMPLICIT, &[&text])]);
    let encrypted = tlv(SEQUENCE, &[&[INTEGER, 1, 0], &encrypted]);
    safes.extend_from_slice(&content_info(&ENCRYPTED_DATA, &encrypted));

    let safes = tlv(SEQUENCE, &[&safes]);
    let mac = mac(&safes, password)?;
    let safes = content_info(&DATA, &tlv(OCTET_STRING, &[&safes]));
    Ok(tlv(SEQUENCE, &[&[INTEGER, 1, 3], &safes, &mac]).to_vec())
}

fn oid(oid: &Oid<'_>) -> Zeroizing<Vec<u8>> {
    tlv(OBJECT_IDENTIFIER, &[oid.as_bytes()])
}

fn content_info(kind: &Oid<'_>, content: &[u8]) -> Zeroizing<Vec<u8>> {
    tlv(SEQUENCE, &[&oid(kind), &tlv(EXPLICIT, &[content])])
}

fn bag(kind: &Oid<'_>, content: &[u8], attributes: Attributes<'_>) -> Vec<u8> {
    let attribute =
        |kind: Oid<'_>, value: &[u8]| tlv(SEQUENCE, &[&oid(&kind), &tlv(SET, &[value])]).to_vec();
    let mut set = Vec::new();
    if let Some(name) = attributes.friendly_name {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        set.push(attribute(FRIENDLY_NAME, &tlv(BMP_STRING, &[&wide])));
    }
    if let Some(id) = attributes.local_key_id {
        set.push(attribute(LOCAL_KEY_ID, &tlv(OCTET_STRING, &[id])));
    }
    if attributes.trusted {
        set.push(attribute(ORACLE_TRUSTED, &oid(&ANY_USAGE)));
    }
    // DER wants a set in the order of its bytes.
    set.sort();
    let content = tlv(EXPLICIT, &[content]);
    match set.as_slice() {
        [] => tlv(SEQUENCE, &[&oid(kind), &content]).to_vec(),
        set => tlv(
            SEQUENCE,
            &[&oid(kind), &content, &tlv(SET, &[&set.concat()])],
        )
        .to_vec(),
    }
}

/// A password made into a key of AES-256.
struct Lock {
    salt: [u8; 32],
    key: Zeroizing<[u8; 32]>,
}

impl Lock {
    fn new(password: &str) -> Result<Self, Unspecified> {
        let salt = random()?;
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, ITERATIONS, &mut *key);
        Ok(Self { salt, key })
    }

    /// The algorithm with its parameters, and the text encrypted with it.
    fn encrypt(&self, text: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), Unspecified> {
        let key =
            PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &*self.key)?)?;
        // With room for the padding, so that growing leaves no copy of a key behind.
        let mut out = Vec::with_capacity(text.len() + 16);
        out.extend_from_slice(text);
        let vector: [u8; 16] = random()?;
        let context = EncryptionContext::Iv128(FixedLength::from(vector));
        key.less_safe_encrypt(&mut out, context)?;
        let digest = tlv(SEQUENCE, &[&oid(&HMAC_SHA256), &[NULL, 0]]);
        let salt = tlv(OCTET_STRING, &[&self.salt]);
        let derivation = tlv(SEQUENCE, &[&salt, &iterations(), &digest]);
        let derivation = tlv(SEQUENCE, &[&oid(&PBKDF2), &derivation]);
        let cipher = tlv(
            SEQUENCE,
            &[&oid(&AES_256_CBC), &tlv(OCTET_STRING, &[&vector])],
        );
        let parameters = tlv(SEQUENCE, &[&derivation, &cipher]);
        Ok((tlv(SEQUENCE, &[&oid(&PBES2), &parameters]), out))
    }
}

/// From the system: aws-lc's own generator gathers its first seed for some 40 ms.
#[expect(
    clippy::disallowed_methods,
    reason = "salts decide nothing: stores are compared by what is in them"
)]
fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Unspecified)?;
    Ok(bytes)
}

/// The seal over everything (RFC 7292, section 5.1).
fn mac(safes: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let salt: [u8; 20] = random()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &*mac_key(password, &salt));
    let tag = hmac::sign(&key, safes);
    let algorithm = tlv(SEQUENCE, &[&oid(&SHA_256), &[NULL, 0]]);
    let digest = tlv(SEQUENCE, &[&algorithm, &tlv(OCTET_STRING, &[tag.as_ref()])]);
    Ok(tlv(
        SEQUENCE,
        &[&digest, &tlv(OCTET_STRING, &[&salt]), &iterations()],
    ))
}

/// The key of the seal (RFC 7292, appendix B.2, for one block of output): SHA-256, over and over, of the
/// number 3, the salt, and the password in UTF-16 with a zero at its end, each repeated to whole blocks.
fn mac_key(password: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    const BLOCK: usize = 64;
    let mut wide = Zeroizing::new(Vec::with_capacity(password.len() * 2 + 2));
    let units = password.encode_utf16().chain([0]);
    units.for_each(|unit| wide.extend(unit.to_be_bytes()));
    let mut hash = Sha256::new_with_prefix([3; BLOCK]);
    for part in [salt, &wide] {
        let length = part.len().next_multiple_of(BLOCK);
        for piece in (0..length).step_by(part.len().max(1)) {
            hash.update(&part[..part.len().min(length - piece)]);
        }
    }
    let mut key = Zeroizing::new(hash.finalize().into());
    for _ in 1..ITERATIONS {
        *key = Sha256::digest(*key).into();
    }
    key
}

fn iterations() -> Zeroizing<Vec<u8>> {
    let bytes = ITERATIONS.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    tlv(INTEGER, &[&bytes[zeros..]])
}
