//! The order of versions, as dpkg has it (deb-version(7)).

use std::cmp::Ordering;

/// Which of two versions is the newer one: epochs first, then upstream's versions, then revisions.
/// Text that is no version has its place in the order too.
#[must_use]
pub fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    order(one.0, other.0)
        .then_with(|| order(one.1, other.1))
        .then_with(|| order(one.2, other.2))
}

/// Epoch, upstream's version, revision.
fn parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Compares by turns what is no number and what is one.
fn order(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        loop {
            let (a, b) = (weight(one), weight(other));
            if a != b {
                return a.cmp(&b);
            }
            // Both are at a number, or at the end.
            if a == 0 {
                break;
            }
            (one, other) = (&one[1..], &other[1..]);
        }
        let (a, b) = (number(&mut one), number(&mut other));
        let both = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        if both != Ordering::Equal {
            return both;
        }
    }
    Ordering::Equal
}

/// The first character's place: `~` before the end, the end and numbers, letters, all others.
fn weight(text: &[u8]) -> i32 {
    match text.first() {
        None => 0,
        Some(b'~') => -1,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(*c) + 256,
    }
}

/// Takes a number off the beginning, and gives its digits without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order() {
        // Each older than the next.
        let sorted = [
            "~",
            "~1",
            "",
            "0.9~beta",
            "0.9",
            "1.0~rc1-1",
            "1.0-0.1",
            "1.0-1",
            "1.0-1133",
            "1.0a",
            "1.0+git",
            "1.0-1183-1",
            "1.0-1189-1",
            "1.0.1",
            "1.9",
            "1.10",
            "2.3-295-g8d5c0037b-1",
            "2.3-307-g4bb0aead1-1",
            "2.3.1",
            "1:0.1",
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(compare(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
        assert!(compare("1.0", "1.00").is_eq() && compare("1.0", "0:1.0-0").is_eq());
    }
}
