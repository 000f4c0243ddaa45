//! A strict look at a finished package, whoever made it.

use std::io::{Read, Seek, Write};

use super::parts::{Parts, conffiles};
use super::sums;
use crate::package::{Limits, Node, PackageError};

/// Programs that dpkg runs.
const SCRIPTS: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];

/// What a package without a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub package: String,
    /// Its version, with the revision.
    pub version: String,
    /// What it runs on, in Debian's word.
    pub arch: String,
    /// How many files it has.
    pub files: usize,
    /// Bytes of its files.
    pub bytes: u64,
    /// The maintainer scripts that dpkg would run as root.
    pub scripts: Vec<String>,
}

/// Checks structure, control file, sums and contents of a package. `name` is its file's own.
///
/// # Errors
/// All faults that were found; only one when the package cannot be read to its end.
pub fn check<R: Read, S: Read + Write + Seek>(
    name: &str,
    from: R,
    limits: &Limits,
    spool: &mut S,
) -> Result<Summary, Vec<PackageError>> {
    let parts = Parts::read(name, from, limits, true, spool).map_err(|error| vec![error])?;
    let mut faults = sums::faults(&parts, spool).map_err(|error| vec![error])?;
    if parts.beside("md5sums").is_none() {
        faults.push("it has no md5sums".to_owned());
    }
    faults.extend(of_scripts(&parts));
    faults.extend(of_conffiles(&parts));
    faults.extend(of_modes(&parts));
    if !faults.is_empty() {
        let fault = |why| PackageError::Archive {
            archive: name.to_owned(),
            why,
        };
        return Err(faults.into_iter().map(fault).collect());
    }
    let field = |name| parts.control.field(name).unwrap_or_default().to_owned();
    let is_script = |name: &String| SCRIPTS.contains(&name.as_str());
    let names = parts.beside.iter().map(|(name, _, _)| name.clone());
    let files = parts
        .tree
        .iter()
        .filter(|(_, node)| matches!(node, Node::File { .. }));
    Ok(Summary {
        package: field("Package"),
        version: field("Version"),
        arch: field("Architecture"),
        files: files.count(),
        bytes: parts.tree.size(),
        scripts: names.filter(is_script).collect(),
    })
}

fn of_scripts(parts: &Parts) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, mode, content) in &parts.beside {
        let is_script = SCRIPTS.contains(&name.as_str());
        let interpreter = content.strip_prefix(b"#!").map(<[u8]>::trim_ascii_start);
        let is_program = interpreter.is_some_and(|path| path.starts_with(b"/"));
        if is_script && (!is_program || *mode != 0o755) {
            faults.push(format!("`{name}` is no program that dpkg could run"));
        }
        if !is_script && *mode != 0o644 {
            faults.push(format!("`{name}` has mode {mode:o}, and not 644"));
        }
    }
    faults
}

fn of_conffiles(parts: &Parts) -> Vec<String> {
    let mut faults = Vec::new();
    for path in conffiles(parts) {
        match path {
            Err(why) => faults.push(why),
            Ok(path) => {
                let node = parts.tree.get(&path);
                let is_file = matches!(node, Some(Node::File { .. }));
                if !is_file || !path.as_str().starts_with("etc/") {
                    faults.push(format!("conffiles: `{path}` is no file below /etc"));
                }
            }
        }
    }
    faults
}

/// What others than root could change would be theirs.
fn of_modes(parts: &Parts) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, node) in parts.tree.iter() {
        if let Node::Dir { mode } | Node::File { mode, .. } = node
            && mode & 0o022 != 0
        {
            faults.push(format!("`{path}` may be written by others: mode {mode:o}"));
        }
    }
    faults
}
