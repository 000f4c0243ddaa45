//! What a package says of itself: the control file and the changelog.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::policy::RELATIONS;
use super::write::version;
use crate::name::excerpt;
use crate::package::{Meta, PackageError};

/// Whom a package's control file names.
const MAINTAINER: &str = "The jitsi-install contributors <maintainers@jitsi-install.example.org>";

/// Columns of a description.
const WIDTH: usize = 78;

/// Something that is said of a package and cannot be written.
pub(super) fn refuse(meta: &Meta, why: &str) -> PackageError {
    PackageError::Meta {
        package: excerpt(&meta.name),
        why: why.to_owned(),
    }
}

/// One line without control characters, or a reason.
pub(super) fn line<'a>(meta: &Meta, what: &str, text: &'a str) -> Result<&'a str, PackageError> {
    let text = text.trim();
    match !text.is_empty() && !text.contains(char::is_control) {
        true => Ok(text),
        false => Err(refuse(meta, &format!("its {what} is not one line"))),
    }
}

/// The control file.
pub(super) fn control(meta: &Meta, kib: u64) -> Result<String, PackageError> {
    let summary = line(meta, "summary", &meta.summary)?;
    if summary.len() > 80 {
        return Err(refuse(meta, "its summary is longer than 80 characters"));
    }
    let homepage = line(meta, "homepage", &meta.homepage)?;
    if !homepage.starts_with("https://") && !homepage.starts_with("http://") {
        return Err(refuse(meta, "its homepage is no URL"));
    }
    let mut text = format!(
        "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {kib}\n",
        meta.name,
        version(meta),
        meta.arch.debian(),
    );
    for field in RELATIONS {
        let value = match field {
            "Depends" => &meta.depends,
            "Conflicts" | "Replaces" => &meta.replaces,
            _ => continue,
        };
        if !value.is_empty() {
            text.push_str(&format!("{field}: {}\n", value.join(", ")));
        }
    }
    text.push_str(&format!(
        "Section: net\nPriority: optional\nHomepage: {homepage}\nDescription: {summary}\n"
    ));
    for (at, paragraph) in paragraphs(meta)?.iter().enumerate() {
        if at > 0 {
            text.push_str(" .\n");
        }
        for line in wrapped(paragraph) {
            text.push_str(&format!(" {line}\n"));
        }
    }
    Ok(text)
}

/// The words of each paragraph.
fn paragraphs(meta: &Meta) -> Result<Vec<Vec<&str>>, PackageError> {
    if meta
        .description
        .contains(|c: char| c.is_control() && c != '\n')
    {
        return Err(refuse(
            meta,
            "its description has a control character in it",
        ));
    }
    let paragraphs = meta.description.split("\n\n");
    let words = paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>());
    let found: Vec<_> = words.filter(|words| !words.is_empty()).collect();
    match found.is_empty() {
        true => Err(refuse(meta, "it has no description")),
        false => Ok(found),
    }
}

/// Lines of at most so many columns; a longer word has a line of its own.
fn wrapped(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}

/// `changelog.Debian.gz`: one entry. The time in it is the package's.
pub(super) fn changelog(meta: &Meta) -> Result<Vec<u8>, PackageError> {
    let seconds = i64::try_from(meta.time).ok();
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let time = time.and_then(|time| time.format(&Rfc2822).ok());
    let time = time.ok_or_else(|| refuse(meta, "its time is out of reach"))?;
    let text = format!(
        "{} ({}) unstable; urgency=medium\n\n  * Upstream's {}, packaged by jitsi-install.\n\n \
         -- {MAINTAINER}  {time}\n",
        meta.name,
        version(meta),
        meta.version,
    );
    // neither name nor time
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(text.as_bytes())?;
    Ok(gzip.finish()?)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_short_unless_a_word_is_long() {
        let long = "x".repeat(100);
        let text = format!("{} {long} {}", "word ".repeat(40), "end");
        let words: Vec<&str> = text.split_whitespace().collect();
        let lines = wrapped(&words);
        assert_eq!(lines.join(" "), words.join(" "));
        for line in &lines {
            assert!(line.len() < 78 || *line == long, "{line}");
        }
    }
}
