//! What can go wrong in this room, in words that a person can act upon.
//!
//! A message says what failed and on what; [`KeystoreError::hint`] says what to type. No message
//! may show a password or a byte of a private key. To add an error: a variant, a hint where there
//! is a cure, and its exact message in `tests/keystore.rs`.

use std::fmt;

use super::store::Format;

/// Which of the two texts given to [`KeyPair::from_pem`](super::KeyPair::from_pem) is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificates.
    Chain,
    /// The private key.
    Key,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Chain => "`certificate chain`",
            Part::Key => "`private key`",
        })
    }
}

/// Why a keystore cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// There is no line that begins a PEM block.
    #[error("{0} is not PEM: it has no `-----BEGIN` line")]
    NotPem(Part),
    /// A PEM block has no end, or an end has no beginning.
    #[error("{part} is cut: block `{label}` of line {line} is not whole")]
    CutPem {
        /// The text.
        part: Part,
        /// The block's name, such as `CERTIFICATE`.
        label: String,
        /// Counted from 1.
        line: usize,
    },
    /// A PEM block is whole, but not what its name says.
    #[error("{part} is damaged: block `{label}` of line {line} {why}")]
    DamagedPem {
        /// The text.
        part: Part,
        /// The block's name, such as `CERTIFICATE`.
        label: String,
        /// Counted from 1.
        line: usize,
        /// Ends the sentence.
        why: &'static str,
    },
    /// PEM, but without a `CERTIFICATE` block.
    #[error("no certificate found: the text given as `certificate chain` holds only {}", list(.0))]
    NoCertificate(
        /// The names of the blocks that are there.
        Vec<String>,
    ),
    /// PEM, but without a private key that is understood.
    #[error("no private key found: the text given as `private key` holds only {}", list(.0))]
    NoPrivateKey(
        /// The names of the blocks that are there.
        Vec<String>,
    ),
    /// More than one private key, and they differ.
    #[error("`private key` holds two different keys")]
    TwoKeys,
    /// The private key is protected by a pass phrase.
    #[error("`private key` is encrypted")]
    EncryptedKey,
    /// The private key is protected by another pass phrase.
    #[error("`private key` does not open with this pass phrase")]
    WrongPassPhrase,
    /// The private key is protected in a way that is not read.
    #[error("`private key` is encrypted with {0}, which is not read")]
    UnsupportedLock(
        /// The way, in backticks where it is a name.
        String,
    ),
    /// A private key of a form or an algorithm that Java or this room does not know.
    #[error("`private key` cannot be used: {0}")]
    UnsupportedKey(
        /// Ends the sentence.
        String,
    ),
    /// None of the certificates has the public half of the private key.
    #[error("`private key` does not match the certificate {}", list(.0))]
    KeyMismatch(
        /// The subjects of all certificates, in the order given.
        Vec<String>,
    ),
    /// Two different certificates have the public half of the private key.
    #[error("`private key` matches two certificates: {}", list(.0))]
    TwoLeaves(
        /// Their subjects.
        Vec<String>,
    ),
    /// Certificates that do not lead from the leaf to its root.
    #[error("the chain of `{leaf}` does not need {}", list(.extra))]
    UnrelatedCertificate {
        /// Subject of the leaf.
        leaf: String,
        /// Subjects of the certificates that are too many.
        extra: Vec<String>,
    },
    /// Bytes that are no X.509 certificate.
    #[error("not an X.509 certificate: {0}")]
    NotACertificate(
        /// Ends the sentence.
        String,
    ),
    /// Text that cannot be an alias.
    #[error("alias `{alias}` {why}")]
    InvalidAlias {
        /// The text, shortened and escaped.
        alias: String,
        /// Ends the sentence.
        why: &'static str,
    },
    /// Text that cannot be a keystore password. The text itself is not repeated.
    #[error("`password` {0}")]
    InvalidPassword(
        /// Ends the sentence.
        &'static str,
    ),
    /// Two certificates of a truststore under the same name.
    #[error("alias `{0}` is used twice")]
    DuplicateAlias(
        /// The alias.
        String,
    ),
    /// A truststore without a certificate trusts nobody, and Java says so only at run time.
    #[error("`truststore` would hold no certificate")]
    EmptyTruststore,
    /// Bytes that are neither PKCS#12 nor JKS.
    #[error("not a keystore: {0}")]
    NotAKeystore(
        /// Ends the sentence.
        &'static str,
    ),
    /// A keystore that is cut, or was changed after it was written.
    #[error("the {0} keystore is damaged: {1}")]
    DamagedStore(
        /// What it would be.
        Format,
        /// Ends the sentence.
        &'static str,
    ),
    /// A keystore that is whole and does not open.
    #[error("the password does not open the {0} keystore")]
    WrongPassword(
        /// What it is.
        Format,
    ),
    /// A keystore that cannot be looked into without a password.
    #[error("the {0} keystore opens with a password only")]
    PasswordNeeded(
        /// What it is.
        Format,
    ),
    /// Something in a keystore has a password of its own.
    #[error("the password opens the {0} keystore, but not the private key in it")]
    OtherKeyPassword(
        /// What it is.
        Format,
    ),
    /// Ciphers or digests that this room, or Java 17, does not know.
    #[error("the {0} keystore uses {1}, which is not read")]
    UnsupportedStore(
        /// What it is.
        Format,
        /// Their names.
        String,
    ),
    /// The PKCS#12 writer refused; this is our bug, not the user's.
    #[error("cannot write `PKCS12`: {0}")]
    Write(
        /// The writer's own words.
        String,
    ),
}

