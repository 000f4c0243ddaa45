//! Members that only say something of the next one: names that are too long for a header.

use std::io::Read;

use tar::{EntryType, PaxExtensions};

/// Bytes that such a member may have.
const MOST: u64 = 64 << 10;

/// What has been said of the next member.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    /// Its path.
    pub(super) path: Option<Vec<u8>>,
    /// Where its link leads.
    pub(super) link: Option<Vec<u8>>,
    /// Its size.
    pub(super) size: Option<u64>,
}

impl Extras {
    /// Has nothing been said?
    pub(super) fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Is it a member of this kind?
    pub(super) fn is_one(kind: EntryType) -> bool {
        kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions()
    }

    /// Reads such a member.
    pub(super) fn read(
        &mut self,
        kind: EntryType,
        size: u64,
        from: impl Read,
    ) -> Result<(), String> {
        if size > MOST {
            return Err("a name or an attribute is too long".to_owned());
        }
        let mut bytes = Vec::new();
        let got = from.take(size).read_to_end(&mut bytes);
        if got.map_err(|error| error.to_string())? as u64 != size {
            return Err("it ends in the middle of a name".to_owned());
        }
        if kind.is_gnu_longname() {
            once(&mut self.path, without_end(bytes))
        } else if kind.is_gnu_longlink() {
            once(&mut self.link, without_end(bytes))
        } else {
            self.attributes(&bytes, kind.is_pax_global_extensions())
        }
    }

    fn attributes(&mut self, bytes: &[u8], is_global: bool) -> Result<(), String> {
        for attribute in PaxExtensions::new(bytes) {
            let attribute = attribute.map_err(|_| "an attribute is damaged")?;
            let key = attribute.key().map_err(|_| "an attribute is damaged")?;
            let value = attribute.value_bytes();
            let is_ours = matches!(key, "path" | "linkpath" | "size");
            if is_global && is_ours {
                return Err(format!("`{key}` is given for all members at once"));
            }
            match key {
                "path" => once(&mut self.path, value.to_vec())?,
                "linkpath" => once(&mut self.link, value.to_vec())?,
                "size" => {
                    let size = attribute.value().ok().and_then(|text| text.parse().ok());
                    once(&mut self.size, size.ok_or("a size is no number")?)?;
                }
                // these change what a name or a content means
                "hdrcharset" => return Err("its names are not UTF-8".to_owned()),
                key if key.starts_with("GNU.sparse") => {
                    return Err("a file with holes is not unpacked".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What is said twice could be understood in two ways.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("a name or a size is given twice".to_owned()),
    }
}

/// GNU's names end with a zero.
fn without_end(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
