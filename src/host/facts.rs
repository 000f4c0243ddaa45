//! What a root says about itself: its release, its site file, certificates, pages, templates.

use std::collections::BTreeMap;

use super::issued::{self, Issued};
use super::root::Root;
use crate::keystore;
use crate::name::{AbsPath, Domain};
use crate::platform::{Release, recognise};
use crate::render::OWN;
use crate::secret::{CertifiedKey, Secret};
use crate::service::Facts;
use crate::service::accounts::Words;
use crate::service::certificates::is_made_here;
use crate::site::{CertificateSource, Database, Signature, Site, WebServer};

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
    known: &KnownPlaces,
    now: i64,
) -> Result<(Facts, Vec<String>), FactError> {
    let mut remarks = Vec::new();
    let certificate = certificate(root, site, now, known, &mut remarks)?;
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
        certificate,
        token_secret,
        accounts: account_words(root, site)?,
        pages,
        versions: BTreeMap::new(),
        templates: own_templates(root, templates)?,
    };
    Ok((facts, remarks))
}

/// A chain and its key, in two files.
#[derive(Debug, Clone)]
pub struct PairAt {
    /// The chain.
    pub certificate: AbsPath,
    /// The key.
    pub key: AbsPath,
}

/// Where a certificate may be besides the site's source.
#[derive(Debug, Clone)]
pub struct KnownPlaces {
    /// One that a hook handed to `renew`, and that the site's source does not have.
    pub taken_in: PairAt,
    /// The one that an earlier apply laid out.
    pub laid_out: PairAt,
}

impl KnownPlaces {
    /// Below the folder of the books and that of Jitsi's configuration.
    #[must_use]
    pub fn below(state: &AbsPath, jitsi_config: &AbsPath, domain: &Domain) -> Self {
        let kept = state.join("certificate");
        let certs = jitsi_config.join("certs");
        Self {
            taken_in: PairAt {
                certificate: kept.join("fullchain.pem"),
                key: kept.join("key.pem"),
            },
            laid_out: PairAt {
                certificate: certs.join(&format!("{domain}.crt")),
                key: certs.join(&format!("{domain}.key")),
            },
        }
    }
}

/// The certificate that the site shows.
fn certificate(
    root: &Root,
    site: &Site,
    now: i64,
    known: &KnownPlaces,
    remarks: &mut Vec<String>,
) -> Result<Option<CertifiedKey>, FactError> {
    let found = chosen(root, site, &known.taken_in)?;
    if let (None, CertificateSource::Issued { by, home }) = (&found, &site.certificates) {
        let who = by.as_str();
        let missing = format!("{who} has no certificate for `{}` in `{home}`", site.domain);
        // A folder that is not mounted, say, is no reason to take a good certificate away.
        let laid_out = issued::read(root, &known.laid_out.certificate, &known.laid_out.key);
        if let Ok(laid_out) = laid_out
            && issued::covers(&laid_out.leaf, &site.domain)
            && !is_made_here(&laid_out.leaf.issuer, &site.domain)
        {
            remarks.push(format!(
                "{missing}: the one that is laid out already stays (`{}`)",
                laid_out.at
            ));
            remarks.extend(judge(&laid_out, now));
            return Ok(Some(laid_out.pair));
        }
        remarks.push(format!(
            "{missing} yet: until it has, the site shows one that was made here, and browsers warn of it"
        ));
    }
    remarks.extend(found.as_ref().and_then(|found| judge(found, now)));
    Ok(found.map(|found| found.pair))
}

/// The certificate of the site's source, or the one taken in: whichever was issued later.
///
/// # Errors
/// When what is there cannot be used.
pub fn chosen(root: &Root, site: &Site, taken_in: &PairAt) -> Result<Option<Issued>, FactError> {
    let of_source = issued::find(root, &site.certificates, &site.domain)?;
    if site.certificates == CertificateSource::SelfSigned || !root.exists(&taken_in.certificate) {
        return Ok(of_source);
    }
    let other = issued::read(root, &taken_in.certificate, &taken_in.key)?;
    let is_later = issued::covers(&other.leaf, &site.domain)
        && of_source
            .as_ref()
            .is_none_or(|found| found.leaf.validity.not_before < other.leaf.validity.not_before);
    Ok(if is_later { Some(other) } else { of_source })
}

/// What a plan's reader should know of the certificate.
fn judge(found: &Issued, now: i64) -> Option<String> {
    let days = found.leaf.validity.days_left(now);
    if days < 0 {
        Some(format!("the site's certificate ended {} days ago", -days))
    } else if found.leaf.validity.not_before > now {
        Some("the site's certificate is not valid yet: is the clock right?".to_owned())
    } else if days < 14 {
        Some(format!("the site's certificate ends in {days} days"))
    } else if found.length < 2 {
        Some(
            "the site's certificate comes without its issuer's: some clients will not trust it"
                .to_owned(),
        )
    } else {
        None
    }
}

/// The secret of tokens that another program shares.
///
/// # Errors
/// When the file is missing, too short or no single line of text.
pub fn shared_secret(root: &Root, file: &AbsPath) -> Result<Secret<String>, FactError> {
    let secret = one_line(root, file)?;
    if secret.reveal().chars().count() < 32 {
        return Err(wrong(
            format!("the secret in `{file}` has fewer than 32 characters"),
            format!("make one: `openssl rand -base64 32 > {file}`"),
        ));
    }
    Ok(secret)
}

/// The one line of a file with a secret.
fn one_line(root: &Root, file: &AbsPath) -> Result<Secret<String>, FactError> {
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
    Ok(secret)
}

/// What stands in files that `[accounts]` names.
fn account_words(root: &Root, site: &Site) -> Result<Words, FactError> {
    let Some(accounts) = &site.accounts else {
        return Ok(Words::default());
    };
    let mut words = Words::default();
    if let Database::Remote(_, remote) = &accounts.database {
        words.database_password = Some(one_line(root, &remote.password_file)?);
        let reader = remote.reader_password_file.as_ref();
        words.reader_password = reader.map(|file| one_line(root, file)).transpose()?;
    }
    let smtp = accounts.smtp.as_ref().and_then(|smtp| smtp.login.as_ref());
    words.smtp_password = smtp.map(|(_, file)| one_line(root, file)).transpose()?;
    let webhook = accounts.notify.webhook_key_file.as_ref();
    words.webhook_key = webhook.map(|file| shared_secret(root, file)).transpose()?;
    Ok(words)
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
