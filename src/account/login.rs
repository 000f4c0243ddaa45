//! Names of accounts: one canonical form, safe as an XMPP localpart.
//!
//! The canonical form is that of nodeprep (RFC 6122, appendix A), which Prosody applies to every
//! name that it is shown; a name that nodeprep would change once more is refused.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
pub const LONGEST: usize = 64;

/// Names that a visitor could take for the house itself, or that mail to a domain reaches.
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "administrators",
    "admins",
    "anonymous",
    "approver",
    "ceo",
    "contact",
    "everyone",
    "guest",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "mail",
    "mailer-daemon",
    "me",
    "moderator",
    "moderators",
    "no-reply",
    "nobody",
    "noc",
    "noreply",
    "official",
    "operator",
    "owner",
    "postmaster",
    "root",
    "security",
    "service",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "test",
    "webmaster",
    "www",
    "you",
];

/// Names that Jitsi's own services sign in with; never a person's, wherever it comes from.
const SERVICES: &[&str] = &[
    "focus",
    "jibri",
    "jicofo",
    "jigasi",
    "jitsi-accounts",
    "jvb",
    "prosody",
    "recorder",
    "transcriber",
];

/// Characters whose form was corrected after Unicode 3.2 (Corrigendum 4), with the one that
/// stringprep goes on giving them.
pub(super) const CORRECTED: [(char, char); 5] = [
    ('\u{2f868}', '\u{2136a}'),
    ('\u{2f874}', '\u{5f33}'),
    ('\u{2f91f}', '\u{43ab}'),
    ('\u{2f95f}', '\u{7aae}'),
    ('\u{2f9bf}', '\u{4d57}'),
];

/// A canonical name of an account: lower case, nodeprep-safe, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing that can be seen.
    #[error("is empty")]
    Empty,
    /// More than 64 bytes.
    #[error("is longer than {LONGEST} bytes")]
    Long,
    /// A character that a localpart may not have.
    #[error("has a character that a name may not have")]
    Forbidden,
    /// Kept for the house or its services.
    #[error("is reserved")]
    Reserved,
}

impl NameError {
    /// The key of its text in the catalogues.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Empty => "name.empty",
            Self::Long => "name.long",
            Self::Forbidden => "name.forbidden",
            Self::Reserved => "name.reserved",
        }
    }
}

