//! What is said of a package.

use super::PackagePath;

/// What is said of a package, whatever its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name in the format that is written.
    pub name: String,
    /// Upstream's version, without a revision; `-` in it becomes `_` for Slackware.
    pub version: String,
    /// How often this version was packaged, from 1.
    pub build: u32,
    /// Is it for this machine only?
    pub arch: Arch,
    /// One line without a full stop, at most 60 characters.
    pub summary: String,
    /// Paragraphs of plain text.
    pub description: String,
    /// Upstream's page.
    pub homepage: String,
    /// An SPDX expression.
    pub licence: String,
    /// Whose work it is, as copyright notices say.
    pub copyright: String,
    /// Other packages that it needs, as the format writes them.
    pub depends: Vec<String>,
    /// Packages whose place it takes, as the format writes them (`.deb` only).
    pub replaces: Vec<String>,
    /// Files that the administrator may change, and that stay then.
    pub config: Vec<PackagePath>,
    /// Folders of earlier packages that are a link now, and the link's text (`.deb` only: dpkg
    /// does not do that by itself).
    pub links_that_were_folders: Vec<(PackagePath, String)>,
    /// The time of everything in it, in seconds since 1970: `SOURCE_DATE_EPOCH`, else the release's.
    pub time: u64,
}

/// What a package runs on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
pub enum Arch {
    /// Everything.
    #[serde(rename = "noarch")]
    Any,
    /// 64-bit PCs.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64")]
    Aarch64,
}

impl Arch {
    /// Slackware's word.
    #[must_use]
    pub fn slackware(self) -> &'static str {
        match self {
            Self::Any => "noarch",
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Debian's word.
    #[must_use]
    pub fn debian(self) -> &'static str {
        match self {
            Self::Any => "all",
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}
