//! What the search finds: every word of a login, an address and a name by its beginning. `ann`
//! finds `ann.smith`, `jo.ann@example.org` and `Mary Ann`; `example.org` finds its addresses.

/// The longest beginning that is kept; more is not looked at.
pub(super) const LONGEST: usize = 40;
/// The most words of one account.
const MOST: usize = 24;

/// The text in which a search looks for ` word`: login, address and name in lower case.
pub(super) fn search_text(login: &str, email: Option<&str>, name: &str) -> String {
    let mut out = String::new();
    for word in words(login, email, name) {
        out.push(' ');
        out.push_str(&word);
    }
    out
}

/// The words of an account: from each place where a word begins to the end of the login, of the
/// address or of the word in the name; those that begin another one aside.
pub(super) fn words(login: &str, email: Option<&str>, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (login, email, name) = (
        login.to_lowercase(),
        email.unwrap_or_default().to_lowercase(),
        name.to_lowercase(),
    );
    for text in [email.as_str(), login.as_str()]
        .into_iter()
        .chain(name.split_whitespace())
    {
        // A top-level domain by itself finds too many to be worth a row.
        let end = text.rfind('.').filter(|_| text.contains('@'));
        for start in starts(text) {
            if end.is_some_and(|end| start > end) {
                continue;
            }
            let word: String = text[start..].chars().take(LONGEST).collect();
            if !found.iter().any(|other| other.starts_with(&word)) {
                found.push(word);
            }
        }
    }
    found.truncate(MOST);
    found
}

/// The words of a search, in lower case: what stands between spaces.
pub(super) fn terms(text: &str) -> Vec<String> {
    let mut terms: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(|term| !term.is_empty())
        .map(|term| term.to_lowercase().chars().take(LONGEST).collect())
        .collect();
    terms.truncate(8);
    terms
}

/// Where words begin: at letters and digits after something else.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut before = false;
    text.char_indices().filter_map(move |(at, c)| {
        let is_word = c.is_alphanumeric();
        let starts = (is_word && !before) || at == 0;
        before = is_word;
        starts.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_account() {
        assert_eq!(
            words("ann", Some("Ann.Smith@mail.example.org"), "Ann Smith"),
            [
                "ann.smith@mail.example.org",
                "smith@mail.example.org",
                "mail.example.org",
                "example.org"
            ]
        );
        assert_eq!(
            words("ben", None, "Benoît d'Été"),
            ["ben", "benoît", "d'été", "été"]
        );
        assert_eq!(words("", None, "  "), Vec::<String>::new());
        assert_eq!(search_text("ben", None, "Ben X"), " ben x");
    }

    #[test]
    fn words_are_bounded() {
        let long = "é.".repeat(4000);
        let found = words(&long, Some(&long), &long);
        assert!(found.len() <= MOST);
        assert!(found.iter().all(|word| word.chars().count() <= LONGEST));
        assert_eq!(terms("  Ann\tSMITH \u{0} "), ["ann", "smith"]);
        assert!(terms(&"a ".repeat(100)).len() <= 8);
    }
}
