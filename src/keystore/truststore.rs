//! Certificates that a Java program shall trust, as a truststore in PKCS#12 or JKS.
//!
//! Java trusts a certificate in PKCS#12 only if its bag has Oracle's attribute
//! 2.16.840.1.113894.746875.1.1; without it (as OpenSSL 3.0 exports) the store opens, and holds
//! nothing. No private key may ever get in here: the file is readable by more people. Jicofo and
//! Jitsi Videobridge are given it with `-Djavax.net.ssl.trustStore=`.

use super::{
    certificate,
    credential::{Alias, Password},
    error::{KeystoreError, Part},
    jks::{self, Item},
    pem,
    pfx::{self, Attributes},
    pkcs12::{Readers, is_named, open},
};

/// The certificates of a PEM text in DER, each once, in their order.
///
/// # Errors
/// Every [`KeystoreError`] about PEM and certificates.
pub fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, KeystoreError> {
    let blocks = pem::blocks(pem, Part::Chain)?;
    let mut found: Vec<Vec<u8>> = Vec::new();
    for block in blocks.iter().filter(|block| block.label == "CERTIFICATE") {
        let der = block.der()?;
        certificate::parse(&der).map_err(|_| block.damaged("is not a certificate"))?;
        if !found.contains(&der) {
            found.push(der.to_vec());
        }
    }
    if found.is_empty() {
        return Err(KeystoreError::NoCertificate(pem::labels(&blocks)));
    }
    Ok(found)
}

/// Makes a PKCS#12 truststore of certificates in DER. Its bytes differ from call to call.
///
/// # Errors
/// [`KeystoreError::EmptyTruststore`], [`KeystoreError::DuplicateAlias`],
/// [`KeystoreError::NotACertificate`].
pub fn build_truststore(
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
) -> Result<Vec<u8>, KeystoreError> {
    check(certificates)?;
    let bags: Vec<_> = certificates
        .iter()
        .map(|(alias, der)| {
            let attributes = Attributes {
                friendly_name: Some(alias.as_str()),
                local_key_id: None,
                trusted: true,
            };
            (der.as_slice(), attributes)
        })
        .collect();
    pfx::write(None, &bags, password.reveal())
        .map_err(|_| KeystoreError::Write("no randomness, or no cipher".to_owned()))
}

/// Makes a JKS truststore of certificates in DER, at `created` (seconds since 1970).
///
/// # Errors
/// As [`build_truststore`].
pub fn build_jks_truststore(
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
    created: i64,
) -> Result<Vec<u8>, KeystoreError> {
    check(certificates)?;
    Ok(jks::write_trusted(certificates, password, created))
}

fn check(certificates: &[(Alias, Vec<u8>)]) -> Result<(), KeystoreError> {
    if certificates.is_empty() {
        return Err(KeystoreError::EmptyTruststore);
    }
    for (place, (alias, der)) in certificates.iter().enumerate() {
        if certificates[..place]
            .iter()
            .any(|(other, _)| other == alias)
        {
            return Err(KeystoreError::DuplicateAlias(alias.to_string()));
        }
        certificate::parse(der)?;
    }
    Ok(())
}

/// Whether these bytes are a PKCS#12 truststore that this password opens, with exactly these certificates
/// under these aliases, all of them trusted, and nothing else.
#[must_use]
pub fn truststore_holds(
    bytes: &[u8],
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
) -> bool {
    let Some(archive) = open(bytes, password, Readers::Current) else {
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

/// Whether these bytes are a JKS truststore with exactly these certificates under these aliases.
#[must_use]
pub fn jks_truststore_holds(
    bytes: &[u8],
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
) -> bool {
    let Ok(entries) = jks::read(bytes, Some(password.reveal())) else {
        return false;
    };
    let has = |(alias, der): &(Alias, Vec<u8>)| {
        entries.iter().any(|entry| {
            entry.alias == alias.as_str() && matches!(&entry.item, Item::Trusted(own) if own == der)
        })
    };
    entries.len() == certificates.len() && certificates.iter().all(has)
}
