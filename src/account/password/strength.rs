//! Whether a new password is good enough: how many tries it would take somebody who begins with
//! what people choose.
//!
//! The password is laid out with tiles, in the cheapest way there is: a word of the list (also
//! with digits and signs for letters), a word known of the owner or the site, a year or date, a
//! run of neighbours on the keyboard or in the alphabet, a repetition of what stands before it, or
//! single characters. Each tile costs about as many bits as there are of its kind. So `Summer2024!`
//! and `P@ssw0rd123` fall, and three words or ten characters of chance stand. The list is our own,
//! of words that people like; a list of breached passwords can be added by the settings.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::LONGEST;

/// Bits that a password must have.
const ENOUGH: u32 = 28;
/// Characters that are looked at; more than that is enough by itself unless it repeats.
const LOOKED_AT: usize = 128;

/// Costs of tiles in bits.
const WORD: u32 = 11;
const KNOWN: u32 = 3;
const DATE: u32 = 7;
const RUN: u32 = 6;
const AGAIN: u32 = 2;

/// Words by their first letter.
static WORDS: LazyLock<HashMap<char, Vec<&'static str>>> = LazyLock::new(|| {
    let mut words: HashMap<char, Vec<&'static str>> = HashMap::new();
    for word in include_str!("common.txt").split_ascii_whitespace() {
        if let Some(first) = word.chars().next() {
            words.entry(first).or_default().push(word);
        }
    }
    words
});

/// Neighbours: rows of keyboards (also slantwise) and the alphabet, each read both ways.
const RUNS: [&str; 16] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "!@#$%^&*()_+",
    "!\"§$%&/()=?",
];

/// Which rule a password breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than the site asks for.
    #[error("has fewer than {minimum} characters")]
    Short {
        /// How many it asks for.
        minimum: usize,
    },
    /// More than 1024 bytes.
    #[error("has more than {LONGEST} bytes")]
    Long,
    /// Among the first that anybody would try.
    #[error("is easily guessed")]
    Common,
    /// Little more than the name of the site or of its owner.
    #[error("is little more than a name")]
    Context,
    /// On the list of breached passwords.
    #[error("is known from a breach")]
    Breached,
}

impl Weak {
    /// The key of its text in the catalogues; `password.short` takes the value `minimum`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Short { .. } => "password.short",
            Self::Long => "password.long",
            Self::Common => "password.common",
            Self::Context => "password.context",
            Self::Breached => "password.breached",
        }
    }
}

/// Judges a password; `context` are names of the site and of the owner, addresses taken apart.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(password: &str, minimum: usize, context: &[&str]) -> Result<(), Weak> {
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    if password.chars().count() < minimum {
        return Err(Weak::Short { minimum });
    }
    let text: Vec<char> = password
        .chars()
        .take(LOOKED_AT)
        .flat_map(char::to_lowercase)
        .collect();
    if bits(&text, &[]) < ENOUGH {
        return Err(Weak::Common);
    }
    let known: Vec<String> = context.iter().flat_map(|text| pieces(text)).collect();
    if bits(&text, &known) < ENOUGH {
        return Err(Weak::Context);
    }
    Ok(())
}

/// A name as a whole, without blanks, and its parts: of three characters and more.
fn pieces(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let parts = text.split(|c: char| !c.is_alphanumeric()).map(String::from);
    let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut pieces: Vec<String> = parts.chain([joined, text.clone()]).collect();
    pieces.retain(|piece| piece.chars().count() >= 3);
    pieces
}

/// The cheapest way to lay out a text.
fn bits(text: &[char], known: &[String]) -> u32 {
    // The cost of everything before each place.
    let mut costs = vec![u32::MAX; text.len() + 1];
    costs[0] = 0;
    for at in 0..text.len() {
        let (rest, so_far) = (&text[at..], costs[at]);
        let mut tile = |len: usize, cost: u32| {
            let cost = so_far.saturating_add(cost);
            costs[at + len] = costs[at + len].min(cost);
        };
        tile(1, single(text, at));
        for word in known {
            if let Some(len) = begins_with(rest, word) {
                tile(len, KNOWN);
            }
        }
        for first in letters(rest[0]) {
            for word in WORDS.get(&first).map_or(&[][..], Vec::as_slice) {
                if let Some(len) = begins_with(rest, word) {
                    tile(len, WORD);
                }
            }
        }
        for len in [8, 6, 4].into_iter().filter(|len| is_date(rest, *len)) {
            tile(len, DATE);
        }
        for len in 3..=run(rest) {
            tile(len, RUN);
        }
        for len in 1..=at.min(rest.len()) {
            if text[at - len..at] == rest[..len] {
                tile(len, AGAIN);
            }
        }
    }
    costs[text.len()]
}

/// A character by itself.
fn single(text: &[char], at: usize) -> u32 {
    match text[at] {
        c if at > 0 && text[at - 1] == c => 1,
        '0'..='9' => 3,
        'a'..='z' => 5,
        // Most often one at the end.
        '!' | '.' | '?' | '*' | '#' | '$' | '@' | '-' | '_' | ' ' => 4,
        c if c.is_ascii() => 6,
        _ => 7,
    }
}

/// The letters that a character may stand for, itself first.
fn letters(c: char) -> impl Iterator<Item = char> {
    let others = match c {
        '0' => "o",
        '1' | '!' | '|' => "il",
        '3' | '€' => "e",
        '4' | '@' => "a",
        '5' | '$' => "s",
        '6' | '9' => "g",
        '7' | '+' => "t",
        '8' => "b",
        '2' => "z",
        _ => "",
    };
    [c].into_iter().chain(others.chars())
}

