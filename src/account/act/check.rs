//! What people type into forms, looked at before anything else happens: every mistake at once, and
//! each with the field that it belongs to. Nothing here asks the database.

use serde::Serialize;

use crate::account::Office;
use crate::account::policy::Policy;
use crate::name::Email;

/// Something that its author must mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The name of the field.
    pub field: &'static str,
    /// The key of the text that says what is wrong.
    pub key: &'static str,
    /// What `{minimum}` in that text stands for.
    pub minimum: usize,
}

impl Mistake {
    /// A mistake in a field.
    #[must_use]
    pub fn new(field: &'static str, key: &'static str) -> Self {
        Self {
            field,
            key,
            minimum: 0,
        }
    }
}

/// Most characters of a name that others see.
const NAME: usize = 100;
/// Most characters of a reason.
const REASON: usize = 2000;
/// Fastest that a person fills in a form, in milliseconds.
const HASTE: i64 = 2000;
/// Longest that a form may lie open: half a day.
const PATIENCE: i64 = 12 * 3600 * 1000;

/// An e-mail address without spaces around it.
///
/// # Errors
/// When it is none that mail can be sent to.
pub fn address(text: &str) -> Result<String, Mistake> {
    let text = text.trim();
    match Email::parse(text) {
        Ok(_) if text.len() <= 190 => Ok(text.to_owned()),
        _ => Err(Mistake::new("email", "form.email.bad")),
    }
}

/// Whether the site takes addresses like this one.
///
/// # Errors
/// When its domain, or it itself, may not sign up.
pub fn welcome(policy: &Policy, address: &str) -> Result<(), Mistake> {
    let address = address.to_lowercase();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let inside = |list: &[String]| {
        list.iter().any(|entry| match entry.strip_prefix('.') {
            Some(parent) => {
                domain == parent
                    || domain
                        .strip_suffix(parent)
                        .is_some_and(|left| left.ends_with('.'))
            }
            None => domain == entry,
        })
    };
    let is_blocked = inside(&policy.blocked_domains)
        || policy
            .blocked_addresses
            .iter()
            .any(|entry| entry.eq_ignore_ascii_case(&address));
    let is_allowed = policy.allowed_domains.is_empty() || inside(&policy.allowed_domains);
    if is_blocked || !is_allowed {
        return Err(Mistake::new("email", "form.email.unwelcome"));
    }
    Ok(())
}

/// The name that others see: spaces in order, nothing that cannot be seen or turns the direction
/// of writing.
///
/// # Errors
/// When it is too long or has such a character.
pub fn display_name(text: &str) -> Result<String, Mistake> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fault = if name.chars().count() > NAME {
        "form.display_name.long"
    } else if name.chars().any(unseen) {
        "form.display_name.bad"
    } else {
        return Ok(name);
    };
    Err(Mistake::new("display_name", fault))
}

/// A text of some lines.
///
/// # Errors
/// When it is too long.
pub fn reason(text: &str) -> Result<String, Mistake> {
    let text: String = text
        .trim()
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| *c == '\n' || !unseen(*c))
        .collect();
    if text.chars().count() > REASON {
        return Err(Mistake::new("reason", "form.reason.long"));
    }
    Ok(text)
}

/// A new password: by the site's rules, and not made of what everybody knows of its owner.
///
/// # Errors
/// The first rule that it breaks.
pub fn password(
    office: &Office,
    password: &str,
    login: &str,
    email: &str,
    display_name: &str,
) -> Result<(), Mistake> {
    let local = email.split('@').next().unwrap_or_default();
    let site = &office.settings.site_name;
    let host = office.settings.public_url.split("://").nth(1).unwrap_or("");
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let mut context = vec![login, email, local, display_name, site, host];
    context.extend(host.split('.'));
    context.retain(|word| !word.is_empty());
    office
        .hasher
        .judge(password, &context)
        .map_err(|weak| Mistake {
            field: "password",
            key: weak.key(),
            minimum: office.settings.passwords.minimum,
        })
}

/// What a form carries so that its age is known: a time, signed.
#[must_use]
pub fn began(office: &Office) -> String {
    let millis = office.world.millis().to_string();
    let signature = office.seal.sign("form", &millis);
    format!("{millis}~{signature}")
}

/// Whether a form is as old as one that a person filled in.
///
/// # Errors
/// When it was sent too fast, too late, or is none of ours.
pub fn age(office: &Office, began: &str) -> Result<(), Mistake> {
    let stale = Err(Mistake::new("form", "form.stale"));
    let Some((millis, signature)) = began.split_once('~') else {
        return stale;
    };
    if !office.seal.verify("form", millis, signature) {
        return stale;
    }
    let age = office.world.millis() - millis.parse::<i64>().unwrap_or(0);
    match age {
        ..HASTE => Err(Mistake::new("form", "form.haste")),
        PATIENCE.. => stale,
        _ => Ok(()),
    }
}

/// What ends a line, cannot be seen, or turns the direction of writing.
pub(in crate::account) fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
                | '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_welcome_or_not() {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let policy = Policy {
            allowed_domains: list(&["example.org", ".example.com"]),
            blocked_domains: list(&["bad.example.com"]),
            blocked_addresses: list(&["ann@example.org"]),
            ..Policy::default()
        };
        for (address, expected) in [
            ("ben@example.org", true),
            ("ben@EXAMPLE.org", true),
            ("ANN@example.org", false),
            ("ben@sub.example.org", false),
            ("ben@example.com", true),
            ("ben@a.b.example.com", true),
            ("ben@badexample.com", false),
            ("ben@bad.example.com", false),
            ("ben@example.net", false),
        ] {
            assert_eq!(welcome(&policy, address).is_ok(), expected, "{address}");
        }
        assert!(welcome(&Policy::default(), "ben@example.net").is_ok());
    }

    #[test]
    fn addresses_and_names_are_looked_at() {
        assert_eq!(address(" ann@example.org ").unwrap(), "ann@example.org");
        for wrong in [
            "",
            "ann",
            "ann@",
            "ann@example.org\r\nBcc: ben@example.org",
            "a,b@example.org",
            "ann@example.org, ben@example.org",
            "<ann@example.org>",
        ] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            display_name("  Ann \t of  Example ").unwrap(),
            "Ann of Example"
        );
        assert!(display_name("Ann\u{202e}gro").is_err());
        assert!(display_name(&"a".repeat(101)).is_err());
        assert_eq!(reason("one\r\ntwo\0\u{202e}").unwrap(), "one\ntwo");
        assert!(reason(&"a".repeat(2001)).is_err());
    }
}
