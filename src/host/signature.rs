//! Upstream's signed index: `gpgv` vouches for the `Release`, that for `Packages`, and that for
//! each file.
//!
//! The key may come from anywhere, since only a signature by the one whose fingerprint is known
//! counts. What is said of signatures is read from `--status-fd` (doc/DETAILS of GnuPG).

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cache::sha256;
use super::net::{Net, NetError};
use super::{process, stand};
use crate::package::PackageError;
use crate::package::index::{Index, ReleaseFile, clear_signed};

/// Bytes that a `Release`, a signature or a key may have.
const SMALL: u64 = 4 << 20;

/// Bytes that a `Packages`, packed or not, may have.
const LARGE: u64 = 32 << 20;

/// Hashes with which nobody can vouch for anything any more: MD5, SHA-1, RIPEMD-160 (RFC 9580, 9.5).
const BROKEN_HASHES: [&str; 3] = ["1", "2", "3"];

/// Why nobody vouches for an index.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The program that verifies is not here.
    #[error("`gpgv`, which verifies upstream's signature, is not here")]
    NoGpgv,
    /// Something could not be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The key cannot be read.
    #[error("the key `{place}`: {why}")]
    Key {
        /// Where it lies.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// It is signed by nobody, by somebody else, or not any more.
    #[error("`{what}`: {why}")]
    Untrusted {
        /// What was to be believed.
        what: String,
        /// Why it is not.
        why: String,
    },
    /// It is not of the form that it should be.
    #[error(transparent)]
    Form(#[from] PackageError),
    /// The system does not let us.
    #[error("verifying the signature: {0}")]
    System(#[from] std::io::Error),
}

/// Who has to have signed.
pub struct Signer<'a> {
    /// Where the key lies: an address.
    pub key: &'a str,
    /// Its fingerprint: 40 capital hexadecimal digits.
    pub fingerprint: &'a str,
}

/// Fetches the index of a repository, and believes it when it is signed by the right key.
///
/// # Errors
/// When something of it cannot be had, is not signed, is out of date at `now`, or does not fit.
pub fn signed_index(
    net: &Net,
    folder: &str,
    signer: &Signer<'_>,
    now: i64,
) -> Result<Index, SignatureError> {
    let at = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
    let untrusted = |name: &str, why: String| SignatureError::Untrusted {
        what: at(name),
        why,
    };
    let text_of = |name: &str| -> Result<String, SignatureError> {
        let bytes = net.get(&at(name), SMALL)?;
        String::from_utf8(bytes).map_err(|_| untrusted(name, "it is no text".to_owned()))
    };
    let (name, text, signature) = match text_of("InRelease") {
        Ok(file) => {
            let (text, signature) = clear_signed(&file)
                .map_err(|error| untrusted("InRelease", format!("it is not signed: {error}")))?;
            ("InRelease", text, signature)
        }
        Err(SignatureError::Net(error)) if is_missing(&error) => {
            let text = text_of("Release")?;
            let signature = match text_of("Release.gpg") {
                Err(SignatureError::Net(error)) if is_missing(&error) => {
                    return Err(untrusted("Release", "it is not signed".to_owned()));
                }
                signature => signature?,
            };
            ("Release", text, signature)
        }
        Err(error) => return Err(error),
    };
    let key = net.get(signer.key, SMALL)?;
    let key = dearmour(&key).map_err(|why| SignatureError::Key {
        place: signer.key.to_owned(),
        why,
    })?;
    if let Err(refusal) = verify(&text, &signature, &key, signer.fingerprint)? {
        return Err(untrusted(name, refusal));
    }
    let release = ReleaseFile::parse(&text)?;
    if let Some(until) = &release.valid_until
        && is_past(until, now)
    {
        return Err(untrusted(name, format!("it was valid until {until}")));
    }
    packages(net, &at, &release)
}

fn is_missing(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Refused {
            status: 403 | 404 | 410,
            ..
        } | NetError::Missing { .. }
    )
}

