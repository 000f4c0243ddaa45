//! Certificates that a Java program shall trust, as a PKCS#12 truststore.
//!
//! Java trusts a certificate in PKCS#12 only if its bag has Oracle's attribute
//! 2.16.840.1.113894.746875.1.1; without it (as OpenSSL 3.0 exports) the store opens, and holds
//! nothing. No private key may ever get in here: the file is readable by more people. Jicofo and
//! Jitsi Videobridge are given it with `-Djavax.net.ssl.trustStore=`.

use p12_keystore::{Certificate, KeyStoreEntry};

use super::{
    certificate,
    credential::{Alias, Password},
    error::KeystoreError,
    pkcs12::{is_named, open, refused, write},
};

/// Makes a truststore of certificates in DER. Its bytes differ from call to call.
///
/// # Errors
/// [`KeystoreError::EmptyTruststore`], [`KeystoreError::DuplicateAlias`],
/// [`KeystoreError::NotACertificate`].
pub fn build_truststore(
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
) -> Result<Vec<u8>, KeystoreError> {
    if certificates.is_empty() {
        return Err(KeystoreError::EmptyTruststore);
    }
    let mut entries: Vec<(&Alias, KeyStoreEntry)> = Vec::new();
    for (alias, der) in certificates {
        if entries.iter().any(|(other, _)| *other == alias) {
            return Err(KeystoreError::DuplicateAlias(alias.to_string()));
        }
        certificate::parse(der)?;
        let certificate = Certificate::from_der(der).map_err(refused)?;
        entries.push((alias, KeyStoreEntry::Certificate(certificate)));
    }
    write(entries, password)
}

/// Whether these bytes are a truststore that this password opens, with exactly these certificates
/// under these aliases, all of them trusted, and nothing else.
#[must_use]
pub fn truststore_holds(
    bytes: &[u8],
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
) -> bool {
    let Some(archive) = open(bytes, password) else {
        return false;
    };
    let has = |(alias, der): &(Alias, Vec<u8>)| {
        archive.certs.iter().any(|bag| {
            bag.trusted
                && bag.cert.as_der() == der.as_slice()
                && is_named(bag.friendly_name.as_deref(), alias)
        })
    };
    archive.keys.is_empty()
        && archive.secrets.is_empty()
        && archive.certs.len() == certificates.len()
        && certificates.iter().all(has)
}
