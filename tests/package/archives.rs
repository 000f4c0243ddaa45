//! Archives by hand, so that they may be wrong in every way.

use std::io::{Cursor, Write};

use jitsi_install::package::{Limits, Tree, unpack};
use tar::{EntryType, Header};

/// A tar that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    /// A file.
    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.member(name.as_bytes(), EntryType::Regular, "", 0o644, content)
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        self.member(name.as_bytes(), EntryType::Directory, "", 0o755, b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.member(name.as_bytes(), EntryType::Symlink, target, 0o777, b"")
    }

    /// Another name of a file.
    pub(crate) fn same(self, name: &str, target: &str) -> Self {
        self.member(name.as_bytes(), EntryType::Link, target, 0o644, b"")
    }

    /// Something of any kind.
    pub(crate) fn member(
        self,
        name: &[u8],
        kind: EntryType,
        target: &str,
        mode: u32,
        content: &[u8],
    ) -> Self {
        let mut header = header(name, kind, mode, content.len() as u64);
        header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
        self.block(&mut header).bytes(content)
    }

    /// A header with its checksum.
    pub(crate) fn block(self, header: &mut Header) -> Self {
        header.set_cksum();
        self.bytes(header.as_bytes())
    }

    /// A content, filled up to the next block.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// With the two blocks of its end.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    pub(crate) fn without_end(self) -> Vec<u8> {
        self.0
    }
}

/// A header without its checksum; the name is not looked at.
pub(crate) fn header(name: &[u8], kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header
}

/// The content of a member with attributes: lines with their own length in front.
pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = String::new();
    for (key, value) in pairs {
        let rest = format!(" {key}={value}\n");
        let mut len = rest.len() + 1;
        while format!("{len}{rest}").len() != len {
            len = format!("{len}{rest}").len();
        }
        out.push_str(&format!("{len}{rest}"));
    }
    out.into_bytes()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 6);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// An ar archive.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let header = format!(
            "{name:<16}{:<12}0     0     100644  {:<10}`\n",
            0,
            bytes.len()
        );
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

/// The tree of an archive and its spool, or what is said of it.
pub(crate) fn open(name: &str, bytes: &[u8]) -> Result<(Tree, Vec<u8>), String> {
    let mut spool = Cursor::new(Vec::new());
    let tree = unpack(name, bytes, &Limits::default(), &mut spool);
    tree.map(|tree| (tree, spool.into_inner()))
        .map_err(|error| error.to_string())
}

/// What is said of an archive that is refused, plain and packed alike.
pub(crate) fn said(bytes: Vec<u8>) -> String {
    let plain = open("a.tar", &bytes).expect_err("it is refused");
    for packed in [gzip(&bytes), xz(&bytes)] {
        assert_eq!(open("a.tar", &packed).unwrap_err(), plain);
    }
    assert!(!plain.contains(|c: char| c.is_control()), "{plain:?}");
    plain
}
