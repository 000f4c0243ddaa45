//! Keystores: from PEM, as acme.sh leaves it, to PKCS#12, as a Java 17 program really opens it.
//!
//! Everything here is bytes in, bytes out. The room must not touch the disk, read a clock or look
//! at the environment; whoever needs "now" hands it in as seconds since 1970.
//!
//! ```text
//! chain PEM ─┐
//!            ├─ KeyPair::from_pem ─ build_pkcs12 ─► bytes ─ pkcs12_holds ─► nothing to do?
//! key PEM ───┘
//! certificates ─────────────────── build_truststore ► bytes ─ truststore_holds
//! ```
//!
//! Salts are random, so two stores of the same content never have the same bytes: ask the `holds`
//! functions, which compare what is inside.
//!
//! Tests may not be content with `keytool -list`: it lists keys that Java cannot read.
//! `tests/keystore.rs` signs and talks TLS with every kind of key.
//!
//! To add a private key form: `key.rs`. To add a key algorithm: `algorithm.rs` has the one
//! table. To add a container (JKS, say): a file beside `pkcs12.rs` with a `build_` and a `_holds`
//! function over [`KeyPair`], [`Alias`] and [`Password`], and a case in `tests/keystore.rs`.

mod algorithm;
mod certificate;
mod chain;
mod credential;
mod error;
mod key;
mod pair;
mod pem;
mod pkcs12;
mod truststore;

pub use certificate::{CertificateInfo, Validity, describe};
pub use credential::{Alias, Password};
pub use error::{KeystoreError, Part};
pub use pair::KeyPair;
pub use pkcs12::{build_pkcs12, pkcs12_holds};
pub use truststore::{build_truststore, truststore_holds};
