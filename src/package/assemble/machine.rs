//! Which kind of machine the programs of a tree are for, by the headers of ELF (`e_machine`).

use std::io::{Read, Seek};

use crate::package::meta::Arch;
use crate::package::{Node, PackageError, Tree};

/// `Any` without a program, else `wanted`.
///
/// # Errors
/// When a program is for another machine; when the spool cannot be read.
pub fn arch<S: Read + Seek>(
    tree: &Tree,
    wanted: Arch,
    spool: &mut S,
) -> Result<Arch, PackageError> {
    let mut found = Arch::Any;
    for (path, node) in tree.iter() {
        let Node::File { content, .. } = node else {
            continue;
        };
        let mut head = Vec::new();
        content.open(spool)?.take(20).read_to_end(&mut head)?;
        if head.len() < 20 || !head.starts_with(b"\x7fELF") {
            continue;
        }
        let machine = match (head[4], head[5], head[18], head[19]) {
            (2, 1, 62, 0) => Some(Arch::X86_64),
            (2, 1, 183, 0) => Some(Arch::Aarch64),
            _ => None,
        };
        if machine != Some(wanted) {
            return Err(PackageError::Path {
                path: path.to_string(),
                why: format!(
                    "it is a program for another machine than {}",
                    wanted.slackware()
                ),
            });
        }
        found = wanted;
    }
    Ok(found)
}
