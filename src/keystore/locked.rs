//! Private keys behind a pass phrase: encrypted PKCS#8 (RFC 5958) with PBES2 (RFC 8018).
//!
//! What `openssl pkcs8 -topk8` writes: PBKDF2 with SHA-1 or SHA-2, or scrypt; AES or triple DES. Older
//! schemes (PBES1: MD5, DES, RC2) and OpenSSL's own form before PKCS#8 are refused. The work that a
//! file may ask for is bounded before any is done.

use pkcs8::{
    EncryptedPrivateKeyInfoRef,
    der::Decode,
    pkcs5::{EncryptionScheme, pbes2::Kdf},
};
use x509_parser::asn1_rs::Tag;
use zeroize::Zeroizing;

use super::{
    der::{fields, whole},
    error::KeystoreError,
};

/// About ten seconds of work; OpenSSL's default is 2048.
const MAX_ROUNDS: u32 = 10_000_000;
/// Of scrypt: `128 * N * r` bytes. OpenSSL's default is 16 MiB.
const MAX_MEMORY: u64 = 256 << 20;
/// Of scrypt. OpenSSL's default is 1.
const MAX_PARALLEL: u16 = 16;

/// Decrypts; `None` when the bytes are no encrypted key.
pub(super) fn open(
    der: &[u8],
    pass_phrase: &[u8],
) -> Option<Result<Zeroizing<Vec<u8>>, KeystoreError>> {
    let refused = |why: String| Some(Err(KeystoreError::UnsupportedLock(why)));
    let [scheme, text] = <[_; 2]>::try_from(fields(whole(der, Tag::Sequence)?.data)?).ok()?;
    if (scheme.tag(), text.tag()) != (Tag::Sequence, Tag::OctetString) {
        return None;
    }
    let oid = fields(scheme.data)?.first()?.as_oid().ok()?.to_string();
    let Ok(info) = EncryptedPrivateKeyInfoRef::from_der(der) else {
        return refused(format!("`{}`", scheme_name(&oid)));
    };
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return refused(format!("`{}`", scheme_name(&oid)));
    };
    let too_much = match &parameters.kdf {
        Kdf::Pbkdf2(work) => work.iteration_count > MAX_ROUNDS,
        Kdf::Scrypt(work) => {
            let memory = work
                .cost_parameter
                .saturating_mul(128 * u64::from(work.block_size));
            memory > MAX_MEMORY || work.parallelization > MAX_PARALLEL
        }
        _ => return refused("a key derivation that is not known".to_owned()),
    };
    if too_much {
        return refused("more work than any program asks for".to_owned());
    }
    // Padding that looks right by chance is told from the right pass phrase by what comes out.
    Some(match info.decrypt(pass_phrase) {
        Ok(key) => Ok(Zeroizing::new(key.as_bytes().to_vec())),
        Err(pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm {
            oid,
        })) => {
            return refused(format!("`{oid}`"));
        }
        Err(_) => Err(KeystoreError::WrongPassPhrase),
    })
}

/// What OpenSSL calls a scheme of PBES1.
fn scheme_name(oid: &str) -> &str {
    match oid {
        "1.2.840.113549.1.5.3" => "pbeWithMD5AndDES-CBC",
        "1.2.840.113549.1.5.6" => "pbeWithMD5AndRC2-CBC",
        "1.2.840.113549.1.5.10" => "pbeWithSHA1AndDES-CBC",
        "1.2.840.113549.1.12.1.3" => "pbeWithSHA1And3-KeyTripleDES-CBC",
        other => other,
    }
}
