//! What a certificate says about itself, for people and for the doctor.
//!
//! Nothing is verified and no clock is read: [`Validity`] is compared with a time that the caller
//! hands in. Whatever a certificate says comes out printable, so that a hostile name cannot steer a
//! terminal. To show another property: a field here, filled in [`describe`].

use sha2::{Digest, Sha256};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate,
    public_key::PublicKey, x509::SubjectPublicKeyInfo,
};

use super::{algorithm::Algorithm, error::KeystoreError};
use crate::name::excerpt;

/// From when to when a certificate is valid, in seconds since 1970 (UTC), both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
}

impl Validity {
    /// Whether the certificate is valid at that time.
    #[must_use]
    pub fn contains(&self, unix_now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&unix_now)
    }

    /// Whole days until the end, rounded down; negative when it is over.
    #[must_use]
    pub fn days_left(&self, unix_now: i64) -> i64 {
        self.not_after.saturating_sub(unix_now).div_euclid(86_400)
    }
}

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Such as `C=US, O=Let's Encrypt, CN=E5`; empty when the certificate has no subject.
    pub subject: String,
    /// In the same form.
    pub issuer: String,
    /// The DNS names of the subject alternative name extension, in its order.
    pub names: Vec<String>,
    /// From when to when.
    pub validity: Validity,
    /// SHA-256 of the whole certificate, lower-case hexadecimal without colons.
    pub fingerprint_sha256: String,
    /// Such as `RSA 2048`, `EC P-256`, `Ed25519`; the object identifier of any other algorithm.
    pub key_kind: String,
}

impl CertificateInfo {
    /// What to call it in a message: the subject, else its first name, else the fingerprint.
    #[must_use]
    pub fn title(&self) -> String {
        let name = self.names.first().map(|name| format!("DNS:{name}"));
        let title = if self.subject.is_empty() {
            name.unwrap_or_else(|| self.fingerprint_sha256.clone())
        } else {
            self.subject.clone()
        };
        match title.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &title[..end]),
            None => title,
        }
    }

    /// Whether a TLS client that asks for this host takes the certificate for it: by one of its
    /// names, or by a wildcard in place of the first label (RFC 9525).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(rest)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

/// Text of others as it may be printed: characters that a terminal would not show as such
/// (controls, direction marks, line ends) are escaped as in `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}

/// Reads a certificate in DER.
///
/// # Errors
/// [`KeystoreError::NotACertificate`].
pub fn describe(der: &[u8]) -> Result<CertificateInfo, KeystoreError> {
    Ok(describe_parsed(der, &parse(der)?))
}

/// One certificate that fills all the bytes.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, KeystoreError> {
    match parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(KeystoreError::NotACertificate(
            "bytes follow after its end".to_owned(),
        )),
        Err(error) => Err(KeystoreError::NotACertificate(excerpt(&error.to_string()))),
    }
}

/// As [`describe`], for who has it parsed already.
pub(super) fn describe_parsed(der: &[u8], certificate: &X509Certificate<'_>) -> CertificateInfo {
    // A broken extension means no names, as it does to a TLS client.
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map_or(Vec::new(), |extension| {
        let names = extension.value.general_names.iter();
        names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(printable(name)),
                _ => None,
            })
            .collect()
    });
    let validity = certificate.validity();
    CertificateInfo {
        subject: printable(&certificate.subject().to_string()),
        issuer: printable(&certificate.issuer().to_string()),
        names,
        validity: Validity {
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        },
        fingerprint_sha256: fingerprint(der),
        key_kind: key_kind(certificate.public_key()),
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> String {
    let curve = Algorithm::curve(key.algorithm.parameters.as_ref());
    match Algorithm::from_oids(&key.algorithm.algorithm, curve.as_ref()) {
        Some(algorithm @ Algorithm::Rsa) => match rsa_bits(key) {
            Some(bits) => format!("{} {bits}", algorithm.name()),
            None => algorithm.name().to_owned(),
        },
        Some(algorithm) => algorithm.name().to_owned(),
        None => curve
            .as_ref()
            .unwrap_or(&key.algorithm.algorithm)
            .to_string(),
    }
}

/// The size in bits of an RSA key.
pub(super) fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => Some(bits(rsa.modulus)),
        _ => None,
    }
}

/// The size of a number, whatever zeros it begins with.
fn bits(number: &[u8]) -> usize {
    let start = number.iter().take_while(|byte| **byte == 0).count();
    number.get(start).map_or(0, |first| {
        (number.len() - start) * 8 - first.leading_zeros() as usize
    })
}
