//! In which language a page is: the account's, else the one chosen before, else the best of what
//! the browser asks for, else the site's.

use axum::http::{HeaderMap, header};

/// The languages that pages and mails are in, with their own names.
pub const LANGUAGES: [(&str, &str); 5] = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("nl", "Nederlands"),
];

/// The language of a code, when it is one of ours; `de-AT` is `de`.
#[must_use]
pub fn known(code: &str) -> Option<&'static str> {
    let short = code.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES
        .iter()
        .map(|(code, _)| *code)
        .find(|code| code.eq_ignore_ascii_case(short))
}

/// What the browser likes best among ours (RFC 9110, section 12.5.4).
#[must_use]
pub fn asked(headers: &HeaderMap) -> Option<&'static str> {
    let line = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(f32, &'static str)> = None;
    for part in line.split(',').take(20) {
        let mut words = part.trim().split(';');
        let code = words.next().unwrap_or_default().trim();
        let weight = words
            .find_map(|word| word.trim().strip_prefix("q="))
            .map_or(Some(1.0), |q| q.parse::<f32>().ok());
        let (Some(code), Some(weight)) = (known(code), weight) else {
            continue;
        };
        if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, code));
        }
    }
    best.map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_asked() {
        let ask = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, line.parse().unwrap());
            asked(&headers)
        };
        assert_eq!(ask("de-AT,de;q=0.9,en;q=0.8"), Some("de"));
        assert_eq!(ask("pt, fr;q=0.3, nl;q=0.7"), Some("nl"));
        assert_eq!(ask("en;q=0, es"), Some("es"));
        assert_eq!(ask("pt"), None);
        assert_eq!(ask("de;q=x, *"), None);
        assert_eq!(known("FR_ca"), Some("fr"));
        assert_eq!(known("../../etc"), None);
    }
}
