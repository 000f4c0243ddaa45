//! `copyright`, in the form of DEP-5.

use std::collections::BTreeSet;

use super::words::{line, refuse};
use crate::package::{Meta, PackageError};

/// SPDX's name, Debian's short name, and the text below `/usr/share/common-licenses`.
const COMMON: &[(&str, &str, &str)] = &[
    ("Apache-2.0", "Apache-2.0", "Apache-2.0"),
    ("CC0-1.0", "CC0-1.0", "CC0-1.0"),
    ("GPL-2.0-only", "GPL-2", "GPL-2"),
    ("GPL-2.0-or-later", "GPL-2+", "GPL-2"),
    ("GPL-3.0-only", "GPL-3", "GPL-3"),
    ("GPL-3.0-or-later", "GPL-3+", "GPL-3"),
    ("LGPL-2.1-only", "LGPL-2.1", "LGPL-2.1"),
    ("LGPL-2.1-or-later", "LGPL-2.1+", "LGPL-2.1"),
    ("LGPL-3.0-only", "LGPL-3", "LGPL-3"),
    ("LGPL-3.0-or-later", "LGPL-3+", "LGPL-3"),
    ("MPL-1.1", "MPL-1.1", "MPL-1.1"),
    ("MPL-2.0", "MPL-2.0", "MPL-2.0"),
];

const EXPAT: &str = "\
 Permission is hereby granted, free of charge, to any person obtaining a copy
 of this software and associated documentation files (the \"Software\"), to deal
 in the Software without restriction, including without limitation the rights
 to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 copies of the Software, and to permit persons to whom the Software is
 furnished to do so, subject to the following conditions:
 .
 The above copyright notice and this permission notice shall be included in
 all copies or substantial portions of the Software.
 .
 THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 SOFTWARE.
";

/// The file's text.
pub(super) fn copyright(meta: &Meta) -> Result<String, PackageError> {
    let licence = line(meta, "licence", &meta.licence)?;
    let copyright = line(meta, "copyright", &meta.copyright)?;
    let homepage = line(meta, "homepage", &meta.homepage)?;
    let (mut short, mut terms) = (Vec::new(), BTreeSet::new());
    for word in licence.split(' ') {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        match word {
            "OR" => short.push("or".to_owned()),
            "AND" => short.push("and".to_owned()),
            _ if !word.is_empty() && word.chars().all(is_plain) => {
                let (name, text) = paragraph(word);
                short.push(name.clone());
                terms.insert((name, text));
            }
            _ => return Err(refuse(meta, "its licence is no list of SPDX's names")),
        }
    }
    let mut text = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: {}\nSource: {homepage}\n\n\
         Files: *\nCopyright: {copyright}\nLicense: {}\n",
        meta.name,
        short.join(" "),
    );
    for (name, terms) in terms {
        text.push_str(&format!("\nLicense: {name}\n{terms}"));
    }
    Ok(text)
}

/// Debian's short name, and the terms.
fn paragraph(spdx: &str) -> (String, String) {
    if spdx == "MIT" {
        return ("Expat".to_owned(), EXPAT.to_owned());
    }
    match COMMON.iter().find(|(name, _, _)| *name == spdx) {
        Some((_, short, file)) => (
            (*short).to_owned(),
            format!(
                " On Debian systems, the full text of this licence is in\n \
                 /usr/share/common-licenses/{file}.\n"
            ),
        ),
        None => (
            spdx.to_owned(),
            format!(" The terms are those of https://spdx.org/licenses/{spdx}.html\n"),
        ),
    }
}
