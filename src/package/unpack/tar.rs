//! tar by GNU and POSIX: its members, one after the other, into a tree.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom, Write};

use tar::{Archive, Entry, EntryType, Header};

use super::compression::Bounded;
use super::extras::Extras;
use super::{Content, Limits, Node, PackageError, PackagePath, Tree, links, refuse, said};
use crate::name::excerpt;

/// What is asked of an archive beyond what is asked of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::package) struct Rules {
    /// It is a whole system's tree: a link may be absolute, if it leads to what is in the archive.
    pub(in crate::package) is_rooted: bool,
    /// Everything belongs to root.
    pub(in crate::package) is_roots: bool,
}

/// Is it the first block of a tar?
pub(super) fn begins(block: [u8; 512]) -> bool {
    let header = Header::from_byte_slice(&block);
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let is_summed = || {
        let own = sum(&block[..148]) + sum(&block[156..]) + 8 * u32::from(b' ');
        header.cksum().is_ok_and(|told| told == own)
    };
    &block[257..262] == b"ustar" || is_summed()
}

/// Everything in it.
pub(super) fn unpack<S: Write + Seek>(
    archive: &str,
    stream: Bounded<'_>,
    limits: &Limits,
    rules: Rules,
    spool: &mut S,
) -> Result<Tree, PackageError> {
    let mut source = Archive::new(stream);
    let mut unpacking = Unpacking {
        archive,
        limits,
        rules,
        tree: Tree::new(),
        seen: BTreeSet::new(),
        bytes: 0,
    };
    let mut extras = Extras::default();
    let entries = source.entries().map_err(|error| said(archive, &error))?;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|error| said(archive, &error))?;
        let kind = entry.header().entry_type();
        if Extras::is_one(kind) {
            let size = entry.header().entry_size();
            let size = size.map_err(|error| said(archive, &error))?;
            let read = extras.read(kind, size, &mut entry);
            read.map_err(|why| refuse(archive, &why))?;
        } else {
            unpacking.take(&mut entry, std::mem::take(&mut extras), spool)?;
        }
    }
    if !extras.is_empty() {
        return Err(refuse(archive, "it ends with a name that no member has"));
    }
    ends(archive, source.into_inner())?;
    links::check(archive, &unpacking.tree, rules.is_rooted)?;
    Ok(unpacking.tree)
}

/// Two blocks of zeros were its end (one has been read), and nothing but zeros follows.
fn ends(archive: &str, mut stream: Bounded<'_>) -> Result<(), PackageError> {
    if stream.is_over() {
        return Err(refuse(archive, "it is cut off: its end is missing"));
    }
    let (mut after, mut block) = (0, [0; 4096]);
    loop {
        let got = stream.read(&mut block);
        let got = got.map_err(|error| said(archive, &error))?;
        if block[..got].iter().any(|byte| *byte != 0) {
            return Err(refuse(archive, "something follows its end"));
        }
        after += got;
        if got == 0 {
            break;
        }
    }
    match after {
        512.. => Ok(()),
        _ => Err(refuse(archive, "it is cut off: its end is missing")),
    }
}

struct Unpacking<'a> {
    archive: &'a str,
    limits: &'a Limits,
    rules: Rules,
    tree: Tree,
    /// What was a member already; folders are in the tree without having been one.
    seen: BTreeSet<PackagePath>,
    /// Unpacked so far, copies included.
    bytes: u64,
}

