//! Hashes as they stand in databases: Django's, PHC, Prosody's, those of LDAP servers. Reading one
//! takes it apart and looks at what it costs; nothing is computed.
//!
//! Over 400 lines: every kind of hash that is read, in one table.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Longest hash that is read, in bytes.
const LONGEST: usize = 1024;

/// Base64 with or without padding.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bounds on what a hash of others may cost, so that no import can stall the service: each at most
/// a few seconds of one processor, and 256 MiB.
mod bound {
    /// Rounds of PBKDF2; Django 5.2 takes a million.
    pub const ROUNDS: u32 = 5_000_000;
    /// Memory of argon2 in KiB, and memory times passes.
    pub const MEMORY: u32 = 256 * 1024;
    pub const MEMORY_PASSES: u64 = 2 * 1024 * 1024;
    pub const LANES: u32 = 16;
    /// log2 of the rounds of bcrypt.
    pub const BCRYPT: u32 = 15;
    /// N·r and N·r·p of scrypt; N·r is memory in units of 128 bytes.
    pub const SCRYPT_MEMORY: u64 = 2 * 1024 * 1024;
    pub const SCRYPT_WORK: u64 = 4 * 1024 * 1024;
    /// Rounds of SHA-crypt.
    pub const CRYPT: u32 = 1_000_000;
}

/// The digest below a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
}

impl Digest {
    /// Bytes of a digest.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A hash, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// argon2d, argon2i or argon2id.
    Argon2 {
        /// Which of the three.
        algorithm: argon2::Algorithm,
        /// 0x10 or 0x13.
        version: argon2::Version,
        /// KiB.
        memory: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
        /// Salt.
        salt: Vec<u8>,
        /// What comes out.
        output: Vec<u8>,
    },
    /// PBKDF2 with HMAC.
    Pbkdf2 {
        /// Of the HMAC.
        digest: Digest,
        /// Iterations.
        rounds: u32,
        /// Salt.
        salt: Vec<u8>,
        /// What comes out.
        output: Vec<u8>,
        /// Over the hexadecimal SHA-1 of salt and password, in place of the password.
        wrapped: bool,
    },
    /// bcrypt, of the password or (Django) of its hexadecimal SHA-256.
    Bcrypt {
        /// Whether of the SHA-256.
        digested: bool,
        /// `$2b$…`, 60 characters.
        text: String,
    },
    /// scrypt.
    Scrypt {
        /// log2 of N.
        log_n: u8,
        /// r.
        r: u32,
        /// p.
        p: u32,
        /// Salt.
        salt: Vec<u8>,
        /// What comes out.
        output: Vec<u8>,
    },
    /// What an XMPP server keeps for SCRAM (RFC 5802).
    Scram {
        /// SHA-1 or SHA-256.
        digest: Digest,
        /// Iterations.
        rounds: u32,
        /// Salt.
        salt: Vec<u8>,
        /// `StoredKey`.
        stored: Vec<u8>,
        /// `ServerKey`.
        server: Vec<u8>,
    },
    /// One digest of password and salt: `{SSHA}` and its like.
    Salted {
        /// Which.
        digest: Digest,
        /// After the password; may be empty.
        salt: Vec<u8>,
        /// The digest.
        output: Vec<u8>,
    },
    /// crypt(3) with `$5$` or `$6$`.
    Crypt {
        /// SHA-256 or SHA-512.
        digest: Digest,
        /// The whole of it.
        text: String,
    },
}

/// Why a hash is none that somebody could sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// There is no password: empty, or Django's `!…`.
    #[error("no password")]
    Nothing,
    /// A kind that is too weak, or that nothing here computes.
    #[error("a kind of hash that is not taken over")]
    Kind,
    /// It would take too much time or memory to check.
    #[error("a hash that costs too much to check")]
    Costly,
    /// It does not have the form of its kind.
    #[error("a spoiled hash")]
    Spoiled,
}

impl Form {
    /// Takes a hash apart.
    ///
    /// # Errors
    /// What nobody can sign in with.
    pub fn parse(text: &str) -> Result<Self, Unread> {
        if text.is_empty() || text.starts_with('!') || text.starts_with('*') {
            return Err(Unread::Nothing);
        }
        if text.len() > LONGEST {
            return Err(Unread::Spoiled);
        }
        if let Some(rest) = text.strip_prefix('{') {
            let (scheme, rest) = rest.split_once('}').ok_or(Unread::Spoiled)?;
            return braces(scheme, rest);
        }
        if text.starts_with('$') {
            return dollars(text);
        }
        let (kind, rest) = text.split_once('$').ok_or(Unread::Kind)?;
        match kind {
            "pbkdf2_sha256" => pbkdf2(Digest::Sha256, rest, false),
            "pbkdf2_sha1" => pbkdf2(Digest::Sha1, rest, false),
            "pbkdf2_wrapped_sha1" => pbkdf2(Digest::Sha256, rest, true),
            "argon2" => argon(rest),
            "bcrypt" => bcrypt(rest, false),
            "bcrypt_sha256" => bcrypt(rest, true),
            "scrypt" => scrypt(rest),
            "scram_sha_1" => scram(Digest::Sha1, rest),
            "scram_sha_256" => scram(Digest::Sha256, rest),
            _ => Err(Unread::Kind),
        }
    }

