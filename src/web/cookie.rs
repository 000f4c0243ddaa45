//! Cookies: read from one request, and written with the only attributes that we use.

use std::fmt::Write as _;

use axum::http::{HeaderMap, header};

use super::site::Site;

/// What a cookie is for; each has one name and one life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The key of a session.
    Session,
    /// A message for the next page.
    Said,
    /// Between the right password and the second factor.
    Half,
    /// That somebody signed in with this browser before.
    Device,
    /// The language chosen.
    Language,
}

impl Cookie {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "jitsi-accounts",
            Self::Said => "jitsi-accounts-said",
            Self::Half => "jitsi-accounts-half",
            Self::Device => "jitsi-accounts-device",
            Self::Language => "jitsi-accounts-language",
        }
    }

    /// The name; `__Host-` ties it to this host, to TLS and to the path `/`.
    #[must_use]
    pub fn name(self, site: &Site) -> String {
        let prefix = if site.is_secure { "__Host-" } else { "" };
        format!("{prefix}{}", self.word())
    }

    /// The value in a request. A name sent twice has no value: somebody tries to overrule it.
    #[must_use]
    pub fn read<'a>(self, site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.name(site);
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = found.next()?;
        (found.next().is_none() && !value.is_empty()).then_some(value)
    }

    /// The header that sets it, for this browser's session or for some seconds; the value is ours
    /// (base64url, signatures, words) and never what somebody typed.
    #[must_use]
    pub fn set(self, site: &Site, value: &str, seconds: Option<i64>) -> String {
        let mut line = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax",
            self.name(site)
        );
        if site.is_secure {
            line.push_str("; Secure");
        }
        if let Some(seconds) = seconds {
            let _ = write!(line, "; Max-Age={seconds}");
        }
        line
    }

    /// The header that removes it.
    #[must_use]
    pub fn clear(self, site: &Site) -> String {
        self.set(site, "", Some(0))
    }
}
