//! The file of secrets: made once, 0600, read ever after.

use serde::{Deserialize, Serialize};

use super::root::Root;
use crate::keystore;
use crate::name::{AbsPath, Domain, Mode};
use crate::plan::State;
use crate::secret::{CertifiedKey, PASSWORD_LENGTH, Secret, Secrets, password_from, uuid_from};

/// A certificate of ours is made anew when it has fewer days left than this.
const LEAST_DAYS: i64 = 30;

/// Days that the private certificate for `auth.DOMAIN` lasts: ten years, since it is its own
/// trust anchor and everyone who reads it gets a new one in the same apply.
const AUTH_DAYS: i64 = 3650;

/// Days that the self-signed certificate of the site lasts.
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
    auth_certificate: Option<PairOnDisk>,
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
    let jvb_nickname = disk.jvb_nickname.unwrap_or_else(|| {
        is_new = true;
        let mut random = [0; 16];
        super::random(&mut random);
        uuid_from(random)
    });
    let mut certificate =
        |kept: Option<PairOnDisk>, name: &str, days: i64| -> Result<CertifiedKey, SecretsError> {
            match kept {
                Some(pair) if lasts(&pair.certificate, name, now) => Ok(CertifiedKey {
                    certificate: pair.certificate,
                    key: Secret::new(pair.key),
                }),
                _ => {
                    is_new = true;
                    self_signed(name, now, days)
                        .map_err(|error| failed(format!("no certificate could be made: {error}")))
                }
            }
        };
    let auth_certificate = certificate(
        disk.auth_certificate,
        domain.under("auth").as_str(),
        AUTH_DAYS,
    )?;
    let site_certificate = certificate(disk.site_certificate, domain.as_str(), SITE_DAYS)?;
    let secrets = Secrets {
        focus_password,
        jvb_password,
        token_secret,
        keystore_password,
        jvb_nickname,
        auth_certificate,
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
        auth_certificate: pair(&secrets.auth_certificate),
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

fn lasts(pem: &str, name: &str, now: i64) -> bool {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let Ok(der) = CertificateDer::from_pem_slice(pem.as_bytes()) else {
        return false;
    };
    keystore::describe(&der).is_ok_and(|info| {
        info.names.iter().any(|known| known == name)
            && info.validity.not_after - now > LEAST_DAYS * 86_400
    })
}

/// A P-256 certificate that signs itself: no CA, the one name as SAN (a name in the subject alone
/// is read by nobody any more).
fn self_signed(name: &str, now: i64, days: i64) -> Result<CertifiedKey, rcgen::Error> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()])?;
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
        name.chars().take(64).collect::<String>(),
    );
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok(CertifiedKey {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
    })
}
