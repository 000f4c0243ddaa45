//! What stands in a machine: every path with its kind, mode, owner and contents.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::rootfs::digest;

/// Made anew at every boot, or no files at all.
const PASSING: &[&str] = &["/dev", "/proc", "/run", "/sys", "/tmp"];

/// Path, and what stands there in one line.
pub(crate) type Tree = BTreeMap<String, String>;

/// Everything below a root; links are not followed.
pub(crate) fn of(root: &Path) -> Result<Tree, String> {
    let mut tree = Tree::new();
    let mut rest = vec![String::new()];
    while let Some(folder) = rest.pop() {
        let place = root.join(folder.trim_start_matches('/'));
        let entries = fs::read_dir(&place).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if PASSING.contains(&path.as_str()) {
                continue;
            }
            let found = fs::symlink_metadata(entry.path());
            let Ok(found) = found else {
                continue; // gone in the meantime
            };
            let kind = found.file_type();
            let what = if kind.is_dir() {
                rest.push(path.clone());
                "folder".to_owned()
            } else if kind.is_symlink() {
                let to = fs::read_link(entry.path()).unwrap_or_default();
                format!("link to {}", to.display())
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                format!("file {}", &digest(&bytes)[..16])
            } else {
                "something else".to_owned()
            };
            let mode = found.mode() & 0o7777;
            let (user, group) = (found.uid(), found.gid());
            tree.insert(path, format!("{mode:04o} {user}:{group} {what}"));
        }
    }
    Ok(tree)
}

/// Where they differ, but for what `aside` names: path, before, after.
pub(crate) fn differences(
    before: &Tree,
    after: &Tree,
    aside: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for path in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(path), after.get(path));
        if old == new || aside(path) {
            continue;
        }
        let word = |what: Option<&String>| what.map_or("nothing", String::as_str).to_owned();
        found.push(format!("{path}: {} -> {}", word(old), word(new)));
    }
    found.sort();
    found.dedup();
    found
}

/// Is it this path, or below it?
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