/// How many characters a word takes at the beginning of a text, when it is there.
fn begins_with(text: &[char], word: &str) -> Option<usize> {
    let mut len = 0;
    for letter in word.chars() {
        let c = *text.get(len)?;
        if c != letter && !letters(c).any(|other| other == letter) {
            return None;
        }
        len += 1;
    }
    Some(len)
}

/// A year, or a date in digits in some order.
fn is_date(text: &[char], len: usize) -> bool {
    let Some(digits) = text.get(..len) else {
        return false;
    };
    let number = |range: std::ops::Range<usize>| {
        let mut digits = digits[range].iter().map(|c| c.to_digit(10));
        digits.try_fold(0, |number, digit| Some(number * 10 + digit?))
    };
    let year = |at| number(at..at + 4).is_some_and(|n| (1900..=2059).contains(&n));
    let day_month = |at| {
        let (a, b) = (number(at..at + 2), number(at + 2..at + 4));
        let (Some(a), Some(b)) = (a, b) else {
            return false;
        };
        (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12
    };
    match len {
        4 => year(0) || day_month(0),
        6 => (day_month(0) && number(4..6).is_some()) || (number(0..2).is_some() && day_month(2)),
        _ => (day_month(0) && year(4)) || (year(0) && day_month(4)),
    }
}

/// How many characters from the start are neighbours of one row, forth or back.
fn run(text: &[char]) -> usize {
    let along = |row: &[char]| {
        let starts = row.iter().enumerate().filter(|(_, c)| **c == text[0]);
        let lens = starts.map(|(at, _)| {
            let pairs = row[at..].iter().zip(text);
            pairs.take_while(|(a, b)| a == b).count()
        });
        lens.max().unwrap_or(0)
    };
    let lens = RUNS.iter().flat_map(|row| {
        let row: Vec<char> = row.chars().collect();
        let back: Vec<char> = row.iter().rev().copied().collect();
        [along(&row), along(&back)]
    });
    lens.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_chooses_falls() {
        for password in [
            "password123",
            "Password123!",
            "P@ssw0rd2024",
            "passwordpassword",
            "1234567890",
            "0987654321",
            "qwertyuiop",
            "1q2w3e4r5t",
            "1qaz2wsx3edc",
            "!QAZ2wsx#EDC",
            "zaq12wsxcde3",
            "asdfghjkl123",
            "aaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabc",
            "abc123abc123",
            "iloveyou123",
            "Summer2024!",
            "Sommer2023!!",
            "Welkom01!!",
            "Willkommen1",
            "trustno1trustno1",
            "letmein2022",
            "football99",
            "jennifer1987",
            "michael12345",
            "31121999anna",
            "01.01.1990",
            "liverpool1892",
            "manchester1",
            "administrator",
            "administrator1",
            "superman2000!",
            "changeme123",
            "sunshinemonkey1",
            "qwerty123456",
            "q1w2e3r4t5y6",
            "11111111111",
            "12344321123",
            "123123123123",
            "1111111111a",
            "dragonball1",
            "pokemon2016",
            "starwars1977",
            "monkey1234!",
        ] {
            assert_eq!(judge(password, 8, &[]), Err(Weak::Common), "{password}");
        }
    }

    #[test]
    fn what_is_hard_to_guess_stands() {
        for password in [
            "correct-mule-battery-lamp",
            "vF7#kq2Lw9",
            "xkqzvtwpma",
            "ik fiets elke dag naar zee",
            "drie blauwe olifanten",
            "Wir trinken nie Tee im Bad",
            "gr8 Tundra Violas",
            "名前は秘密です今日",
            "🐴🔋📎✅🎲🎲🐙🦀",
            "8c1f-22e0-9ab4",
            "    leading and trailing    ",
            "ein Hund und 3 Flöhe",
        ] {
            assert_eq!(
                judge(password, 8, &["ann", "Jitsi Meet"]),
                Ok(()),
                "{password}"
            );
        }
    }

    #[test]
    fn length_is_in_characters_and_bounded_in_bytes() {
        assert_eq!(judge("vF7#kq2", 8, &[]), Err(Weak::Short { minimum: 8 }));
        assert_eq!(judge("ükäöß7Q", 8, &[]), Err(Weak::Short { minimum: 8 }));
        let long: String = ('a'..='z').cycle().step_by(7).take(1024).collect();
        assert_ne!(judge(&long, 8, &[]), Err(Weak::Long));
        assert_eq!(judge(&(long + "x"), 8, &[]), Err(Weak::Long));
        assert_eq!(judge(&"\u{1f434}".repeat(1000), 8, &[]), Err(Weak::Long));
    }

    #[test]
    fn names_of_site_and_owner_count_little() {
        let context = ["Zwanzigfeld", "karoline.oberst@example.org", "Meeting Barn"];
        for password in [
            "zwanzigfeld2024",
            "Zw4nz1gfeld!",
            "KarolineOberst1!",
            "oberst.karoline",
            "karoline-example",
            "MeetingBarn2025",
            "zwanzigfeldzwanzigfeld",
        ] {
            let judged = judge(password, 8, &context);
            assert!(
                matches!(judged, Err(Weak::Context | Weak::Common)),
                "{password}"
            );
        }
        assert_eq!(judge("zwanzigfeld2024", 8, &context), Err(Weak::Context));
        assert_eq!(judge("zwanzigfeld rvtk 88 mole", 8, &context), Ok(()));
        // Short words of others say nothing.
        assert_eq!(judge("vF7#kq2Lw9", 8, &["f7", "kq", "", "-"]), Ok(()));
    }
}
