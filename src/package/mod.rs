//! Packages: from what upstream releases to `.txz` and `.deb`.
//!
//! A [`Catalogue`] says which pieces there are, where their sources lie and what is done with
//! them. Sources become a [`Tree`], and a tree with its [`Meta`] becomes a package. Bytes come in
//! through `Read` and go out through `Write`: nothing here opens a file, a connection or a clock, so
//! that the same input gives the same bytes everywhere.

pub mod ar;
pub mod assemble;
pub mod catalogue;
pub mod deb;
pub mod index;
pub mod meta;
pub mod path;
pub mod recipe;
pub mod sbom;
pub mod set;
pub mod standing;
pub mod tree;
pub mod txz;
pub mod unpack;
pub mod version;
pub mod xz;

pub use catalogue::{Catalogue, Piece, Release, Source, Style};
pub use meta::Meta;
pub use path::PackagePath;
pub use tree::{Content, Node, Tree};
pub use unpack::{Limits, unpack};

/// A failure to read, make or check a package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Somebody else's archive is not what it should be.
    #[error("`{archive}`: {why}")]
    Archive {
        /// Which, and where in it.
        archive: String,
        /// What is wrong.
        why: String,
    },
    /// Something that a package cannot carry.
    #[error("`{path}`: {why}")]
    Path {
        /// The path as it was written, cut short.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// What is said of a package is not what its format allows.
    #[error("the package `{package}`: {why}")]
    Meta {
        /// Which.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// The catalogue has a mistake.
    #[error("the catalogue, {place}: {why}")]
    Catalogue {
        /// Where in it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The catalogue has mistakes: all of them.
    #[error("the catalogue has {}:\n{}", count(.0), lines(.0))]
    Mistakes(Vec<catalogue::Mistake>),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn count(mistakes: &[catalogue::Mistake]) -> String {
    match mistakes.len() {
        1 => "a mistake".to_owned(),
        number => format!("{number} mistakes"),
    }
}

fn lines(mistakes: &[catalogue::Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|one| format!("  {one}")).collect();
    lines.join("\n")
}
