//! Text to a complete literal of one language; the rules are those of each language's own parser.

use std::io::{Error, ErrorKind, Result, Write};

/// Lua 5.1 to 5.4 string: everything but printable ASCII as decimal escapes of its bytes.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn lua(text: &str, out: &mut dyn Write) -> Result<()> {
    out.write_all(b"\"")?;
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.write_all(&[b'\\', byte])?,
            b' '..=b'~' => out.write_all(&[byte])?,
            _ => write!(out, "\\{byte:03}")?,
        }
    }
    out.write_all(b"\"")
}

/// HOCON quoted string: JSON's rules, so that `${…}` inside stays text.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn hocon(text: &str, out: &mut dyn Write) -> Result<()> {
    out.write_all(serde_json::Value::from(text).to_string().as_bytes())
}

/// JavaScript string that is also safe inside an HTML `<script>`.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn script(text: &str, out: &mut dyn Write) -> Result<()> {
    out.write_all(script_safe(&serde_json::Value::from(text).to_string()).as_bytes())
}

/// JSON text with every character escaped that could end a script or start a comment in HTML, or
/// that older JavaScript takes for the end of a line.
#[must_use]
pub fn script_safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            _ => safe.push(c),
        }
    }
    safe
}

fn is_bare(text: &str, extra: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

fn refuse(text: &str, language: &str) -> Error {
    Error::new(
        ErrorKind::InvalidData,
        format!(
            "{language} cannot carry the text `{}`",
            crate::name::excerpt(text)
        ),
    )
}

/// Control characters, and the code points that are no characters (Unicode 23.7), with which systemd
/// takes a whole line for damaged UTF-8.
fn is_unfit(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || matches!(code, 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

/// POSIX shell word: bare when plain, else in single quotes. systemd's `EnvironmentFile` reads
/// the same form.
///
/// # Errors
/// When the text has a control character, no character, or a single quote.
pub fn shell(text: &str, out: &mut dyn Write) -> Result<()> {
    if is_bare(text, "_./:@%+,=-") {
        return out.write_all(text.as_bytes());
    }
    if text.chars().any(is_unfit) || text.contains('\'') {
        // `'\''` is right for a shell, and wrong for `EnvironmentFile`.
        return Err(refuse(text, "an environment file"));
    }
    write!(out, "'{text}'")
}

/// A word of a systemd unit's setting: `%` doubled, quoted with C escapes when not plain.
///
/// # Errors
/// When the text has a control character, or no character.
pub fn systemd(text: &str, out: &mut dyn Write) -> Result<()> {
    if text.chars().any(is_unfit) {
        return Err(refuse(text, "a systemd unit"));
    }
    let doubled = text.replace('%', "%%").replace('$', "$$");
    if is_bare(text, "_./:@%+,=-") {
        return out.write_all(doubled.as_bytes());
    }
    write!(
        out,
        "\"{}\"",
        doubled.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// A value of a Java properties file or of sysctl.conf: one line, backslashes doubled. A blank at
/// its beginning, which Java would skip, gets one too.
///
/// # Errors
/// When the text has a control character or is not ASCII.
pub fn properties(text: &str, out: &mut dyn Write) -> Result<()> {
    if text.chars().any(char::is_control) || !text.is_ascii() {
        return Err(refuse(text, "a properties file"));
    }
    if text.starts_with(' ') {
        out.write_all(b"\\")?;
    }
    out.write_all(text.replace('\\', "\\\\").as_bytes())
}

/// TOML basic string (1.0, "String"): control characters as escapes of their code points.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn toml(text: &str, out: &mut dyn Write) -> Result<()> {
    out.write_all(b"\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c))?,
            c => write!(out, "{c}")?,
        }
    }
    out.write_all(b"\"")
}

/// An nginx argument: bare when plain, else in double quotes.
///
/// # Errors
/// When the text has a control character, or a `$`, for which nginx knows no escape.
pub fn nginx(text: &str, out: &mut dyn Write) -> Result<()> {
    if is_bare(text, "_./:@+*=-") {
        return out.write_all(text.as_bytes());
    }
    if text.contains('$') || text.chars().any(char::is_control) {
        return Err(refuse(text, "nginx"));
    }
    write!(
        out,
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// A Caddyfile token: bare when plain, else in double quotes, with `{` escaped so that it is no
/// placeholder.
///
/// # Errors
/// When the text has a control character, a backslash (which Caddyfile quotes keep in most
/// places) or a brace (a placeholder in some directives even when escaped).
pub fn caddyfile(text: &str, out: &mut dyn Write) -> Result<()> {
    if is_bare(text, "_./:@+*=-") {
        return out.write_all(text.as_bytes());
    }
    if text.contains(['\\', '{', '}']) || text.chars().any(char::is_control) {
        return Err(refuse(text, "a Caddyfile"));
    }
    write!(out, "\"{}\"", text.replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(escape: fn(&str, &mut dyn Write) -> Result<()>, text: &str) -> Option<String> {
        let mut out = Vec::new();
        escape(text, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_language_has_its_own_form() {
        assert_eq!(
            literal(lua, "a\"\\\n]]é").unwrap(),
            r#""a\"\\\010]]\195\169""#
        );
        assert_eq!(literal(hocon, "a\"${x}\n").unwrap(), r#""a\"${x}\n""#);
        assert_eq!(
            literal(script, "</script>&").unwrap(),
            "\"\\u003c/script\\u003e\\u0026\""
        );
        assert_eq!(literal(shell, "a b$(id)").unwrap(), "'a b$(id)'");
        assert_eq!(
            literal(systemd, "100% a$b \"").unwrap(),
            "\"100%% a$$b \\\"\""
        );
        assert_eq!(
            literal(toml, "a\"\\\n\u{85}é").unwrap(),
            r#""a\"\\\u000a\u0085é""#
        );
        assert_eq!(literal(nginx, "/etc/x.pem").unwrap(), "/etc/x.pem");
        assert_eq!(literal(nginx, "a b;}\"").unwrap(), "\"a b;}\\\"\"");
        assert_eq!(literal(caddyfile, "a b\"").unwrap(), "\"a b\\\"\"");
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        for (escape, text) in [
            (nginx as fn(&str, &mut dyn Write) -> Result<()>, "a$b"),
            (nginx, "a\nb"),
            (caddyfile, "{env.HOME}"),
            (caddyfile, "a\nb"),
            (shell, "a\nb"),
            (shell, "a'b"),
            (systemd, "a\nb"),
            (properties, "a\nb"),
        ] {
            assert!(literal(escape, text).is_none(), "{text:?}");
        }
    }
}
