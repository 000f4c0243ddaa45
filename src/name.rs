//! The words of the house, parsed once and valid for ever.
//!
//! A value of one of these types has been checked against the strictest reader it will ever meet
//! (DNS, Lua, HOCON, nginx, a shell, a JVM), so that no later room has to ask again. Nothing here
//! touches the machine. To add a word: a newtype, a `parse` that says what is wrong, and tests.
//!
//! Over 400 lines: one short type after the other.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Why a piece of text is not the word it should be; reads as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub String);

fn refuse<T>(why: impl Into<String>) -> Result<T, NameError> {
    Err(NameError(why.into()))
}

/// Shortens hostile or very long text for a message: control characters escaped, 60 characters.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

/// The addresses in what `getent ahosts` writes, in its order, each once.
#[must_use]
pub fn addresses(said: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for word in said
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        if let Ok(address) = word.parse()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// A fully qualified domain name in lower case (RFC 1123 letters, digits and hyphens; at least two
/// labels; at most 200 characters, so that `conference.` and the like still fit into DNS's 253).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Domain(String);

impl Domain {
    /// Reads a domain name; upper case is refused rather than folded, since file names, XMPP
    /// addresses and certificates all repeat it.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return refuse("is empty");
        }
        if text.len() > 200 {
            return refuse("is longer than 200 characters");
        }
        if text.contains("://") || text.contains('/') {
            return refuse("is a URL, not a domain name: leave out the scheme and the path");
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return refuse("has upper-case letters: write it in lower case");
        }
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return refuse("is an IP address, and certificates and XMPP want a name");
        }
        let labels: Vec<&str> = text.split('.').collect();
        if labels.len() < 2 {
            return refuse(
                "has one label only, and a public name has at least two, as in `meet.example.org`",
            );
        }
        for label in labels {
            if label.is_empty() || label.len() > 63 {
                return refuse("has an empty label or one over 63 characters");
            }
            if label.starts_with('-') || label.ends_with('-') {
                return refuse("has a label that begins or ends with a hyphen");
            }
            if let Some(bad) = label
                .chars()
                .find(|c| !(c.is_ascii_alphanumeric() || *c == '-'))
            {
                return refuse(format!(
                    "has the character `{}`; a domain name has letters, digits, hyphens and dots (write an international name in its xn-- form)",
                    bad.escape_debug()
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with one more label in front; `label` is one of the house's own, never input.
    #[must_use]
    pub fn under(&self, label: &str) -> Self {
        Self(format!("{label}.{}", self.0))
    }

    /// The name as Prosody writes it into file names: every byte that is neither a letter nor a
    /// digit becomes `%xx` (Prosody's `util.datamanager`).
    #[must_use]
    pub fn as_store_name(&self) -> String {
        use fmt::Write as _;
        let mut out = String::new();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02x}");
            }
        }
        out
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An absolute path as the installed machine sees it: no `.` or `..`, no empty part, and only
/// characters that every configuration language here can carry bare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AbsPath(String);

impl TryFrom<String> for AbsPath {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl AbsPath {
    /// Reads an absolute path; a final slash is dropped.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let trimmed = if text.len() > 1 {
            text.trim_end_matches('/')
        } else {
            text
        };
        if !trimmed.starts_with('/') {
            return refuse("is not an absolute path: begin it with `/`");
        }
        if trimmed == "/" {
            return refuse("is the root directory itself");
        }
        if trimmed.len() > 512 {
            return refuse("is longer than 512 characters");
        }
        for part in trimmed[1..].split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return refuse("has an empty part, `.` or `..`: write the path out");
            }
        }
        let carried = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,=:~".contains(c);
        if let Some(bad) = trimmed.chars().find(|c| !carried(*c)) {
            return refuse(format!(
                "has the character `{}`, which not every service can read in a path",
                bad.escape_debug()
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// A path written in the source of this program.
    ///
    /// # Panics
    /// When the text is no valid path, which would be our own mistake.
    #[must_use]
    pub fn fixed(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|why| panic!("`{text}` {why}"))
    }

    /// This path with `part` (one or more components of the house's own) below it.
    #[must_use]
    pub fn join(&self, part: &str) -> Self {
        Self(format!("{}/{}", self.0, part))
    }

    /// The folder that holds it; `None` for what stands in the root directory.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let cut = self.0.rfind('/')?;
        (cut > 0).then(|| Self(self.0[..cut].to_owned()))
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its first slash, for joining below a root.
    #[must_use]
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Permission bits of a file or folder, 0 to 0o7777.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(pub u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Who owns a file: a user's and a group's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The user's name.
    pub user: String,
    /// The group's name.
    pub group: String,
}

impl Owner {
    /// An owner by name.
    #[must_use]
    pub fn new(user: &str, group: &str) -> Self {
        Self {
            user: user.to_owned(),
            group: group.to_owned(),
        }
    }

    /// `root:root`.
    #[must_use]
    pub fn root() -> Self {
        Self::new("root", "root")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.user, self.group)
    }
}

/// An e-mail address that is safe to print in a page or a configuration: one `@`, a domain name on
/// the right, printable ASCII without quotes, spaces or brackets on the left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let Some((left, right)) = text.rsplit_once('@') else {
            return refuse("has no `@`");
        };
        if left.is_empty() || left.len() > 64 {
            return refuse("has nothing, or over 64 characters, before the `@`");
        }
        let fine = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if !left.chars().all(fine) {
            return refuse("has a character before the `@` that does not belong there");
        }
        // A dot-atom (RFC 5322, 3.2.3).
        if left.split('.').any(str::is_empty) {
            return refuse("begins or ends with a dot before the `@`, or has two in a row");
        }
        Domain::parse(&right.to_ascii_lowercase())
            .map_err(|why| NameError(format!("has no domain after the `@`: it {why}")))?;
        Ok(Self(text.to_owned()))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// MariaDB or MySQL.
    MariaDb,
    /// PostgreSQL.
    PostgreSql,
}

impl Engine {
    /// The engine of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::MariaDb, Self::PostgreSql]
            .into_iter()
            .find(|engine| engine.as_str() == text)
    }

    /// The word for it in the site file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::PostgreSql => "postgresql",
        }
    }
}

/// A service that the house lays out; the order is the order in which they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceId {
    /// Certificates, keys and stores that the others read.
    Certificates,
    /// The database server on this machine.
    Database,
    /// The account service.
    Accounts,
    /// The XMPP server.
    Prosody,
    /// The conference focus.
    Jicofo,
    /// The media router.
    Videobridge,
    /// The web application's own configuration.
    Meet,
    /// The web server nginx.
    Nginx,
    /// The web server Caddy.
    Caddy,
}

impl ServiceId {
    /// Every service, in starting order.
    pub const ALL: [Self; 9] = [
        Self::Certificates,
        Self::Database,
        Self::Accounts,
        Self::Prosody,
        Self::Jicofo,
        Self::Videobridge,
        Self::Meet,
        Self::Nginx,
        Self::Caddy,
    ];

    /// The word for it on the command line and in plans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificates => "certificates",
            Self::Database => "database",
            Self::Accounts => "accounts",
            Self::Prosody => "prosody",
            Self::Jicofo => "jicofo",
            Self::Videobridge => "videobridge",
            Self::Meet => "meet",
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
