//! What a package will hold. Large contents wait in a spool outside memory; everything belongs to
//! root, since other owners are a matter of the layout.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::{PackageError, PackagePath};

/// Files, folders and links, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<PackagePath, Node>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A folder.
    Dir {
        /// Permissions.
        mode: u32,
    },
    /// A file.
    File {
        /// Permissions.
        mode: u32,
        /// What is in it.
        content: Content,
    },
    /// A symbolic link.
    Link {
        /// Its text; where it leads has been checked by who put it here.
        target: String,
    },
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A stretch of the spool that belongs to the tree.
    Spooled {
        /// Where it begins.
        at: u64,
        /// How long it is.
        len: u64,
    },
}

impl Content {
    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spooled { len, .. } => *len,
        }
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes, one after the other.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn open<'a, S: Read + Seek>(&'a self, spool: &'a mut S) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(bytes.as_slice()),
            Self::Spooled { at, len } => {
                spool.seek(SeekFrom::Start(*at))?;
                Box::new(spool.take(*len))
            }
        })
    }
}

impl Tree {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts something there, with the folders around it (0755).
    ///
    /// # Errors
    /// When something stands there already that is not the same folder, or a part of the path is
    /// no folder.
    pub fn put(&mut self, path: PackagePath, node: Node) -> Result<(), PackageError> {
        let refuse = |path: &PackagePath, why: &str| PackageError::Path {
            path: path.to_string(),
            why: why.to_owned(),
        };
        let mut above = path.parent();
        while let Some(folder) = above {
            match self.nodes.get(&folder) {
                Some(Node::Dir { .. }) => break,
                Some(_) => return Err(refuse(&folder, "something below it, and it is no folder")),
                None => {
                    above = folder.parent();
                    self.nodes.insert(folder, Node::Dir { mode: 0o755 });
                }
            }
        }
        match (self.nodes.get(&path), &node) {
            (None, _) | (Some(Node::Dir { .. }), Node::Dir { .. }) => {}
            (Some(_), _) => return Err(refuse(&path, "it is there twice")),
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    /// What is below a folder, by its path from there; `None` when there is no such folder.
    #[must_use]
    pub fn below(&self, folder: &PackagePath) -> Option<Self> {
        let Some(Node::Dir { .. }) = self.nodes.get(folder) else {
            return None;
        };
        let start = format!("{folder}/");
        let inner = self.nodes.iter().filter_map(|(path, node)| {
            let rest = path.as_str().strip_prefix(&start)?;
            Some((PackagePath::parse(rest).ok()?, node.clone()))
        });
        Some(Self {
            nodes: inner.collect(),
        })
    }

    /// Everything, folders before what is in them, in the order of bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&PackagePath, &Node)> {
        self.nodes.iter()
    }

    /// What stands at a path.
    #[must_use]
    pub fn get(&self, path: &PackagePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// How many files, folders and links.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many bytes the files have together.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.nodes.values().map(|node| match node {
            Node::File { content, .. } => content.len(),
            Node::Dir { .. } | Node::Link { .. } => 0,
        });
        sizes.sum()
    }
}
