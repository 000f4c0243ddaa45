//! The three members of a package, in their order.

use std::io::{BufRead, BufReader, Cursor, Read, Seek, Write};

use super::Control;
use crate::name::excerpt;
use crate::package::ar::Members;
use crate::package::unpack::{Rules, unpack_tar};
use crate::package::{Limits, Node, PackageError, PackagePath, Tree};

/// What the first member holds.
pub(super) const FORMAT: &[u8] = b"2.0\n";

/// What may stand beside the control file.
const BESIDE: &[&str] = &[
    "control",
    "md5sums",
    "conffiles",
    "preinst",
    "postinst",
    "prerm",
    "postrm",
    "config",
    "templates",
    "triggers",
    "shlibs",
    "symbols",
];

/// Everything of a package.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) control: Control,
    /// The files beside it, with their modes and contents.
    pub(super) beside: Vec<(String, u32, Vec<u8>)>,
    pub(super) tree: Tree,
}

impl Parts {
    /// Takes a package apart; with `is_roots` everything in it must belong to root.
    pub(super) fn read<R: Read, S: Write + Seek>(
        name: &str,
        from: R,
        limits: &Limits,
        is_roots: bool,
        spool: &mut S,
    ) -> Result<Self, PackageError> {
        let refuse = |why: String| PackageError::Archive {
            archive: name.to_owned(),
            why,
        };
        let mut members = Members::open(name, from)?;
        let first = members.next_member()?;
        if first.is_none_or(|(member, size)| member != "debian-binary" || size > 16) {
            return Err(refuse("it is no Debian package".to_owned()));
        }
        let mut format = Vec::new();
        members.read_to_end(&mut format)?;
        if format != FORMAT {
            let format = excerpt(&String::from_utf8_lossy(&format));
            return Err(refuse(format!("its format is `{format}`, and not 2.0")));
        }
        let rules = Rules {
            is_rooted: true,
            is_roots,
        };
        let (mut control, mut tree) = (None, None);
        while let Some((member, _)) = members.next_member()? {
            let place = format!("{name}: {member}");
            match member.split_once(".tar") {
                // deb(5): of somebody else's making, and to be passed over
                _ if member.starts_with('_') => {}
                Some(("control", packing)) if control.is_none() && tree.is_none() => {
                    let from = packed(&place, packing, &mut members)?;
                    control = Some(beside(&place, from)?);
                }
                Some(("data", packing)) if control.is_some() && tree.is_none() => {
                    let from = packed(&place, packing, &mut members)?;
                    tree = Some(unpack_tar(&place, from, limits, rules, spool)?);
                }
                _ => return Err(refuse(format!("`{member}` is out of place"))),
            }
        }
        let (Some((control, beside)), Some(tree)) = (control, tree) else {
            return Err(refuse("a part of it is missing".to_owned()));
        };
        Ok(Self {
            control,
            beside,
            tree,
        })
    }

    /// The content of a file beside the control file.
    pub(super) fn beside(&self, name: &str) -> Option<&[u8]> {
        let found = self.beside.iter().find(|(other, _, _)| other == name);
        found.map(|(_, _, content)| content.as_slice())
    }
}

/// Sees to it that a member is packed as its name says.
fn packed<R: Read>(place: &str, packing: &str, member: R) -> Result<impl Read, PackageError> {
    let refuse = |why: &str| PackageError::Archive {
        archive: place.to_owned(),
        why: why.to_owned(),
    };
    let mut member = BufReader::new(member);
    let start = member.fill_buf()?;
    let told: &[u8] = match packing {
        ".xz" => b"\xfd7zXZ\0",
        ".gz" => b"\x1f\x8b",
        "" => b"",
        ".zst" => {
            return Err(refuse(
                "it is packed with zstd: packages of Ubuntu's are not read",
            ));
        }
        _ => return Err(refuse("it is packed with something else than xz or gzip")),
    };
    let is_bare = !start.starts_with(b"\xfd7z") && !start.starts_with(b"\x1f\x8b");
    match start.starts_with(told) && (is_bare || !told.is_empty()) {
        true => Ok(member),
        false => Err(refuse("it is not packed as its name says")),
    }
}

type Beside = Vec<(String, u32, Vec<u8>)>;

/// The control file and what stands beside it; all of it is small.
fn beside(place: &str, from: impl Read) -> Result<(Control, Beside), PackageError> {
    let refuse = |why: String| PackageError::Archive {
        archive: place.to_owned(),
        why,
    };
    let limits = Limits {
        bytes: 16 << 20,
        entries: 32,
        ..Limits::default()
    };
    let mut spool = Cursor::new(Vec::new());
    let tree = unpack_tar(place, from, &limits, Rules::default(), &mut spool)?;
    let (mut control, mut beside) = (None, Vec::new());
    for (path, node) in tree.iter() {
        let Node::File { mode, content } = node else {
            return Err(refuse(format!("`{path}` is no file")));
        };
        if !BESIDE.contains(&path.as_str()) {
            return Err(refuse(format!("`{path}` is unknown")));
        }
        let mut bytes = Vec::new();
        content.open(&mut spool)?.read_to_end(&mut bytes)?;
        if path.as_str() == "control" {
            let text = str::from_utf8(&bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
            control = Some(Control::parse(text).map_err(refuse)?);
        } else {
            beside.push((path.to_string(), *mode, bytes));
        }
    }
    match control {
        Some(control) => Ok((control, beside)),
        None => Err(refuse("there is no control file".to_owned())),
    }
}

/// The files that `conffiles` names, whether they are there or not, or which line names none. What is
/// only to be removed from older installations is left out.
pub(super) fn conffiles(parts: &Parts) -> Vec<Result<PackagePath, String>> {
    let text = String::from_utf8_lossy(parts.beside("conffiles").unwrap_or_default());
    let path = |line: &str| {
        let wrong = || format!("conffiles: `{}` is no path of a file", excerpt(line));
        let bare = line.strip_prefix('/').ok_or_else(wrong)?;
        PackagePath::parse(bare).map_err(|_| wrong())
    };
    let is_kept = |line: &&str| !line.starts_with("remove-on-upgrade ");
    text.lines().filter(is_kept).map(path).collect()
}
