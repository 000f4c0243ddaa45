//! Certificates, keystore and truststore as they stand on disk.

use super::{APPLY, Check, Probe, Question, Subject, seen};
use crate::keystore::{self, CertificateInfo, KeyPair};
use crate::name::AbsPath;
use crate::recipe::Recipe;
use crate::service::certificates::is_made_here;
use crate::site::CertificateSource;

pub(super) const AUTH: Question = Question::new(
    "D-10",
    "the service accounts have a certificate of their own",
);
pub(super) const TRUST: Question =
    Question::new("D-11", "Jicofo and the bridge trust that certificate");
pub(super) const SITE: Question = Question::new("D-12", "the site's certificate is good");
pub(super) const COPIES: Question = Question::new("D-13", "all copies of it are the same");
pub(super) const KEYSTORE: Question = Question::new("D-14", "the bridge's keystore opens");

/// A certificate that ends sooner is mentioned.
const SOON: i64 = 14;

/// A PEM file with certificates.
pub(super) struct Chain {
    pub(super) path: AbsPath,
    /// All of them, the first one's owner first.
    pub(super) der: Vec<Vec<u8>>,
    pem: String,
    leaf: CertificateInfo,
}

/// The certificate of the service accounts' host.
pub(super) fn auth_chain(subject: &Subject<'_>, probe: &dyn Probe) -> Result<Chain, String> {
    let context = subject.context;
    let certs = context.platform.prosody.config.join("certs");
    Chain::read(probe, certs.join(&format!("{}.crt", context.hosts.auth)))
}

/// The site's certificate, as the web server has it.
pub(super) fn site_chain(subject: &Subject<'_>, probe: &dyn Probe) -> Result<Chain, String> {
    let context = subject.context;
    let file = format!("certs/{}.crt", context.site.domain);
    Chain::read(probe, context.platform.jitsi_config.join(&file))
}

impl Chain {
    fn read(probe: &dyn Probe, path: AbsPath) -> Result<Self, String> {
        use rustls_pki_types::CertificateDer;
        use rustls_pki_types::pem::PemObject;
        let pem = seen(probe, &path)?.text();
        let der: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .filter_map(|one| Some(one.ok()?.as_ref().to_vec()))
            .collect();
        let first = der
            .first()
            .ok_or_else(|| format!("`{path}` holds no certificate"))?;
        let leaf = keystore::describe(first).map_err(|error| format!("`{path}`: {error}"))?;
        Ok(Self {
            path,
            der,
            pem,
            leaf,
        })
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.leaf.names.iter().any(|known| {
            known.eq_ignore_ascii_case(name)
                || known
                    .strip_prefix("*.")
                    .is_some_and(|rest| Some(rest) == parent)
        })
    }

    /// What is wrong with its names and dates.
    fn faults(&self, name: &str, now: i64) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.covers(name) {
            let names = self.leaf.names.join(", ");
            faults.push(format!("`{}` is for {names}, not for {name}", self.path));
        }
        let days = self.leaf.validity.days_left(now);
        if days < 0 {
            faults.push(format!("`{}` ended {} days ago", self.path, -days));
        } else if now < self.leaf.validity.not_before {
            faults.push(format!(
                "`{}` is not valid yet: is the clock right?",
                self.path
            ));
        }
        faults
    }
}

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let context = subject.context;
    let (platform, domain) = (context.platform, &context.site.domain);
    let auth = auth_chain(subject, probe);
    let site = site_chain(subject, probe);
    let certs = platform.prosody.config.join("certs");
    let other = Chain::read(probe, certs.join(&format!("{domain}.crt")));
    vec![
        auth_check(subject, &auth, &site),
        trust(subject, probe, &auth),
        site_check(subject, probe, &site),
        copies(subject, &site, &other),
        keystore_check(subject, probe),
    ]
}

fn auth_check(
    subject: &Subject<'_>,
    auth: &Result<Chain, String>,
    site: &Result<Chain, String>,
) -> Check {
    let auth = match auth {
        Ok(auth) => auth,
        Err(why) => return AUTH.bad(why, APPLY),
    };
    let mut faults = auth.faults(subject.context.hosts.auth.as_str(), subject.now);
    if site
        .as_ref()
        .is_ok_and(|site| site.leaf.fingerprint_sha256 == auth.leaf.fingerprint_sha256)
    {
        faults.push(format!("`{}` is the web site's", auth.path));
    }
    let days = auth.leaf.validity.days_left(subject.now);
    AUTH.faults(&faults, format!("`{}`, {days} days left", auth.path), APPLY)
}

