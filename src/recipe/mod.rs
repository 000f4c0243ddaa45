//! Contents that differ every time they are made: keystores, truststores, salted accounts.
//!
//! A byte comparison says nothing about them. A [`Recipe`] therefore has a fingerprint of what it
//! is made from, makes its bytes when asked, and can tell whether given bytes are already what it
//! would make. Randomness is handed in. To add one: a variant, its three answers, and a test that
//! its real reader takes it.

pub mod account;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::keystore::{
    Alias, KeyPair, KeystoreError, Password, build_pkcs12, build_truststore, pkcs12_holds,
    truststore_holds,
};
use crate::secret::{CertifiedKey, Secret};

/// Something to be made rather than rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipe {
    /// A PKCS12 keystore with one key and its chain.
    Keystore {
        /// Chain and key.
        pair: CertifiedKey,
        /// Name of the entry.
        alias: String,
        /// Opens the store and its key.
        password: Secret<String>,
    },
    /// A PKCS12 truststore with one certificate.
    Truststore {
        /// The certificate in PEM.
        certificate: String,
        /// Name of the entry.
        alias: String,
        /// Opens the store; guards nothing, since certificates are public.
        password: String,
    },
    /// An account of Prosody's `internal_hashed`.
    ProsodyAccount {
        /// The account's password.
        password: Secret<String>,
    },
}

/// Why something could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// A keystore or its parts are wrong.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// There is no certificate to trust.
    #[error("there is no certificate to trust in the PEM text")]
    NoCertificate,
}

impl Recipe {
    /// SHA-256, in hex, of everything it is made from; equal fingerprints mean equal meaning.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        match self {
            Self::Keystore {
                pair,
                alias,
                password,
            } => {
                for text in [
                    "keystore 1",
                    &pair.certificate,
                    pair.key.reveal(),
                    alias,
                    password.reveal(),
                ] {
                    part(text);
                }
            }
            Self::Truststore {
                certificate,
                alias,
                password,
            } => {
                for text in ["truststore 1", certificate, alias, password] {
                    part(text);
                }
            }
            Self::ProsodyAccount { password } => {
                for text in ["prosody account 1", password.reveal()] {
                    part(text);
                }
            }
        }
        hex(&hash.finalize())
    }

    /// Makes the bytes; `random` fills a buffer with true randomness.
    ///
    /// # Errors
    /// When the key material is wrong.
    pub fn make(
        &self,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Zeroizing<Vec<u8>>, RecipeError> {
        match self {
            Self::Keystore {
                pair,
                alias,
                password,
            } => {
                let pair =
                    KeyPair::from_pem(pair.certificate.as_bytes(), pair.key.reveal().as_bytes())?;
                Ok(build_pkcs12(
                    &pair,
                    &Alias::parse(alias)?,
                    &Password::parse(password.reveal())?,
                )?)
            }
            Self::Truststore {
                certificate,
                alias,
                password,
            } => {
                let trusted = vec![(Alias::parse(alias)?, der(certificate)?)];
                Ok(Zeroizing::new(build_truststore(
                    &trusted,
                    &Password::parse(password)?,
                )?))
            }
            Self::ProsodyAccount { password } => {
                let mut salt = [0; 16];
                random(&mut salt);
                let salt = crate::secret::uuid_from(salt);
                Ok(Zeroizing::new(
                    account::record(password.reveal(), &salt, account::ITERATIONS).into_bytes(),
                ))
            }
        }
    }

    /// Do these bytes already mean what this recipe makes?
    #[must_use]
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let answer = || -> Option<bool> {
            Some(match self {
                Self::Keystore {
                    pair,
                    alias,
                    password,
                } => {
                    let pair = KeyPair::from_pem(
                        pair.certificate.as_bytes(),
                        pair.key.reveal().as_bytes(),
                    )
                    .ok()?;
                    pkcs12_holds(
                        bytes,
                        &pair,
                        &Alias::parse(alias).ok()?,
                        &Password::parse(password.reveal()).ok()?,
                    )
                }
                Self::Truststore {
                    certificate,
                    alias,
                    password,
                } => {
                    let trusted = vec![(Alias::parse(alias).ok()?, der(certificate).ok()?)];
                    truststore_holds(bytes, &trusted, &Password::parse(password).ok()?)
                }
                Self::ProsodyAccount { password } => account::verifies(bytes, password.reveal()),
            })
        };
        answer().unwrap_or(false)
    }

    /// What it is, for a plan's reader.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Keystore { .. } => "PKCS12 keystore",
            Self::Truststore { .. } => "PKCS12 truststore",
            Self::ProsodyAccount { .. } => "Prosody account",
        }
    }
}

fn der(pem: &str) -> Result<Vec<u8>, RecipeError> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes())
        .map(|der| der.to_vec())
        .map_err(|_| RecipeError::NoCertificate)
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
