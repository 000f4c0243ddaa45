//! A certificate chain with its private key, known to belong together.
//!
//! The only ways in are [`KeyPair::from_pem`] and [`KeyPair::from_locked_pem`], so whoever holds a [`KeyPair`] need not ask again.
//! Validity is not judged: an expired pair is still a pair, and [`KeyPair::examine`] says so. To be given
//! keys in another way (PKCS#12, say): a second constructor that makes the same checks.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    certificate::fingerprint,
    chain,
    error::KeystoreError,
    examine::{self, Finding},
    key,
};

/// A certificate chain, leaf first, with the private key of the leaf.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    chain: Vec<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

impl KeyPair {
    /// Reads chain and key from PEM.
    ///
    /// The key may be PKCS#8, PKCS#1 (RSA) or SEC1 (EC, also after an `EC PARAMETERS` block); the
    /// certificates may come in any order, with or without the root, and more than once; both texts
    /// may hold other blocks, text between blocks and CRLF.
    ///
    /// # Errors
    /// Every [`KeystoreError`] about PEM, keys and chains; the key is looked at first.
    pub fn from_pem(chain_pem: &[u8], key_pem: &[u8]) -> Result<KeyPair, KeystoreError> {
        Self::from_locked_pem(chain_pem, key_pem, None)
    }

    /// As [`KeyPair::from_pem`], with the pass phrase of a key in encrypted PKCS#8; one that is not
    /// needed does no harm.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassPhrase`] and [`KeystoreError::UnsupportedLock`] besides.
    pub fn from_locked_pem(
        chain_pem: &[u8],
        key_pem: &[u8],
        pass_phrase: Option<&[u8]>,
    ) -> Result<KeyPair, KeystoreError> {
        let key = key::read(key_pem, pass_phrase)?;
        let chain = chain::read(chain_pem, &key.public)?;
        Ok(KeyPair {
            chain,
            key: key.pkcs8,
        })
    }

    /// The certificates in DER, leaf first, each followed by its issuer; never empty.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The certificate of the key, in DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.chain[0]
    }

    /// The private key, PKCS#8 in DER.
    #[must_use]
    pub fn key_pkcs8(&self) -> &[u8] {
        &self.key
    }

    /// Whether Java can serve TLS with the pair at that time (seconds since 1970), point by point.
    #[must_use]
    pub fn examine(&self, unix_now: i64) -> Vec<Finding> {
        examine::chain(&self.chain, unix_now)
    }

    /// SHA-256 of the leaf, lower-case hexadecimal without colons.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(self.leaf())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("leaf", &self.fingerprint())
            .field("certificates", &self.chain.len())
            .field("key", &format_args!("••••••"))
            .finish()
    }
}
