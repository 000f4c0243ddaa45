//! The account record of Prosody's `internal_hashed` store: SCRAM-SHA-1 keys (RFC 5802) in a Lua
//! table, as `util.datamanager` of Prosody 0.12 and 13 reads it. Writing it ourselves needs no
//! running server and puts no password into a process list.

use aws_lc_rs::hmac;
use sha1::{Digest, Sha1};

use super::hex;

/// Rounds of PBKDF2. RFC 5802's minimum is enough, since these passwords are random and longer
/// than the hash itself: no dictionary gets at 200 bits.
pub const ITERATIONS: u32 = 4096;

struct Keys {
    stored: String,
    server: String,
}

fn keys(password: &str, salt: &str, iterations: u32) -> Keys {
    let mut salted = [0_u8; 20];
    pbkdf2::pbkdf2_hmac::<Sha1>(
        password.as_bytes(),
        salt.as_bytes(),
        iterations,
        &mut salted,
    );
    Keys {
        stored: hex(&Sha1::digest(sign(&salted, b"Client Key"))),
        server: hex(&sign(&salted, b"Server Key")),
    }
}

/// HMAC-SHA-1, as SCRAM-SHA-1 signs.
#[must_use]
pub fn sign(key: &[u8], message: &[u8]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut signature = [0; 20];
    signature.copy_from_slice(hmac::sign(&key, message).as_ref());
    signature
}

/// The text of `accounts/NAME.dat`; the salt's text is used as its bytes, as Prosody does.
#[must_use]
pub fn record(password: &str, salt: &str, iterations: u32) -> String {
    let keys = keys(password, salt, iterations);
    format!(
        "return {{\n\t[\"iteration_count\"] = {iterations};\n\t[\"salt\"] = \"{salt}\";\n\t[\"server_key\"] = \"{}\";\n\t[\"stored_key\"] = \"{}\";\n}};\n",
        keys.server, keys.stored
    )
}

/// Does this record open with this password? Whatever else Prosody has noted in it (times, roles)
/// does not matter.
#[must_use]
pub fn verifies(record: &[u8], password: &str) -> bool {
    let Ok(text) = std::str::from_utf8(record) else {
        return false;
    };
    let field = |name: &str| -> Option<&str> {
        let rest = text.split_once(&format!("[\"{name}\"] = "))?.1;
        let value = rest.split(';').next()?;
        Some(value.trim().trim_matches('"'))
    };
    let answer = || -> Option<bool> {
        let iterations: u32 = field("iteration_count")?.parse().ok()?;
        if !(1..=10_000_000).contains(&iterations) || field("disabled") == Some("true") {
            return Some(false);
        }
        let keys = keys(password, field("salt")?, iterations);
        Some(keys.stored == field("stored_key")? && keys.server == field("server_key")?)
    };
    answer().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_rfc_5802() {
        // RFC 5802, section 5: user `user`, password `pencil`, salt QSXCR+Q6sek8bf92, 4096 rounds.
        // The salt there has bytes that are no text, so the first step is checked with RFC 6070.
        let mut salted = [0_u8; 20];
        pbkdf2::pbkdf2_hmac::<Sha1>(b"password", b"salt", 4096, &mut salted);
        assert_eq!(hex(&salted), "4b007901b765489abead49d926f721d065a429c1");
    }

    #[test]
    fn a_record_verifies_with_its_password_only() {
        let text = record(
            "secret-secret",
            "3b8a7b84-5c4e-4bb1-8f9c-1f4fd4a1d0aa",
            4096,
        );
        assert!(verifies(text.as_bytes(), "secret-secret"));
        assert!(!verifies(text.as_bytes(), "secret-secre"));
        assert!(!verifies(b"return {};", "secret-secret"));
        assert!(!verifies(b"\xff\xfe", "secret-secret"));
        let more = text.replace("return {", "return {\n\t[\"updated\"] = 1790000000.5;");
        assert!(verifies(more.as_bytes(), "secret-secret"));
        let disabled = text.replace("return {", "return {\n\t[\"disabled\"] = true;");
        assert!(!verifies(disabled.as_bytes(), "secret-secret"));
    }
}
