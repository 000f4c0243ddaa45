//! From unpacked sources to what a package holds and what is said of it.
//!
//! The catalogue says which file or folder of the sources goes where, and which links are made. A
//! folder that bears the version, with a link to it, keeps the jars of two versions apart. What is
//! the same for every piece is done here: where a family wants documents and manual pages, plain
//! permissions, and which kind of machine the programs are for.

mod homes;
mod machine;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Seek, Write};

use flate2::{Compression, GzBuilder};

use self::homes::Homes;
use super::catalogue::{Place, Style};
use super::meta::Arch;
use super::recipe::{self, Form};
use super::{Content, Meta, Node, PackageError, PackagePath, Piece, Release, Tree};

/// Whose package it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `.txz`.
    Slackware,
    /// `.deb`.
    Debian,
}

impl Family {
    /// The form of its recipes.
    #[must_use]
    pub fn form(self) -> Form {
        match self {
            Self::Slackware => Form::SlackBuild,
            Self::Debian => Form::Debian,
        }
    }
}

/// What is to be assembled.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The piece.
    pub piece: &'a Piece,
    /// One of its releases.
    pub release: &'a Release,
    /// Whose package it becomes.
    pub family: Family,
    /// The machine that it is built for; a piece without programs is for all of them.
    pub arch: Arch,
    /// How often this release was packaged, from 1.
    pub build: u32,
    /// `SOURCE_DATE_EPOCH`, where it is set.
    pub time: Option<u64>,
}

/// Puts everything in its place. `sources` is what was in each source below its `root`, and the contents
/// of all of them wait in one spool. `built` is what building the sources has put below its `DESTDIR`: it
/// stands in its places already. Without it the catalogue says what goes where.
///
/// # Errors
/// When the catalogue names what is not there, two things are to stand in one place, or a program is for
/// another kind of machine; when the spool cannot be read.
pub fn assemble<S: Read + Seek>(
    order: &Order<'_>,
    sources: &[Tree],
    built: Option<&Tree>,
    spool: &mut S,
) -> Result<(Meta, Tree), PackageError> {
    let homes = Homes::new(order);
    let mut out = Tree::new();
    match built {
        Some(tree) => {
            for (path, node) in tree.iter() {
                set(&mut out, &homes, path.clone(), node, None, spool)?;
            }
        }
        None => {
            for place in order.piece.places_of(order.release) {
                move_in(order, place, sources, &homes, &mut out, spool)?;
            }
        }
    }
    for document in homes::documents(order, sources)? {
        let (path, node) = document;
        let path = homes.document(path)?;
        if out.get(&path).is_none() {
            set(&mut out, &homes, path, node, None, spool)?;
        }
    }
    let mut links_that_were_folders = Vec::new();
    let extras = recipe::extras(order.piece, order.release, order.family.form())?;
    for (path, node) in extras.iter() {
        // The folders around the others were made on the way.
        if matches!(node, Node::Dir { .. }) && matches!(out.get(path), Some(Node::Dir { .. })) {
            continue;
        }
        let was_folder = |source: &Tree| matches!(source.get(path), Some(Node::Dir { .. }));
        if let Node::Link { target } = node
            && order.family == Family::Debian
            && sources.iter().any(was_folder)
        {
            links_that_were_folders.push((path.clone(), target.clone()));
        }
        set(&mut out, &homes, path.clone(), node, None, spool)?;
    }
    if order.family == Family::Debian && order.piece.style_of(order.release) == Style::Go {
        let path = format!("usr/share/lintian/overrides/{}", order.piece.debian_name());
        let text = format!(
            "# Programs in Go are linked statically, and upstream wrote no manual page.\n\
             {name}: statically-linked-binary\n{name}: no-manual-page\n",
            name = order.piece.debian_name()
        );
        let content = Content::Bytes(text.into_bytes());
        out.put(
            PackagePath::parse(&path)?,
            Node::File {
                mode: 0o644,
                content,
            },
        )?;
    }
    let meta = describe(order, &out, links_that_were_folders, spool)?;
    Ok((meta, out))
}

fn describe<S: Read + Seek>(
    order: &Order<'_>,
    tree: &Tree,
    links_that_were_folders: Vec<(PackagePath, String)>,
    spool: &mut S,
) -> Result<Meta, PackageError> {
    let Order { piece, release, .. } = *order;
    let (name, depends) = match order.family {
        Family::Slackware => (&piece.name, &piece.depends),
        Family::Debian => (
            piece.debian.as_ref().unwrap_or(&piece.name),
            &piece.debian_depends,
        ),
    };
    // Debian asks this of every file below /etc.
    let is_meant = |path: &PackagePath| match order.family {
        Family::Slackware => piece.config.iter().any(|one| one == path.as_str()),
        Family::Debian => path.as_str().starts_with("etc/"),
    };
    let config = |(path, node): (&PackagePath, &Node)| {
        (matches!(node, Node::File { .. }) && is_meant(path)).then(|| path.clone())
    };
    Ok(Meta {
        name: name.clone(),
        version: release.version.clone(),
        build: order.build,
        arch: machine::arch(tree, order.arch, spool)?,
        summary: piece.summary.clone(),
        description: piece.description.clone(),
        homepage: piece.homepage.clone(),
        licence: piece.licence.clone(),
        copyright: piece.copyright.clone(),
        depends: depends.clone(),
        replaces: Vec::new(),
        config: tree.iter().filter_map(config).collect(),
        links_that_were_folders,
        time: order.time.unwrap_or(release.time),
    })
}

