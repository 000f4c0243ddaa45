//! Whether a chain will do for a TLS server: order, signatures, dates, strength, purpose.
//!
//! Each point becomes a [`Finding`]; whoever makes a keystore refuses on a bad one, whoever examines
//! one shows them all. The roots of the system are not consulted: a chain is taken for complete when
//! the leaf is not alone. To add a point: a function here and its line in [`chain`].

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_parser::certificate::X509Certificate;

use super::{
    algorithm::Algorithm,
    certificate::{CertificateInfo, describe_parsed, parse, rsa_bits},
    chain::Link,
};

/// What to think of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// In order.
    Ok,
    /// Works, and should be looked at.
    Warn,
    /// Does not work, or must not be used.
    Bad,
}

/// One point that was examined.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The point, such as `dates`.
    pub about: &'static str,
    /// What to think of it.
    pub grade: Grade,
    /// What was seen; printable.
    pub what: String,
    /// What to do, unless it is in order.
    pub cure: Option<&'static str>,
}

impl Finding {
    pub(super) fn ok(about: &'static str, what: impl Into<String>) -> Self {
        Self {
            about,
            grade: Grade::Ok,
            what: what.into(),
            cure: None,
        }
    }

    pub(super) fn warn(about: &'static str, what: impl Into<String>, cure: &'static str) -> Self {
        Self {
            grade: Grade::Warn,
            cure: Some(cure),
            ..Self::ok(about, what)
        }
    }

    pub(super) fn bad(about: &'static str, what: impl Into<String>, cure: &'static str) -> Self {
        Self {
            grade: Grade::Bad,
            cure: Some(cure),
            ..Self::ok(about, what)
        }
    }
}

const RENEW: &str = "renew the certificate, as with `acme.sh --renew -d DOMAIN --force`";
const FULL: &str = "give the full chain, such as acme.sh's `fullchain.cer`";
const STRONGER: &str =
    "have a new certificate issued: RSA of 2048 bits or EC P-256, signed with SHA-256";

/// Examines a chain, leaf first.
pub(super) fn chain(chain: &[Vec<u8>], unix_now: i64) -> Vec<Finding> {
    let parsed: Result<Vec<_>, _> = chain.iter().map(|der| parse(der)).collect();
    let certificates = match parsed {
        Ok(certificates) if !certificates.is_empty() => certificates,
        Ok(_) => return vec![Finding::bad("chain", "is empty", FULL)],
        Err(error) => return vec![Finding::bad("chain", error.to_string(), FULL)],
    };
    let all: Vec<Examined<'_>> = chain
        .iter()
        .zip(&certificates)
        .map(|(der, certificate)| Examined {
            link: Link::new(der, certificate),
            info: describe_parsed(der, certificate),
            certificate,
        })
        .collect();
    let mut findings = order(&all);
    findings.extend(dates(&all, unix_now));
    findings.extend(strength(&all));
    findings.extend(purpose(&all[0]));
    findings
}

struct Examined<'a> {
    link: Link,
    info: CertificateInfo,
    certificate: &'a X509Certificate<'a>,
}

impl Examined<'_> {
    fn title(&self) -> &str {
        &self.link.title
    }
}

