//! Keystores: from PEM, as acme.sh, certbot, lego and Caddy leave it, to PKCS#12 and JKS, as a Java 17
//! program really opens them; and back, to say what is in one and whether Java can use it.
//!
//! Everything here is bytes in, bytes out. The room must not touch the disk, read a clock or look
//! at the environment; whoever needs "now" hands it in as seconds since 1970.
//!
//! ```text
//! chain PEM ─┐                      ┌─ build_pkcs12, build_jks ─► bytes ─ …_holds ─► nothing to do?
//!            ├─ KeyPair::from_pem ──┤
//! key PEM ───┘                      └─ examine ─► findings
//! certificates ─ build_truststore ──► bytes ─ truststore_holds
//! bytes ─ Store::open ─► entries ─ verify ─► findings
//! ```
//!
//! Salts are random, so two stores of the same content never have the same bytes: ask the `holds`
//! functions, which compare what is inside.
//!
//! Tests may not be content with `keytool -list`: it lists keys that Java cannot read.
//! `tests/keystore.rs` signs and talks TLS with every kind of key.
//!
//! To add a private key form: `key.rs`. To add a key algorithm: `algorithm.rs` has the one
//! table. To add a container: a file beside `jks.rs` with a `build_` and a `_holds` function over
//! [`KeyPair`], [`Alias`] and [`Password`], a variant of [`Format`], and cases in `tests/keystore.rs`.
//! To add a check: `examine.rs` for a chain, `verify.rs` for a store.

mod algorithm;
mod certificate;
mod chain;
mod credential;
mod der;
mod error;
mod examine;
mod jks;
mod key;
mod locked;
mod pair;
mod pem;
mod pfx;
mod pkcs12;
mod protection;
mod store;
mod truststore;
mod verify;

pub use certificate::{CertificateInfo, Validity, describe, printable};
pub use credential::{Alias, Password};
pub use error::{KeystoreError, Part};
pub use examine::{Finding, Grade};
pub use jks::{build_jks, jks_holds};
pub use pair::KeyPair;
pub use pkcs12::{Readers, build_pkcs12, build_pkcs12_for, pkcs12_holds, pkcs12_holds_for};
pub use store::{Entry, Format, Kind, Store};
pub use truststore::{
    build_jks_truststore, build_truststore, certificates, jks_truststore_holds, truststore_holds,
};
pub use verify::{Wanted, verify};
