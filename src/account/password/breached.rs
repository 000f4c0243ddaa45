//! Passwords that are known from breaches: a file of SHA-1 lines in order, looked into by halving.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// Whoever knows passwords that everybody knows.
pub trait Breached: Send + Sync {
    /// Whether this one is among them. What cannot be read has none.
    fn has(&self, password: &str) -> bool;
}

/// A file of lines `SHA1` or `SHA1:COUNT`, the digest in 40 hexadecimal digits, sorted by it, as
/// haveibeenpwned.com offers it for download. Any size: about thirty short reads for a look.
pub struct Lines<F> {
    file: Mutex<F>,
    len: u64,
}

impl<F> fmt::Debug for Lines<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({} bytes)", self.len)
    }
}

impl<F: Read + Seek> Lines<F> {
    /// Takes an open file and looks at its first line.
    ///
    /// # Errors
    /// What cannot be read, or does not begin with a digest.
    pub fn new(mut file: F) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        let first = line_after(&mut file, 0)?;
        if len > 0 && key(&first).is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "line 1 does not begin with a SHA-1 of 40 hexadecimal digits",
            ));
        }
        Ok(Self {
            file: Mutex::new(file),
            len,
        })
    }

    fn find(&self, wanted: &str) -> io::Result<bool> {
        let poisoned = |_| io::Error::other("poisoned");
        let mut file = self.file.lock().map_err(poisoned)?;
        // The line wanted begins at or after `low` and before `high`.
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            let start = if middle == 0 {
                0
            } else {
                // The first line that begins at or after the middle.
                middle - 1 + line_after(&mut *file, middle - 1)?.len() as u64
            };
            if start >= high {
                high = middle;
                continue;
            }
            let line = line_after(&mut *file, start)?;
            let Some(found) = key(&line) else {
                return Ok(false);
            };
            match found.as_str().cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = start + line.len() as u64,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }
}

impl<F: Read + Seek + Send> Breached for Lines<F> {
    fn has(&self, password: &str) -> bool {
        use std::fmt::Write as _;
        let mut wanted = String::with_capacity(40);
        for byte in digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref() {
            let _ = write!(wanted, "{byte:02X}");
        }
        self.find(&wanted).unwrap_or(false)
    }
}

/// The bytes from a place to the end of its line, at most 128.
fn line_after<F: Read + Seek>(file: &mut F, at: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut line = Vec::with_capacity(64);
    BufReader::with_capacity(128, file.take(128)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The digest that a line begins with, in capitals.
fn key(line: &[u8]) -> Option<String> {
    let digits = line.get(..40)?;
    let ends = line.get(40).is_none_or(|b| b":\r\n".contains(b));
    if !ends || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    Some(String::from_utf8_lossy(digits).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn each_line_is_found_and_nothing_else() {
        for count in [0, 1, 2, 3, 100, 1000] {
            for ending in ["\n", "\r\n", ":12\n", ":123456\r\n"] {
                let mut lines: Vec<String> = (0..count)
                    .map(|n| {
                        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("word{n}").as_bytes());
                        let hex: String =
                            hash.as_ref().iter().map(|b| format!("{b:02X}")).collect();
                        hex + ending
                    })
                    .collect();
                lines.sort();
                let list = Lines::new(Cursor::new(lines.concat())).unwrap();
                for n in 0..count {
                    assert!(list.has(&format!("word{n}")), "{n} of {count}");
                    assert!(!list.has(&format!("other{n}")));
                }
                assert!(!list.has(""));
            }
        }
    }

    #[test]
    fn another_file_is_named() {
        assert!(Lines::new(Cursor::new("hello\n")).is_err());
        let torn = "00".repeat(20) + "\nrubbish\n" + &"FF".repeat(20);
        assert!(!Lines::new(Cursor::new(torn)).unwrap().has("x"));
    }
}
