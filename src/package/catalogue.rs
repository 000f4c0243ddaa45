//! The catalogue: data, no code. `slackbuilds/catalogue.toml` is compiled in.

mod check;
mod licence;
#[cfg(test)]
mod tests;

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
    /// The oldest set without a known hole.
    pub minimum: Option<Minimum>,
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
    /// Files of this program's own that go into the package on Slackware: scripts of rc.d and the like.
    #[serde(default, rename = "file")]
    pub files: Vec<OwnFile>,
    /// Folders that the package brings empty.
    #[serde(default)]
    pub dirs: Vec<String>,
    /// Files of the package that the administrator may change, and that stay then.
    #[serde(default)]
    pub config: Vec<String>,
    /// Files of the sources for the folder of documents.
    #[serde(default)]
    pub docs: Vec<String>,
    /// How its sources are built, for the styles that compile.
    pub build: Option<Build>,
    /// The account that its service runs as.
    pub account: Option<PieceAccount>,
    /// Debian's own package is as good: there is no recipe in Debian's form.
    #[serde(default)]
    pub slackware_only: bool,
    /// The oldest version without a known hole.
    pub minimum: Option<Minimum>,
    /// The releases that are known; the first is the one that is taken.
    #[serde(default, rename = "release")]
    pub releases: Vec<Release>,
}

impl Piece {
    /// Its name in the family's packages.
    #[must_use]
    pub fn debian_name(&self) -> &str {
        self.debian.as_deref().unwrap_or(&self.name)
    }

    /// The release that is taken when none is named.
    #[must_use]
    pub fn newest(&self) -> Option<&Release> {
        self.releases.iter().find(|release| !release.old)
    }

    /// How a package is made of that release.
    #[must_use]
    pub fn style_of(&self, release: &Release) -> Style {
        release.style.unwrap_or(self.style)
    }

    /// What of that release goes where.
    #[must_use]
    pub fn places_of<'a>(&'a self, release: &'a Release) -> &'a [Place] {
        if release.places.is_empty() {
            &self.places
        } else {
            &release.places
        }
    }
}

/// A file of this program's own in a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFile {
    /// Its name, as [`super::recipe::own_file`] knows it.
    pub from: String,
    /// Where in the package.
    pub to: String,
}

/// How sources are built and put below `{dest}`. Each word may hold `{version}`, `{dest}`,
/// `{lib}` (`lib64`, or Debian's `lib/TRIPLET`), `{lua}` (the folder of Lua's headers), `{man}` and
/// `{doc}` (folders for manual pages and documents).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Words for `./configure`, which is run when there are any.
    #[serde(default)]
    pub configure: Vec<String>,
    /// Words for the first `make`.
    #[serde(default)]
    pub make: Vec<String>,
    /// Words for the `make` that installs.
    #[serde(default)]
    pub install: Vec<String>,
    /// The program that `go build` or `cargo build` makes, and its place in the package.
    pub program: Option<String>,
    /// Packages of Debian that building needs.
    #[serde(default)]
    pub debian_needs: Vec<String>,
}

/// An account that a service runs as.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PieceAccount {
    /// User and group.
    pub name: String,
    /// The number that SlackBuilds.org gave both, where it did.
    pub id: Option<u32>,
    /// The home.
    pub home: String,
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

    /// Is a package of this style for one kind of machine only?
    #[must_use]
    pub fn is_for_one_machine(self) -> bool {
        !matches!(self, Self::UpstreamDeb | Self::Archive)
    }

    /// Does it compile?
    #[must_use]
    pub fn compiles(self) -> bool {
        !matches!(self, Self::UpstreamDeb | Self::Archive | Self::Binary)
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
    /// How a package is made of it, when otherwise than of the others.
    pub style: Option<Style>,
    /// What goes where, when otherwise than with the others.
    #[serde(default, rename = "place")]
    pub places: Vec<Place>,
    /// Below a minimum, and here only so that it is recognised: it is not built.
    #[serde(default)]
    pub old: bool,
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
    /// Where the same bytes lie too.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// Its name in the cache.
    pub file: Option<String>,
    /// The folder in the archive that everything lies in; a place's `from` begins below it.
    pub root: Option<String>,
    /// SHA-256, 64 small hexadecimal digits.
    pub sha256: String,
    /// MD5, for the lists of SlackBuilds.org, which have no other; nothing is checked by it.
    pub md5: Option<String>,
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

    /// Reads a catalogue and checks it.
    ///
    /// # Errors
    /// When it is not TOML of this form, or with every mistake that it has.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        let catalogue: Self = toml::from_str(text).map_err(|error| PackageError::Catalogue {
            place: "TOML".to_owned(),
            why: error.to_string(),
        })?;
        let mistakes = check::mistakes(&catalogue);
        if mistakes.is_empty() {
            Ok(catalogue)
        } else {
            Err(PackageError::Mistakes(mistakes))
        }
    }

    /// A piece by its name on either family.
    #[must_use]
    pub fn piece(&self, name: &str) -> Option<&Piece> {
        let is_it = |piece: &&Piece| piece.name == name || piece.debian.as_deref() == Some(name);
        self.pieces.iter().find(is_it)
    }
}

/// Does Slackware itself have this package? The pieces may depend on it then.
#[must_use]
pub fn is_of_slackware(name: &str) -> bool {
    check::DISTRIBUTION.contains(&name)
}

impl Source {
    /// Its name in the cache: the last part of the address, unless `file` says otherwise.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let last = self.url.rsplit('/').next().unwrap_or_default();
        self.file.as_deref().unwrap_or(last)
    }
}

/// Something wrong in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: the piece, the release, the key.
    pub place: String,
    /// What is wrong.
    pub why: String,
    /// What to write.
    pub cure: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}; {}", self.place, self.why, self.cure)
    }
}
