//! Which of two versions is the older, as dpkg sees it (Debian policy 5.6.12, without epochs).

use std::cmp::Ordering;

/// Compares two versions of upstream's.
#[must_use]
pub fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let words = part(&mut one, |letter| !letter.is_ascii_digit());
        let others = part(&mut other, |letter| !letter.is_ascii_digit());
        let numbers = part(&mut one, |letter| letter.is_ascii_digit());
        let other_numbers = part(&mut other, |letter| letter.is_ascii_digit());
        let order =
            compare_words(words, others).then_with(|| compare_numbers(numbers, other_numbers));
        if order != Ordering::Equal || (one.is_empty() && other.is_empty()) {
            return order;
        }
    }
}

/// Takes what belongs to the part off the front of `text`.
fn part<'a>(text: &mut &'a str, belongs: impl Fn(char) -> bool) -> &'a str {
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    taken
}

/// Letters stand before everything else but `~`, which stands before even the end.
fn compare_words(one: &str, other: &str) -> Ordering {
    let weight = |letter: Option<char>| match letter {
        Some('~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i64::from(u32::from(letter)),
        Some(letter) => i64::from(u32::from(letter)) + 256,
    };
    let (mut one, mut other) = (one.chars(), other.chars());
    loop {
        let (left, right) = (one.next(), other.next());
        let order = weight(left).cmp(&weight(right));
        if order != Ordering::Equal || left.is_none() {
            return order;
        }
    }
}

fn compare_numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::compare;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        for (older, newer) in [
            ("1.0-1133", "1.0-1189"),
            ("2.3-38", "2.3-307-g4bb0aead1"),
            ("2.0.9779", "2.0.11031"),
            ("13.0.6~rc1", "13.0.6"),
            ("1.0", "1.0.1"),
            ("1.0", "1.0a"),
            ("1.9", "1.10"),
            ("1.2a", "1.2-3"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
        }
        assert_eq!(compare("1.02", "1.2"), Ordering::Equal);
    }
}
