//! The two words that open a keystore: the name of an entry and the password.
//!
//! Both are checked once, against the strictest reader (Java 17), and are right from then on. They
//! may not come from anywhere but [`Alias::parse`] and [`Password::parse`]. To add a rule: here,
//! with its message in `tests/keystore.rs`.

use std::fmt;

use zeroize::Zeroizing;

use super::error::KeystoreError;
use crate::name::excerpt;

/// The name of an entry: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`.
///
/// Lower case only, because Java folds an alias when it loads PKCS#12, and looks it up folded in
/// JKS where it is kept as written: an upper-case alias can be listed and yet not be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

impl Alias {
    /// Reads an alias.
    ///
    /// # Errors
    /// [`KeystoreError::InvalidAlias`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        let why = if text.is_empty() {
            "is empty"
        } else if text.len() > 64 {
            "is longer than 64 characters"
        } else if text.chars().any(|c| c.is_ascii_uppercase()) {
            "has upper-case letters, which Java does not tell from lower case"
        } else if !text.chars().all(allowed) {
            "has a character that is not allowed"
        } else {
            return Ok(Self(text.to_owned()));
        };
        let alias = excerpt(text);
        Err(KeystoreError::InvalidAlias { alias, why })
    }

    /// The alias as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Alias {
    type Error = KeystoreError;

    fn try_from(text: &str) -> Result<Self, KeystoreError> {
        Self::parse(text)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The password of a store and, since Java wants them equal in PKCS#12, of the key in it.
///
/// At least 6 characters (keytool's rule), printable ASCII (with others, Java's and OpenSSL's
/// ideas of the bytes differ). Wiped on drop; `Debug` prints dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Reads a password; a line end that came with a file is the caller's to take off.
    ///
    /// # Errors
    /// [`KeystoreError::InvalidPassword`] with the rule that the text breaks, without the text.
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        let why = if text.contains(['\n', '\r']) {
            "has a line break"
        } else if !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            "has a character that is not printable ASCII"
        } else if text.len() < 6 {
            "is shorter than 6 characters"
        } else {
            return Ok(Self(Zeroizing::new(text.to_owned())));
        };
        Err(KeystoreError::InvalidPassword(why))
    }

    /// The password itself; the name is the same as that of [`crate::secret::Secret::reveal`], so
    /// that one search finds every place that reveals something.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Password {
    type Error = KeystoreError;

    fn try_from(text: &str) -> Result<Self, KeystoreError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••")
    }
}