fn trust(subject: &Subject<'_>, probe: &dyn Probe, auth: &Result<Chain, String>) -> Check {
    let path = subject.context.truststore();
    let cure = format!(
        "{APPLY}; Jicofo and the bridge read it at start only, so {}",
        subject.restart_all(&["jicofo", "jitsi-videobridge2"])
    );
    let (auth, store) = match (auth, seen(probe, &path)) {
        (Ok(auth), Ok(store)) => (auth, store),
        (Err(why), _) => return TRUST.bad(why, cure),
        (_, Err(why)) => return TRUST.bad(why, cure),
    };
    // What is on disk, under the alias and the password that the layout gives.
    let holds = match subject.recipe(&path) {
        Some(Recipe::Truststore {
            alias, password, ..
        }) => Recipe::Truststore {
            certificate: auth.pem.clone(),
            alias: alias.clone(),
            password: password.clone(),
        }
        .holds(&store.bytes),
        _ => false,
    };
    if !holds {
        return TRUST.bad(
            format!("`{path}` does not hold the certificate in `{}`", auth.path),
            cure,
        );
    }
    if store.mode.0 & 0o044 != 0o044 {
        return TRUST.warn(
            format!(
                "`{path}` has mode {:04o}: not everybody who needs it can read it",
                store.mode.0
            ),
            cure,
        );
    }
    TRUST.good(format!("`{path}` holds `{}`", auth.path))
}

fn site_check(subject: &Subject<'_>, probe: &dyn Probe, site: &Result<Chain, String>) -> Check {
    let context = subject.context;
    let domain = context.site.domain.as_str();
    let site = match site {
        Ok(site) => site,
        Err(why) => return SITE.bad(why, APPLY),
    };
    let cure =
        "renew it where it comes from (`acme.sh --renew -d DOMAIN`), then `jitsi-install apply`";
    let mut faults = site.faults(domain, subject.now);
    let key = context
        .platform
        .jitsi_config
        .join(&format!("certs/{domain}.key"));
    let pair = seen(probe, &key).and_then(|key_seen| {
        KeyPair::from_pem(site.pem.as_bytes(), &key_seen.bytes)
            .map_err(|error| format!("`{}` and `{key}`: {error}", site.path))
    });
    let length = match pair {
        Ok(pair) => pair.chain().len(),
        Err(why) => {
            faults.push(why);
            0
        }
    };
    if !faults.is_empty() {
        return SITE.bad(faults.join("; "), cure);
    }
    let days = site.leaf.validity.days_left(subject.now);
    if days < SOON {
        return SITE.warn(format!("`{}` ends in {days} days", site.path), cure);
    }
    let is_made_here = is_made_here(&site.leaf.issuer, &subject.context.site.domain);
    if is_made_here || site.leaf.issuer == site.leaf.subject {
        return SITE.warn(
            format!(
                "`{}` is signed by nobody whom browsers know: they warn",
                site.path
            ),
            "name a certificate that browsers know under `[certificates]` in the site file",
        );
    }
    if length < 2 {
        return SITE.warn(
            format!(
                "`{}` comes without its issuer's: some clients will not trust it",
                site.path
            ),
            "use the full chain (`fullchain.cer`, `fullchain.pem`)",
        );
    }
    SITE.good(format!(
        "`{}`, {days} days left, {length} certificates",
        site.path
    ))
}

fn copies(
    subject: &Subject<'_>,
    site: &Result<Chain, String>,
    other: &Result<Chain, String>,
) -> Check {
    let (site, other) = match (site, other) {
        (Ok(site), Ok(other)) => (site, other),
        (Err(why), _) | (_, Err(why)) => return COPIES.bad(why, APPLY),
    };
    let mut faults = Vec::new();
    for copy in [site, other] {
        if copy.pem.trim() != subject.context.certificate().certificate.trim() {
            let from = match &subject.context.site.certificates {
                CertificateSource::SelfSigned => "the one that was made for this site".to_owned(),
                CertificateSource::Issued { by, home } => {
                    format!("the newest that {} has in `{home}`", by.as_str())
                }
                CertificateSource::Files { certificate, .. } => format!("`{certificate}`"),
            };
            faults.push(format!("`{}` is not {from}", copy.path));
        }
    }
    COPIES.faults(
        &faults,
        format!("`{}` and `{}`", site.path, other.path),
        "`jitsi-install apply` copies it to everybody who uses it and tells them",
    )
}

fn keystore_check(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    if !context.site.videobridge.websockets {
        return KEYSTORE.skipped("the bridge has no websockets of its own on this site");
    }
    let path = context.config_dir("videobridge").join("jvb.p12");
    let store = match seen(probe, &path) {
        Ok(store) => store,
        Err(why) => return KEYSTORE.bad(why, APPLY),
    };
    match subject.recipe(&path) {
        Some(recipe) if recipe.holds(&store.bytes) => {
            KEYSTORE.good(format!("`{path}` holds the site's key and certificate"))
        }
        _ => KEYSTORE.bad(
            format!("`{path}` does not open, or does not hold the site's key and certificate"),
            APPLY,
        ),
    }
}
