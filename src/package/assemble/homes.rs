//! Where a family wants documents and manual pages.

use super::{Family, Order};
use crate::package::{Node, PackageError, PackagePath, Tree, txz};

/// A package's own folders.
#[derive(Debug)]
pub struct Homes {
    family: Family,
    documents: String,
}

/// Names of files at the top of an archive that are documents.
const DOCUMENTS: &[&str] = &[
    "AUTHORS",
    "CHANGELOG",
    "CHANGES",
    "COPYING",
    "COPYRIGHT",
    "HISTORY",
    "LICENCE",
    "LICENSE",
    "NEWS",
    "NOTICE",
    "README",
];

/// Those that Debian's packages have in a form of their own.
const DEBIANS_OWN: &[&str] = &[
    "CHANGELOG",
    "CHANGES",
    "COPYING",
    "COPYRIGHT",
    "LICENCE",
    "LICENSE",
];

impl Homes {
    pub fn new(order: &Order<'_>) -> Self {
        let (piece, version) = (order.piece, &order.release.version);
        let documents = match order.family {
            Family::Slackware => {
                format!("usr/doc/{}-{}", piece.name, txz::version(version))
            }
            Family::Debian => {
                format!(
                    "usr/share/doc/{}",
                    piece.debian.as_ref().unwrap_or(&piece.name)
                )
            }
        };
        let family = order.family;
        Self { family, documents }
    }

    /// The path that the family has for a path that may be the other's.
    pub fn of(&self, path: &PackagePath) -> Result<PackagePath, PackageError> {
        let text = path.as_str();
        let moves = match self.family {
            Family::Slackware => [("usr/share/man", "usr/man"), ("usr/share/info", "usr/info")],
            Family::Debian => [("usr/man", "usr/share/man"), ("usr/info", "usr/share/info")],
        };
        for (from, to) in moves {
            if let Some(rest) = below(text, from) {
                return PackagePath::parse(&format!("{to}{rest}"));
            }
        }
        for doc in ["usr/share/doc", "usr/doc"] {
            if let Some(rest) = below(text, doc) {
                // `/NAME` or `/NAME/FILE`
                let inner = rest.trim_start_matches('/');
                let inner = inner.find('/').map_or("", |at| &inner[at..]);
                return PackagePath::parse(&format!("{}{inner}", self.documents));
            }
        }
        Ok(path.clone())
    }

    /// Where a document goes.
    pub fn document(&self, path: &PackagePath) -> Result<PackagePath, PackageError> {
        PackagePath::parse(&format!("{}/{}", self.documents, path.file_name()))
    }

    /// Is it a document that Debian's packages have in a form of their own?
    pub fn is_debians_own(&self, path: &PackagePath) -> bool {
        let folder = path.parent();
        self.family == Family::Debian
            && folder.is_some_and(|folder| folder.as_str() == self.documents)
            && is_called(path.file_name(), DEBIANS_OWN)
    }
}

/// What follows the folder in a path; nothing when it is the folder itself.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Documents of the sources: those that the catalogue names, at their top, below the one folder that
/// everything is in, and where Debian's packages have them.
///
/// # Errors
/// When the catalogue names what is not there.
pub fn documents<'a>(
    order: &Order<'_>,
    sources: &'a [Tree],
) -> Result<Vec<(&'a PackagePath, &'a Node)>, PackageError> {
    let mut found = Vec::new();
    for named in &order.piece.docs {
        let path = PackagePath::parse(&named.replace("{version}", &order.release.version))?;
        let is_it = |(one, node): &(&PackagePath, &Node)| {
            **one == path && matches!(node, Node::File { .. })
        };
        let mut all = sources.iter().flat_map(|source| source.iter());
        let document = all.find(is_it).ok_or_else(|| PackageError::Catalogue {
            place: format!("piece `{}`, document `{named}`", order.piece.name),
            why: format!("it is in no source of {}", order.release.version),
        })?;
        found.push(document);
    }
    for source in sources {
        let mut tops = source.iter().filter(|(path, _)| path.parent().is_none());
        let only = match (tops.next(), tops.next()) {
            (Some((path, Node::Dir { .. })), None) => Some(path),
            _ => None,
        };
        found.extend(source.iter().filter(|(path, node)| {
            let folder = path.parent();
            let is_top = folder.is_none() || folder.as_ref() == only;
            let is_debian = folder.is_some_and(|folder| {
                folder
                    .parent()
                    .is_some_and(|above| above.as_str() == "usr/share/doc")
            });
            matches!(node, Node::File { .. })
                && (is_debian || is_top && is_called(path.file_name(), DOCUMENTS))
        }));
    }
    Ok(found)
}

/// `README`, `README.md`, `readme.txt` and `LICENSE-MIT`, but not `README_tool`.
fn is_called(name: &str, names: &[&str]) -> bool {
    let end = name.find(['.', '-']).unwrap_or(name.len());
    let stem = name[..end].to_ascii_uppercase();
    names.contains(&stem.as_str())
}

/// A page that is not compressed yet.
pub fn is_manual_page(path: &PackagePath) -> bool {
    let text = path.as_str();
    let in_man = text.starts_with("usr/man/") || text.starts_with("usr/share/man/");
    let section = path.parent().map(|folder| folder.file_name().to_owned());
    in_man && section.is_some_and(|name| name.starts_with("man")) && {
        let (_, ending) = path.file_name().rsplit_once('.').unwrap_or_default();
        ending.starts_with(|c: char| c.is_ascii_digit())
    }
}
