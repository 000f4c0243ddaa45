//! As much Lua as a Prosody configuration of ours needs: sections and their options. It is
//! tolerant: what it does not understand it passes over, and an option that it missed is reported
//! as missing rather than as right.

use std::collections::BTreeMap;

/// `VirtualHost` or `Component`, or the global section, which has no name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// The host; empty for the global section.
    pub(super) name: String,
    /// A component's module.
    pub(super) module: String,
    options: BTreeMap<String, Vec<String>>,
}

impl Section {
    /// The only value of an option, as `true` or `jitsi-anonymous`.
    pub(super) fn one(&self, option: &str) -> Option<&str> {
        match self.options.get(option)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// All strings of an option's table.
    pub(super) fn all(&self, option: &str) -> &[String] {
        self.options.get(option).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has(&self, option: &str, value: &str) -> bool {
        self.all(option).iter().any(|one| one == value)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("--") {
            rest = after.find('\n').map_or("", |end| &after[end..]);
        } else if c == '"' || c == '\'' {
            let (string, used) = string(&rest[1..], c);
            found.push(Token::Text(string));
            rest = &rest[1 + used..];
        } else if c.is_alphanumeric() || c == '_' {
            let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'));
            let end = rest.find(ends).unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() {
                found.push(Token::Sign(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

/// A string's value and how many bytes it took, the closing quote included.
fn string(text: &str, quote: char) -> (String, usize) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            c if c == quote => return (value, at + c.len_utf8()),
            c => value.push(c),
        }
    }
    (value, text.len())
}

/// The sections of a configuration, the global one first.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let tokens = tokens(text);
    let mut sections = vec![Section::default()];
    let mut depth = 0_i32;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [Token::Word(word), Token::Text(name), ..]
                if depth == 0 && matches!(word.as_str(), "VirtualHost" | "Component") =>
            {
                let module = match (word.as_str(), tokens.get(at + 2)) {
                    ("Component", Some(Token::Text(module))) => module.clone(),
                    _ => String::new(),
                };
                at += if module.is_empty() { 2 } else { 3 };
                sections.push(Section {
                    name: name.clone(),
                    module,
                    options: BTreeMap::new(),
                });
                continue;
            }
            [Token::Word(option), Token::Sign('='), value, ..]
                if depth == 0 && *value != Token::Sign('=') =>
            {
                let (values, used) = value_of(&tokens[at + 2..]);
                if let Some(section) = sections.last_mut() {
                    section.options.insert(option.clone(), values);
                }
                at += 2 + used;
                continue;
            }
            [Token::Sign('{' | '('), ..] => depth += 1,
            [Token::Sign('}' | ')'), ..] => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    sections
}

/// The strings and words of a value, flat, and how many tokens it took.
fn value_of(tokens: &[Token]) -> (Vec<String>, usize) {
    let mut values = Vec::new();
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            Token::Text(text) | Token::Word(text) => values.push(text.clone()),
            Token::Sign(_) => {}
        }
        if depth == 0 {
            return (values, at + 1);
        }
    }
    (values, tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_options_are_read() {
        let text = "admins = { }\nlocal function f(line)\n return (line:gsub(\"a\", \"b\"))\nend\n\
            -- authentication = \"x\"\nVirtualHost \"a\"\n  authentication = \"token\" -- why\n\
            \tmodules_enabled = { \"bosh\"; 'smacks', }\n  ssl = { key = \"/k\"; certificate = \"/c\" }\n\
            Component \"c.a\" \"muc\"\n  restrict_room_creation = true\nComponent 'x' \"y\"\n";
        let read = sections(text);
        let names: Vec<_> = read
            .iter()
            .map(|one| (one.name.as_str(), one.module.as_str()))
            .collect();
        assert_eq!(names, [("", ""), ("a", ""), ("c.a", "muc"), ("x", "y")]);
        assert_eq!(read[1].one("authentication"), Some("token"));
        assert!(read[1].has("modules_enabled", "smacks"));
        assert_eq!(read[2].one("restrict_room_creation"), Some("true"));
        assert_eq!(read[0].one("authentication"), None);
    }

    #[test]
    fn what_is_no_lua_does_no_harm() {
        for text in ["\"", "x = {", "x = = =", "Component", "-- ", "'\\", "é=ü"] {
            let _ = sections(text);
        }
    }
}
