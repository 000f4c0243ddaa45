//! Where something stands in a package: relative to the root, without a way out.

use std::fmt;

use super::PackageError;
use crate::name::excerpt;

/// A path inside a package, such as `usr/share/jicofo/jicofo.jar`: no leading slash, no `.`, `..`
/// or empty part, no control characters, at most [`PackagePath::LONGEST`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackagePath(String);

impl PackagePath {
    /// Bytes that a path may have.
    pub const LONGEST: usize = 1024;

    /// Reads a path. A leading `./` and a trailing `/`, as archives have them, are taken off.
    ///
    /// # Errors
    /// When it is empty, absolute, leads upwards, or holds what a list of files cannot carry.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        let refuse = |why: &str| PackageError::Path {
            path: excerpt(text),
            why: why.to_owned(),
        };
        let bare = text.strip_prefix("./").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.is_empty() {
            return Err(refuse("it is empty"));
        }
        if bare.starts_with('/') {
            return Err(refuse("it is absolute"));
        }
        if bare.len() > Self::LONGEST {
            return Err(refuse("it is too long"));
        }
        if bare.chars().any(char::is_control) {
            return Err(refuse("it has a control character in it"));
        }
        if bare
            .split('/')
            .any(|part| part.is_empty() || part == "." || part == "..")
        {
            return Err(refuse("a part of it is empty, `.` or `..`"));
        }
        Ok(Self(bare.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the folder around it; `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(parent.to_owned()))
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl fmt::Display for PackagePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::PackagePath;

    #[test]
    fn nothing_leads_out() {
        for good in ["usr", "./usr/share/", "a b/c", "usr/share/x..y/.hidden"] {
            assert!(PackagePath::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "./", "/etc", "//", "a//b", "../a", "a/../b", "a/..", "./../a", "a\nb", "././a",
        ] {
            assert!(PackagePath::parse(bad).is_err(), "{bad}");
        }
        assert!(PackagePath::parse(&"a/".repeat(600)).is_err());
    }
}
