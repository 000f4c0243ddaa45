//! The index of a Debian repository: `Packages`, and the `Release` that vouches for it.
//!
//! The forms are those of <https://wiki.debian.org/DebianRepository/Format>; of the cleartext
//! signature, RFC 9580, section 7.

use std::collections::BTreeMap;
use std::io::Read;

use super::PackageError;
use super::version::compare;
use crate::name::excerpt;

/// Bytes that an unpacked `Packages` may have.
const LARGEST: u64 = 32 << 20;

/// Memory that unpacking may take.
const MEMORY: u64 = 128 << 20;

/// What a repository has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Its packages, in the order of the file.
    pub entries: Vec<Entry>,
}

/// A package in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub package: String,
    /// Its version, as Debian writes it.
    pub version: String,
    /// Where it lies, from the repository's folder.
    pub filename: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, 64 small hexadecimal digits.
    pub sha256: String,
    /// What it needs, as it is written.
    pub depends: String,
}

impl Entry {
    /// Its file's name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.filename.rsplit('/').next().unwrap_or(&self.filename)
    }

    /// The packages that it needs in exactly one version, and that version: what a metapackage pins.
    #[must_use]
    pub fn pins(&self) -> BTreeMap<&str, &str> {
        self.depends.split(',').filter_map(pinned).collect()
    }
}

/// `jicofo (= 1.0-1183-1)`, without alternatives.
fn pinned(relation: &str) -> Option<(&str, &str)> {
    let (name, rest) = relation.trim().split_once('(')?;
    let version = rest.trim().strip_prefix('=')?.strip_suffix(')')?;
    Some((name.trim(), version.trim()))
}

impl Index {
    /// Reads a `Packages`, as it is or packed with gzip or xz.
    ///
    /// # Errors
    /// When it is broken, far too large, or says of a package what cannot be.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        let text = unpacked(bytes).map_err(|error| refuse(error.to_string()))?;
        Self::parse(&String::from_utf8_lossy(&text))
    }

    /// Reads the text of a `Packages`.
    ///
    /// # Errors
    /// When it says of a package what cannot be.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        let mut entries = Vec::new();
        for (at, fields) in paragraphs(text).into_iter().enumerate() {
            let entry = entry(&fields);
            entries.push(entry.map_err(|why| refuse(format!("package {}: {why}", at + 1)))?);
        }
        Ok(Self { entries })
    }

    /// The newest version of a package.
    #[must_use]
    pub fn newest(&self, package: &str) -> Option<&Entry> {
        let all = self.entries.iter().filter(|entry| entry.package == package);
        all.max_by(|one, other| compare(&one.version, &other.version))
    }

    /// The package with this file name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.file_name() == name)
    }

    /// The package of this upstream version, whatever its revision.
    #[must_use]
    pub fn release(&self, package: &str, version: &str) -> Option<&Entry> {
        let is_it = |entry: &&Entry| {
            entry.package == package
                && (entry.version == version
                    || entry
                        .version
                        .rsplit_once('-')
                        .is_some_and(|(upstream, _)| upstream == version))
        };
        let all = self.entries.iter().filter(is_it);
        all.max_by(|one, other| compare(&one.version, &other.version))
    }
}

fn refuse(why: String) -> PackageError {
    PackageError::Archive {
        archive: "Packages".to_owned(),
        why,
    }
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(MEMORY, flags)?;
            Box::new(liblzma::read::XzDecoder::new_stream(bytes, stream))
        }
        _ => Box::new(bytes),
    };
    let mut text = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is far too large"));
    }
    Ok(text)
}

/// The paragraphs of a control file: field names in lower case, lines that go on joined with a
/// line break.
fn paragraphs(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    let mut last = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let Some(fields) = all.last_mut() else { break };
        if line.is_empty() {
            all.push(BTreeMap::new());
            last.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some(value) = fields.get_mut(&last) {
                let value: &mut String = value;
                value.push('\n');
                value.push_str(line.trim_start());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            last = name.to_ascii_lowercase();
            fields.insert(last.clone(), value.trim_start().to_owned());
        }
    }
    all.retain(|fields| !fields.is_empty());
    all
}

