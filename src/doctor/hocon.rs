//! As much HOCON as the files of Jicofo and the bridge need: every plain value by its whole path.
//! Lists, includes and braces that open and close on one line are passed over.

use std::collections::BTreeMap;

/// Values by their path, as `jicofo.bridge.brewery-jid`.
pub(super) fn values(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut rest = uncommented(line).trim();
        while let Some(inner) = rest.strip_prefix('}') {
            path.pop();
            rest = inner.trim_start_matches([',', ' ', '\t']);
        }
        if let Some(key) = rest.strip_suffix('{') {
            path.push(name(key.trim_end().trim_end_matches(['=', ':'])));
        } else if let Some((key, value)) = rest.split_once(['=', ':'])
            && !rest.contains('{')
        {
            let mut whole = path.clone();
            whole.push(name(key));
            let value = value.trim().trim_end_matches(',').trim_matches('"');
            found.insert(whole.join("."), value.to_owned());
        }
    }
    found
}

fn name(key: &str) -> String {
    key.trim().trim_matches('"').to_owned()
}

/// The line up to a comment that is not inside a string.
fn uncommented(line: &str) -> &str {
    let mut in_string = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            '"' if before != '\\' => in_string = !in_string,
            '#' if !in_string => return &line[..at],
            '/' if !in_string && before == '/' => return &line[..at - 1],
            _ => {}
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_whole_path() {
        let read = values(
            "# a { b\na {\n  b.c {\n    d = \"x#y\" # no\n  }\n  e: true\n}\nf.g = 7 // h\nl = [\n \"one\"\n]\n\
             m { n = 1 }\n{ o = 2 }\np = 3",
        );
        assert_eq!(read.get("a.b.c.d").map(String::as_str), Some("x#y"));
        assert_eq!(read.get("a.e").map(String::as_str), Some("true"));
        assert_eq!(read.get("f.g").map(String::as_str), Some("7"));
        assert_eq!(read.get("p").map(String::as_str), Some("3"));
    }
}