impl Unpacking<'_> {
    fn take<R: Read, S: Write + Seek>(
        &mut self,
        entry: &mut Entry<'_, R>,
        extras: Extras,
        spool: &mut S,
    ) -> Result<(), PackageError> {
        let header = entry.header().clone();
        let written = match &extras.path {
            Some(path) => path.clone(),
            None => header.path_bytes().into_owned(),
        };
        let lossy = String::from_utf8_lossy(&written);
        let place = format!("{}: {}", self.archive, excerpt(&lossy));
        let wrong = |why: &str| refuse(&place, why);

        let path = match self.path(&written).map_err(|why| wrong(&why))? {
            Some(path) => path,
            None if header.entry_type().is_dir() => return Ok(()),
            None => return Err(wrong("the root of an archive is a folder")),
        };
        if !self.seen.insert(path.clone()) {
            return Err(wrong("it is there twice"));
        }
        let mode = header.mode().map_err(|_| wrong("its mode is no number"))?;
        if mode & 0o7000 != 0 {
            return Err(wrong("it would run as another user or group, or is sticky"));
        }
        if self.rules.is_roots && !is_roots(&header) {
            return Err(wrong("it does not belong to root"));
        }
        let size = header.entry_size();
        let size = size.map_err(|_| wrong("its size is no number"))?;
        if extras.size.is_some_and(|told| told != size) {
            return Err(wrong("it has two sizes"));
        }
        let kind = header.entry_type();
        let is_folder = kind.is_dir() || (is_plain(kind) && written.ends_with(b"/"));
        if size != 0 && (is_folder || !is_plain(kind)) && is_known(kind) {
            return Err(wrong("it is no file and yet has a content"));
        }
        let node = if is_folder {
            Node::Dir { mode: mode & 0o777 }
        } else if is_plain(kind) {
            self.pay(size).map_err(|why| wrong(&why))?;
            let content = spooled(entry, size, spool).map_err(|error| said(&place, &error))?;
            let content = content.ok_or_else(|| wrong("it is cut off"))?;
            Node::File {
                mode: mode & 0o777,
                content,
            }
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = match extras.link {
                Some(link) => link,
                None => header.link_name_bytes().unwrap_or_default().into_owned(),
            };
            match kind.is_symlink() {
                true => self.link(&target),
                false => self.copy(&target),
            }
            .map_err(|why| wrong(&why))?
        } else {
            return Err(wrong(&format!("{} is not unpacked", word(kind))));
        };
        self.tree.put(path, node).map_err(|error| match error {
            PackageError::Path { path, why } => {
                refuse(&format!("{}: {}", self.archive, excerpt(&path)), &why)
            }
            other => other,
        })?;
        match self.tree.len() > self.limits.entries {
            true => Err(wrong("there are too many files and folders")),
            false => Ok(()),
        }
    }

    /// Where a member goes; nothing for the root itself.
    fn path(&self, written: &[u8]) -> Result<Option<PackagePath>, String> {
        if written.len() > self.limits.path {
            return Err("its path is too long".to_owned());
        }
        let text = str::from_utf8(written).map_err(|_| "its path is not UTF-8")?;
        if matches!(text, "." | "./") {
            return Ok(None);
        }
        match PackagePath::parse(text) {
            Ok(path) => Ok(Some(path)),
            Err(PackageError::Path { why, .. }) => Err(why),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Counts what is unpacked before it is.
    fn pay(&mut self, size: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(size);
        match self.bytes > self.limits.bytes {
            true => Err(format!(
                "with it there are more than {} bytes",
                self.limits.bytes
            )),
            false => Ok(()),
        }
    }

    /// A symbolic link; where it leads is looked at when everything is there.
    fn link(&self, target: &[u8]) -> Result<Node, String> {
        let text = str::from_utf8(target).map_err(|_| "where it leads is not UTF-8")?;
        if text.is_empty() || text.len() > self.limits.path || text.chars().any(char::is_control) {
            return Err("where it leads is empty, too long or has a control character".to_owned());
        }
        Ok(Node::Link {
            target: text.to_owned(),
        })
    }

    /// Another name of an earlier file becomes a file of its own.
    fn copy(&mut self, target: &[u8]) -> Result<Node, String> {
        let outside = "it is another name of a file that is not in the archive before it";
        let path = self.path(target)?.ok_or(outside)?;
        match self.tree.get(&path).cloned() {
            Some(Node::File { mode, content }) => {
                self.pay(content.len())?;
                Ok(Node::File { mode, content })
            }
            _ => Err(outside.to_owned()),
        }
    }
}

fn spooled<S: Write + Seek>(
    entry: &mut impl Read,
    len: u64,
    spool: &mut S,
) -> std::io::Result<Option<Content>> {
    let at = spool.seek(SeekFrom::End(0))?;
    let got = std::io::copy(&mut entry.take(len), spool)?;
    Ok((got == len).then_some(Content::Spooled { at, len }))
}

fn is_plain(kind: EntryType) -> bool {
    kind == EntryType::Regular
}

fn is_known(kind: EntryType) -> bool {
    is_plain(kind) || kind.is_dir() || kind.is_symlink() || kind.is_hard_link()
}

fn is_roots(header: &Header) -> bool {
    let is_root = |name: Result<Option<&str>, _>| {
        name.is_ok_and(|name| name.is_none_or(|name| matches!(name, "" | "root")))
    };
    header.uid().is_ok_and(|id| id == 0)
        && header.gid().is_ok_and(|id| id == 0)
        && is_root(header.username())
        && is_root(header.groupname())
}

/// What is not unpacked.
fn word(kind: EntryType) -> &'static str {
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_character_special() || kind.is_block_special() {
        "a device"
    } else if kind.is_gnu_sparse() {
        "a file with holes"
    } else {
        "a member of an unknown kind"
    }
}