    /// Whether it costs no more than a hash of others may.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Argon2 {
                memory,
                passes,
                lanes,
                ..
            } => {
                let work = u64::from(*memory) * u64::from(*passes);
                *memory <= bound::MEMORY && work <= bound::MEMORY_PASSES && *lanes <= bound::LANES
            }
            Self::Pbkdf2 { rounds, .. } | Self::Scram { rounds, .. } => *rounds <= bound::ROUNDS,
            Self::Scrypt { log_n, r, p, .. } => {
                let memory = (1u64 << (*log_n).min(63)).saturating_mul(u64::from(*r));
                let work = memory.saturating_mul(u64::from(*p));
                memory <= bound::SCRYPT_MEMORY && work <= bound::SCRYPT_WORK
            }
            // Looked at where they are read, in the text that they are kept as.
            Self::Bcrypt { .. } | Self::Crypt { .. } | Self::Salted { .. } => true,
        }
    }
}

fn bounded(form: Form) -> Result<Form, Unread> {
    if form.is_bounded() {
        Ok(form)
    } else {
        Err(Unread::Costly)
    }
}

/// `{SCHEME}rest`, as LDAP servers have it (RFC 2307 and modules of OpenLDAP).
fn braces(scheme: &str, rest: &str) -> Result<Form, Unread> {
    match scheme.to_ascii_uppercase().as_str() {
        "SHA" => salted(Digest::Sha1, rest, false),
        "SSHA" => salted(Digest::Sha1, rest, true),
        "SHA256" => salted(Digest::Sha256, rest, false),
        "SSHA256" => salted(Digest::Sha256, rest, true),
        "SHA512" => salted(Digest::Sha512, rest, false),
        "SSHA512" => salted(Digest::Sha512, rest, true),
        "CRYPT" if rest.starts_with(['!', '*']) || rest.is_empty() => Err(Unread::Nothing),
        "CRYPT" | "ARGON2" | "BCRYPT" => dollars(rest),
        "PBKDF2" | "PBKDF2-SHA1" => adapted(Digest::Sha1, rest),
        "PBKDF2-SHA256" => adapted(Digest::Sha256, rest),
        "PBKDF2-SHA512" => adapted(Digest::Sha512, rest),
        _ => Err(Unread::Kind),
    }
}

