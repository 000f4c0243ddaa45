//! What stands in a root, but for `/usr` and what a boot makes anew.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Made anew at every boot, no files at all, or packages' own.
const ASIDE: &[&str] = &["/dev", "/proc", "/run", "/sys", "/tmp", "/usr"];

/// Path, and what stands there in one line.
pub(crate) type Tree = BTreeMap<String, String>;

/// Everything below a root; links are not followed.
pub(crate) fn of(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut rest = vec![String::new()];
    while let Some(folder) = rest.pop() {
        let Ok(entries) = fs::read_dir(root.join(folder.trim_start_matches('/'))) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let Ok(found) = fs::symlink_metadata(entry.path()) else {
                continue;
            };
            if ASIDE.contains(&path.as_str()) {
                continue;
            }
            let what = if found.is_dir() {
                rest.push(path.clone());
                "folder".to_owned()
            } else if found.is_symlink() {
                let to = fs::read_link(entry.path()).unwrap_or_default();
                format!("link to {}", to.display())
            } else {
                let mut hasher = DefaultHasher::new();
                fs::read(entry.path()).unwrap_or_default().hash(&mut hasher);
                format!("file {:016x}", hasher.finish())
            };
            let (mode, user, group) = (found.mode() & 0o7777, found.uid(), found.gid());
            tree.insert(path, format!("{mode:04o} {user}:{group} {what}"));
        }
    }
    tree
}

/// Where they differ, but for these folders and all below: path, before, after.
pub(crate) fn differences(before: &Tree, after: &Tree, aside: &[&str]) -> Vec<String> {
    let is_aside = |path: &str| {
        aside.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let mut found: Vec<String> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path) && !is_aside(path))
        .map(|path| {
            let word = |tree: &Tree| tree.get(path).map_or("nothing", String::as_str).to_owned();
            format!("{path}: {} -> {}", word(before), word(after))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