impl Login {
    /// Brings a text that somebody typed into its canonical form.
    ///
    /// # Errors
    /// What cannot be a name, or is reserved.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let login = Self::parse_known(text)?;
        if RESERVED.contains(&login.as_str()) {
            return Err(NameError::Reserved);
        }
        Ok(login)
    }

    /// The same for a name that an administrator gives or that is in use elsewhere already:
    /// `admin` may be somebody's name there. Names of Jitsi's services stay refused.
    ///
    /// # Errors
    /// What cannot be a name, or is a service's.
    pub fn parse_known(text: &str) -> Result<Self, NameError> {
        // Nothing grows to 64 bytes from more than that by more than case and width.
        if text.len() > 16 * LONGEST {
            return Err(NameError::Long);
        }
        // What Unicode 3.2 did not have has no form that all servers agree on.
        let unsure = |c| {
            stringprep::tables::unassigned_code_point(c)
                || CORRECTED.iter().any(|(corrected, _)| *corrected == c)
        };
        if text.chars().any(unsure) {
            return Err(NameError::Forbidden);
        }
        let prepared = stringprep::nodeprep(text).map_err(|_| NameError::Forbidden)?;
        if prepared.is_empty() {
            return Err(NameError::Empty);
        }
        if prepared.len() > LONGEST {
            return Err(NameError::Long);
        }
        let stable = stringprep::nodeprep(&prepared).is_ok_and(|again| again == prepared);
        let plain = !prepared
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "@/:\"&'<>".contains(c));
        if !stable || !plain {
            return Err(NameError::Forbidden);
        }
        if SERVICES.contains(&&*prepared) {
            return Err(NameError::Reserved);
        }
        Ok(Self(prepared.into_owned()))
    }

    /// A name as the database has it, canonical since it was written.
    #[must_use]
    pub fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the name looks like (UTS 39): two names with one skeleton are hard to tell apart.
    /// Never longer than 190 characters; only ever compared.
    #[must_use]
    pub fn skeleton(&self) -> String {
        let text: String = unicode_security::skeleton(&self.0).collect();
        if text.chars().count() <= 190 {
            return text;
        }
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, NameError> {
        Login::parse(text).map(|login| login.as_str().to_owned())
    }

    #[test]
    fn names_come_to_one_form() {
        for (text, login) in [
            ("ann", "ann"),
            ("ANN", "ann"),
            ("Ann.B+c_d-e", "ann.b+c_d-e"),
            ("ＡＮＮ", "ann"),
            ("Jürgen", "jürgen"),
            ("Ju\u{308}rgen", "jürgen"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("Σίσυφος", "σίσυφοσ"),
            ("an\u{ad}n", "ann"),
            ("名前", "名前"),
            ("7", "7"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(login), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (text, why) in [
            ("", NameError::Empty),
            ("\u{ad}", NameError::Empty),
            ("a b", NameError::Forbidden),
            (" ann", NameError::Forbidden),
            ("ann\n", NameError::Forbidden),
            ("ann\u{a0}b", NameError::Forbidden),
            ("ann@example.org", NameError::Forbidden),
            ("a/b", NameError::Forbidden),
            ("a:b", NameError::Forbidden),
            ("a\"b", NameError::Forbidden),
            ("a'b", NameError::Forbidden),
            ("a&b", NameError::Forbidden),
            ("<b>", NameError::Forbidden),
            ("a\0b", NameError::Forbidden),
            ("＠", NameError::Forbidden),
            ("\u{202e}ann", NameError::Forbidden),
            ("Admin", NameError::Reserved),
            ("ＲＯＯＴ", NameError::Reserved),
            ("focus", NameError::Reserved),
            ("abuse", NameError::Reserved),
        ] {
            assert_eq!(parsed(text), Err(why), "{text:?}");
        }
        assert_eq!(parsed(&"a".repeat(64)), Ok("a".repeat(64)));
        assert_eq!(parsed(&"a".repeat(65)), Err(NameError::Long));
        assert_eq!(parsed(&"ü".repeat(33)), Err(NameError::Long));
        assert_eq!(parsed(&"a".repeat(1 << 20)), Err(NameError::Long));
        assert_eq!(
            Login::parse_known("admin").map(|l| l.0).as_deref(),
            Ok("admin")
        );
        assert_eq!(Login::parse_known("JVB"), Err(NameError::Reserved));
    }

    #[test]
    fn look_alikes_have_one_skeleton() {
        let skeleton = |text: &str| Login::parse(text).unwrap().skeleton();
        assert_eq!(skeleton("paypal"), skeleton("раураl"), "Cyrillic");
        assert_eq!(skeleton("bill"), skeleton("bi11"));
        assert_eq!(skeleton("kim"), skeleton("kirn"));
        assert_ne!(skeleton("ann"), skeleton("ben"));
        assert!(skeleton(&"㌀".repeat(3)).chars().count() <= 190);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(4096))]

        /// Whatever comes out goes in again unchanged, and nodeprep has nothing to add.
        #[test]
        fn parsing_is_idempotent(text in "\\PC{0,24}") {
            if let Ok(login) = Login::parse(&text) {
                let again = Login::parse(login.as_str());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&login));
                let prepared = stringprep::nodeprep(login.as_str()).unwrap();
                proptest::prop_assert_eq!(prepared.as_ref(), login.as_str());
                proptest::prop_assert!(login.as_str().len() <= LONGEST);
                proptest::prop_assert!(!login.skeleton().is_empty());
            }
        }

        /// Any bytes at all.
        #[test]
        fn nothing_breaks_it(text in proptest::prelude::any::<String>()) {
            let _ = Login::parse(&text).map(|login| login.skeleton());
        }
    }
}
