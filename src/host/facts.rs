//! What a root says about itself: its release, its site file, certificates, pages, templates.

use std::collections::BTreeMap;

use super::root::Root;
use crate::keystore::{self, KeyPair};
use crate::name::AbsPath;
use crate::platform::{Release, recognise};
use crate::render::OWN;
use crate::secret::{CertifiedKey, Secret};
use crate::service::Facts;
use crate::site::{CertificateSource, Signature, Site, WebServer};

/// A fact that is missing or wrong; the second text is the cure.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct FactError {
    /// What is wrong, and where.
    pub what: String,
    /// What to do.
    pub hint: String,
}

fn wrong(what: impl Into<String>, hint: impl Into<String>) -> FactError {
    FactError {
        what: what.into(),
        hint: hint.into(),
    }
}

/// The release that a root's own files speak of.
#[must_use]
pub fn release(root: &Root) -> Option<Release> {
    let text = |path: &str| {
        root.read(&AbsPath::fixed(path))
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    recognise(
        text("/etc/os-release").as_deref(),
        text("/etc/slackware-version").as_deref(),
    )
}

/// Everything that a site needs to know of its root, and remarks for the plan's reader.
///
/// # Errors
/// When a certificate, secret or template that the site names is missing or wrong.
pub fn gather(
    root: &Root,
    site: &Site,
    web_root: &AbsPath,
    templates: &AbsPath,
    now: i64,
) -> Result<(Facts, Vec<String>), FactError> {
    let mut remarks = Vec::new();
    let certificate = match &site.certificates {
        CertificateSource::SelfSigned => None,
        CertificateSource::AcmeSh { home } => Some(acme_sh(root, home, site.domain.as_str())?),
        CertificateSource::Files { certificate, key } => Some(pair(root, certificate, key)?),
    };
    if let Some((pair, leaf)) = &certificate {
        remarks.extend(judge(leaf, site, now, pair)?);
    }
    let token_secret = match &site.auth.token.signature {
        Signature::Hs256 {
            secret_file: Some(file),
        } => Some(shared_secret(root, file)?),
        Signature::Hs256 { secret_file: None } | Signature::Rs256 { .. } => None,
    };
    let pages = if site.web.server == WebServer::Caddy {
        pages(root, web_root)
    } else {
        BTreeMap::new()
    };
    let facts = Facts {
        certificate: certificate.map(|(pair, _)| pair),
        token_secret,
        pages,
        templates: own_templates(root, templates)?,
    };
    Ok((facts, remarks))
}

type Found = (CertifiedKey, keystore::CertificateInfo);

fn pair(root: &Root, certificate: &AbsPath, key: &AbsPath) -> Result<Found, FactError> {
    let read = |path: &AbsPath| -> Result<String, FactError> {
        let bytes = root.read(path).map_err(|error| {
            wrong(
                format!("`{path}` cannot be read: {error}"),
                "name the PEM files under `[certificates]`, as they are inside the root",
            )
        })?;
        String::from_utf8(bytes).map_err(|_| {
            wrong(
                format!("`{path}` is no PEM file"),
                "convert it: `openssl x509 -inform der -in FILE`",
            )
        })
    };
    let (chain_text, key_text) = (read(certificate)?, Secret::new(read(key)?));
    let checked = KeyPair::from_pem(chain_text.as_bytes(), key_text.reveal().as_bytes()).map_err(
        |error| {
            wrong(
                format!("`{certificate}` and `{key}`: {error}"),
                error.hint().unwrap_or_default(),
            )
        },
    )?;
    let leaf = keystore::describe(checked.leaf()).map_err(|error| {
        wrong(
            format!("`{certificate}`: {error}"),
            error.hint().unwrap_or_default(),
        )
    })?;
    Ok((
        CertifiedKey {
            certificate: chain_text,
            key: key_text,
        },
        leaf,
    ))
}

/// acme.sh keeps EC certificates in `DOMAIN_ecc/` and RSA ones in `DOMAIN/`; where both are, the
/// one that lasts longer is meant.
fn acme_sh(root: &Root, home: &AbsPath, domain: &str) -> Result<Found, FactError> {
    let mut best: Option<Found> = None;
    let mut trouble = None;
    for folder in [format!("{domain}_ecc"), domain.to_owned()] {
        let folder = home.join(&folder);
        if !root.is_dir(&folder) {
            continue;
        }
        match pair(
            root,
            &folder.join("fullchain.cer"),
            &folder.join(&format!("{domain}.key")),
        ) {
            Ok(found) => {
                if best
                    .as_ref()
                    .is_none_or(|(_, other)| found.1.validity.not_after > other.validity.not_after)
                {
                    best = Some(found);
                }
            }
            Err(error) => trouble = Some(error),
        }
    }
    match (best, trouble) {
        (Some(found), _) => Ok(found),
        (None, Some(error)) => Err(error),
        (None, None) => Err(wrong(
            format!("acme.sh has no certificate for `{domain}` in `{home}`"),
            format!(
                "issue one first: `acme.sh --home {home} --issue -d {domain} …`, or write `source = \"self-signed\"` until then"
            ),
        )),
    }
}

/// A certificate for another name is refused; one that ends soon is only mentioned.
fn judge(
    leaf: &keystore::CertificateInfo,
    site: &Site,
    now: i64,
    pair: &CertifiedKey,
) -> Result<Option<String>, FactError> {
    let domain = site.domain.as_str();
    let covers = |name: &str| {
        name.eq_ignore_ascii_case(domain)
            || name.strip_prefix("*.").is_some_and(|rest| {
                domain
                    .split_once('.')
                    .is_some_and(|(_, parent)| parent == rest)
            })
    };
    if !leaf.names.iter().any(|name| covers(name)) {
        return Err(wrong(
            format!(
                "the certificate is for {}, not for `{domain}`",
                leaf.names.join(", ")
            ),
            "issue one with this site's name in it",
        ));
    }
    let days = (leaf.validity.not_after - now).div_euclid(86_400);
    if days < 0 {
        return Ok(Some(format!(
            "the site's certificate ended {} days ago",
            -days
        )));
    }
    if leaf.validity.not_before > now {
        return Ok(Some(
            "the site's certificate is not valid yet: is the clock right?".to_owned(),
        ));
    }
    if days < 14 {
        return Ok(Some(format!("the site's certificate ends in {days} days")));
    }
    let count = pair
        .certificate
        .matches("-----BEGIN CERTIFICATE-----")
        .count();
    Ok((count < 2).then(|| {
        "the site's certificate comes without its issuer's: some clients will not trust it"
            .to_owned()
    }))
}

/// The secret of tokens that another program shares.
///
/// # Errors
/// When the file is missing, too short or no single line of text.
pub fn shared_secret(root: &Root, file: &AbsPath) -> Result<Secret<String>, FactError> {
    let bytes = root.read(file).map_err(|error| {
        wrong(
            format!("`{file}` cannot be read: {error}"),
            "write the shared secret into it, mode 0600",
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        wrong(
            format!("`{file}` is not UTF-8 text"),
            "write the secret as text",
        )
    })?;
    let secret = Secret::new(
        text.strip_suffix('\n')
            .unwrap_or(&text)
            .trim_end_matches('\r')
            .to_owned(),
    );
    if secret.reveal().chars().any(char::is_control) {
        return Err(wrong(
            format!("`{file}` has more than one line, or a control character"),
            "write the secret on one line",
        ));
    }
    if secret.reveal().chars().count() < 32 {
        return Err(wrong(
            format!("the secret in `{file}` has fewer than 32 characters"),
            format!("make one: `openssl rand -base64 32 > {file}`"),
        ));
    }
    Ok(secret)
}

/// HTML pages of the web application: those in its folder and in `static/`.
fn pages(root: &Root, web_root: &AbsPath) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for (folder, prefix) in [(web_root.clone(), ""), (web_root.join("static"), "static/")] {
        for name in root
            .list(&folder)
            .into_iter()
            .filter(|name| name.ends_with(".html"))
        {
            if let Ok(path) = AbsPath::parse(&format!("{folder}/{name}"))
                && let Ok(bytes) = root.read(&path)
                && let Ok(text) = String::from_utf8(bytes)
            {
                pages.insert(format!("{prefix}{name}"), text);
            }
        }
    }
    pages
}

/// The administrator's templates; a file that replaces none of ours is a mistake.
fn own_templates(root: &Root, folder: &AbsPath) -> Result<BTreeMap<String, String>, FactError> {
    let mut templates = BTreeMap::new();
    for service in root.list(folder) {
        for file in root.list(&folder.join(&service)) {
            let name = format!("{service}/{file}");
            if file.starts_with('.') || file.ends_with('~') {
                continue;
            }
            if !OWN.iter().any(|(own, _)| *own == name) {
                let known: Vec<&str> = OWN.iter().map(|(own, _)| *own).collect();
                return Err(wrong(
                    format!("`{folder}/{name}` replaces no template"),
                    format!("the templates are {}", known.join(", ")),
                ));
            }
            let path = folder.join(&name);
            let bytes = root.read(&path).map_err(|error| {
                wrong(
                    format!("`{path}` cannot be read: {error}"),
                    "make it readable",
                )
            })?;
            let text = String::from_utf8(bytes)
                .map_err(|_| wrong(format!("`{path}` is not UTF-8 text"), "save it as UTF-8"))?;
            templates.insert(name, text);
        }
    }
    Ok(templates)
}

/// When the first certificate of a PEM text ends, in seconds since 1970.
#[must_use]
pub fn ends(pem: &[u8]) -> Option<i64> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let der = CertificateDer::from_pem_slice(pem).ok()?;
    Some(keystore::describe(&der).ok()?.validity.not_after)
}
