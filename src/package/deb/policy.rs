//! Debian's rules for words: names (policy 5.6.1), versions (5.6.12) and relations (7.1).

use crate::name::excerpt;

/// The fields with relations to other packages, in the order in which dpkg writes them.
pub(super) const RELATIONS: [&str; 8] = [
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Suggests",
    "Conflicts",
    "Breaks",
    "Replaces",
    "Provides",
];

/// A package's name, and an architecture's.
pub(super) fn name(text: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_one = (2..=100).contains(&text.len())
        && text.starts_with(is_plain)
        && text.chars().all(|c| is_plain(c) || "+-.".contains(c));
    match is_one {
        true => Ok(()),
        false => Err(format!("`{}` is no name of a package", excerpt(text))),
    }
}

/// Epoch, upstream's version and revision.
pub(super) fn version(text: &str) -> Result<(), String> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (Some(epoch), rest),
        None => (None, text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision)),
        None => (rest, None),
    };
    let is_made_of = |text: &str, more: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        !text.is_empty() && text.chars().all(fits)
    };
    let is_epoch = |text: &str| text.parse::<u16>().is_ok() && !text.starts_with('+');
    let is_one = epoch.is_none_or(is_epoch)
        && text.len() <= 100
        && upstream.starts_with(|c: char| c.is_ascii_digit())
        && is_made_of(upstream, ".+~-")
        && revision.is_none_or(|revision| is_made_of(revision, ".+~"));
    match is_one {
        true => Ok(()),
        false => Err(format!("`{}` is no version", excerpt(text))),
    }
}

/// `a (>= 1.0) | b`.
pub(super) fn relation(text: &str) -> Result<(), String> {
    let wrong = || format!("`{}` is no relation to a package", excerpt(text));
    for one in text.split('|') {
        let (package, limit) = match one.trim().split_once('(') {
            Some((package, limit)) => (package.trim_end(), Some(limit)),
            None => (one.trim(), None),
        };
        let package = package
            .split_once(':')
            .map_or(package, |(package, _)| package);
        name(package).map_err(|_| wrong())?;
        if let Some(limit) = limit {
            let limit = limit.strip_suffix(')').ok_or_else(wrong)?.trim();
            let is_sign = |sign: &&&str| limit.starts_with(**sign);
            let sign = ["<<", "<=", ">=", ">>", "="].iter().find(is_sign);
            let than = limit[sign.ok_or_else(wrong)?.len()..].trim();
            version(than).map_err(|_| wrong())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{name, relation, version};

    #[test]
    fn words_are_debians() {
        for good in ["1.0-1183-1", "2.3-307-g4bb0aead1-1+ji1", "1:2.0~rc1", "0"] {
            assert_eq!(version(good), Ok(()));
        }
        for bad in [
            "", "v1", "1_0", "1:", ":1", "1.0-", "1:2:3", "1 0", "-1", "+1:2", "1/2",
        ] {
            assert!(version(bad).is_err(), "{bad}");
        }
        for good in ["jitsi-videobridge2", "g++", "lua5.4"] {
            assert_eq!(name(good), Ok(()));
        }
        for bad in ["", "a", "-a", "A1", "a_b", "a b", ".a", "ä1"] {
            assert!(name(bad).is_err(), "{bad}");
        }
        for good in ["a1", "a1 (= 1)", "a1(>=1.0~)|b1:any (<< 2)", "a1 | b1"] {
            assert_eq!(relation(good), Ok(()));
        }
        for bad in [
            "",
            "a1 |",
            "a1 (1)",
            "a1 (> 1)",
            "a1 (= 1",
            "a1, b1",
            "${x}",
            "a1 [amd64]",
        ] {
            assert!(relation(bad).is_err(), "{bad}");
        }
    }
}
