//! What is in a jar: Maven writes group, artifact and version into each that it makes, and shading
//! keeps those of the jars that went into it. Read from the archive's directory (APPNOTE 6.3.10,
//! 4.3.12 and 4.3.16); a jar is somebody else's bytes, so that everything has a bound and what makes no
//! sense is left out.

use std::io::{Cursor, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;
use serde_json::{Value, json};

use super::super::{Content, PackageError, PackagePath};
use super::{digest, hashes, purl};

/// A comment at the end may be this long, and the record before it has 22 bytes.
const END: u64 = 0xffff + 22;
/// The directory of an archive of 65535 files with long names.
const DIRECTORY: u64 = 16 << 20;
/// Jars that are shaded into one.
const MOST: usize = 256;
/// A `pom.properties` has three lines.
const POM: u64 = 16 << 10;

/// A component, and the reference of the one that it is in.
pub(super) type Part = (Value, Option<String>);

/// What Maven calls a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Coordinates {
    group: String,
    artifact: String,
    version: String,
}

/// The jar, and what was shaded into it.
pub(super) fn parts<S: Read + Seek>(
    path: &PackagePath,
    content: &Content,
    spool: &mut S,
) -> Result<Vec<Part>, PackageError> {
    let hash = digest(content, spool)?;
    let inside = match content {
        Content::Bytes(bytes) => {
            let spool = &mut Cursor::new(bytes.as_slice());
            poms(&mut Stretch { spool, at: 0 }, content.len())
        }
        Content::Spooled { at, len } => poms(&mut Stretch { spool, at: *at }, *len),
    };
    let mut inside = inside.unwrap_or_default();
    inside.sort();
    inside.dedup();
    let stem = path.file_name().trim_end_matches(".jar");
    let itself = inside
        .iter()
        .filter(|one| is_named_after(stem, &one.artifact))
        .max_by_key(|one| one.artifact.len())
        .cloned();
    let (main, group, name, version) = match &itself {
        Some(own) => (
            maven(own),
            Some(&own.group),
            own.artifact.as_str(),
            own.version.as_str(),
        ),
        None => {
            let (name, version) = by_name(stem);
            let purl = purl("generic", name, version);
            (purl.trim_end_matches('@').to_owned(), None, name, version)
        }
    };
    // Two builds of one version are two things.
    let reference = format!("{main}#{}", &hash[..16]);
    let place = |place: String| json!({ "occurrences": [{ "location": place }] });
    let mut jar = json!({
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "purl": main,
        "hashes": hashes(&hash),
        "evidence": place(path.to_string()),
    });
    if let Some(group) = group {
        jar["group"] = json!(group);
    }
    if !version.is_empty() {
        jar["version"] = json!(version);
    }
    let mut all = vec![(jar, None)];
    for one in inside
        .into_iter()
        .filter(|one| Some(one) != itself.as_ref())
    {
        let purl = maven(&one);
        let Coordinates {
            group,
            artifact,
            version,
        } = one;
        let inner = format!("{path}!/META-INF/maven/{group}/{artifact}/pom.properties");
        let part = json!({
            "type": "library",
            "bom-ref": format!("{purl}#shaded"),
            "group": group,
            "name": artifact,
            "version": version,
            "purl": purl,
            "evidence": place(inner),
        });
        all.push((part, Some(reference.clone())));
    }
    Ok(all)
}

fn maven(one: &Coordinates) -> String {
    let name = format!("{}/{}", one.group, one.artifact);
    format!("{}?type=jar", purl("maven", &name, &one.version))
}

/// `jicofo.jar`, `jicofo-1.1.jar` and `jicofo-linux.jar` are named after the artifact `jicofo`.
fn is_named_after(stem: &str, artifact: &str) -> bool {
    let rest = stem.strip_prefix(artifact);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// `jitsi-utils-1.0-133-g6af1020` has its version after the first hyphen before a digit.
fn by_name(stem: &str) -> (&str, &str) {
    let bytes = stem.as_bytes();
    let is_seam = |(at, _): &(usize, &str)| bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    match stem.match_indices('-').find(is_seam) {
        Some((at, _)) if at > 0 => (&stem[..at], &stem[at + 1..]),
        _ => (stem, ""),
    }
}

/// An archive in a spool.
struct Stretch<'a, S> {
    spool: &'a mut S,
    at: u64,
}

impl<S: Read + Seek> Stretch<'_, S> {
    /// So many bytes from there, and none fewer.
    fn read_at(&mut self, at: u64, len: u64) -> Option<Vec<u8>> {
        let from = SeekFrom::Start(self.at.checked_add(at)?);
        self.spool.seek(from).ok()?;
        let mut bytes = Vec::new();
        Read::by_ref(self.spool)
            .take(len)
            .read_to_end(&mut bytes)
            .ok()?;
        (bytes.len() as u64 == len).then_some(bytes)
    }
}

/// What every `META-INF/maven/GROUP/ARTIFACT/pom.properties` says; nothing where the archive is none.
fn poms<S: Read + Seek>(archive: &mut Stretch<'_, S>, len: u64) -> Option<Vec<Coordinates>> {
    let tail = END.min(len);
    let end = archive.read_at(len - tail, tail)?;
    let at = end.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    let end = end.get(at..at + 22)?;
    let (size, start) = (long(end, 12)?, long(end, 16)?);
    if size > DIRECTORY || start.checked_add(size)? > len {
        return None;
    }
    let directory = archive.read_at(start, size)?;
    let mut found = Vec::new();
    let mut rest = directory.as_slice();
    while rest.starts_with(b"PK\x01\x02") && found.len() < MOST {
        let name_len = short(rest, 28)?;
        let next = 46 + name_len + short(rest, 30)? + short(rest, 32)?;
        let name = rest.get(46..46 + name_len)?;
        if name.starts_with(b"META-INF/maven/") && name.ends_with(b"/pom.properties") {
            let text = file(archive, rest, len);
            found.extend(text.as_deref().and_then(coordinates));
        }
        rest = rest.get(next..)?;
    }
    Some(found)
}

/// A small file, by its entry in the directory.
fn file<S: Read + Seek>(archive: &mut Stretch<'_, S>, entry: &[u8], len: u64) -> Option<String> {
    let (method, packed, at) = (short(entry, 10)?, long(entry, 20)?, long(entry, 42)?);
    if packed > POM || at.checked_add(30)? > len {
        return None;
    }
    let head = archive.read_at(at, 30)?;
    let skip = 30 + short(&head, 26)? + short(&head, 28)?;
    if !head.starts_with(b"PK\x03\x04") {
        return None;
    }
    let bytes = archive.read_at(at + skip as u64, packed)?;
    let mut text = String::new();
    match method {
        0 => text = String::from_utf8(bytes).ok()?,
        8 => {
            let mut inflated = DeflateDecoder::new(bytes.as_slice()).take(POM);
            inflated.read_to_string(&mut text).ok()?;
        }
        _ => return None,
    }
    Some(text)
}

/// A `pom.properties` with plain words; one that a build left `${…}` in says nothing.
fn coordinates(text: &str) -> Option<Coordinates> {
    let word = |key: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let (_, value) = lines.into_iter().find(|(name, _)| name.trim() == key)?;
        let value = value.trim();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        let fits = !value.is_empty() && value.len() <= 200 && value.bytes().all(is_plain);
        fits.then(|| value.to_owned())
    };
    Some(Coordinates {
        group: word("groupId")?,
        artifact: word("artifactId")?,
        version: word("version")?,
    })
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(two)))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(four)))
}
