//! The file of secrets: made once, 0600, read ever after.

use serde::{Deserialize, Serialize};

use super::root::Root;
use crate::keystore::{self, CertificateInfo};
use crate::name::{AbsPath, Domain, Mode};
use crate::plan::State;
use crate::secret::{CertifiedKey, PASSWORD_LENGTH, Secret, Secrets, password_from, uuid_from};
use crate::service::certificates::authority_name;

/// A certificate of ours is made anew when it has fewer days left than this.
const LEAST_DAYS: i64 = 30;

/// Days that the private certificate for `auth.DOMAIN` lasts: ten years, since it is its own
/// trust anchor and everyone who reads it gets a new one in the same apply.
const AUTH_DAYS: i64 = 3650;

/// Days that the site's own certificate authority lasts: whoever trusts it should not have to
/// trust another soon.
const AUTHORITY_DAYS: i64 = 3650;

/// Days that a certificate signed by it lasts; Apple's systems accept no more (support.apple.com,
/// HT210176).
const SITE_DAYS: i64 = 825;

/// Secrets, and whether they still have to be written.
pub struct Kept {
    /// The secrets.
    pub secrets: Secrets,
    /// Was anything made or renewed since the file was read?
    pub is_new: bool,
}

/// A failure to read, make or write secrets.
#[derive(Debug, thiserror::Error)]
#[error("`{place}`: {why}")]
pub struct SecretsError {
    /// The file.
    pub place: String,
    /// What is wrong; never shows a secret.
    pub why: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OnDisk {
    focus_password: Option<String>,
    jvb_password: Option<String>,
    token_secret: Option<String>,
    keystore_password: Option<String>,
    jvb_nickname: Option<String>,
    accounts_key: Option<String>,
    accounts_prosody_key: Option<String>,
    accounts_database_password: Option<String>,
    accounts_reader_password: Option<String>,
    auth_certificate: Option<PairOnDisk>,
    site_authority: Option<PairOnDisk>,
    site_certificate: Option<PairOnDisk>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairOnDisk {
    certificate: String,
    key: String,
}

/// Reads the file; makes in memory what is missing, ends soon or is for another name.
///
/// # Errors
/// When the file cannot be read or is damaged; nothing is ever replaced silently then.
pub fn load(root: &Root, path: &AbsPath, domain: &Domain, now: i64) -> Result<Kept, SecretsError> {
    let failed = |why: String| SecretsError {
        place: path.to_string(),
        why,
    };
    let disk: OnDisk = match root.read(path) {
        Ok(bytes) => {
            let text =
                String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?;
            // The parser's own message would quote the line, and with it a secret.
            toml::from_str(&text).map_err(|error| {
                let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                failed(format!("line {line} is damaged; restore the file from a backup, or remove it to have all secrets made anew"))
            })?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => OnDisk::default(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut is_new = false;
    let mut word = |kept: Option<String>| match kept {
        Some(word) if !word.is_empty() => Secret::new(word),
        _ => {
            is_new = true;
            let mut random = [0; PASSWORD_LENGTH];
            super::random(&mut random);
            password_from(&random)
        }
    };
    let (focus_password, jvb_password) = (word(disk.focus_password), word(disk.jvb_password));
    let (token_secret, keystore_password) = (word(disk.token_secret), word(disk.keystore_password));
    let (accounts_key, accounts_prosody_key) =
        (word(disk.accounts_key), word(disk.accounts_prosody_key));
    let accounts_database_password = word(disk.accounts_database_password);
    let accounts_reader_password = word(disk.accounts_reader_password);
    let jvb_nickname = disk.jvb_nickname.unwrap_or_else(|| {
        is_new = true;
        let mut random = [0; 16];
        super::random(&mut random);
        uuid_from(random)
    });
    let mut certificate = |kept: Option<PairOnDisk>,
                           is_good: &dyn Fn(&CertificateInfo) -> bool,
                           make: &dyn Fn() -> Result<CertifiedKey, rcgen::Error>|
     -> Result<(CertifiedKey, bool), SecretsError> {
        match kept {
            Some(pair) if leaf(&pair.certificate).is_some_and(|leaf| is_good(&leaf)) => {
                let pair = CertifiedKey {
                    certificate: pair.certificate,
                    key: Secret::new(pair.key),
                };
                Ok((pair, false))
            }
            _ => {
                is_new = true;
                let made = make()
                    .map_err(|error| failed(format!("no certificate could be made: {error}")))?;
                Ok((made, true))
            }
        }
    };
    let lasts = |leaf: &CertificateInfo| leaf.validity.days_left(now) >= LEAST_DAYS;
    let is_for = |leaf: &CertificateInfo, name: &Domain| {
        lasts(leaf) && leaf.names.iter().any(|known| known == name.as_str())
    };
    let auth = domain.under("auth");
    let (auth_certificate, _) =
        certificate(disk.auth_certificate, &|leaf| is_for(leaf, &auth), &|| {
            self_signed(auth.as_str(), now)
        })?;
    let (site_authority, is_new_authority) = certificate(
        disk.site_authority,
        &|leaf| {
            leaf.validity.days_left(now) >= SITE_DAYS + LEAST_DAYS
                && leaf.subject == format!("CN={}", authority_name(domain))
        },
        &|| authority(domain, now),
    )?;
    let (site_certificate, _) = certificate(
        disk.site_certificate,
        &|leaf| !is_new_authority && is_for(leaf, domain),
        &|| signed_by(&site_authority, domain, now),
    )?;
    let secrets = Secrets {
        focus_password,
        jvb_password,
        token_secret,
        keystore_password,
        jvb_nickname,
        accounts_key,
        accounts_prosody_key,
        accounts_database_password,
        accounts_reader_password,
        auth_certificate,
        site_authority,
        site_certificate,
    };
    Ok(Kept { secrets, is_new })
}

/// Writes the file, 0600.
///
/// # Errors
/// When it cannot be written.
pub fn save(root: &Root, path: &AbsPath, secrets: &Secrets) -> Result<(), SecretsError> {
    let failed = |why: String| SecretsError {
        place: path.to_string(),
        why,
    };
    let word = |secret: &Secret<String>| Some(secret.reveal().clone());
    let pair = |pair: &CertifiedKey| {
        Some(PairOnDisk {
            certificate: pair.certificate.clone(),
            key: pair.key.reveal().clone(),
        })
    };
    let disk = OnDisk {
        focus_password: word(&secrets.focus_password),
        jvb_password: word(&secrets.jvb_password),
        token_secret: word(&secrets.token_secret),
        keystore_password: word(&secrets.keystore_password),
        jvb_nickname: Some(secrets.jvb_nickname.clone()),
        accounts_key: word(&secrets.accounts_key),
        accounts_prosody_key: word(&secrets.accounts_prosody_key),
        accounts_database_password: word(&secrets.accounts_database_password),
        accounts_reader_password: word(&secrets.accounts_reader_password),
        auth_certificate: pair(&secrets.auth_certificate),
        site_authority: pair(&secrets.site_authority),
        site_certificate: pair(&secrets.site_certificate),
    };
    let body = toml::to_string_pretty(&disk).map_err(|error| failed(error.to_string()))?;
    let text = format!(
        "# Secrets of this site, made once by jitsi-install. Keep a copy in a safe place.\n{body}"
    );
    if let Some(folder) = path.parent() {
        root.ensure_dir(&folder, Mode(0o755))
            .map_err(|error| failed(error.to_string()))?;
    }
    let state = State::File {
        bytes: text.into_bytes(),
        mode: Mode(0o600),
        ids: None,
    };
    root.put(path, &state)
        .map_err(|error| failed(error.to_string()))
}

/// The first certificate of a PEM text.
fn leaf(pem: &str) -> Option<CertificateInfo> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    keystore::describe(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?).ok()
}

/// What all of our certificates have in common. A common name has 64 characters at the most (RFC
/// 5280, `ub-common-name`).
fn parameters(
    names: Vec<String>,
    common_name: &str,
    now: i64,
    days: i64,
) -> Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(names)?;
    let time = |seconds: i64| {
        time::OffsetDateTime::from_unix_timestamp(seconds)
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    };
    // An hour back, so that clocks a little behind accept it.
    params.not_before = time(now - 3600);
    params.not_after = time(now + days * 86_400);
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(
        rcgen::DnType::CommonName,
        common_name.chars().take(64).collect::<String>(),
    );
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn new_key() -> Result<rcgen::KeyPair, rcgen::Error> {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
}

/// A P-256 certificate that signs itself: no CA, the one name as SAN (a name in the subject alone
/// is read by nobody any more).
fn self_signed(name: &str, now: i64) -> Result<CertifiedKey, rcgen::Error> {
    let key = new_key()?;
    let certificate = parameters(vec![name.to_owned()], name, now, AUTH_DAYS)?.self_signed(&key)?;
    Ok(CertifiedKey {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
    })
}

/// It may sign certificates for the site's name and names below it, and no other authority (RFC
/// 5280, 4.2.1.9 and 4.2.1.10): whoever trusts it trusts this site and nothing else.
fn authority_parameters(
    domain: &Domain,
    now: i64,
) -> Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = parameters(Vec::new(), &authority_name(domain), now, AUTHORITY_DAYS)?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.key_usages = vec![
        rcgen::KeyUsagePurpose::KeyCertSign,
        rcgen::KeyUsagePurpose::CrlSign,
    ];
    params.extended_key_usages = Vec::new();
    params.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName(domain.to_string())],
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn authority(domain: &Domain, now: i64) -> Result<CertifiedKey, rcgen::Error> {
    let key = new_key()?;
    let certificate = authority_parameters(domain, now)?.self_signed(&key)?;
    Ok(CertifiedKey {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
    })
}

fn signed_by(
    authority: &CertifiedKey,
    domain: &Domain,
    now: i64,
) -> Result<CertifiedKey, rcgen::Error> {
    let signer = rcgen::KeyPair::from_pem(authority.key.reveal())?;
    let issuer = rcgen::Issuer::new(authority_parameters(domain, now)?, signer);
    let key = new_key()?;
    let mut params = parameters(vec![domain.to_string()], domain.as_str(), now, SITE_DAYS)?;
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(CertifiedKey {
        certificate: certificate.pem() + &authority.certificate,
        key: Secret::new(key.serialize_pem()),
    })
}
