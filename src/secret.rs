//! What must never be shown: a type that prints dots, and the list of secrets a site has.
//!
//! Secrets are made once from true randomness, kept in one file (0600) by the host room, and
//! handed in from there. Nothing here reads a clock, a disk or a random source by itself: a maker
//! is given its bytes. To add a secret: a field in [`Secrets`], a line in [`Secrets::words`] when
//! it can appear in a rendered file, and the host room makes it when it is missing.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroize;

/// A value that is wiped on drop and prints dots wherever it is shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the name is long so that every place that reveals is easily found.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••")
    }
}

impl<T: Zeroize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("••••••")
    }
}

/// A certificate with its private key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedKey {
    /// The certificate, or the whole chain with the leaf first, in PEM.
    pub certificate: String,
    /// The private key in PEM.
    pub key: Secret<String>,
}

/// Everything secret that a site has, made once and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// Password of `focus@auth.DOMAIN` (Jicofo).
    pub focus_password: Secret<String>,
    /// Password of `jvb@auth.DOMAIN` (Videobridge).
    pub jvb_password: Secret<String>,
    /// HS256 key that signs meeting tokens.
    pub token_secret: Secret<String>,
    /// Password of the videobridge's keystore; ASCII, as Java asks.
    pub keystore_password: Secret<String>,
    /// The bridge's stable nickname in the brewery: a UUID. No secret, but made once like them.
    pub jvb_nickname: String,
    /// What the account service seals its database with and signs links with.
    pub accounts_key: Secret<String>,
    /// Shown by Prosody to the account service when it asks about a password.
    pub accounts_prosody_key: Secret<String>,
    /// Password of the account service's role in a database server on this machine.
    pub accounts_database_password: Secret<String>,
    /// Password of Prosody's role there, which reads one view.
    pub accounts_reader_password: Secret<String>,
    /// The private certificate for `auth.DOMAIN`: ten years, its own trust anchor.
    pub auth_certificate: CertifiedKey,
    /// A certificate authority of the site's own; it may sign for nothing but the site's name.
    pub site_authority: CertifiedKey,
    /// A certificate for the site signed by that, until a real one is there. The chain has both.
    pub site_certificate: CertifiedKey,
}

impl Secrets {
    /// The texts that must be veiled wherever a rendered file is shown. Prosody's salted account
    /// records and private keys are not in here: files of that kind are veiled whole.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        vec![
            self.focus_password.reveal(),
            self.jvb_password.reveal(),
            self.token_secret.reveal(),
            self.keystore_password.reveal(),
            self.accounts_key.reveal(),
            self.accounts_prosody_key.reveal(),
            self.accounts_database_password.reveal(),
            self.accounts_reader_password.reveal(),
        ]
    }
}

/// Letters and digits of a generated password: 32 values, so that five bits of each random byte
/// choose without bias; no character that looks like another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Number of characters in a generated password: 40 × 5 bits = 200 bits of randomness.
pub const PASSWORD_LENGTH: usize = 40;

/// Turns random bytes into a password of [`PASSWORD_LENGTH`] characters.
#[must_use]
pub fn password_from(random: &[u8; PASSWORD_LENGTH]) -> Secret<String> {
    Secret::new(
        random
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
            .collect(),
    )
}

/// Turns sixteen random bytes into a version 4 UUID (RFC 9562).
#[must_use]
pub fn uuid_from(random: [u8; 16]) -> String {
    use fmt::Write as _;
    let mut bytes = random;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_dots() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "••••••");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"••••••\"");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn passwords_and_uuids_have_their_form() {
        let password = password_from(&[255; PASSWORD_LENGTH]);
        assert_eq!(password.reveal().len(), 40);
        assert_eq!(uuid_from([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
