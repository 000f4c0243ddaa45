//! SCRAM-SHA-1 (RFC 5802), the client's side, without channel binding.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::recipe::account::sign;

/// Rounds of PBKDF2 that a server may ask for.
const MOST_ROUNDS: u32 = 1_000_000;

/// The client's first message, without its header.
pub(super) struct First {
    text: String,
    nonce: String,
}

/// The client's last message, and what the server has to say to it.
pub(super) struct Last {
    pub(super) message: String,
    pub(super) expected: String,
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl First {
    pub(super) fn new(user: &str, nonce: &str) -> Self {
        Self {
            text: format!("n={user},r={nonce}"),
            nonce: nonce.to_owned(),
        }
    }

    /// The answer to a challenge; `None` when it is none.
    pub(super) fn last(&self, challenge: &str, password: &str) -> Option<Last> {
        let field = |name: &str| challenge.split(',').find_map(|one| one.strip_prefix(name));
        let nonce = field("r=").filter(|nonce| nonce.starts_with(&self.nonce))?;
        let salt = STANDARD.decode(field("s=")?).ok()?;
        let rounds: u32 = field("i=")?.parse().ok()?;
        if !(1..=MOST_ROUNDS).contains(&rounds) {
            return None;
        }
        let mut salted = [0; 20];
        pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), &salt, rounds, &mut salted);
        let last = format!("c=biws,r={nonce}");
        let signed = format!("{self},{challenge},{last}");
        let key = sign(&salted, b"Client Key");
        let signature = sign(&Sha1::digest(key), signed.as_bytes());
        let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let server = sign(&sign(&salted, b"Server Key"), signed.as_bytes());
        Some(Last {
            message: format!("{last},p={}", STANDARD.encode(proof)),
            expected: format!("v={}", STANDARD.encode(server)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_5802() {
        let first = First::new("user", "fyko+d2lbbFgONRv9qkxdawL");
        let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let last = first.last(challenge, "pencil").expect("a challenge");
        assert_eq!(
            last.message,
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        assert_eq!(last.expected, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        for odd in [
            "",
            "r=other,s=QSXCR+Q6sek8bf92,i=4096",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=?,i=4096",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4000000000",
        ] {
            assert!(first.last(odd, "pencil").is_none(), "{odd}");
        }
    }
}
