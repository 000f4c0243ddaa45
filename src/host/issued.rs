//! Certificates as their issuers' clients leave them, found inside a root.
//!
//! | client | chain | key |
//! |---|---|---|
//! | acme.sh | `HOME/NAME_ecc/fullchain.cer`, `HOME/NAME/fullchain.cer` | `NAME.key` beside it |
//! | certbot | `HOME/live/LINEAGE/fullchain.pem` | `privkey.pem` beside it |
//! | lego | `HOME/certificates/NAME.crt` | `NAME.key` beside it |
//! | Caddy | `HOME/certificates/CA/NAME/NAME.crt` | `NAME.key` beside it |
//!
//! Folders that bear the site's name are looked into first; where they have nothing, all the
//! others (a certificate for several names, or for all names below one, is kept under another).
//! Of several that name the site, the one that was issued last is meant.

use super::facts::FactError;
use super::root::Root;
use crate::keystore::{self, CertificateInfo, KeyPair};
use crate::name::{AbsPath, Domain};
use crate::secret::{CertifiedKey, Secret};
use crate::site::{AcmeClient, CertificateSource};

/// A certificate that was found, known to belong to its key and to name the site.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The file with the chain.
    pub at: AbsPath,
    /// Chain and key.
    pub pair: CertifiedKey,
    /// What the leaf says of itself.
    pub leaf: CertificateInfo,
    /// How many certificates the chain has.
    pub length: usize,
}

/// Two files that may hold a certificate and its key.
type Place = (AbsPath, AbsPath);

/// The site's certificate where its source has it; `None` when there is none, or none yet.
///
/// # Errors
/// When all that is there cannot be used, with the reason; when files that the site names are missing.
pub fn find(
    root: &Root,
    source: &CertificateSource,
    domain: &Domain,
) -> Result<Option<Issued>, FactError> {
    match source {
        CertificateSource::SelfSigned => Ok(None),
        CertificateSource::Files { certificate, key } => {
            let issued = read(root, certificate, key)?;
            covering(issued, domain).map(Some)
        }
        CertificateSource::Issued { by, home } => {
            let mut best: Option<Issued> = None;
            let mut trouble = None;
            for (certificate, key) in named(root, *by, home, domain) {
                match read(root, &certificate, &key).and_then(|found| covering(found, domain)) {
                    Ok(found) => keep_later(&mut best, found),
                    Err(error) => trouble = Some(error),
                }
            }
            if best.is_none() {
                for (certificate, key) in all(root, *by, home) {
                    if let Ok(found) = read(root, &certificate, &key)
                        && covers(&found.leaf, domain)
                    {
                        keep_later(&mut best, found);
                    }
                }
            }
            match (best, trouble) {
                (Some(best), _) => Ok(Some(best)),
                (None, Some(error)) => Err(error),
                (None, None) => Ok(None),
            }
        }
    }
}

/// Keeps the one that was issued later.
fn keep_later(best: &mut Option<Issued>, found: Issued) {
    let is_later = best
        .as_ref()
        .is_none_or(|best| found.leaf.validity.not_before > best.leaf.validity.not_before);
    if is_later {
        *best = Some(found);
    }
}

/// Does a certificate name the site, itself or by `*`?
#[must_use]
pub fn covers(leaf: &CertificateInfo, domain: &Domain) -> bool {
    leaf.covers(domain.as_str())
}

fn covering(issued: Issued, domain: &Domain) -> Result<Issued, FactError> {
    if covers(&issued.leaf, domain) {
        return Ok(issued);
    }
    Err(FactError {
        what: format!(
            "the certificate `{}` is for {}, not for `{domain}`",
            issued.at,
            issued.leaf.names.join(", ")
        ),
        hint: "issue one with this site's name in it".to_owned(),
    })
}

/// The places that bear the site's name.
fn named(root: &Root, by: AcmeClient, home: &AbsPath, domain: &Domain) -> Vec<Place> {
    let name = domain.as_str();
    let places: Vec<Place> = match by {
        AcmeClient::AcmeSh => [format!("{name}_ecc"), name.to_owned()]
            .iter()
            .map(|folder| acme_sh(&home.join(folder), name))
            .collect(),
        AcmeClient::Certbot => vec![certbot(&home.join("live").join(name))],
        AcmeClient::Lego => vec![beside(&home.join("certificates"), name)],
        AcmeClient::Caddy => root
            .list(&home.join("certificates"))
            .iter()
            .map(|ca| beside(&home.join("certificates").join(ca).join(name), name))
            .collect(),
    };
    there(root, places)
}