fn entry(fields: &BTreeMap<String, String>) -> Result<Entry, String> {
    let field = |name: &str| {
        let value = fields.get(name).filter(|value| !value.is_empty());
        value.cloned().ok_or_else(|| format!("it has no `{name}`"))
    };
    let plain = |name: &str, more: &str| {
        let value = field(name)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        if value.chars().all(is_plain) {
            Ok(value)
        } else {
            Err(format!("its `{name}` is `{}`", excerpt(&value)))
        }
    };
    let filename = field("filename")?;
    if filename.contains("..") || filename.chars().any(char::is_control) {
        return Err(format!("its `filename` is `{}`", excerpt(&filename)));
    }
    let size = field("size")?;
    Ok(Entry {
        package: plain("package", "+-.")?,
        version: plain("version", ".+-:~")?,
        size: size
            .parse()
            .map_err(|_| format!("its `size` is `{}`", excerpt(&size)))?,
        sha256: hash(&field("sha256")?)?,
        filename,
        depends: fields.get("depends").cloned().unwrap_or_default(),
    })
}

fn hash(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("`{}` is no SHA-256", excerpt(text)))
    }
}

/// What a `Release` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Until when it is to be believed, as it is written.
    pub valid_until: Option<String>,
    /// Hash and bytes of each file, by its path from the folder.
    pub files: BTreeMap<String, (String, u64)>,
}

impl ReleaseFile {
    /// Reads a `Release`.
    ///
    /// # Errors
    /// When it names no SHA-256, or what is none.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        let refuse = |why: String| PackageError::Archive {
            archive: "Release".to_owned(),
            why,
        };
        let all = paragraphs(text);
        let [fields] = all.as_slice() else {
            return Err(refuse("it is not one paragraph".to_owned()));
        };
        let list = fields
            .get("sha256")
            .ok_or_else(|| refuse("it has no SHA256".to_owned()))?;
        let mut files = BTreeMap::new();
        for line in list.lines().filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [sum, size, path] = words.as_slice() else {
                return Err(refuse(format!("`{}` is no line of SHA256", excerpt(line))));
            };
            let size = size
                .parse()
                .map_err(|_| refuse(format!("`{}` is no size", excerpt(size))))?;
            let path = path.strip_prefix("./").unwrap_or(path);
            files.insert(path.to_owned(), (hash(sum).map_err(refuse)?, size));
        }
        Ok(Self {
            valid_until: fields.get("valid-until").cloned(),
            files,
        })
    }
}

/// A text with its signature in one file, as `InRelease` is: the text that was signed, and the
/// signature for it in armour.
///
/// # Errors
/// When there is anything before, between or after them that the signature does not cover.
pub fn clear_signed(file: &str) -> Result<(String, String), PackageError> {
    let refuse = |why: &str| PackageError::Archive {
        archive: "InRelease".to_owned(),
        why: why.to_owned(),
    };
    let mut lines = file.lines().map(str::trim_end);
    if lines.next() != Some("-----BEGIN PGP SIGNED MESSAGE-----") {
        return Err(refuse("it does not begin with a signed text"));
    }
    for line in lines.by_ref() {
        match line {
            "" => break,
            line if line.starts_with("Hash:") => {}
            _ => return Err(refuse("it has unknown words before the signed text")),
        }
    }
    let mut text = Vec::new();
    let mut has_signature = false;
    for line in lines.by_ref() {
        if line == "-----BEGIN PGP SIGNATURE-----" {
            has_signature = true;
            break;
        }
        match line.strip_prefix("- ") {
            Some(escaped) => text.push(escaped),
            None if line.starts_with('-') => {
                return Err(refuse("it has another block in the signed text"));
            }
            None => text.push(line),
        }
    }
    let mut signature = String::from("-----BEGIN PGP SIGNATURE-----\n");
    let mut has_end = false;
    for line in lines.by_ref() {
        signature.push_str(line);
        signature.push('\n');
        if line == "-----END PGP SIGNATURE-----" {
            has_end = true;
            break;
        }
    }
    if !has_signature || !has_end {
        return Err(refuse("its signature is missing, or cut off"));
    }
    if lines.any(|line| !line.is_empty()) {
        return Err(refuse("something follows its signature"));
    }
    // The last line break is not part of what was signed.
    Ok((text.join("\n"), signature))
}

#[cfg(test)]
mod tests;
