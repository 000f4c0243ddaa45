//! The catalogue: data, no code. `slackbuilds/catalogue.toml` is compiled in.

use serde::Deserialize;

use super::PackageError;
use super::meta::Arch;

/// The catalogue that this program was built with.
const OWN: &str = include_str!("../../slackbuilds/catalogue.toml");

/// Every piece that a server needs and a distribution may lack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The form of this file: 1.
    pub schema: u32,
    /// Upstream's repository of Jitsi.
    pub upstream: Upstream,
    /// The pieces, by name.
    #[serde(rename = "piece")]
    pub pieces: Vec<Piece>,
}

/// A repository with a signed index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The folder with `Packages`, `Release` and `Release.gpg` or `InRelease`; ends with `/`.
    pub index: String,
    /// Where its key lies.
    pub key: String,
    /// The key's fingerprint: 40 capital hexadecimal digits.
    pub fingerprint: String,
    /// The package that pins a whole set.
    pub metapackage: String,
}

/// Something that is packaged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Its name on Slackware, and in this catalogue.
    pub name: String,
    /// Its name on Debian, if another.
    pub debian: Option<String>,
    /// One line without a full stop.
    pub summary: String,
    /// Plain text.
    pub description: String,
    /// An SPDX expression.
    pub licence: String,
    /// Whose work it is.
    pub copyright: String,
    /// Upstream's page.
    pub homepage: String,
    /// How a package is made of its sources.
    pub style: Style,
    /// Pieces of this catalogue or packages of Slackware that it needs.
    #[serde(default)]
    pub depends: Vec<String>,
    /// Packages of Debian that it needs, as `Depends` writes them.
    #[serde(default)]
    pub debian_depends: Vec<String>,
    /// What of the unpacked sources goes where.
    #[serde(default, rename = "place")]
    pub places: Vec<Place>,
    /// Links that the package makes: path and text, with `{version}` for the version.
    #[serde(default, rename = "link")]
    pub links: Vec<PlaceLink>,
    /// The oldest version without a known hole.
    pub minimum: Option<Minimum>,
    /// The releases that are known, newest first.
    #[serde(rename = "release")]
    pub releases: Vec<Release>,
}

/// How a package is made of its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Upstream's `.deb` is taken apart.
    UpstreamDeb,
    /// An archive is unpacked, or a single file taken.
    Archive,
    /// An archive with a program that runs as it is.
    Binary,
    /// `./configure; make; make install`.
    Autotools,
    /// `make`, with the variables of its own makefile.
    Make,
    /// `luarocks make`.
    Luarocks,
    /// `cargo build`.
    Cargo,
    /// `go build`.
    Go,
}

impl Style {
    /// Its word in the catalogue.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UpstreamDeb => "upstream-deb",
            Self::Archive => "archive",
            Self::Binary => "binary",
            Self::Autotools => "autotools",
            Self::Make => "make",
            Self::Luarocks => "luarocks",
            Self::Cargo => "cargo",
            Self::Go => "go",
        }
    }
}

/// Where a part of the sources goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A file or folder in the unpacked source, `{version}` allowed; its leading folder counts.
    pub from: String,
    /// Where in the package, `{version}` allowed.
    pub to: String,
    /// Permissions of a file, when the archive's are not meant.
    pub mode: Option<u32>,
}

/// A link in a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceLink {
    /// Where.
    pub path: String,
    /// Its text.
    pub target: String,
}

/// The oldest version that should run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    /// That version.
    pub version: String,
    /// The advisory.
    pub why: String,
}

/// A version of a piece.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Upstream's version.
    pub version: String,
    /// The coherent set that it is part of: the metapackage's version.
    pub set: Option<String>,
    /// When it was released, in seconds since 1970: the time of everything in the package.
    pub time: u64,
    /// What is downloaded.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where it lies; its last part is its name, unless `file` says otherwise.
    pub url: String,
    /// Its name in the cache.
    pub file: Option<String>,
    /// SHA-256, 64 small hexadecimal digits.
    pub sha256: String,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// Which machines it is for; all of them without it.
    pub arch: Option<Arch>,
    /// Who says so.
    pub record: Record,
}

/// Who says that a hash is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// Upstream's own list or signature, seen by the authors of the catalogue.
    Upstream,
    /// The authors of the catalogue downloaded the file and computed it.
    Computed,
    /// Another distribution's list; a cross-check until the signed index confirms it.
    ThirdParty,
}

impl Catalogue {
    /// The catalogue that this program was built with.
    ///
    /// # Errors
    /// When it has a mistake; a test sees to it that it has none.
    pub fn own() -> Result<Self, PackageError> {
        Self::parse(OWN)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is not TOML of this form.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        toml::from_str(text).map_err(|error| PackageError::Catalogue {
            place: "TOML".to_owned(),
            why: error.to_string(),
        })
    }

    /// A piece by its name on either family.
    #[must_use]
    pub fn piece(&self, name: &str) -> Option<&Piece> {
        let is_it = |piece: &&Piece| piece.name == name || piece.debian.as_deref() == Some(name);
        self.pieces.iter().find(is_it)
    }
}
