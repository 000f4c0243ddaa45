//! `ar`, as `.deb` uses it: short names, no index. Names by the manual page deb(5).

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::PackageError;

/// How every archive begins.
pub const MAGIC: &[u8; 8] = b"!<arch>\n";

/// Bytes of a header.
const HEADER: usize = 60;

/// The archive, one member after the other.
#[derive(Debug)]
pub struct Members<R> {
    archive: String,
    from: R,
    /// Bytes of the present member that nobody has read yet, and whether a filler follows them.
    left: u64,
    is_odd: bool,
}

impl<R: Read> Members<R> {
    /// Begins to read; `archive` is its name in messages.
    ///
    /// # Errors
    /// When it is no such archive.
    pub fn open(archive: &str, mut from: R) -> Result<Self, PackageError> {
        let mut magic = [0; MAGIC.len()];
        let got = fill(&mut from, &mut magic)?;
        let members = Self {
            archive: archive.to_owned(),
            from,
            left: 0,
            is_odd: false,
        };
        if got < magic.len() || &magic != MAGIC {
            return Err(members.refuse("it is no ar archive"));
        }
        Ok(members)
    }

    /// The name and size of the next member; what was left of the one before is passed over.
    ///
    /// # Errors
    /// When a header is not in order, or the archive ends too early.
    pub fn next_member(&mut self) -> Result<Option<(String, u64)>, PackageError> {
        let passed = io::copy(&mut (&mut self.from).take(self.left), &mut io::sink())?;
        let mut filler = [b'\n'];
        if passed < self.left || (self.is_odd && fill(&mut self.from, &mut filler)? == 0) {
            return Err(self.refuse("it ends in the middle of a member"));
        }
        if filler != [b'\n'] {
            return Err(self.refuse("a member of odd length is not followed by a line's end"));
        }
        (self.left, self.is_odd) = (0, false);
        let mut header = [0; HEADER];
        match fill(&mut self.from, &mut header)? {
            0 => return Ok(None),
            HEADER => {}
            _ => return Err(self.refuse("it ends in the middle of a header")),
        }
        let (name, size) = parse(&header).ok_or_else(|| self.refuse("a header is damaged"))?;
        self.left = size;
        self.is_odd = size % 2 == 1;
        Ok(Some((name, size)))
    }

    fn refuse(&self, why: &str) -> PackageError {
        PackageError::Archive {
            archive: self.archive.clone(),
            why: why.to_owned(),
        }
    }
}

/// Bytes of the present member.
impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = (&mut self.from).take(self.left).read(buffer)?;
        self.left -= got as u64;
        Ok(got)
    }
}

/// Reads until the buffer is full or nothing is left.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Name and size; nothing when a field is not what it should be.
fn parse(header: &[u8; HEADER]) -> Option<(String, u64)> {
    let text = str::from_utf8(header).ok().filter(|text| text.is_ascii())?;
    // time, user, group and mode
    for (from, to, radix) in [(16, 28, 10), (28, 34, 10), (34, 40, 10), (40, 48, 8)] {
        u64::from_str_radix(digits(&text[from..to])?, radix).ok()?;
    }
    let size = digits(&text[48..58])?.parse().ok()?;
    let name = text[..16].trim_end_matches(' ');
    let name = name.strip_suffix('/').unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = !name.is_empty() && name.chars().all(is_plain);
    (is_name && text.ends_with("`\n")).then(|| (name.to_owned(), size))
}