/// `$id$…`: PHC, or one of crypt(3)'s.
fn dollars(text: &str) -> Result<Form, Unread> {
    let id = text.split('$').nth(1).unwrap_or_default();
    match id {
        "argon2id" | "argon2i" | "argon2d" => argon(text.strip_prefix('$').unwrap_or(text)),
        "2a" | "2b" | "2x" | "2y" => bcrypt(text, false),
        "5" => crypt(Digest::Sha256, text),
        "6" => crypt(Digest::Sha512, text),
        _ => Err(Unread::Kind),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Unread> {
    // No signs, and nothing that is longer than it needs.
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(Unread::Spoiled);
    }
    text.parse().map_err(|_| Unread::Costly)
}

fn rounds(text: &str, most: u32) -> Result<u32, Unread> {
    match number(text)? {
        0 => Err(Unread::Spoiled),
        rounds if rounds > most => Err(Unread::Costly),
        rounds => Ok(rounds),
    }
}

fn parts<const N: usize>(text: &str) -> Result<[&str; N], Unread> {
    let parts: Vec<&str> = text.splitn(N + 1, '$').collect();
    parts.try_into().map_err(|_| Unread::Spoiled)
}

fn decode(text: &str) -> Result<Vec<u8>, Unread> {
    LAX.decode(text).map_err(|_| Unread::Spoiled)
}

/// An output that is long enough to prove anything, and not longer than the digest.
fn output(text: &str, most: usize) -> Result<Vec<u8>, Unread> {
    let bytes = decode(text)?;
    if !(16..=most).contains(&bytes.len()) {
        return Err(Unread::Spoiled);
    }
    Ok(bytes)
}

fn pbkdf2(digest: Digest, rest: &str, wrapped: bool) -> Result<Form, Unread> {
    let [iterations, salt, hash] = parts(rest)?;
    Ok(Form::Pbkdf2 {
        digest,
        rounds: rounds(iterations, bound::ROUNDS)?,
        salt: salt.as_bytes().to_vec(),
        output: output(hash, digest.size())?,
        wrapped,
    })
}

/// As passlib and OpenLDAP's pw-pbkdf2 write it: base64 with `.` for `+`, no padding, also in the salt.
fn adapted(digest: Digest, rest: &str) -> Result<Form, Unread> {
    let [iterations, salt, hash] = parts(rest)?;
    Ok(Form::Pbkdf2 {
        digest,
        rounds: rounds(iterations, bound::ROUNDS)?,
        salt: decode(&salt.replace('.', "+"))?,
        output: output(&hash.replace('.', "+"), digest.size())?,
        wrapped: false,
    })
}

/// `argon2id$v=19$m=…,t=…,p=…$salt$hash`; the part with the version may be missing (0x10).
fn argon(rest: &str) -> Result<Form, Unread> {
    let mut fields = rest.split('$');
    let mut next = || fields.next().ok_or(Unread::Spoiled);
    let algorithm = argon2::Algorithm::new(next()?).map_err(|_| Unread::Kind)?;
    let mut costs = next()?;
    let mut version = argon2::Version::V0x10;
    if let Some(number) = costs.strip_prefix("v=") {
        version = match number {
            "19" => argon2::Version::V0x13,
            "16" => argon2::Version::V0x10,
            _ => return Err(Unread::Kind),
        };
        costs = next()?;
    }
    let (salt, hash) = (decode(next()?)?, output(next()?, 128)?);
    if fields.next().is_some() || salt.len() < 8 {
        return Err(Unread::Spoiled);
    }
    let mut values = costs
        .split(',')
        .zip(["m=", "t=", "p="])
        .map(|(part, key)| number::<u32>(part.strip_prefix(key).ok_or(Unread::Spoiled)?));
    let mut value = || values.next().ok_or(Unread::Spoiled)?;
    let (memory, passes, lanes) = (value()?, value()?, value()?);
    let params = argon2::Params::new(memory, passes, lanes, Some(hash.len()));
    if costs.split(',').count() != 3 {
        return Err(Unread::Spoiled);
    }
    let form = Form::Argon2 {
        algorithm,
        version,
        memory,
        passes,
        lanes,
        salt,
        output: hash,
    };
    bounded(form).and_then(|form| params.map(|_| form).map_err(|_| Unread::Spoiled))
}

fn bcrypt(text: &str, digested: bool) -> Result<Form, Unread> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| Unread::Spoiled)?;
    if text.len() != 60 || !text.is_ascii() {
        return Err(Unread::Spoiled);
    }
    match parts.get_cost() {
        4..=bound::BCRYPT => Ok(Form::Bcrypt {
            digested,
            text: text.to_owned(),
        }),
        0..4 => Err(Unread::Spoiled),
        _ => Err(Unread::Costly),
    }
}

/// `N$salt$r$p$hash`, Django's order.
fn scrypt(rest: &str) -> Result<Form, Unread> {
    let [n, salt, r, p, hash] = parts(rest)?;
    let (n, r, p): (u64, u32, u32) = (number(n)?, number(r)?, number(p)?);
    if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
        return Err(Unread::Spoiled);
    }
    bounded(Form::Scrypt {
        log_n: u8::try_from(n.trailing_zeros()).map_err(|_| Unread::Costly)?,
        r,
        p,
        salt: salt.as_bytes().to_vec(),
        output: output(hash, 64)?,
    })
}

/// `iterations$salt$stored$server`, the last three base64.
fn scram(digest: Digest, rest: &str) -> Result<Form, Unread> {
    let [iterations, salt, stored, server] = parts(rest)?;
    let (stored, server) = (decode(stored)?, decode(server)?);
    let salt = decode(salt)?;
    if stored.len() != digest.size() || server.len() != digest.size() || salt.is_empty() {
        return Err(Unread::Spoiled);
    }
    Ok(Form::Scram {
        digest,
        rounds: rounds(iterations, bound::ROUNDS)?,
        salt,
        stored,
        server,
    })
}

fn salted(digest: Digest, text: &str, salt: bool) -> Result<Form, Unread> {
    let bytes = STANDARD.decode(text).map_err(|_| Unread::Spoiled)?;
    let (output, rest) = bytes
        .split_at_checked(digest.size())
        .ok_or(Unread::Spoiled)?;
    if rest.is_empty() == salt {
        return Err(Unread::Spoiled);
    }
    Ok(Form::Salted {
        digest,
        salt: rest.to_vec(),
        output: output.to_vec(),
    })
}

/// `$6$[rounds=N$]salt$hash`.
fn crypt(digest: Digest, text: &str) -> Result<Form, Unread> {
    let mut fields = text.split('$').skip(2).peekable();
    let given = fields
        .peek()
        .and_then(|field| field.strip_prefix("rounds="));
    if let Some(given) = given {
        rounds(given, bound::CRYPT)?;
        fields.next();
    }
    let rest: Vec<&str> = fields.collect();
    match rest[..] {
        [salt, hash]
            if salt.len() <= 16 && hash.len() == if digest == Digest::Sha256 { 43 } else { 86 } =>
        {
            Ok(Form::Crypt {
                digest,
                text: text.to_owned(),
            })
        }
        _ => Err(Unread::Spoiled),
    }
}