/// The `Packages` that the `Release` vouches for, in the smallest form that is there.
fn packages(
    net: &Net,
    at: &dyn Fn(&str) -> String,
    release: &ReleaseFile,
) -> Result<Index, SignatureError> {
    let mut missing = None;
    for name in ["Packages.xz", "Packages.gz", "Packages"] {
        let Some((wanted, size)) = release.files.get(name) else {
            continue;
        };
        let bytes = match net.get(&at(name), LARGE) {
            Err(error) if is_missing(&error) => {
                missing = Some(error);
                continue;
            }
            bytes => bytes?,
        };
        let found = sha256(&mut bytes.as_slice())?;
        if found != *wanted || bytes.len() as u64 != *size {
            return Err(SignatureError::Untrusted {
                what: at(name),
                why: format!(
                    "the signed list has another hash of it (SHA-256 {found}, not {wanted})"
                ),
            });
        }
        return Ok(Index::read(&bytes)?);
    }
    Err(missing.map_or_else(
        || SignatureError::Untrusted {
            what: at("Release"),
            why: "it vouches for no `Packages`".to_owned(),
        },
        SignatureError::Net,
    ))
}

/// Is a time of a `Release` over? What cannot be read is.
fn is_past(text: &str, now: i64) -> bool {
    let numbered = text.replace("UTC", "+0000").replace("GMT", "+0000");
    let format = &time::format_description::well_known::Rfc2822;
    !time::OffsetDateTime::parse(&numbered, format).is_ok_and(|until| until.unix_timestamp() >= now)
}

/// A key as `gpgv` reads it: as it is, or out of its armour (RFC 9580, section 6).
fn dearmour(key: &[u8]) -> Result<Vec<u8>, String> {
    let bytes = match std::str::from_utf8(key) {
        Ok(text) if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") => armoured(text)?,
        _ => key.to_vec(),
    };
    // The first packet is a public key, in the old or the new form (RFC 9580, section 4.2).
    let tag = match bytes.first() {
        Some(first) if first & 0xc0 == 0xc0 => first & 0x3f,
        Some(first) if first & 0x80 != 0 => (first >> 2) & 0x0f,
        _ => 0,
    };
    if tag == 6 {
        Ok(bytes)
    } else {
        Err("it is no OpenPGP key".to_owned())
    }
}

fn armoured(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut words) = (Vec::new(), String::new());
    let (mut is_inside, mut is_head) = (false, false);
    for line in text.lines().map(str::trim) {
        match line {
            "-----BEGIN PGP PUBLIC KEY BLOCK-----" => (is_inside, is_head) = (true, true),
            "-----END PGP PUBLIC KEY BLOCK-----" => {
                let block = STANDARD.decode(&words);
                bytes.extend(block.map_err(|_| "its armour is broken".to_owned())?);
                words.clear();
                is_inside = false;
            }
            "" => is_head = false,
            // Its checksum is of no use: the fingerprint tells more.
            line if is_inside && !is_head && !line.starts_with('=') => words.push_str(line),
            _ => {}
        }
    }
    if is_inside {
        return Err("its armour is cut off".to_owned());
    }
    Ok(bytes)
}

/// Did the key with this fingerprint sign the text? If not, why.
fn verify(
    text: &str,
    signature: &str,
    key: &[u8],
    fingerprint: &str,
) -> Result<Result<(), String>, SignatureError> {
    // Slackware has it from GnuPG 1 and 2, with a number in the newer one's name.
    let gpgv = ["gpgv2", "gpgv"].into_iter().find_map(process::find);
    let gpgv = gpgv.ok_or(SignatureError::NoGpgv)?;
    let folder = stand::throw_away("jitsi-install-signature-")?;
    let put = |name: &str, bytes: &[u8]| -> std::io::Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let (key, signature) = (
        put("key.gpg", key)?,
        put("signature", signature.as_bytes())?,
    );
    let text = put("text", text.as_bytes())?;
    let said = run(&gpgv, folder.path(), &key, &signature, &text)?;
    Ok(judge(&said, fingerprint))
}

