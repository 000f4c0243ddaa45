//! As much XML as Prosody writes; nothing is judged here.

/// The start tag of the first element of this name.
pub(super) fn start_tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let open = format!("<{name}");
    let start = text.match_indices(&open).map(|(at, _)| at).find(|at| {
        let after = text[at + open.len()..].chars().next();
        after.is_some_and(|c| c.is_whitespace() || matches!(c, '/' | '>'))
    })?;
    let end = text[start..].find('>')?;
    Some(&text[start..=start + end])
}

/// All elements of this name, none of which stands inside another.
pub(super) fn elements<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let (mut found, mut rest) = (Vec::new(), text);
    let close = format!("</{name}>");
    while let Some(tag) = start_tag(rest, name) {
        let start = tag.as_ptr() as usize - rest.as_ptr() as usize;
        let length = if tag.ends_with("/>") {
            tag.len()
        } else {
            match rest[start..].find(&close) {
                Some(end) => end + close.len(),
                None => break,
            }
        };
        found.push(&rest[start..start + length]);
        rest = &rest[start + length..];
    }
    found
}

/// The text of an element.
pub(super) fn inner(element: &str) -> String {
    let text = element.split_once('>').map_or("", |(_, rest)| rest);
    text.split('<').next().unwrap_or_default().to_owned()
}

/// An attribute of a tag.
pub(super) fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let rest = tag.split_once(&format!(" {name}={quote}"))?.1;
        rest.split(quote).next()
    })
}

/// The condition in the first `<failure/>` or `<error/>`.
pub(super) fn condition(text: &str) -> Option<String> {
    let holder = ["failure", "stream:error", "error"]
        .into_iter()
        .find_map(|name| elements(text, name).first().copied())?;
    let inside = holder.split_once('>')?.1;
    let tag = inside.split_once('<')?.1;
    let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))?;
    Some(tag[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_xml_as_prosody_writes_is_read() {
        let text = "<body sid='a' type='x'><presence from='R@c/d' type='error'><error type='cancel'>\
                    <not-allowed xmlns='n'/></error></presence><presence from='r@c/d'/></body>";
        assert_eq!(
            attribute(start_tag(text, "body").unwrap(), "sid"),
            Some("a")
        );
        assert_eq!(elements(text, "presence").len(), 2);
        assert_eq!(condition(text).as_deref(), Some("not-allowed"));
        assert_eq!(condition("<iq/>"), None);
        assert_eq!(inner("<mechanism>ANONYMOUS</mechanism>"), "ANONYMOUS");
        for odd in ["<", "<body", "<presence>", "<failure>", "<error><"] {
            assert!(elements(odd, "presence").is_empty());
            assert_eq!(condition(odd), None);
        }
    }
}
