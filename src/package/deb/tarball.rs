//! tar as dpkg-deb writes it: GNU's form, `./` in front of every path, all of it root's.

use std::io::{self, Read, Seek, Write};

use tar::{Builder, EntryType, Header};

use crate::package::{Node, Tree};

/// Writes a tree with its root; gives `out` back.
pub(super) fn write<W: Write, S: Read + Seek>(
    tree: &Tree,
    time: u64,
    spool: &mut S,
    out: W,
) -> io::Result<W> {
    let mut builder = Builder::new(out);
    let folder = EntryType::Directory;
    let nothing = || Box::new(io::empty());
    member(&mut builder, "./", folder, (0o755, 0, time), "", nothing())?;
    for (path, node) in tree.iter() {
        let path = format!("./{path}");
        match node {
            Node::Dir { mode } => {
                let path = format!("{path}/");
                member(&mut builder, &path, folder, (*mode, 0, time), "", nothing())?;
            }
            Node::File { mode, content } => {
                let reader = content.open(spool)?;
                let facts = (*mode, content.len(), time);
                member(&mut builder, &path, EntryType::Regular, facts, "", reader)?;
            }
            Node::Link { target } => {
                let kind = EntryType::Symlink;
                member(
                    &mut builder,
                    &path,
                    kind,
                    (0o777, 0, time),
                    target,
                    nothing(),
                )?;
            }
        }
    }
    builder.into_inner()
}

/// One member; before it, what does not fit into its header.
fn member<'a, W: Write>(
    builder: &mut Builder<W>,
    path: &str,
    kind: EntryType,
    (mode, size, time): (u32, u64, u64),
    target: &str,
    content: Box<dyn Read + 'a>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    // what others could write would be theirs
    header.set_mode(mode & 0o755);
    if kind.is_symlink() {
        header.set_mode(0o777);
    }
    header.set_size(size);
    header.set_mtime(time);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root")?;
    header.set_groupname("root")?;
    if let Some(gnu) = header.as_gnu_mut() {
        for (text, field, kind) in [
            (target, &mut gnu.linkname, EntryType::GNULongLink),
            (path, &mut gnu.name, EntryType::GNULongName),
        ] {
            let fits = text.len().min(field.len());
            field[..fits].copy_from_slice(&text.as_bytes()[..fits]);
            if fits < text.len() {
                long(builder, text, kind)?;
            }
        }
    }
    header.set_cksum();
    let mut content = content.take(size);
    builder.append(&header, &mut content)?;
    match content.limit() {
        0 => Ok(()),
        _ => Err(io::Error::other(format!("`{path}` is shorter than it was"))),
    }
}

fn long<W: Write>(builder: &mut Builder<W>, text: &str, kind: EntryType) -> io::Result<()> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let mut header = Header::new_gnu();
    if let Some(gnu) = header.as_gnu_mut() {
        gnu.name[..13].copy_from_slice(b"././@LongLink");
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    builder.append(&header, bytes.as_slice())
}
