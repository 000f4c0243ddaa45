//! The forms that the words of a catalogue have.

use super::Notes;
use crate::name::excerpt;
use crate::package::PackagePath;
use crate::package::catalogue::Place;

/// What a word for a build may hold in braces.
pub(super) const BUILD_WORDS: &[&str] =
    &["{version}", "{dest}", "{lib}", "{lua}", "{man}", "{doc}"];

/// Folders at the top of a server that a package may put something into.
const TOPS: &[&str] = &["etc", "opt", "srv", "usr", "var"];

/// A name that both families take for a package.
pub(super) fn is_package(text: &str) -> bool {
    let is_of_name =
        |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "+-.".contains(one);
    let begins = text.starts_with(|one: char| one.is_ascii_lowercase() || one.is_ascii_digit());
    begins && (2..=64).contains(&text.len()) && text.chars().all(is_of_name)
}

/// A version that both families can carry.
pub(super) fn is_version(text: &str) -> bool {
    let is_of_version = |one: char| one.is_ascii_alphanumeric() || ".+~-_".contains(one);
    let begins = text.starts_with(|one: char| one.is_ascii_digit());
    begins && text.len() <= 64 && text.chars().all(is_of_version)
}

/// A file's name as it can stand in a shell, a list and a URL without further thought.
pub(super) fn is_file(text: &str) -> bool {
    let is_of_name = |one: char| one.is_ascii_alphanumeric() || "._+~-".contains(one);
    let begins = text.starts_with(|one: char| one.is_ascii_alphanumeric());
    begins && text.len() <= 128 && text.chars().all(is_of_name)
}

/// An `https://` address without a user, a space or a control character.
pub(super) fn is_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_of_host = |one: char| one.is_ascii_alphanumeric() || "-.:[]".contains(one);
    let is_of_address = |one: char| one.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(one);
    host.contains('.')
        && host.chars().all(is_of_host)
        && rest.chars().all(is_of_address)
        && text.len() <= 500
}

pub(super) fn is_account(text: &str) -> bool {
    let is_of_name =
        |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-_".contains(one);
    let begins = text.starts_with(|one: char| one.is_ascii_lowercase());
    begins && text.len() <= 32 && text.chars().all(is_of_name)
}

pub(super) fn is_absolute(text: &str) -> bool {
    let rest = text.strip_prefix('/');
    rest.is_some_and(|rest| PackagePath::parse(rest).is_ok() && is_word(rest))
}

/// A path as it can stand in a list or a script without further thought: no part of it would be taken
/// for an option or for somebody's home.
pub(super) fn is_word(text: &str) -> bool {
    let is_of_word = |one: char| one.is_ascii_alphanumeric() || "._+~-/@".contains(one);
    let is_plain = |part: &str| !part.starts_with(['-', '~']);
    !text.is_empty() && text.chars().all(is_of_word) && text.split('/').all(is_plain)
}

/// One relation as `Depends` has it.
pub(super) fn is_relation(text: &str) -> bool {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let bare = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let is_bound = |text: &str| {
        let Some((sign, version)) = text.split_once(' ') else {
            return false;
        };
        ["<<", "<=", "=", ">=", ">>"].contains(&sign) && is_version(version)
    };
    let name = name.strip_suffix(":any").unwrap_or(name);
    is_package(name) && (rest.is_empty() || bare.is_some_and(is_bound))
}

pub(super) fn wrong_summary(text: &str) -> Option<&'static str> {
    if text.trim() != text || text.is_empty() {
        Some("empty, or with a space at an end")
    } else if text.chars().count() > 60 {
        Some("too long")
    } else if text.chars().any(char::is_control) {
        Some("a control character is in it")
    } else if text.ends_with('.') {
        Some("it ends with a full stop")
    } else {
        None
    }
}

/// Puts a stand-in where `{version}` is; nothing else may be in braces.
fn filled(text: &str) -> Result<String, String> {
    let text = text.replace("{version}", "1.0");
    if text.contains(['{', '}']) {
        return Err("something else than `{version}` is in braces".to_owned());
    }
    Ok(text)
}

/// Is that a path in a package, after `{version}` is filled in?
pub(super) fn in_package(text: &str) -> Result<(), String> {
    let path = filled(text)?;
    let say = |why: &str| format!("`{}`: {why}", excerpt(text));
    let path = PackagePath::parse(&path).map_err(|error| error.to_string())?;
    let top = path.as_str().split('/').next().unwrap_or_default();
    if !TOPS.contains(&top) || path.parent().is_none() {
        return Err(say("it is not below etc, opt, srv, usr or var"));
    }
    if !is_word(path.as_str()) {
        return Err(say("it has other signs than letters, digits and `._+~-@`"));
    }
    Ok(())
}

/// Does a link lead out of the root?
pub(super) fn wrong_target(path: &str, target: &str) -> Option<String> {
    let target = match filled(target) {
        Ok(target) => target,
        Err(why) => return Some(why),
    };
    if !is_word(&target) {
        return Some("empty, or with other signs than letters, digits and `._+~-@/`".to_owned());
    }
    let mut depth = if target.starts_with('/') {
        0
    } else {
        path.matches('/').count()
    };
    for part in target.split('/') {
        match part {
            ".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return Some("it leads out of the root".to_owned()),
            },
            "" | "." => {}
            _ => depth += 1,
        }
    }
    None
}

pub(super) fn wrong_build_word(word: &str) -> Option<String> {
    let mut rest = word.to_owned();
    for known in BUILD_WORDS {
        rest = rest.replace(known, "");
    }
    if rest.contains(['{', '}']) {
        return Some(format!(
            "`{}` has something unknown in braces",
            excerpt(word)
        ));
    }
    let is_bad = word.is_empty() || word.chars().any(char::is_control);
    is_bad.then(|| "a word is empty, or has a control character in it".to_owned())
}

/// The places of a piece or of one of its releases.
pub(super) fn check_places(key: &str, places: &[Place], notes: &mut Notes) {
    for (index, place) in places.iter().enumerate() {
        let from = filled(&place.from);
        let from_is_path = from
            .as_ref()
            .is_ok_and(|from| from == "." || (PackagePath::parse(from).is_ok() && is_word(from)));
        if !from_is_path {
            let why = format!("`{}` is no path in an archive", excerpt(&place.from));
            notes.add(
                &format!("{key}.from"),
                why,
                "write one, with `{version}` where it is",
            );
        }
        if let Err(why) = in_package(&place.to) {
            notes.add(
                &format!("{key}.to"),
                why,
                "write a path like `usr/share/NAME`",
            );
        }
        if places.iter().take(index).any(|other| other.to == place.to) {
            let why = format!("`{}` is there twice", excerpt(&place.to));
            notes.add(&format!("{key}.to"), why, "leave one out");
        }
        if place
            .mode
            .is_some_and(|mode| mode & !0o755 != 0 || mode & 0o400 == 0)
        {
            notes.add(
                &format!("{key}.mode"),
                "others could write to it, or nobody could read it",
                "write 0o644 or 0o755",
            );
        }
    }
}
