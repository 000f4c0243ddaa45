//! What the parts of a Slackware package can be called, by what pkgtools do with the names.
//!
//! `removepkg` reads the list of files as `tar` prints it, with backslashes undone in one place and
//! not in another, and the links out of `doinst.sh` with a pattern. What comes out of that changed
//! would stay behind after a removal, or name something else; so it is refused before anything is written.

use crate::name::excerpt;
use crate::package::{Meta, PackageError, PackagePath};

fn refuse<T>(text: &str, why: &str) -> Result<T, PackageError> {
    Err(PackageError::Path {
        path: excerpt(text),
        why: why.to_owned(),
    })
}

/// Can the list of files carry it?
///
/// # Errors
/// Says why it cannot.
pub fn listed(path: &PackagePath) -> Result<(), PackageError> {
    let text = path.as_str();
    match fault(text) {
        Some(why) => refuse(text, why),
        None => Ok(()),
    }
}

/// What is wrong with a path as a line of the list of files.
fn fault(text: &str) -> Option<&'static str> {
    if text
        .bytes()
        .any(|byte| !(b' '..=b'~').contains(&byte) || byte == b'\\')
    {
        return Some("pkgtools list backslashes and what is not ASCII in another form");
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Some("pkgtools lose a space at its beginning or end");
    }
    // The list is sorted, and is read from its line `./` on.
    (text < "./").then_some("it would stand before `./` in pkgtools' list of files")
}

/// A word of `doinst.sh`, with backslashes where the shell needs them: `removepkg` undoes those and knows no other quotes.
#[must_use]
pub fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c)) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Can a link of this path and text be made by `doinst.sh`?
///
/// # Errors
/// Says why it cannot.
pub fn linked(path: &PackagePath, target: &str) -> Result<(), PackageError> {
    let text = path.as_str();
    listed(path)?;
    if path
        .parent()
        .is_some_and(|folder| folder.as_str().contains(';'))
    {
        return refuse(
            text,
            "pkgtools take a `;` in a link's folder for the end of a command",
        );
    }
    if path.file_name().starts_with('-') {
        return refuse(
            text,
            "`doinst.sh` would take a link with a leading `-` for an option",
        );
    }
    if target.is_empty() || target.starts_with('-') {
        return refuse(text, "the link's text is empty or begins with `-`");
    }
    if target.chars().any(char::is_control) {
        return refuse(text, "the link's text has a control character in it");
    }
    Ok(())
}

/// Are these permissions that a package may give away?
///
/// # Errors
/// When they hand on rights, or let everybody write.
pub fn permitted(path: &PackagePath, mode: u32) -> Result<(), PackageError> {
    if mode & !0o1777 != 0 {
        return refuse(
            path.as_str(),
            "it would run with its owner's rights (set-id)",
        );
    }
    if mode & 0o1002 == 0o002 {
        return refuse(path.as_str(), "everybody could write to it");
    }
    Ok(())
}

/// `NAME-VERSION-ARCH-BUILDTAG`, all that `installpkg` knows of a package.
///
/// # Errors
/// When a part has a character that it must not have.
pub fn stem(meta: &Meta, tag: &str) -> Result<String, PackageError> {
    let plain = |text: &str, more: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        !text.is_empty() && text.chars().all(good)
    };
    let (name, version) = (&meta.name, version(&meta.version));
    if !plain(name, "+_.-")
        || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || name.ends_with('-')
    {
        return refuse(
            name,
            "a package's name has letters, digits and `+_.-`, and begins with one of the former",
        );
    }
    if !plain(&version, "+_.~") {
        return refuse(&meta.version, "a version has letters, digits and `+_.~-`");
    }
    let is_tag = tag.is_empty() || plain(tag, "_") && tag.starts_with('_');
    if !is_tag {
        return refuse(tag, "a tag is `_` with letters and digits");
    }
    if meta.build == 0 {
        return refuse(name, "builds are numbered from 1");
    }
    let arch = meta.arch.slackware();
    Ok(format!("{name}-{version}-{arch}-{}{tag}", meta.build))
}

/// A version as Slackware writes it: `-` parts the fields of a package's name, so it becomes `_`.
#[must_use]
pub fn version(upstream: &str) -> String {
    upstream.replace('-', "_")
}
