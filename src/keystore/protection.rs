//! Which ciphers and digests guard a PKCS#12 store, told from what stands open in it.
//!
//! The names of algorithms stand beside what they encrypt, so no password is needed. The whole
//! open structure is walked and known names are gathered; what they guard is not asked. To add an
//! algorithm: a line in [`KNOWN`].

use x509_parser::asn1_rs::{Any, FromDer, Tag};

/// How an algorithm is looked upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Java 17's and OpenSSL 3's own choice, or as good.
    Current,
    /// Read by everybody, broken or nearly so.
    Old,
    /// Java 17 does not read it.
    NotInJava,
}

/// Object identifier, the name it goes by, and what to think of it.
const KNOWN: &[(&str, &str, Use)] = &[
    ("2.16.840.1.101.3.4.1.2", "AES-128", Use::Current),
    ("2.16.840.1.101.3.4.1.22", "AES-192", Use::NotInJava),
    ("2.16.840.1.101.3.4.1.42", "AES-256", Use::Current),
    ("2.16.840.1.101.3.4.1.6", "AES-128-GCM", Use::NotInJava),
    ("2.16.840.1.101.3.4.1.46", "AES-256-GCM", Use::NotInJava),
    ("1.2.840.113549.3.7", "PBES2-3DES", Use::NotInJava),
    ("1.2.840.113549.2.9", "HMAC-SHA256", Use::Current),
    ("1.2.840.113549.2.10", "HMAC-SHA384", Use::Current),
    ("1.2.840.113549.2.11", "HMAC-SHA512", Use::Current),
    ("2.16.840.1.101.3.4.2.1", "SHA-256", Use::Current),
    ("2.16.840.1.101.3.4.2.2", "SHA-384", Use::Current),
    ("2.16.840.1.101.3.4.2.3", "SHA-512", Use::Current),
    ("1.3.14.3.2.26", "SHA-1", Use::Old),
    ("1.2.840.113549.2.5", "MD5", Use::Old),
    ("1.2.840.113549.2.7", "HMAC-SHA1", Use::Old),
    ("1.2.840.113549.1.12.1.1", "PBE-SHA1-RC4-128", Use::Old),
    ("1.2.840.113549.1.12.1.2", "PBE-SHA1-RC4-40", Use::Old),
    ("1.2.840.113549.1.12.1.3", "PBE-SHA1-3DES", Use::Old),
    ("1.2.840.113549.1.12.1.5", "PBE-SHA1-RC2-128", Use::Old),
    ("1.2.840.113549.1.12.1.6", "PBE-SHA1-RC2-40", Use::Old),
    ("1.3.6.1.4.1.11591.4.11", "scrypt", Use::NotInJava),
    ("1.2.840.113549.1.5.14", "PBMAC1", Use::NotInJava),
];
/// A private key that nothing encrypts (`keyBag`, RFC 7292, 4.2.1); Java passes over it.
const OPEN_KEY: &str = "1.2.840.113549.1.12.10.1.1";
/// Deeper than any real store, and shallow enough for any stack.
const DEPTH: usize = 24;

/// What guards a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Protection {
    /// Names and what to think of them, in the order in which they come, each once.
    pub(super) found: Vec<(&'static str, Use)>,
    /// Whether a private key stands there unencrypted.
    pub(super) open_key: bool,
}

impl Protection {
    pub(super) fn read(store: &[u8]) -> Self {
        let mut protection = Self::default();
        protection.walk(store, DEPTH);
        protection
    }

    /// The names of one kind.
    pub(super) fn names(&self, of: Use) -> Vec<&'static str> {
        let found = self.found.iter().filter(|(_, what)| *what == of);
        found.map(|(name, _)| *name).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == name)
    }

    fn walk(&mut self, mut der: &[u8], depth: usize) {
        while let Ok((rest, any)) = Any::from_der(der) {
            der = rest;
            match any.tag() {
                Tag::Oid => self.note(&any),
                // A store wraps its parts in octet strings; ciphertext does not begin like them.
                Tag::OctetString if any.data.first() != Some(&0x30) => {}
                _ if depth > 0
                    && (any.header.is_constructed() || any.tag() == Tag::OctetString) =>
                {
                    self.walk(any.data, depth - 1);
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, oid: &Any<'_>) {
        let Ok(oid) = oid.as_oid() else { return };
        let oid = oid.to_id_string();
        self.open_key |= oid == OPEN_KEY;
        let known = KNOWN.iter().find(|(known, ..)| *known == oid);
        if let Some((_, name, what)) = known
            && !self.has(name)
        {
            self.found.push((name, *what));
        }
    }
}
