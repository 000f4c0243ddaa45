//! `.deb`, by deb(5) and Debian's policy: read, written and checked.
//!
//! Upstream's packages are only taken apart: their files become a [`Tree`], what is said of them
//! must be what the catalogue says, and their maintainer scripts are neither run nor carried over.
//! Our own are the same bytes at every run, since nothing in them but [`Meta`](super::Meta) and
//! [`Tree`] decides.

mod check;
mod control;
mod licence;
mod parts;
mod policy;
mod scripts;
mod sums;
mod tarball;
mod words;
mod write;

use std::io::{Read, Seek, Write};

use super::meta::Arch;
use super::{Limits, PackageError, Tree};

pub use check::{Summary, check};
pub use control::Control;
use parts::Parts;
pub use write::{file_name, version, write};

/// What a package of upstream's has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Its name.
    pub package: &'a str,
    /// Upstream's version, without a revision.
    pub version: &'a str,
    /// What it runs on.
    pub arch: Arch,
}

/// Takes a package apart; `name` is its file's own, for messages.
///
/// # Errors
/// When it is damaged, is not the expected one, or holds what [`unpack`](super::unpack()) refuses;
/// an absolute link may lead to what the package itself has.
pub fn read<R: Read, S: Read + Write + Seek>(
    name: &str,
    from: R,
    expected: &Expected<'_>,
    limits: &Limits,
    spool: &mut S,
) -> Result<(Control, Tree), PackageError> {
    let parts = Parts::read(name, from, limits, false, spool)?;
    let refuse = |why: String| PackageError::Archive {
        archive: name.to_owned(),
        why,
    };
    let is = |field: &str, fits: &dyn Fn(&str) -> bool, want: &str| {
        let told = parts.control.field(field).unwrap_or_default();
        match fits(told) {
            true => Ok(()),
            false => {
                let told = crate::name::excerpt(told);
                Err(refuse(format!("its {field} is `{told}`, and not `{want}`")))
            }
        }
    };
    is(
        "Package",
        &|told| told == expected.package,
        expected.package,
    )?;
    let is_version = |told: &str| {
        let revision = told.strip_prefix(expected.version);
        told == expected.version
            || revision
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|revision| !revision.contains('-'))
    };
    is("Version", &is_version, expected.version)?;
    let arch = expected.arch.debian();
    is("Architecture", &|told| told == arch, arch)?;
    if let Some(why) = sums::faults(&parts, spool)?.into_iter().next() {
        return Err(refuse(why));
    }
    Ok((parts.control, parts.tree))
}
