//! `copyright`, in the form of DEP-5.

use std::collections::BTreeSet;

use time::OffsetDateTime;

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
    let copyright = dated(meta, line(meta, "copyright", &meta.copyright)?);
    let homepage = line(meta, "homepage", &meta.homepage)?;
    let wrong = || refuse(meta, "its licence is no list of SPDX's names");
    let (mut short, mut terms) = (Vec::new(), BTreeSet::new());
    let mut words = licence.split(' ').peekable();
    while let Some(word) = words.next() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        match word {
            "OR" => short.push("or".to_owned()),
            "AND" => short.push("and".to_owned()),
            _ if !word.is_empty() && word.chars().all(is_plain) => {
                let (mut name, text) = paragraph(word);
                if words.next_if_eq(&"WITH").is_some() {
                    let exception = words.next().filter(|word| word.chars().all(is_plain));
                    let exception = exception.ok_or_else(wrong)?;
                    let (exception, _) = exception.split_once("-exception").ok_or_else(wrong)?;
                    name = format!("{name} with {exception} exception");
                }
                short.push(name.clone());
                terms.insert((name, text));
            }
            _ => return Err(wrong()),
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

/// A notice has a year; where it is not said, it is the year in which the release was published.
fn dated(meta: &Meta, copyright: &str) -> String {
    let is_year = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    if copyright
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(is_year)
    {
        return copyright.to_owned();
    }
    let seconds = i64::try_from(meta.time).unwrap_or_default();
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(time) => format!("{} {copyright}", time.year()),
        Err(_) => copyright.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::{copyright, dated};
    use crate::package::Meta;
    use crate::package::meta::Arch;

    fn meta(licence: &str) -> Meta {
        Meta {
            name: "x1".to_owned(),
            version: "1".to_owned(),
            build: 1,
            arch: Arch::Any,
            summary: "x".to_owned(),
            description: "x".to_owned(),
            homepage: "https://example.org".to_owned(),
            licence: licence.to_owned(),
            copyright: "Somebody".to_owned(),
            depends: Vec::new(),
            replaces: Vec::new(),
            config: Vec::new(),
            links_that_were_folders: Vec::new(),
            time: 1_780_939_200,
        }
    }

    fn of(licence: &str) -> Result<String, String> {
        let meta = meta(licence);
        let text = copyright(&meta).map_err(|error| error.to_string())?;
        Ok(text
            .lines()
            .filter(|line| line.starts_with("License"))
            .collect::<Vec<_>>()
            .join("|"))
    }

    #[test]
    fn notices_have_a_year() {
        let meta = meta("MIT");
        assert_eq!(dated(&meta, "8x8, Inc."), "2026 8x8, Inc.");
        for said in ["2015 aiq", "2003-2007 Kepler, 2013 Wild", "aiq (2013)"] {
            assert_eq!(dated(&meta, said), said);
        }
        assert_eq!(dated(&meta, "Room 12345"), "2026 Room 12345");
    }

    #[test]
    fn licences_have_debians_names() {
        for (spdx, lines) in [
            ("Apache-2.0", "License: Apache-2.0|License: Apache-2.0"),
            ("MIT", "License: Expat|License: Expat"),
            (
                "MIT OR GPL-2.0-or-later",
                "License: Expat or GPL-2+|License: Expat|License: GPL-2+",
            ),
            (
                "GPL-2.0-only WITH Classpath-exception-2.0",
                "License: GPL-2 with Classpath exception|License: GPL-2 with Classpath exception",
            ),
            (
                "BSD-3-Clause",
                "License: BSD-3-Clause|License: BSD-3-Clause",
            ),
        ] {
            assert_eq!(of(spdx).as_deref(), Ok(lines));
        }
        for bad in [
            "Apache 2.0 (the new one)",
            "MIT WITH",
            "MIT WITH x",
            "MIT  ISC",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