/// What a place names in any of the sources goes where the place says; a folder with all that is in it.
fn move_in<S: Read + Seek>(
    order: &Order<'_>,
    place: &Place,
    sources: &[Tree],
    homes: &Homes,
    out: &mut Tree,
    spool: &mut S,
) -> Result<(), PackageError> {
    let mistake = |why: String| PackageError::Catalogue {
        place: format!("piece `{}`, place `{}`", order.piece.name, place.from),
        why,
    };
    let (from, to) = (parse(order, &place.from)?, parse(order, &place.to)?);
    let mut is_found = false;
    for source in sources {
        let Some(node) = source.get(&from) else {
            continue;
        };
        is_found = true;
        let is_folder = matches!(node, Node::Dir { .. });
        if is_folder && place.mode.is_some() {
            return Err(mistake(
                "`mode` is for a file, and this is a folder".to_owned(),
            ));
        }
        set(out, homes, to.clone(), node, place.mode, spool)?;
        let below = format!("{from}/");
        for (path, node) in source.iter().filter(|_| is_folder) {
            if let Some(rest) = path.as_str().strip_prefix(&below) {
                let path = PackagePath::parse(&format!("{to}/{rest}"))?;
                set(out, homes, path, node, None, spool)?;
            }
        }
    }
    if is_found {
        return Ok(());
    }
    let tops: Vec<String> = sources
        .iter()
        .flat_map(|source| source.iter())
        .filter(|(path, _)| path.parent().is_none())
        .map(|(path, _)| format!("`{path}`"))
        .take(5)
        .collect();
    Err(mistake(format!(
        "it is in no source of {}; at their top are {}",
        order.release.version,
        tops.join(", ")
    )))
}

/// Puts something where its family wants it, with plain permissions.
fn set<S: Read + Seek>(
    out: &mut Tree,
    homes: &Homes,
    path: PackagePath,
    node: &Node,
    mode: Option<u32>,
    spool: &mut S,
) -> Result<(), PackageError> {
    let mut path = homes.of(&path)?;
    if homes.is_debians_own(&path) {
        return Ok(());
    }
    let is_page = homes::is_manual_page(&path);
    let node = match node {
        Node::Dir { .. } => Node::Dir { mode: 0o755 },
        Node::File { mode: had, content } => {
            let plain = if had & 0o111 == 0 { 0o644 } else { 0o755 };
            let content = if is_page {
                Content::Bytes(gzip(content, spool)?)
            } else {
                content.clone()
            };
            let mode = mode.unwrap_or(plain);
            Node::File { mode, content }
        }
        Node::Link { target } => {
            let target = format!("{target}{}", if is_page { ".gz" } else { "" });
            if climbs_out(&path, &target) {
                return Err(PackageError::Path {
                    path: path.to_string(),
                    why: "as a link it leads out of the root".to_owned(),
                });
            }
            Node::Link { target }
        }
    };
    if is_page {
        path = PackagePath::parse(&format!("{path}.gz"))?;
    }
    out.put(path, node)
}

/// Does a relative link have more `..` than there are folders above it?
fn climbs_out(path: &PackagePath, target: &str) -> bool {
    if target.starts_with('/') {
        return target.split('/').any(|part| part == "..");
    }
    let mut depth = path.as_str().matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// The same bytes always: no name, no time.
fn gzip<S: Read + Seek>(content: &Content, spool: &mut S) -> io::Result<Vec<u8>> {
    let mut gz = GzBuilder::new().write(Vec::new(), Compression::best());
    io::copy(&mut content.open(spool)?, &mut gz)?;
    gz.flush()?;
    gz.finish()
}

fn parse(order: &Order<'_>, text: &str) -> Result<PackagePath, PackageError> {
    PackagePath::parse(&expand(order, text)?)
}

/// `{version}` is upstream's; nothing else stands in braces.
fn expand(order: &Order<'_>, text: &str) -> Result<String, PackageError> {
    let out = text.replace("{version}", &order.release.version);
    if out.contains(['{', '}']) {
        return Err(PackageError::Catalogue {
            place: format!("piece `{}`, `{text}`", order.piece.name),
            why: "only `{version}` may stand in braces".to_owned(),
        });
    }
    Ok(out)
}
