//! What is sealed in the database (seeds of second factors, mails that wait) and links that are
//! signed, by keys derived from one key of the site.
//!
//! A purpose is part of the derived key and of what is authenticated: what was sealed for one
//! purpose cannot be opened, and what was signed for one cannot be shown, for another.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// Keys derived (HKDF-SHA-256) from the site's key, one for each purpose.
#[derive(Clone)]
pub struct Seal {
    root: hkdf::Prk,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(••••••)")
    }
}

impl Seal {
    /// Takes the contents of the key file: 32 bytes or more of chance.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"jitsi-accounts");
        Self {
            root: salt.extract(key),
        }
    }

    /// Seals bytes with AES-256-GCM and a nonce of chance: base64url of nonce, contents and tag.
    /// Empty when the system gives no chance; that is never opened.
    #[must_use]
    pub fn close(&self, purpose: &str, bytes: &[u8]) -> String {
        let sealed = || {
            let key = self.cipher(purpose)?;
            let mut body = bytes.to_vec();
            let nonce = key
                .seal_in_place_append_tag(Aad::from(purpose), &mut body)
                .ok()?;
            Some([nonce.as_ref().as_slice(), &body].concat())
        };
        URL_SAFE_NO_PAD.encode(sealed().unwrap_or_default())
    }

    /// Opens what was sealed for the same purpose under the same key; `None` for anything else.
    #[must_use]
    pub fn open(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, body) = bytes.split_at_mut_checked(12)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = self.cipher(purpose)?;
        let opened = key.open_in_place(nonce, Aad::from(purpose), body).ok()?;
        Some(opened.to_vec())
    }

    /// Signs a text with HMAC-SHA-256: 43 characters of base64url.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        let tag = hmac::sign(&self.signer(purpose), text.as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether a signature is that of the text for the purpose; compared in constant time.
    #[must_use]
    pub fn verify(&self, purpose: &str, text: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|tag| hmac::verify(&self.signer(purpose), text.as_bytes(), &tag).is_ok())
    }

    fn cipher(&self, purpose: &str) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &*self.derive("seal", purpose)).ok()
    }

    fn signer(&self, purpose: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*self.derive("sign", purpose))
    }

    /// 32 bytes for one use and purpose. Expanding to so few cannot fail.
    fn derive(&self, usage: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let info = [usage.as_bytes(), b"\0", purpose.as_bytes()];
        let filled = self
            .root
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut *key));
        debug_assert!(filled.is_ok());
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_opens_for_its_purpose_only() {
        let seal = Seal::new(&[7; 32]);
        for bytes in [&b""[..], b"x", &[0xff; 5000]] {
            let text = seal.close("totp", bytes);
            assert_eq!(seal.open("totp", &text).as_deref(), Some(bytes));
            assert_ne!(text, seal.close("totp", bytes), "a nonce of its own");
            assert_eq!(seal.open("mail", &text), None);
            assert_eq!(Seal::new(&[8; 32]).open("totp", &text), None);
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let seal = Seal::new(b"0123456789abcdef0123456789abcdef");
        let text = seal.close("totp", b"a seed of twenty byt");
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(seal.open("totp", &other), None, "{other}");
            assert_eq!(seal.open("totp", &text[..at]), None);
        }
    }

    #[test]
    fn signatures_hold_for_text_and_purpose() {
        let seal = Seal::new(&[7; 32]);
        let signature = seal.sign("decide", "approve:1");
        assert_eq!(signature.len(), 43);
        assert!(seal.verify("decide", "approve:1", &signature));
        assert!(!seal.verify("decide", "reject:1", &signature));
        assert!(!seal.verify("invite", "approve:1", &signature));
        assert!(!seal.verify("decide", "approve:1", &signature[..42]));
        assert!(!seal.verify("decide", "approve:1", ""));
        assert!(!Seal::new(b"other").verify("decide", "approve:1", &signature));
    }

    /// Keys never change between releases: what is sealed in a database must open again.
    #[test]
    fn the_derivation_is_pinned() {
        let seal = Seal::new(&[7; 32]);
        assert_eq!(
            seal.sign("pinned", "text"),
            "-sOoXCX6eFShvsWL_whD906_7Al1qTU6uJ7j66onVkM"
        );
    }
}
