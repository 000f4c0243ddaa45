//! Maintainer scripts: only what dpkg does not do by itself, which is to put a link where a folder
//! was. dpkg-maintscript-helper(1) does it at an upgrade. Two cases are left to a few lines of our own:
//! a folder that no package left there is taken away while it is empty, and otherwise stops the
//! installation before it begins; and where upstream's package was installed over ours, dpkg
//! has unpacked it through the link, so that the folder behind it is put in its place first.

use super::words::refuse;
use crate::package::{Meta, PackageError};

/// Names and texts; none for a package that needs none.
pub(super) fn of(meta: &Meta) -> Result<Vec<(&'static str, String)>, PackageError> {
    let mut helper = String::new();
    let mut first = String::new();
    for (path, target) in &meta.links_that_were_folders {
        for word in [path.as_str(), target] {
            // they stand in a shell script without quotes
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-~".contains(c);
            if word.is_empty() || word.starts_with('-') || !word.chars().all(is_plain) {
                return Err(refuse(meta, &format!("`{path}` cannot become a link")));
            }
        }
        // without a version: whatever comes before, older or newer, a folder is to become a link
        helper.push_str(&format!(
            "dpkg-maintscript-helper dir_to_symlink /{path} {target} -- \"$@\"\n"
        ));
        first.push_str(&format!(
            "path=/{path}\n\
             if [ \"$1\" = install ] && [ -z \"$2\" ] && [ -d $path ] && [ ! -h $path ]; then\n\
             \tif ! rmdir $path; then\n\
             \t\techo \"$path is to be a link: move the folder away first\" >&2\n\
             \t\texit 1\n\
             \tfi\n\
             fi\n\
             if [ \"$1\" = upgrade ] && [ -h $path ] && [ -d $path ] \\\n\
             \t\t&& dpkg-query -L {} | grep -q \"^$path/\"; then\n\
             \tfolder=$(readlink -f $path)\n\
             \trm $path\n\
             \tmv \"$folder\" $path\n\
             fi\n",
            meta.name
        ));
    }
    if helper.is_empty() {
        return Ok(Vec::new());
    }
    // these two comments are what lintian knows the lines of programs by
    let script = |more: &str| {
        format!(
            "#!/bin/sh\nset -e\n# Automatically added by jitsi-install\n{more}{helper}\
             # End automatically added section\n"
        )
    };
    Ok(vec![
        ("preinst", script(&first)),
        ("postinst", script("")),
        ("postrm", script("")),
    ])
}
