//! A tree and what is said of it become a package.

use std::io::{Cursor, Read, Seek, Write};

use super::parts::FORMAT;
use super::{licence, policy, scripts, sums, tarball, words};
use crate::package::ar::{MAGIC, write_member};
use crate::package::{Content, Meta, Node, PackageError, PackagePath, Tree, xz};

/// What the file of a package is called: `NAME_VERSION_ARCH.deb`.
#[must_use]
pub fn file_name(meta: &Meta) -> String {
    let (name, arch) = (&meta.name, meta.arch.debian());
    format!("{name}_{}_{arch}.deb", version(meta))
}

/// The version with the revision. A package of ours comes after upstream's own of the same version,
/// which has the revision 1, and before upstream's next one.
#[must_use]
pub fn version(meta: &Meta) -> String {
    format!("{}-1+ji{}", meta.version, meta.build)
}

/// Writes a package and gives `out` back. The bytes depend on `meta`, `tree` and its contents alone,
/// and never on `threads`. Changelog, copyright and maintainer scripts are added.
///
/// # Errors
/// Before anything is written, when `meta` says what Debian's policy does not allow or what is not
/// so in the tree; later, when reading or writing fails.
pub fn write<S: Read + Seek, W: Write + Seek>(
    meta: &Meta,
    tree: &Tree,
    spool: &mut S,
    threads: u32,
    mut out: W,
) -> Result<W, PackageError> {
    judge(meta, tree)?;
    let tree = documented(meta, tree)?;
    let mut beside = vec![("control", words::control(meta, installed(&tree))?, 0o644)];
    beside.push(("md5sums", sums::list(&tree, &meta.config, spool)?, 0o644));
    if !meta.config.is_empty() {
        let lines = meta.config.iter().map(|path| format!("/{path}\n"));
        beside.push(("conffiles", lines.collect(), 0o644));
    }
    let scripts = scripts::of(meta)?;
    beside.extend(scripts.into_iter().map(|(name, text)| (name, text, 0o755)));
    let mut control = Tree::new();
    for (name, text, mode) in beside {
        let content = Content::Bytes(text.into_bytes());
        control.put(PackagePath::parse(name)?, Node::File { mode, content })?;
    }

    out.write_all(MAGIC)?;
    write_member::<_, PackageError>(&mut out, "debian-binary", meta.time, |out| {
        Ok(out.write_all(FORMAT)?)
    })?;
    let mut none = Cursor::new(Vec::new());
    write_member::<_, PackageError>(&mut out, "control.tar.xz", meta.time, |out| {
        let packed = tarball::write(&control, meta.time, &mut none, xz::writer(out, 1)?)?;
        packed.finish()?;
        Ok(())
    })?;
    write_member::<_, PackageError>(&mut out, "data.tar.xz", meta.time, |out| {
        let packed = tarball::write(&tree, meta.time, spool, xz::writer(out, threads)?)?;
        packed.finish()?;
        Ok(())
    })?;
    out.flush()?;
    Ok(out)
}

/// Everything that can be refused without writing.
fn judge(meta: &Meta, tree: &Tree) -> Result<(), PackageError> {
    let refuse = |why: String| words::refuse(meta, &why);
    policy::name(&meta.name).map_err(refuse)?;
    policy::version(&version(meta)).map_err(refuse)?;
    for relation in meta.depends.iter().chain(&meta.replaces) {
        policy::relation(relation).map_err(refuse)?;
    }
    for path in &meta.config {
        let is_file = matches!(tree.get(path), Some(Node::File { .. }));
        if !is_file || !path.as_str().starts_with("etc/") {
            return Err(refuse(format!("`{path}` is no file below /etc in it")));
        }
    }
    for (path, target) in &meta.links_that_were_folders {
        let is_it = matches!(tree.get(path), Some(Node::Link { target: has }) if has == target);
        if !is_it {
            return Err(refuse(format!("`{path}` is no link to `{target}` in it")));
        }
    }
    Ok(())
}

/// With the two files that policy wants of every package.
fn documented(meta: &Meta, tree: &Tree) -> Result<Tree, PackageError> {
    let mut tree = tree.clone();
    let folder = format!("usr/share/doc/{}", meta.name);
    let mut put = |name: &str, bytes: Vec<u8>| {
        let content = Content::Bytes(bytes);
        let path = PackagePath::parse(&format!("{folder}/{name}"))?;
        tree.put(
            path,
            Node::File {
                mode: 0o644,
                content,
            },
        )
    };
    put("changelog.Debian.gz", words::changelog(meta)?)?;
    put("copyright", licence::copyright(meta)?.into_bytes())?;
    Ok(tree)
}

/// KiB as dpkg-gencontrol(1) counts them: each file rounded up, one for everything else and the root.
fn installed(tree: &Tree) -> u64 {
    let kib = tree.iter().map(|(_, node)| match node {
        Node::File { content, .. } => content.len().div_ceil(1024),
        Node::Link { target } => (target.len() as u64).div_ceil(1024),
        Node::Dir { .. } => 1,
    });
    1 + kib.sum::<u64>()
}
