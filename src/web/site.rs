//! Where people find the service, taken apart once: everything that needs the site's address asks
//! here, and nothing ever asks the `Host` header.

use crate::account::settings::Settings;

/// `settings.public_url`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `https://meet.example.org`
    pub origin: String,
    /// `/accounts`, or nothing at the root; never ends in a slash.
    pub prefix: String,
    /// `meet.example.org`
    pub host: String,
    /// Whether people come by TLS; only a trial on one's own machine does not.
    pub is_secure: bool,
    /// What the site calls itself.
    pub name: String,
    /// Where "back to the meetings" leads.
    pub meet_url: String,
}

/// `public_url` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "public_url `{0}` is no address of a site\nhint: write it like https://meet.example.org/accounts"
)]
pub struct SiteError(String);

impl Site {
    /// Takes the settings' `public_url` apart.
    ///
    /// # Errors
    /// When it has no scheme, no host, or more than a path.
    pub fn of(settings: &Settings) -> Result<Self, SiteError> {
        let wrong = || SiteError(settings.public_url.clone());
        let url = settings.public_url.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (authority, path) = rest
            .find('/')
            .map_or((rest, ""), |place| rest.split_at(place));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let host_fine = authority
            .chars()
            .all(|c| plain(c) || matches!(c, ':' | '[' | ']'));
        let path_fine = path.split('/').skip(1).all(|part| !part.is_empty())
            && path.chars().all(|c| plain(c) || c == '/');
        if !matches!(scheme, "https" | "http") || authority.is_empty() || !host_fine || !path_fine {
            return Err(wrong());
        }
        let host = authority.to_ascii_lowercase();
        let origin = format!("{scheme}://{host}");
        let or = |text: &str, other: String| {
            if text.is_empty() {
                other
            } else {
                text.to_owned()
            }
        };
        Ok(Self {
            prefix: path.to_owned(),
            is_secure: scheme == "https",
            name: or(&settings.site_name, host.clone()),
            meet_url: or(&settings.meet_url, format!("{origin}/")),
            host,
            origin,
        })
    }

    /// The path of a page: `/sign-in` becomes `/accounts/sign-in`.
    #[must_use]
    pub fn path(&self, page: &str) -> String {
        format!("{}{page}", self.prefix)
    }

    /// Where to go after an act: `next` when it is a path of this service, without the prefix;
    /// otherwise nothing. An absolute address, a path with another host (`//host`), a backslash or
    /// a control character is none of ours.
    #[must_use]
    pub fn own_path(&self, next: &str) -> Option<String> {
        own_page(next.strip_prefix(self.prefix.as_str())?)
    }
}

/// The same for a path that has no prefix.
#[must_use]
pub fn own_page(path: &str) -> Option<String> {
    let fine = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 500
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte));
    fine.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(url: &str) -> Result<Site, SiteError> {
        let settings: Settings =
            toml::from_str(&format!("schema = 1\npublic_url = {url:?}")).unwrap();
        Site::of(&settings)
    }

    #[test]
    fn an_address_is_taken_apart() {
        let meet = site("https://Meet.example.org/accounts/").unwrap();
        assert_eq!(meet.origin, "https://meet.example.org");
        assert_eq!(meet.prefix, "/accounts");
        assert_eq!(meet.name, "meet.example.org");
        assert_eq!(meet.meet_url, "https://meet.example.org/");
        assert_eq!(meet.path("/sign-in"), "/accounts/sign-in");
        assert_eq!(site("http://127.0.0.1:8480").unwrap().prefix, "");
        for wrong in [
            "meet.example.org",
            "ftp://meet.example.org",
            "https://",
            "https://user@meet.example.org",
            "https://meet.example.org/a?b",
            "https://meet.example.org//a",
            "https://meet.example.org/a b",
        ] {
            assert!(site(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_own_paths_are_followed() {
        let meet = site("https://meet.example.org/accounts").unwrap();
        assert_eq!(
            meet.own_path("/accounts/admin/users?q=a"),
            Some("/admin/users?q=a".into())
        );
        for foreign in [
            "https://example.net/",
            "//example.net/",
            "/accounts//example.net",
            "/accounts/\\example.net",
            "/accountsx",
            "/other",
            "/accounts/a\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(meet.own_path(foreign), None, "{foreign}");
        }
    }
}