/// Names first, then, where they fit, signatures.
fn order(all: &[Examined<'_>]) -> Vec<Finding> {
    for pair in all.windows(2) {
        if !pair[0].link.is_issued_by(&pair[1].link) {
            let what = format!(
                "`{}` is not issued by `{}`, which comes next",
                pair[0].title(),
                pair[1].title()
            );
            return vec![Finding::bad("chain", what, FULL)];
        }
    }
    let last = &all[all.len() - 1];
    let length = match all.len() {
        1 => "1 certificate".to_owned(),
        n => format!("{n} certificates, each issued by the next"),
    };
    let mut findings = vec![match (all.len(), last.link.is_self_issued()) {
        (1, true) => Finding::ok("chain", format!("{length}, self-signed")),
        (1, false) => Finding::warn(
            "chain",
            format!(
                "the intermediate certificate is missing: who does not know `{}` refuses it",
                last.info.issuer
            ),
            FULL,
        ),
        (_, true) => Finding::ok("chain", format!("{length}, the root included")),
        (_, false) => Finding::ok("chain", format!("{length}, up to `{}`", last.info.issuer)),
    }];
    let mut issuers: Vec<_> = all.iter().skip(1).collect();
    if last.link.is_self_issued() {
        issuers.push(last);
    }
    let mut unknown = Vec::new();
    for (signed, issuer) in all.iter().zip(issuers) {
        match is_signed(signed.certificate, issuer.certificate) {
            Some(true) => {}
            Some(false) => {
                let what = format!(
                    "that on `{}` was not made by `{}`",
                    signed.title(),
                    issuer.title()
                );
                findings.push(Finding::bad("signatures", what, FULL));
                return findings;
            }
            None => unknown.push(format!("`{}`", signed.title())),
        }
    }
    findings.push(if unknown.is_empty() {
        Finding::ok("signatures", "are right")
    } else {
        let what = format!(
            "of a kind that is not verified here: {}",
            unknown.join(", ")
        );
        Finding::warn("signatures", what, STRONGER)
    });
    findings
}

/// Whether the issuer's key made the signature; `None` for an algorithm that is not known here. Old
/// digests and short keys are verified all the same: [`strength`] says what to think of them.
fn is_signed(signed: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Option<bool> {
    let key = issuer.public_key();
    let curve = Algorithm::curve(key.algorithm.parameters.as_ref());
    let kind = Algorithm::from_oids(&key.algorithm.algorithm, curve.as_ref())?;
    let way = signed.signature_algorithm.algorithm.to_id_string();
    let algorithm: &dyn VerificationAlgorithm = match (kind, way.as_str()) {
        (Algorithm::Rsa, "1.2.840.113549.1.1.5") => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Algorithm::Rsa, "1.2.840.113549.1.1.11") => {
            &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        (Algorithm::Rsa, "1.2.840.113549.1.1.12") => &RSA_PKCS1_2048_8192_SHA384,
        (Algorithm::Rsa, "1.2.840.113549.1.1.13") => {
            &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        (Algorithm::P256, "1.2.840.10045.4.3.2") => &ECDSA_P256_SHA256_ASN1,
        (Algorithm::P256, "1.2.840.10045.4.3.3") => &ECDSA_P256_SHA384_ASN1,
        (Algorithm::P384, "1.2.840.10045.4.3.2") => &ECDSA_P384_SHA256_ASN1,
        (Algorithm::P384, "1.2.840.10045.4.3.3") => &ECDSA_P384_SHA384_ASN1,
        (Algorithm::P521, "1.2.840.10045.4.3.2") => &ECDSA_P521_SHA256_ASN1,
        (Algorithm::P521, "1.2.840.10045.4.3.3") => &ECDSA_P521_SHA384_ASN1,
        (Algorithm::P521, "1.2.840.10045.4.3.4") => &ECDSA_P521_SHA512_ASN1,
        (Algorithm::Ed25519, "1.3.101.112") => &ED25519,
        _ => return None,
    };
    let verified = UnparsedPublicKey::new(algorithm, &key.subject_public_key.data).verify(
        signed.tbs_certificate.as_ref(),
        &signed.signature_value.data,
    );
    Some(verified.is_ok())
}

/// All certificates must be valid now; of a root's own dates many clients think nothing.
fn dates(all: &[Examined<'_>], unix_now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in all {
        let validity = one.info.validity;
        let days = validity.days_left(unix_now);
        let what = if unix_now < validity.not_before {
            let days = validity.not_before.saturating_sub(unix_now) / 86_400;
            format!(
                "`{}` is not valid yet: begins in {}",
                one.title(),
                count(days)
            )
        } else if unix_now > validity.not_after {
            let days = unix_now.saturating_sub(validity.not_after) / 86_400;
            format!("`{}` has expired: ended {} ago", one.title(), count(days))
        } else {
            continue;
        };
        findings.push(if one.link.is_self_issued() && all.len() > 1 {
            Finding::warn("dates", what, "leave the root out of the chain")
        } else if days < 0 {
            Finding::bad("dates", what, RENEW)
        } else {
            Finding::bad("dates", what, "set the clock, or wait")
        });
    }
    if findings.is_empty() {
        let leaf = all[0].info.validity;
        let days = leaf.days_left(unix_now);
        let long = leaf.not_after.saturating_sub(leaf.not_before) > 30 * 86_400;
        let what = format!("ends in {}", count(days));
        findings.push(if days < 7 && long {
            Finding::warn("dates", what, RENEW)
        } else {
            Finding::ok("dates", what)
        });
    }
    findings
}

fn count(days: i64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        n => format!("{n} days"),
    }
}

/// Keys and digests that Java or browsers refuse. A self-issued issuer's signature counts for nothing.
fn strength(all: &[Examined<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, one) in all.iter().enumerate() {
        let public = one.certificate.public_key();
        if let Some(bits) = rsa_bits(public).filter(|bits| *bits < 2048) {
            let what = format!("the key of `{}` has {bits} bits", one.title());
            findings.push(Finding::bad("strength", what, STRONGER));
        }
        let way = one.certificate.signature_algorithm.algorithm.to_id_string();
        let digest = match way.as_str() {
            "1.2.840.113549.1.1.2" => "MD2",
            "1.2.840.113549.1.1.4" => "MD5",
            "1.2.840.113549.1.1.5"
            | "1.3.14.3.2.29"
            | "1.2.840.10045.4.1"
            | "1.2.840.10040.4.3" => "SHA-1",
            _ => continue,
        };
        if place == 0 || !one.link.is_self_issued() {
            let what = format!("`{}` is signed with {digest}", one.title());
            findings.push(Finding::bad("strength", what, STRONGER));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok("strength", all[0].info.key_kind.clone()));
    }
    findings
}

/// A certificate for clients or mail alone is refused by those who connect.
fn purpose(leaf: &Examined<'_>) -> Option<Finding> {
    let usage = leaf.certificate.extended_key_usage().ok()??.value;
    let serves = usage.server_auth || usage.any;
    (!serves).then(|| {
        Finding::warn(
            "purpose",
            format!("`{}` is not for TLS servers", leaf.title()),
            "have a certificate issued whose extended key usage has `serverAuth`",
        )
    })
}
