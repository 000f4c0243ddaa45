//! `install/doinst.sh`: what a tarball of Slackware cannot hold. `installpkg` runs it in the root of the
//! system, more than once during an upgrade, so every line can be run again; and it runs lines of
//! the form `( cd FOLDER ; … )` without a subshell, so links are made in exactly that form.

use crate::package::txz::words::word;
use crate::package::{Node, PackagePath, Tree};

/// Lets the administrator's file stay. The new one stays beside it, unless it says the same.
const CONFIG: &str = r#"
config() {
  [ -e "$1" ] || return 0
  if [ ! -e "${1%.new}" ] && [ ! -L "${1%.new}" ]; then
    mv "$1" "${1%.new}"
  elif [ "$(md5sum < "$1")" = "$(md5sum < "${1%.new}")" ]; then
    rm -f "$1"
  fi
}
"#;

/// A service that is on stays on: its new script is executable when the present one is.
const PERMS: &str = r#"
preserve_perms() {
  if [ -e "$1" ] && [ -e "${1%.new}" ]; then
    cp -p "${1%.new}" "$1.incoming"
    cat "$1" > "$1.incoming"
    mv "$1.incoming" "$1"
  fi
  config "$1"
}
"#;

/// Is it a script that starts and stops a service?
#[must_use]
pub fn is_rc(path: &PackagePath) -> bool {
    path.as_str().starts_with("etc/rc.d/rc.")
}

/// The script; `None` when there is nothing for it to do.
#[must_use]
pub fn script(config: &[PackagePath], tree: &Tree) -> Option<String> {
    let links: Vec<String> = tree
        .iter()
        .filter_map(|(path, node)| match node {
            Node::Link { target } => Some(link(path, target)),
            Node::Dir { .. } | Node::File { .. } => None,
        })
        .collect();
    if config.is_empty() && links.is_empty() {
        return None;
    }
    let (scripts, files): (Vec<_>, Vec<_>) = config.iter().partition(|path| is_rc(path));
    let mut out = String::from("#!/bin/sh\n");
    if !config.is_empty() {
        out.push_str(CONFIG);
    }
    if !scripts.is_empty() {
        out.push_str(PERMS);
    }
    out.push('\n');
    for (verb, paths) in [("preserve_perms", scripts), ("config", files)] {
        for path in paths {
            out.push_str(&format!("{verb} {}.new\n", word(path.as_str())));
        }
    }
    out.extend(links);
    Some(out)
}

fn link(path: &PackagePath, target: &str) -> String {
    let folder = path.parent();
    let folder = word(folder.as_ref().map_or(".", PackagePath::as_str));
    let (name, target) = (word(path.file_name()), word(target));
    format!("( cd {folder} ; rm -rf {name} )\n( cd {folder} ; ln -sf {target} {name} )\n")
}
