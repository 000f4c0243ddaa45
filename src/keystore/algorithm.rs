//! The key algorithms that PEM, this room and Java 17 all understand: one table.
//!
//! Nothing is decided here but names: which object identifier is which algorithm. To add one: a
//! variant, its identifiers, rcgen's word for it, and a case in `tests/keystore.rs`.

use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
    asn1_rs::{Any, Oid, Tag},
};

/// A public key algorithm, with the curve where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Algorithm {
    /// From the algorithm's identifier and, for an elliptic curve, that of the named curve.
    pub(super) fn from_oids(algorithm: &Oid<'_>, curve: Option<&Oid<'_>>) -> Option<Self> {
        if *algorithm == OID_PKCS1_RSAENCRYPTION {
            return Some(Self::Rsa);
        }
        if *algorithm == OID_SIG_ED25519 {
            return Some(Self::Ed25519);
        }
        let curve = curve.filter(|_| *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY)?;
        [
            (OID_EC_P256, Self::P256),
            (OID_NIST_EC_P384, Self::P384),
            (OID_NIST_EC_P521, Self::P521),
        ]
        .into_iter()
        .find_map(|(oid, algorithm)| (*curve == oid).then_some(algorithm))
    }

    /// The identifier in a parameter, if it is one; asn1-rs's own `as_oid` would take any element.
    pub(super) fn curve<'a>(parameters: Option<&'a Any<'a>>) -> Option<Oid<'a>> {
        let named = parameters.filter(|any| any.tag() == Tag::Oid)?;
        named.as_oid().ok()
    }

    /// What people call it; RSA without its size.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "EC P-256",
            Self::P384 => "EC P-384",
            Self::P521 => "EC P-521",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// rcgen's name, under which it reads a private key. Its hash plays no part in reading.
    pub(super) fn for_reading(self) -> &'static rcgen::SignatureAlgorithm {
        match self {
            Self::Rsa => &rcgen::PKCS_RSA_SHA256,
            Self::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Self::P521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            Self::Ed25519 => &rcgen::PKCS_ED25519,
        }
    }
}
