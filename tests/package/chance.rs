//! Archives by chance. Readers never panic and never spend more than they may; where they take links,
//! the kernel agrees that none of them leads out.

use std::fs;
use std::io::Cursor;
use std::sync::LazyLock;

use jitsi_install::package::deb::{self, Expected};
use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Limits, Node, Tree, unpack};
use proptest::collection::vec;
use proptest::prelude::*;
use tar::{EntryType, Header};

use crate::archives::{Tar, attributes, gzip, xz};
use crate::ours;
use crate::upstream::JICOFO;

const TIGHT: Limits = Limits {
    bytes: 100_000,
    entries: 20,
    path: 200,
    memory: 100 << 20,
};

/// What is done to an archive: at this place of it, this byte.
type Changes = Vec<(prop::sample::Index, u8)>;

fn changes() -> impl Strategy<Value = Changes> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)
}

/// A tar with a bit of everything.
fn seed() -> Vec<u8> {
    Tar::default()
        .folder("./")
        .file("./usr/share/a", b"one")
        .link("usr/l", "share/a")
        .same("usr/h", "usr/share/a")
        .member(
            b"././@LongLink",
            EntryType::GNULongName,
            "",
            0o644,
            b"usr/long\0",
        )
        .file("usr/lo", b"long")
        .member(
            b"pax",
            EntryType::XHeader,
            "",
            0o644,
            &attributes(&[("path", "usr/pax"), ("size", "3")]),
        )
        .file("usr/p", b"pax")
        .end()
}

/// Changes bytes, and writes the checksums of all headers anew, so that the changes are looked at.
fn spoiled(mut tar: Vec<u8>, changes: &Changes, is_summed: bool) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(tar.len());
        tar[at] = *byte;
    }
    if is_summed {
        for block in tar.chunks_mut(512) {
            if block[257..262] == *b"ustar" {
                let mut header = Header::from_byte_slice(block).clone();
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
    }
    tar
}

fn within_limits(bytes: &[u8]) -> Option<Tree> {
    let mut spool = Cursor::new(Vec::new());
    let tree = unpack("a.tar", bytes, &TIGHT, &mut spool).ok();
    assert!(spool.into_inner().len() as u64 <= TIGHT.bytes);
    if let Some(tree) = &tree {
        assert!(tree.len() <= TIGHT.entries && tree.size() <= TIGHT.bytes);
    }
    tree
}

/// Puts the tree on a disk, and asks the kernel where each link leads.
fn kernel_agrees(tree: &Tree) -> Result<(), String> {
    let place = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(place.path()).unwrap();
    for (path, node) in tree.iter() {
        let path = root.join(path.as_str());
        match node {
            Node::Dir { .. } => fs::create_dir(path),
            Node::File { .. } => fs::write(path, b""),
            Node::Link { target } => std::os::unix::fs::symlink(target, path),
        }
        .map_err(|error| error.to_string())?;
    }
    for (path, node) in tree.iter() {
        if let Node::Link { target } = node
            && let Ok(real) = fs::canonicalize(root.join(path.as_str()))
            && !real.starts_with(&root)
        {
            return Err(format!("{path} -> {target}: {}", real.display()));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..2000), magic in 0..5usize) {
        let magics: [&[u8]; 5] = [b"", b"\x1f\x8b\x08\0", b"\xfd7zXZ\0", b"!<arch>\n", b"!<arch>\ndebian-binary   "];
        let bytes = [magics[magic], &bytes].concat();
        within_limits(&bytes);
        let mut spool = Cursor::new(Vec::new());
        prop_assert!(deb::check("a.deb", bytes.as_slice(), &TIGHT, &mut spool).is_err());
    }

    #[test]
    fn a_spoiled_tar(changes in changes(), is_summed: bool, packing in 0..6usize, cut in any::<prop::sample::Index>()) {
        let tar = spoiled(seed(), &changes, is_summed);
        let bytes = match packing {
            0 => gzip(&tar),
            1 => xz(&tar),
            2 => tar[..cut.index(tar.len())].to_vec(),
            // spoiled once packed
            3 => spoiled(gzip(&seed()), &changes, false),
            4 => spoiled(xz(&seed()), &changes, false),
            _ => tar,
        };
        if let Some(tree) = within_limits(&bytes) {
            prop_assert_eq!(kernel_agrees(&tree), Ok(()));
        }
    }

    #[test]
    fn a_spoiled_package(changes in changes(), cut in any::<prop::sample::Index>(), is_cut: bool) {
        static WHOLE: LazyLock<Vec<u8>> =
            LazyLock::new(|| ours::written(&ours::meta("jicofo", "1.0-1"), &ours::tree(&JICOFO, "1.0-1")));
        let mut bytes = spoiled(WHOLE.clone(), &changes, false);
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mut spool = Cursor::new(Vec::new());
        let expected = Expected { package: "jicofo", version: "1.0-1", arch: Arch::Any };
        let _ = deb::read("a.deb", bytes.as_slice(), &expected, &TIGHT, &mut spool);
        let _ = deb::check("a.deb", bytes.as_slice(), &TIGHT, &mut spool);
        prop_assert!(spool.into_inner().len() as u64 <= 2 * TIGHT.bytes);
    }

    #[test]
    fn links_by_chance(links in vec(("[abc](/[abc]){0,2}", "([abc]|\\.\\.|\\.)(/([abc]|\\.\\.|\\.)){0,4}"), 1..6)) {
        let mut tar = Tar::default().folder("a/b/c").file("b/a", b"").folder("c");
        for (path, target) in &links {
            tar = tar.link(path, target);
        }
        if let Some(tree) = within_limits(&tar.end()) {
            prop_assert_eq!(kernel_agrees(&tree), Ok(()));
        }
    }
}

#[test]
fn the_kernel_is_asked() {
    // a tree that no reader gives, so that the question itself is seen to work
    let mut tree = ours::tree(&JICOFO, "1");
    let path = jitsi_install::package::PackagePath::parse("usr/out").unwrap();
    let target = "../../".to_owned();
    tree.put(path, Node::Link { target }).unwrap();
    assert!(kernel_agrees(&tree).is_err());
}
