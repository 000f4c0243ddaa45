//! Second factors by time (RFC 6238: SHA-1, 30 seconds, 6 digits), and codes for the day the
//! telephone is lost. What is kept of a seed is sealed by the caller; of a recovery code, its digest.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};
use qrcodegen::{QrCode, QrCodeEcc};

use super::World;
use crate::secret::Secret;

/// Seconds of a step.
pub const STEP: i64 = 30;
/// Recovery codes that are given at a time.
pub const CODES: usize = 10;

/// The letters of base32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Those of recovery codes (Crockford's): none is mistaken for another.
const PLAIN32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What telephone and service have in common: 160 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed(Secret<Vec<u8>>);

impl Seed {
    /// A new one.
    #[must_use]
    pub fn new(world: &dyn World) -> Self {
        let mut bytes = vec![0; 20];
        world.fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// As it was kept; `None` for what is none.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= 16).then(|| Self(Secret::new(bytes)))
    }

    /// To be sealed and kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.reveal()
    }

    /// In base32 without padding: what is typed where no camera is.
    #[must_use]
    pub fn base32(&self) -> Secret<String> {
        Secret::new(spell(self.0.reveal(), BASE32))
    }

    /// What a QR code says: `otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER`.
    #[must_use]
    pub fn uri(&self, issuer: &str, name: &str) -> Secret<String> {
        // A colon parts issuer and name.
        let issuer = escape(&issuer.replace(':', " "));
        let name = escape(&name.replace(':', " "));
        let secret = self.base32();
        Secret::new(format!(
            "otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            secret.reveal()
        ))
    }

    /// The step of a code that is right now, or was or will be one step away, and later than the
    /// `last` one used. The caller keeps it, and takes the code only when it could do so
    /// (`UPDATE … WHERE totp_step < ?`), so that each code is good once.
    #[must_use]
    pub fn check(&self, code: &str, now: i64, last: Option<i64>) -> Option<i64> {
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let this = now.div_euclid(STEP);
        let mut found = None;
        // All three are looked at, whichever is right.
        for step in [this - 1, this, this + 1] {
            let right = verify_slices_are_equal(self.code(step).as_bytes(), typed.as_bytes());
            if right.is_ok() && last.is_none_or(|last| step > last) {
                found = found.or(Some(step));
            }
        }
        found
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.reveal());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag.last().copied().unwrap_or(0) & 15);
        let word = tag.iter().skip(at).take(4);
        let number = word.fold(0u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

/// A text as a QR code: an SVG of black squares on white, with no size of its own. `None` for a
/// text that is too long for one.
#[must_use]
pub fn svg(text: &str) -> Option<String> {
    use std::fmt::Write as _;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    // Four squares of white all round, as readers want it.
    let size = code.size() + 8;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + 4, y + 4);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\" aria-hidden=\"true\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// New recovery codes: 80 bits each, shown as `xxxx-xxxx-xxxx-xxxx`.
#[must_use]
pub fn recovery_codes(world: &dyn World) -> Vec<Secret<String>> {
    let code = || {
        let mut bytes = [0; 10];
        world.fill(&mut bytes);
        let letters = spell(&bytes, PLAIN32);
        let groups: Vec<&str> = [0, 4, 8, 12]
            .iter()
            .filter_map(|at| letters.get(*at..at + 4))
            .collect();
        Secret::new(groups.join("-"))
    };
    (0..CODES).map(|_| code()).collect()
}

/// What is kept of a recovery code, however it was typed: the SHA-256 of its letters, 64
/// hexadecimal digits. `None` for what cannot be one.
#[must_use]
pub fn recovery_digest(typed: &str) -> Option<String> {
    let mut letters = String::with_capacity(16);
    for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        };
        if letters.len() == 16 || !c.is_ascii() || !PLAIN32.contains(&(c as u8)) {
            return None;
        }
        letters.push(c);
    }
    let letters = Secret::new(letters);
    (letters.reveal().len() == 16).then(|| {
        let digest = digest::digest(&digest::SHA256, letters.reveal().as_bytes());
        digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    })
}

/// Five bits a letter, the last filled with zeros.
fn spell(bytes: &[u8], letters: &[u8; 32]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut word, mut bits) = (0u32, 0);
    for byte in bytes {
        word = word << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(letters[(word >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(letters[(word << (5 - bits) & 31) as usize]));
    }
    text
}

fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl World for Fixed {
        fn millis(&self) -> i64 {
            0
        }
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn rfc() -> Seed {
        Seed::from_bytes(b"12345678901234567890".to_vec()).unwrap()
    }

    /// RFC 6238, appendix B; its eight digits end with our six.
    #[test]
    fn the_vectors_of_the_rfc() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().code(time / STEP), code);
            assert_eq!(rfc().check(code, time, None), Some(time / STEP));
        }
    }

    #[test]
    fn one_step_each_way_and_each_once() {
        let (seed, now) = (rfc(), 1_234_567_890);
        let this = now / STEP;
        for (away, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = seed.code(this + away);
            assert_eq!(seed.check(&code, now, None), taken.then_some(this + away));
        }
        assert_eq!(seed.check("005 924", now, Some(this - 1)), Some(this));
        assert_eq!(seed.check("005924", now, Some(this)), None, "again");
        assert_eq!(seed.check(&seed.code(this - 1), now, Some(this)), None);
        for wrong in ["", "5924", "0005924", "005925", "００５９２４", "00592４"] {
            assert_eq!(seed.check(wrong, now, None), None, "{wrong}");
        }
    }

    #[test]
    fn seeds_are_spelled_for_apps() {
        assert_eq!(rfc().base32().reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = rfc().uri("Ann & Ben: chat", "jürgen");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/Ann%20%26%20Ben%20%20chat:j%C3%BCrgen\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ann%20%26%20Ben%20%20chat\
             &algorithm=SHA1&digits=6&period=30"
        );
        let picture = svg(uri.reveal()).unwrap();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
        assert!(!picture.contains("GEZD"));
        assert_eq!(svg(&"x".repeat(5000)), None);
        assert_eq!(Seed::from_bytes(vec![0; 8]), None);
        assert_eq!(Seed::new(&Fixed(3)).bytes(), [3; 20]);
    }

    #[test]
    fn recovery_codes_are_known_however_they_are_typed() {
        let codes = recovery_codes(&Fixed(0b1100_0110));
        assert_eq!(codes.len(), CODES);
        let code = codes[0].reveal();
        assert_eq!(code.len(), 19, "{code}");
        let digest = recovery_digest(code).unwrap();
        assert_eq!(digest.len(), 64);
        assert_eq!(recovery_digest(&code.to_uppercase()), Some(digest.clone()));
        assert_eq!(recovery_digest(&code.replace('-', " ")), Some(digest));
        assert_eq!(
            recovery_digest("0000-0000-0000-0011"),
            recovery_digest("oOoO 0000 0000 00iL")
        );
        for wrong in [
            "",
            "0000",
            "0000-0000-0000-000u",
            "0000-0000-0000-00000",
            "é000-0000-0000-0000",
        ] {
            assert_eq!(recovery_digest(wrong), None, "{wrong}");
        }
    }
}
