//! Somebody else's archives become a [`Tree`]: tar, in gzip, bzip2, xz or nothing, and single files.
//!
//! The archive is not trusted. It is read once, from its beginning to its end, and either all of it
//! is in order or there is no tree. A member is refused that could ever reach out of the tree, that
//! is no file, folder or link, or that two readers could understand in two ways. What an archive
//! can cost is limited by [`Limits`] before it is spent.
//!
//! Contents go to the end of a spool. When an archive is refused, the spool is of no use any more.

mod compression;
mod extras;
mod links;
mod tar;

use std::io::{Read, Seek, SeekFrom, Write};

use super::{Content, Node, PackageError, PackagePath, Tree};

pub(super) use compression::Bounded;
pub(super) use tar::Rules;

/// What an archive may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Unpacked bytes, all files together.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: usize,
    /// Bytes of a path, and of a link's text.
    pub path: usize,
    /// Bytes that xz may ask for; `xz -9` needs 65 MiB.
    pub memory: u64,
}

impl Limits {
    /// Unpacked bytes for each packed one; texts come to 10, and 1000 is a trap.
    pub const RATIO: u64 = 250;

    /// Unpacked bytes that the ratio does not count.
    pub const FREE: u64 = 4 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            entries: 100_000,
            path: PackagePath::LONGEST,
            memory: 100 << 20,
        }
    }
}

/// Reads an archive. What it is is seen from its first bytes; `name`, the file's own, is for messages
/// and for the one file of an archive that is none.
///
/// # Errors
/// When a member is not what a package could carry, the archive is damaged or costs too much.
pub fn unpack<R: Read, S: Write + Seek>(
    name: &str,
    from: R,
    limits: &Limits,
    spool: &mut S,
) -> Result<Tree, PackageError> {
    let mut stream = Bounded::open(name, from, limits)?;
    if tar::begins(stream.peek()?) {
        return tar::unpack(name, stream, limits, Rules::default(), spool);
    }
    let bare = match stream.is_packed() {
        true => name.rsplit_once('.').map_or(name, |(bare, _)| bare),
        false => name,
    };
    let at = spool.seek(SeekFrom::End(0))?;
    let len = std::io::copy(&mut stream, spool).map_err(|error| said(name, &error))?;
    if len == 0 {
        return Err(refuse(name, "it is empty"));
    }
    let mut tree = Tree::new();
    let content = Content::Spooled { at, len };
    let path = PackagePath::parse(bare)?;
    if path.parent().is_some() {
        return Err(refuse(name, "a file's name is expected, not a path"));
    }
    tree.put(
        path,
        Node::File {
            mode: 0o644,
            content,
        },
    )?;
    Ok(tree)
}

/// A tar, packed or not, by rules of its own.
pub(super) fn unpack_tar<R: Read, S: Write + Seek>(
    name: &str,
    from: R,
    limits: &Limits,
    rules: Rules,
    spool: &mut S,
) -> Result<Tree, PackageError> {
    let mut stream = Bounded::open(name, from, limits)?;
    if !tar::begins(stream.peek()?) {
        return Err(refuse(name, "it is no tar archive"));
    }
    tar::unpack(name, stream, limits, rules, spool)
}

fn refuse(archive: &str, why: &str) -> PackageError {
    PackageError::Archive {
        archive: archive.to_owned(),
        why: why.to_owned(),
    }
}

/// The words of a library, which may repeat what stands in the archive.
fn said(archive: &str, error: &std::io::Error) -> PackageError {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let words: String = error.to_string().chars().map(plain).take(200).collect();
    refuse(archive, &words)
}
