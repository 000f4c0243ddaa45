//! Time and chance: arguments here, real ones in the room `desk`, chosen ones in tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::AccountId;
use crate::secret::Secret;

/// What the outside gives to an act.
pub trait World: Send + Sync {
    /// Unix time in milliseconds.
    fn millis(&self) -> i64;
    /// Fills with bytes from the system's source of randomness.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn World + '_ {
    /// Unix time in seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.millis().div_euclid(1000)
    }

    /// A secret of 256 bits for links, sessions and recovery: 43 characters of base64url.
    #[must_use]
    pub fn token(&self) -> Secret<String> {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A key of a row: 11 hexadecimal digits of milliseconds, then 80 bits of chance. Keys sort by time.
    #[must_use]
    pub fn id(&self) -> String {
        use std::fmt::Write as _;
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let mut text = format!("{:011x}", self.millis());
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The key of a new account.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        AccountId(self.id())
    }
}