/// Digits that are followed by blanks only.
fn digits(field: &str) -> Option<&str> {
    let number = field.trim_end_matches(' ');
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// Writes one member by `content` and puts its size into the header afterwards. The first one is
/// to follow [`MAGIC`].
///
/// # Errors
/// When writing fails, or the name is longer than 16 bytes or the member than ten digits.
pub fn write_member<W: Write + Seek, E: From<io::Error>>(
    out: &mut W,
    name: &str,
    time: u64,
    content: impl FnOnce(&mut W) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.stream_position()?;
    out.write_all(&header(name, time, 0)?)?;
    content(out)?;
    let end = out.stream_position()?;
    let size = end.saturating_sub(start + HEADER as u64);
    out.seek(SeekFrom::Start(start))?;
    out.write_all(&header(name, time, size)?)?;
    out.seek(SeekFrom::Start(end))?;
    if size % 2 == 1 {
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The header of a file of root's that everybody may read.
fn header(name: &str, time: u64, size: u64) -> io::Result<Vec<u8>> {
    let header = format!("{name:<16}{time:<12}0     0     100644  {size:<10}`\n");
    match header.len() {
        HEADER => Ok(header.into_bytes()),
        _ => Err(io::Error::other(format!(
            "`{name}` with {size} bytes does not fit into an ar archive"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use super::{MAGIC, Members, write_member};
    use crate::package::PackageError;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        out.write_all(MAGIC).unwrap();
        for (name, bytes) in members {
            let write = |out: &mut Cursor<Vec<u8>>| out.write_all(bytes);
            write_member::<_, std::io::Error>(&mut out, name, 1_700_000_000, write).unwrap();
        }
        out.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
        let mut members = Members::open("a.deb", bytes)?;
        let mut found = Vec::new();
        while let Some((name, _)) = members.next_member()? {
            let mut content = Vec::new();
            members.read_to_end(&mut content)?;
            found.push((name, content));
        }
        Ok(found)
    }

    #[test]
    fn what_is_written_is_read() {
        let written = archive(&[("debian-binary", b"2.0\n"), ("odd", b"123"), ("none", b"")]);
        assert_eq!(written.len(), 8 + 60 + 4 + 60 + 4 + 60);
        assert_eq!(
            read(&written).unwrap(),
            [
                ("debian-binary".to_owned(), b"2.0\n".to_vec()),
                ("odd".to_owned(), b"123".to_vec()),
                ("none".to_owned(), Vec::new()),
            ]
        );
        // nobody needs to read a member to get to the next one
        let mut members = Members::open("a.deb", written.as_slice()).unwrap();
        let mut names = Vec::new();
        while let Some((name, _)) = members.next_member().unwrap() {
            names.push(name);
        }
        assert_eq!(names, ["debian-binary", "odd", "none"]);
    }

    #[test]
    fn damage_is_noticed() {
        let good = archive(&[("debian-binary", b"2.0\n"), ("odd", b"123"), ("x", b"1")]);
        let spoil = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            read(&bad).unwrap_err().to_string()
        };
        assert_eq!(spoil(0, b'?'), "`a.deb`: it is no ar archive");
        // name, time, size, end of the header
        for (at, byte) in [(8, 0xff), (9, b'\n'), (24, b'x'), (56, b'-'), (66, b' ')] {
            assert_eq!(spoil(at, byte), "`a.deb`: a header is damaged", "{at}");
        }
        assert!(spoil(72 + 63, b'x').contains("odd length"));
        // 4 bytes become 49, or 4 with something behind it
        assert!(spoil(57, b'9').contains("odd length"));
        assert!(spoil(65, b'9').contains("damaged"));
        let cut = |len: usize| read(&good[..len]).unwrap_err().to_string();
        assert!(cut(0).contains("no ar archive"));
        assert!(cut(30).contains("middle of a header"));
        assert!(cut(70).contains("middle of a member"));
        let unfilled = &good[..good.len() - 1];
        assert!(read(unfilled).unwrap_err().to_string().contains("middle"));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut out = Cursor::new(Vec::new());
        let nothing = |_: &mut Cursor<Vec<u8>>| Ok(());
        let long = "seventeen-letters";
        assert!(write_member::<_, std::io::Error>(&mut out, long, 0, nothing).is_err());
        assert!(out.into_inner().is_empty());
    }
}