/// All places where a client keeps certificates.
fn all(root: &Root, by: AcmeClient, home: &AbsPath) -> Vec<Place> {
    let folders = |folder: &AbsPath| -> Vec<(AbsPath, String)> {
        root.list(folder)
            .into_iter()
            .map(|name| (folder.join(&name), name))
            .collect()
    };
    let places = match by {
        AcmeClient::AcmeSh => folders(home)
            .iter()
            .map(|(folder, name)| acme_sh(folder, name.strip_suffix("_ecc").unwrap_or(name)))
            .collect(),
        AcmeClient::Certbot => folders(&home.join("live"))
            .iter()
            .map(|(folder, _)| certbot(folder))
            .collect(),
        AcmeClient::Lego => root
            .list(&home.join("certificates"))
            .iter()
            .filter_map(|file| file.strip_suffix(".crt"))
            .filter(|name| !name.ends_with(".issuer"))
            .map(|name| beside(&home.join("certificates"), name))
            .collect(),
        AcmeClient::Caddy => folders(&home.join("certificates"))
            .iter()
            .flat_map(|(ca, _)| folders(ca))
            .map(|(folder, name)| beside(&folder, &name))
            .collect(),
    };
    there(root, places)
}

fn acme_sh(folder: &AbsPath, name: &str) -> Place {
    (
        folder.join("fullchain.cer"),
        folder.join(&format!("{name}.key")),
    )
}

fn certbot(folder: &AbsPath) -> Place {
    (folder.join("fullchain.pem"), folder.join("privkey.pem"))
}

fn beside(folder: &AbsPath, name: &str) -> Place {
    (
        folder.join(&format!("{name}.crt")),
        folder.join(&format!("{name}.key")),
    )
}

/// Places whose chain is there. A key that is missing is an error, said when it is read.
fn there(root: &Root, places: Vec<Place>) -> Vec<Place> {
    places
        .into_iter()
        .filter(|(certificate, _)| root.exists(certificate))
        .collect()
}

/// Reads a chain and its key.
///
/// # Errors
/// When either cannot be read or is not what it should be, or they do not belong together.
pub fn read(root: &Root, certificate: &AbsPath, key: &AbsPath) -> Result<Issued, FactError> {
    let text = |path: &AbsPath| -> Result<Vec<u8>, FactError> {
        root.read(path).map_err(|error| FactError {
            what: format!("`{path}` cannot be read: {error}"),
            hint: "name the PEM files under `[certificates]`, as they are inside the root"
                .to_owned(),
        })
    };
    from_pem(certificate, text(certificate)?, text(key)?)
}

/// Makes sure that two texts are a chain and its key.
///
/// # Errors
/// When they are not, naming `at`.
pub fn from_pem(at: &AbsPath, chain: Vec<u8>, key: Vec<u8>) -> Result<Issued, FactError> {
    let key = String::from_utf8(key).map(Secret::new);
    let (Ok(chain), Ok(key)) = (String::from_utf8(chain), key) else {
        return Err(FactError {
            what: format!("`{at}` or its key is no PEM file"),
            hint: "convert them: `openssl x509 -inform der -in FILE`, `openssl pkey -inform der -in FILE`"
                .to_owned(),
        });
    };
    let wrong = |error: keystore::KeystoreError| FactError {
        what: format!("`{at}` and its key: {error}"),
        hint: error.hint().unwrap_or_default().to_owned(),
    };
    let checked = KeyPair::from_pem(chain.as_bytes(), key.reveal().as_bytes()).map_err(wrong)?;
    let leaf = keystore::describe(checked.leaf()).map_err(wrong)?;
    Ok(Issued {
        at: at.clone(),
        length: checked.chain().len(),
        pair: CertifiedKey {
            certificate: chain,
            key,
        },
        leaf,
    })
}