fn run(
    gpgv: &Path,
    home: &Path,
    key: &Path,
    signature: &Path,
    text: &Path,
) -> std::io::Result<String> {
    let output = Command::new(gpgv)
        .arg("--homedir")
        .arg(home)
        .args(["--status-fd", "1", "--keyring"])
        .arg(key)
        .arg(signature)
        .arg(text)
        .env("LC_ALL", "C")
        .env_remove("GNUPGHOME")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads what `gpgv` says on its status channel: one good signature by the right key is enough,
/// one that is bad is too much.
fn judge(said: &str, fingerprint: &str) -> Result<(), String> {
    let lines = said.lines().filter_map(|line| {
        let words: Vec<&str> = line.strip_prefix("[GNUPG:] ")?.split(' ').collect();
        Some(words)
    });
    let (mut signatures, mut current): (Vec<Seen>, Seen) = (Vec::new(), Seen::default());
    for words in lines {
        match words.first().copied().unwrap_or_default() {
            "NEWSIG" => signatures.push(std::mem::take(&mut current)),
            "GOODSIG" => current.is_good = true,
            "VALIDSIG" => {
                current.key = words.get(10).or(words.get(1)).map(|key| (*key).to_owned());
                let hash = words.get(8).copied().unwrap_or_default();
                if BROKEN_HASHES.contains(&hash) {
                    current.fault = Some("its signature uses a broken hash");
                }
            }
            "BADSIG" => return Err("its signature is wrong: it was changed".to_owned()),
            "EXPSIG" => current.fault = Some("its signature has expired"),
            "EXPKEYSIG" => current.fault = Some("the key that signed it has expired"),
            "REVKEYSIG" => current.fault = Some("the key that signed it was revoked"),
            "ERRSIG" => current.fault = Some("it is signed by another key"),
            _ => {}
        }
    }
    signatures.push(current);
    let is_fine = |seen: &Seen| {
        seen.is_good && seen.fault.is_none() && seen.key.as_deref() == Some(fingerprint)
    };
    if signatures.iter().any(is_fine) {
        return Ok(());
    }
    let fault = signatures.iter().find_map(|seen| seen.fault);
    let other = signatures.iter().find_map(|seen| seen.key.as_ref());
    Err(match (fault, other) {
        (Some(fault), _) => fault.to_owned(),
        (None, Some(key)) => format!("it is signed by {key}, not by {fingerprint}"),
        (None, None) => "its signature cannot be read".to_owned(),
    })
}

/// What was said of one signature.
#[derive(Default)]
struct Seen {
    is_good: bool,
    key: Option<String>,
    fault: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "FFD65A0DA2BEBDEB73D44C8BB4D2D216F1FD7806";

    fn valid(key: &str, hash: &str) -> String {
        format!("[GNUPG:] VALIDSIG AAAA 2026-01-01 1767225600 0 4 0 1 {hash} 01 {key}\n")
    }

    #[test]
    fn what_gpgv_says() {
        let good = format!(
            "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG B4D2 x\n{}",
            valid(KEY, "10")
        );
        let unknown = "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 1 1 10 01 1 9 -\n[GNUPG:] NO_PUBKEY 1\n";
        assert_eq!(judge(&good, KEY), Ok(()));
        assert_eq!(judge(&format!("{unknown}{good}"), KEY), Ok(()));
        assert_eq!(judge(&format!("{good}{unknown}"), KEY), Ok(()));
        for bad in [
            String::new(),
            "gpgv: Good signature\n".to_owned(),
            unknown.to_owned(),
            good.replace(KEY, "0123"),
            good.replace("GOODSIG", "EXPKEYSIG"),
            good.replace("GOODSIG", "REVKEYSIG"),
            good.replace("GOODSIG", "EXPSIG"),
            format!("{good}[GNUPG:] NEWSIG\n[GNUPG:] BADSIG 1 x\n"),
            format!(
                "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG B4D2 x\n{}",
                valid(KEY, "2")
            ),
            valid(KEY, "10"),
            // Good by one, valid by another.
            format!(
                "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 1 x\n[GNUPG:] NEWSIG\n{}",
                valid(KEY, "10")
            ),
        ] {
            assert!(judge(&bad, KEY).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_and_armour() {
        let at = "Thu, 01 Jan 2026 00:00:00 UTC";
        assert!(is_past(at, 1_767_225_601) && !is_past(at, 1_767_225_599));
        assert!(is_past("soon", 0));
        let armour = |body: &str| {
            format!(
                "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\n{body}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
            )
        };
        assert!(dearmour(armour("mQEN\nBF").as_bytes()).is_err());
        assert_eq!(
            dearmour(armour("mQEN\nBFwx").as_bytes()).unwrap(),
            [0x99, 1, 0xd, 4, 0x5c, 0x31]
        );
        assert_eq!(dearmour(&[0x99, 1]).unwrap(), [0x99, 1]);
        for bad in [
            &b""[..],
            b"<html>",
            &[0x88, 1],
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQEN\n",
        ] {
            assert!(dearmour(bad).is_err());
        }
    }
}
