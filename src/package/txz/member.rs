//! The members of a tarball: headers of 512 bytes as POSIX 1003.1-1988 (ustar) lays them out, and
//! GNU's extra member in front of a path that does not fit into one.

use crate::name::excerpt;
use crate::package::PackageError;

/// Everything in a tarball begins at a multiple of this.
pub const RECORD: usize = 512;

/// The largest size and the latest time (the year 2242) that eleven octal digits can say.
const MOST: u64 = 0o777_7777_7777;

/// Bytes of a header's field for a path.
const NAME: usize = 100;

/// Bytes of the field for the folders in front of it.
const PREFIX: usize = 155;

/// A file or a folder that is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its path; a folder's ends with `/`.
    pub path: &'a str,
    /// Permissions.
    pub mode: u32,
    /// Bytes that follow.
    pub size: u64,
    /// Seconds since 1970.
    pub time: u64,
}

impl Member<'_> {
    /// Its header, with the extra member in front of it where the path needs one.
    ///
    /// # Errors
    /// When its size or time does not fit into a header.
    pub fn header(&self) -> Result<Vec<u8>, PackageError> {
        let refuse = |why: &str| PackageError::Path {
            path: excerpt(self.path),
            why: why.to_owned(),
        };
        if self.size > MOST {
            return Err(refuse("it is larger than a tarball's 8 GiB"));
        }
        if self.time > MOST {
            return Err(refuse("its time is later than the year 2242"));
        }
        let kind = if self.path.ends_with('/') { b'5' } else { b'0' };
        let path = self.path.as_bytes();
        if let Some((prefix, name)) = split(path) {
            let record = self.record(b"ustar\x0000", kind, prefix, name, self.size);
            return Ok(record.to_vec());
        }
        let length = path.len() as u64 + 1;
        let link = b"././@LongLink";
        let mut out = self.record(GNU, b'L', b"", link, length).to_vec();
        out.extend_from_slice(path);
        out.push(0);
        out.resize(out.len() + padding(length), 0);
        out.extend(self.record(GNU, kind, b"", &path[..NAME - 1], self.size));
        Ok(out)
    }

    fn record(
        &self,
        magic: &[u8; 8],
        kind: u8,
        prefix: &[u8],
        name: &[u8],
        size: u64,
    ) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        let mut put = |at: usize, text: &[u8]| record[at..at + text.len()].copy_from_slice(text);
        put(0, name);
        put(100, format!("{:07o}", self.mode & 0o7777).as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, format!("{size:011o}").as_bytes());
        put(136, format!("{:011o}", self.time).as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(257, magic);
        put(265, b"root");
        put(297, b"root");
        put(345, prefix);
        let sum: u32 = record.iter().copied().map(u32::from).sum();
        record[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        record
    }
}

/// GNU's magic, without which older readers take the extra member for a file.
const GNU: &[u8; 8] = b"ustar  \0";

/// What goes into the fields `prefix` and `name`; `None` when the path fits in no way.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= NAME {
        return Some((b"", path));
    }
    let whole = path.len() - usize::from(path.ends_with(b"/"));
    (path.len() - NAME - 1..whole.min(PREFIX + 1))
        .find(|at| path[*at] == b'/' && *at > 0)
        .map(|at| (&path[..at], &path[at + 1..]))
}

/// Zeros after so many bytes.
#[must_use]
pub fn padding(size: u64) -> usize {
    let over = (size % RECORD as u64) as usize;
    (RECORD - over) % RECORD
}

#[cfg(test)]
mod tests {
    use super::{Member, RECORD, padding, split};

    fn header(path: &str) -> Vec<u8> {
        let member = Member {
            path,
            mode: 0o644,
            size: 3,
            time: 1,
        };
        member.header().expect("a header")
    }

    #[test]
    fn paths_are_cut_at_a_slash_or_have_a_member_of_their_own() {
        let (folder, name) = ("d".repeat(155), "n".repeat(100));
        assert_eq!(split(name.as_bytes()), Some((&b""[..], name.as_bytes())));
        let both = format!("{folder}/{name}");
        let parts = (folder.as_bytes(), name.as_bytes());
        assert_eq!(split(both.as_bytes()), Some(parts));
        assert_eq!(header(&both).len(), RECORD);
        for long in [
            format!("{folder}d/{name}"),
            format!("{folder}/{name}n"),
            "n".repeat(101),
            format!("{}/", "n".repeat(100)),
            format!("{folder}/{name}/"),
        ] {
            assert_eq!(split(long.as_bytes()), None, "{long}");
            assert_eq!(header(&long).len(), 3 * RECORD, "{long}");
        }
        // A folder's own slash is no place to cut.
        let folders = format!("{}/{}/", "d".repeat(60), "n".repeat(60));
        let (prefix, name) = split(folders.as_bytes()).expect("it fits");
        assert_eq!((prefix.len(), name.len()), (60, 61));
    }

    #[test]
    fn what_no_header_can_say_is_refused() {
        let member = Member {
            path: "a",
            mode: 0o644,
            size: 1 << 33,
            time: 0,
        };
        assert!(member.header().is_err());
        let late = Member {
            time: 1 << 33,
            size: 0,
            ..member
        };
        assert!(late.header().is_err());
        assert_eq!([padding(0), padding(1), padding(512)], [0, 511, 0]);
    }
}
