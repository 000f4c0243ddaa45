//! Just enough XML for XMPP: one element at a time from a growing buffer.
//!
//! XMPP forbids document types, processing instructions and comments (RFC 6120, 11.1), so a small
//! reader is enough. It is tolerant on purpose: what it cannot make sense of it keeps as text, and
//! `raw` always holds what the server really said, for the messages of failing tests.

/// An element as it stood on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// The name as written, prefix included.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// The text directly inside, all pieces joined.
    pub text: String,
    /// The bytes from `<` to `>`.
    pub raw: String,
}

impl Element {
    /// The name without its prefix.
    pub fn local(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first direct child of this local name.
    pub fn child(&self, local: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.local() == local)
    }

    /// The first element of this local name at any depth, itself included.
    pub fn find(&self, local: &str) -> Option<&Element> {
        if self.local() == local {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(local))
    }

    /// All elements of this local name at any depth.
    pub fn find_all(&self, local: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        if self.local() == local {
            found.push(self);
        }
        for child in &self.children {
            found.extend(child.find_all(local));
        }
        found
    }
}

/// What the front of a buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// An element and the number of bytes it took, leading blanks included. The closing tag of a
    /// stream comes as an element named `/stream:stream`.
    Whole(Element, usize),
    /// More bytes are needed.
    Partial,
}

/// Reads the first element, with everything inside it.
pub fn read_element(input: &[u8]) -> Reading {
    let mut open: Vec<(Element, usize)> = Vec::new();
    let mut at = 0;
    loop {
        let Some(text_end) = position(input, at, b"<") else {
            return Reading::Partial;
        };
        if let Some((top, _)) = open.last_mut() {
            top.text.push_str(&unescape(&lossy(&input[at..text_end])));
        }
        let Some(tag_end) = tag_end(input, text_end) else {
            return Reading::Partial;
        };
        at = tag_end;
        let tag = &input[text_end..tag_end];
        let finished = if tag.starts_with(b"<?") || tag.starts_with(b"<!") {
            None
        } else if tag.starts_with(b"</") {
            match open.pop() {
                Some((mut element, start)) => {
                    element.raw = lossy(&input[start..tag_end]);
                    Some(element)
                }
                None => Some(start_tag(tag)),
            }
        } else if tag.ends_with(b"/>") {
            Some(start_tag(tag))
        } else {
            open.push((start_tag(tag), text_end));
            None
        };
        if let Some(element) = finished {
            match open.last_mut() {
                Some((parent, _)) => parent.children.push(element),
                None => return Reading::Whole(element, tag_end),
            }
        }
    }
}

/// Reads a start tag alone, as a stream header is never closed while the stream lives.
pub fn read_header(input: &[u8]) -> Reading {
    let mut at = 0;
    loop {
        let Some(start) = position(input, at, b"<") else {
            return Reading::Partial;
        };
        let Some(end) = tag_end(input, start) else {
            return Reading::Partial;
        };
        if !input[start..end].starts_with(b"<?") {
            return Reading::Whole(start_tag(&input[start..end]), end);
        }
        at = end;
    }
}

/// All elements of a text that is already whole.
pub fn read_all(input: &[u8]) -> Vec<Element> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Reading::Whole(element, used) = read_element(&input[at..]) {
        found.push(element);
        at += used;
    }
    found
}

/// Text made fit to stand in an attribute or in an element.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(';').unwrap_or(0);
        match entity(rest.get(1..end).unwrap_or_default()) {
            Some(letter) => {
                plain.push(letter);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn position(input: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let rest = input.get(from..)?;
    let found = rest.windows(wanted.len()).position(|part| part == wanted);
    found.map(|at| from + at)
}

/// Where the tag that starts at `from` ends; a `>` between quotes does not count.
fn tag_end(input: &[u8], from: usize) -> Option<usize> {
    if input[from..].starts_with(b"<!--") {
        return position(input, from, b"-->").map(|at| at + 3);
    }
    let mut quote = None;
    for (at, &byte) in input.iter().enumerate().skip(from) {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if byte == b'>' => return Some(at + 1),
            None => {}
        }
    }
    None
}

fn start_tag(tag: &[u8]) -> Element {
    let raw = lossy(tag);
    let inner = raw.trim_start_matches('<').trim_end_matches('>');
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let name_end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    let (name, mut rest) = inner.split_at(name_end);
    let mut attributes = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            break;
        };
        let Some((value, left)) = after[1..].split_once(quote) else {
            break;
        };
        attributes.push((key.trim().to_owned(), unescape(value)));
        rest = left;
    }
    Element {
        name: name.to_owned(),
        attributes,
        raw,
        ..Element::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_with_its_children_and_the_rest_is_left() {
        let input = b" <iq id='a&amp;b' to=\"x>y\"><q xmlns='n'>1 &lt; 2</q><e/></iq><next/>";
        let Reading::Whole(iq, used) = read_element(input) else {
            panic!("should be whole");
        };
        assert_eq!(&input[used..], b"<next/>");
        assert_eq!(iq.attribute("id"), Some("a&b"));
        assert_eq!(iq.attribute("to"), Some("x>y"));
        assert_eq!(iq.child("q").map(|q| q.text.as_str()), Some("1 < 2"));
        assert!(iq.child("e").is_some());
        assert!(iq.raw.ends_with("</iq>"));
    }

    #[test]
    fn every_shorter_front_is_partial_and_none_is_trouble() {
        let whole = "<a b='c'><!-- > --><d>é&#233;&bad;</d></a>".as_bytes();
        for end in 0..whole.len() {
            assert_eq!(read_element(&whole[..end]), Reading::Partial, "{end}");
        }
        let Reading::Whole(a, _) = read_element(whole) else {
            panic!("should be whole");
        };
        assert_eq!(a.child("d").map(|d| d.text.as_str()), Some("éé&bad;"));
    }

    #[test]
    fn a_stream_header_is_read_alone() {
        let input = b"<?xml version='1.0'?><stream:stream id='1'><stream:features/>";
        let Reading::Whole(header, used) = read_header(input) else {
            panic!("should be whole");
        };
        assert_eq!(header.name, "stream:stream");
        assert_eq!(&input[used..], b"<stream:features/>");
        assert_eq!(read_all(b"</stream:stream>")[0].name, "/stream:stream");
    }
}
