//! SPDX expressions, as far as packages need them.

/// The licences that the pieces of a catalogue may have. Another is given as `LicenseRef-NAME`.
const KNOWN: &[&str] = &[
    "0BSD",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "EPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MPL-2.0",
    "OpenSSL",
    "PHP-3.01",
    "PostgreSQL",
    "Unlicense",
    "Zlib",
];

const EXCEPTIONS: &[&str] = &[
    "Classpath-exception-2.0",
    "GCC-exception-3.1",
    "LLVM-exception",
    "OpenSSL-exception",
];

/// What is wrong with an expression; nothing when it is right.
pub(super) fn wrong(text: &str) -> Option<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut depth = 0_usize;
    let mut wants_name = true;
    let mut words = spaced.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "(" if wants_name => depth += 1,
            ")" if !wants_name && depth > 0 => depth -= 1,
            "AND" | "OR" if !wants_name => wants_name = true,
            "WITH" if !wants_name => match words.next() {
                Some(name) if EXCEPTIONS.contains(&name) => {}
                other => return Some(format!("`{}` is no known exception", other.unwrap_or(""))),
            },
            name if wants_name && is_licence(name) => wants_name = false,
            other => return Some(format!("`{other}` does not belong there")),
        }
    }
    (wants_name || depth > 0).then(|| "it ends too early".to_owned())
}

fn is_licence(name: &str) -> bool {
    let own = name.strip_prefix("LicenseRef-");
    let is_plain = |text: &str| {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
        !text.is_empty() && text.chars().all(is_of_name)
    };
    KNOWN.contains(&name) || own.is_some_and(is_plain)
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn expressions() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "(MIT OR ISC) AND LicenseRef-own",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "",
            "GPL",
            "MIT OR",
            "MIT MIT",
            "(MIT",
            "MIT)",
            "OR MIT",
            "MIT WITH X",
            "LicenseRef-",
        ] {
            assert!(wrong(bad).is_some(), "{bad}");
        }
    }
}
