//! The keys that an XMPP server needs for SCRAM (RFC 5802, RFC 7677), and passwords prepared for
//! them (SASLprep, RFC 4013).

use std::borrow::Cow;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::form::{Digest, Form};
use super::proof::stretch;
use crate::account::login::CORRECTED;
use crate::secret::Secret;

/// What the server keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKeys {
    /// `StoredKey`.
    pub stored: Vec<u8>,
    /// `ServerKey`.
    pub server: Vec<u8>,
}

/// The keys of a password; `None` for one that SASLprep forbids.
#[must_use]
pub fn keys(digest: Digest, password: &str, salt: &[u8], rounds: u32) -> Option<ServerKeys> {
    let prepared = Zeroizing::new(prepare(password)?.into_owned());
    let salted = stretch(digest, rounds, salt, prepared.as_bytes(), digest.size())?;
    from_salted(digest, &salted)
}

/// The keys of a `SaltedPassword`; `None` for digests that SCRAM is not used with.
fn from_salted(digest: Digest, salted: &[u8]) -> Option<ServerKeys> {
    let (mac, hash) = match digest {
        Digest::Sha1 => (
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
        ),
        Digest::Sha256 => (hmac::HMAC_SHA256, &digest::SHA256),
        Digest::Sha512 => return None,
    };
    let key = hmac::Key::new(mac, salted);
    let client = hmac::sign(&key, b"Client Key");
    Some(ServerKeys {
        stored: digest::digest(hash, client.as_ref()).as_ref().to_vec(),
        server: hmac::sign(&key, b"Server Key").as_ref().to_vec(),
    })
}

/// `iterations$salt$stored$server`, the last three base64: what the database keeps.
#[must_use]
pub fn text(rounds: u32, salt: &[u8], keys: &ServerKeys) -> Secret<String> {
    Secret::new(format!(
        "{rounds}${}${}${}",
        STANDARD.encode(salt),
        STANDARD.encode(&keys.stored),
        STANDARD.encode(&keys.server)
    ))
}

/// The SCRAM keys (SHA-1, SHA-256) that follow from a hash of others: those of an XMPP server as
/// they are, and those of PBKDF2, whose output is the `SaltedPassword`. The latter fit passwords
/// that SASLprep leaves as they are, which is all of ASCII.
#[must_use]
pub fn from_form(form: &Form) -> (Option<Secret<String>>, Option<Secret<String>>) {
    let (digest, found) = match form {
        Form::Scram {
            digest,
            rounds,
            salt,
            stored,
            server,
        } => {
            let keys = ServerKeys {
                stored: stored.clone(),
                server: server.clone(),
            };
            (*digest, Some(text(*rounds, salt, &keys)))
        }
        Form::Pbkdf2 {
            digest,
            rounds,
            salt,
            output,
            wrapped: false,
        } if output.len() == digest.size() => {
            let keys = from_salted(*digest, output);
            (*digest, keys.map(|keys| text(*rounds, salt, &keys)))
        }
        _ => return (None, None),
    };
    match digest {
        Digest::Sha1 => (found, None),
        Digest::Sha256 => (None, found),
        Digest::Sha512 => (None, None),
    }
}

/// SASLprep of a password as XMPP servers do it: characters that Unicode 3.2 did not have yet pass
/// unchanged (a "query" in RFC 3454). `None` for what it forbids.
#[must_use]
pub fn prepare(password: &str) -> Option<Cow<'_, str>> {
    if password.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Some(Cow::Borrowed(password));
    }
    let old = |c: char| CORRECTED.iter().find(|(corrected, _)| *corrected == c);
    let mapped = password
        .chars()
        .map(|c| match c {
            c if tables::non_ascii_space_character(c) => ' ',
            c => old(c).map_or(c, |(_, form)| *form),
        })
        .filter(|c| !tables::commonly_mapped_to_nothing(*c));
    // What was not assigned then is nothing that could combine or be taken apart.
    let mut prepared = String::with_capacity(password.len());
    let mut run = String::new();
    for c in mapped {
        if tables::unassigned_code_point(c) {
            prepared.extend(run.nfkc());
            run.clear();
            prepared.push(c);
        } else {
            run.push(c);
        }
    }
    prepared.extend(run.nfkc());
    let forbidden = |c: char| {
        tables::non_ascii_space_character(c)
            || tables::ascii_control_character(c)
            || tables::non_ascii_control_character(c)
            || tables::private_use(c)
            || tables::non_character_code_point(c)
            || tables::surrogate_code(c)
            || tables::inappropriate_for_plain_text(c)
            || tables::inappropriate_for_canonical_representation(c)
            || tables::change_display_properties_or_deprecated(c)
            || tables::tagging_character(c)
    };
    if prepared.chars().any(forbidden) {
        return None;
    }
    // Text from right to left stands alone, first to last.
    if prepared.contains(tables::bidi_r_or_al)
        && (prepared.contains(tables::bidi_l)
            || !prepared.starts_with(tables::bidi_r_or_al)
            || !prepared.ends_with(tables::bidi_r_or_al))
    {
        return None;
    }
    Some(Cow::Owned(prepared))
}
