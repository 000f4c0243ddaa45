//! Slackware packages: a tarball as `makepkg` makes it, in xz.
//!
//! `installpkg` unpacks the tarball over the root, notes its list of files, and runs
//! `install/doinst.sh`. It knows a package by the name of its file only ([`file_name`]). Links and files
//! that the administrator may change are left to that script; what pkgtools cannot carry is
//! refused before the first byte is written. [`check`](fn@check) reads a finished package by the same rules.

mod check;
mod desc;
mod doinst;
mod member;
#[cfg(test)]
mod tests;
mod words;

use std::io::{self, Read, Seek, Write};

use self::member::{Member, RECORD, padding};
use super::{Content, Meta, Node, PackageError, PackagePath, Tree, xz};

pub use self::check::{Fault, Listing, check};
pub use self::words::version;

/// What the file of a package must be called: `NAME-VERSION-ARCH-BUILDTAG.txz`. `tag` says who built it, such
/// as `_SBo`, or is empty.
///
/// # Errors
/// When name, version or tag have a character that pkgtools cannot carry.
pub fn file_name(meta: &Meta, tag: &str) -> Result<String, PackageError> {
    Ok(format!("{}.txz", words::stem(meta, tag)?))
}

/// Writes a package and gives `out` back. The bytes depend on `meta`, `tree` and its contents alone, and never
/// on `threads`.
///
/// # Errors
/// Before anything is written, when pkgtools cannot carry a name or a link, or `meta.config` names what
/// is no file of the tree; later, when reading or writing fails.
pub fn write<S: Read + Seek, W: Write>(
    meta: &Meta,
    tree: &Tree,
    spool: &mut S,
    threads: u32,
    out: W,
) -> Result<W, PackageError> {
    words::stem(meta, "")?;
    let tree = laid_out(meta, tree)?;
    let mut members = vec![(header("./", 0o755, 0, meta.time)?, None)];
    for (path, node) in tree.iter() {
        match node {
            Node::Dir { mode } => {
                members.push((header(&format!("{path}/"), *mode, 0, meta.time)?, None));
            }
            Node::File { mode, content } => {
                let header = header(path.as_str(), *mode, content.len(), meta.time)?;
                members.push((header, Some(content)));
            }
            Node::Link { .. } => {}
        }
    }
    let mut xz = xz::writer(out, threads)?;
    for (header, content) in members {
        xz.write_all(&header)?;
        if let Some(content) = content {
            pour(content, spool, &mut xz)?;
        }
    }
    xz.write_all(&[0; 2 * RECORD])?;
    Ok(xz.finish()?)
}

fn header(path: &str, mode: u32, size: u64, time: u64) -> Result<Vec<u8>, PackageError> {
    let member = Member {
        path,
        mode,
        size,
        time,
    };
    member.header()
}

/// The tree as it is in the tarball: with `install/`, and with `.new` after the names of configuration files.
fn laid_out(meta: &Meta, tree: &Tree) -> Result<Tree, PackageError> {
    let refuse = |path: &PackagePath, why: &str| {
        Err(PackageError::Path {
            path: path.to_string(),
            why: why.to_owned(),
        })
    };
    for path in &meta.config {
        if !matches!(tree.get(path), Some(Node::File { .. })) {
            return refuse(
                path,
                "it is to be configuration, and is no file of the package",
            );
        }
    }
    let mut out = Tree::new();
    for (path, node) in tree.iter() {
        if path.as_str() == "install" {
            return refuse(path, "a package's own `install` is for pkgtools");
        }
        words::listed(path)?;
        if let Node::Dir { mode } | Node::File { mode, .. } = node {
            words::permitted(path, *mode)?;
        }
        match node {
            Node::Link { target } => {
                words::linked(path, target)?;
                out.put(path.clone(), node.clone())?;
            }
            Node::File { content, .. } if meta.config.contains(path) && doinst::is_rc(path) => {
                let (mode, content) = (0o644, content.clone());
                out.put(beside(path)?, Node::File { mode, content })?;
            }
            Node::File { .. } if meta.config.contains(path) => {
                out.put(beside(path)?, node.clone())?;
            }
            Node::File { .. } if doinst::is_rc(path) => {
                return refuse(path, "a script of a service is configuration");
            }
            Node::Dir { .. } | Node::File { .. } => out.put(path.clone(), node.clone())?,
        }
    }
    let mut put = |path: &str, text: String| {
        let (mode, content) = (0o644, Content::Bytes(text.into_bytes()));
        out.put(PackagePath::parse(path)?, Node::File { mode, content })
    };
    put("install/slack-desc", desc::text(meta))?;
    if let Some(script) = doinst::script(&meta.config, tree) {
        put("install/doinst.sh", script)?;
    }
    Ok(out)
}

fn beside(path: &PackagePath) -> Result<PackagePath, PackageError> {
    PackagePath::parse(&format!("{path}.new"))
}

/// A file's bytes and the zeros after them.
fn pour<S: Read + Seek>(content: &Content, spool: &mut S, out: &mut impl Write) -> io::Result<()> {
    let copied = io::copy(&mut content.open(spool)?, out)?;
    if copied != content.len() {
        let why = "the spool ended within a file";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    out.write_all(&[0; RECORD][..padding(copied)])
}