impl KeystoreError {
    /// What to do about it, where there is something to do; reads after `hint:`.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotPem(Part::Chain) => {
                "if it is DER, convert it: `openssl x509 -inform DER -in CERT -out CERT.pem`"
            }
            Self::NotPem(Part::Key) => {
                "if it is DER, convert it: `openssl pkey -inform DER -in KEY -out KEY.pem`"
            }
            Self::CutPem { .. } | Self::DamagedPem { .. } => {
                "copy the file again, with its BEGIN and END lines"
            }
            Self::NoCertificate(found) if found.iter().any(|l| l.ends_with("PRIVATE KEY")) => {
                "perhaps certificate and key were given the wrong way round"
            }
            Self::NoCertificate(_) => "give the full chain, such as acme.sh's `fullchain.cer`",
            Self::NoPrivateKey(found) if found.iter().any(|l| l == "CERTIFICATE") => {
                "perhaps certificate and key were given the wrong way round"
            }
            Self::NoPrivateKey(_) => {
                "give the key as PKCS#8, PKCS#1 or SEC1: `openssl pkey -in KEY -out KEY.pem`"
            }
            Self::TwoKeys => "leave only the key that belongs to the certificate",
            Self::EncryptedKey => "decrypt it first: `openssl pkey -in KEY -out KEY.plain`",
            Self::WrongPassPhrase => "give the pass phrase that the key was encrypted with",
            Self::UnsupportedLock(_) => {
                "encrypt it anew: `openssl pkcs8 -topk8 -in KEY -out KEY.new`"
            }
            Self::UnsupportedKey(_) => {
                "use RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"
            }
            Self::KeyMismatch(_) => {
                "compare `openssl pkey -in KEY -pubout` with `openssl x509 -in CERT -noout -pubkey`"
            }
            Self::TwoLeaves(_) => "leave only the newer certificate",
            Self::UnrelatedCertificate { .. } => {
                "leave it out, or add the certificate that links it to the chain"
            }
            Self::NotACertificate(_) => return None,
            Self::InvalidAlias { .. } => "take 1 to 64 of the characters a-z, 0-9, `.`, `_`, `-`",
            Self::InvalidPassword(_) => {
                "take at least 6 printable ASCII characters, as Java's keytool wants it"
            }
            Self::DuplicateAlias(_) => "give each certificate an alias of its own",
            Self::EmptyTruststore => "name at least one certificate",
            Self::NotAKeystore(_) => "make one of PEM files: `jitsi-install keystore build`",
            Self::DamagedStore(..) => "make it anew, or take it from a backup",
            Self::WrongPassword(_) => {
                "look at the first line of the password's file; upper and lower case count"
            }
            Self::PasswordNeeded(_) => "name a file with it: `--password-file FILE`",
            Self::OtherKeyPassword(_) => {
                "make it anew with one password for both, which is what Java's servers expect"
            }
            Self::UnsupportedStore(..) => "make it anew with `jitsi-install keystore build`",
            Self::Write(_) => return None,
        })
    }
}

/// `a`, `b`, each in backticks.
fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
