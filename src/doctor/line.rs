//! A line of a log: what of it may be shown, and whether it holds a token.

/// A line of a log as it may be shown: short, and without tokens.
pub(super) fn shown(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        if word.contains("eyJ") {
            "(token)"
        } else {
            word
        }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(160).collect()
}

/// Is there a token (`eyJ….….…`) in this line?
pub(super) fn has_token(line: &str) -> bool {
    let of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices("eyJ").any(|(at, _)| {
        let mut parts = line[at..].split('.');
        let mut long = |least: usize| {
            parts.next().is_some_and(|part| {
                let length = part.chars().take_while(|c| of_token(*c)).count();
                length >= least
            })
        };
        long(10) && long(4) && long(4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_and_not_shown() {
        let line = "GET /x?token=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln HTTP/1.1";
        assert!(has_token(line));
        assert_eq!(shown(line), "GET (token) HTTP/1.1");
        assert!(!has_token("eyJ is how tokens begin. So what. Fine."));
    }
}
