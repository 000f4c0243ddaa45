//! A header as it lies in the tarball.

/// Everything in a tarball begins at a multiple of this.
pub const RECORD: usize = 512;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// The path of the next member, GNU's way.
    LongName,
    /// What a package must not have, by its letter.
    Other(u8),
}

/// What a header says.
#[derive(Debug)]
pub struct Header {
    pub path: Vec<u8>,
    pub kind: Kind,
    pub size: u64,
    mode: u64,
    owner: (u64, u64),
    names: (Vec<u8>, Vec<u8>),
    is_known: bool,
}

impl Header {
    /// Reads it.
    ///
    /// # Errors
    /// When what follows it cannot be found.
    pub fn read(record: &[u8; RECORD]) -> Result<Self, &'static str> {
        let sum: u64 = record
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u64::from(*byte)
                }
            })
            .sum();
        if octal(&record[148..156]) != Some(sum) {
            return Err("a header is damaged: its checksum is wrong");
        }
        let number = |from: usize, to: usize| octal(&record[from..to]);
        let kind = match record[156] {
            b'0' | 0 => Kind::File,
            b'5' => Kind::Folder,
            b'L' => Kind::LongName,
            other => Kind::Other(other),
        };
        let is_posix = &record[257..265] == b"ustar\x0000";
        let mut path = text(&record[..100]);
        let prefix = text(&record[345..500]);
        if is_posix && !prefix.is_empty() {
            path = [prefix, path].join(&b'/');
        }
        let size = number(124, 136).ok_or("a size is not written in octal digits")?;
        Ok(Self {
            path,
            kind,
            // Links and devices have no contents, whatever their size says.
            size: if matches!(record[156], b'1'..=b'6') {
                0
            } else {
                size
            },
            mode: number(100, 108).ok_or("permissions are not written in octal digits")?,
            owner: (
                number(108, 116).ok_or("an owner is not written in octal digits")?,
                number(116, 124).ok_or("a group is not written in octal digits")?,
            ),
            names: (text(&record[265..297]), text(&record[297..329])),
            is_known: is_posix || &record[257..265] == b"ustar  \0",
        })
    }

    /// Rules that it breaks by itself.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match self.kind {
            Kind::Other(b'1') => faults.push("it is a hard link".to_owned()),
            Kind::Other(b'2') => {
                faults.push("it is a symbolic link, which `doinst.sh` makes".to_owned());
            }
            Kind::Other(b'3' | b'4') => faults.push("it is a device".to_owned()),
            Kind::Other(b'6') => faults.push("it is a pipe".to_owned()),
            Kind::Other(b'x' | b'g') => {
                faults.push("it is a pax header, which old readers take for a file".to_owned());
            }
            Kind::Other(letter) => faults.push(format!(
                "it is of the kind `{}`, which is neither file nor folder",
                char::from(letter).escape_default()
            )),
            Kind::File | Kind::Folder | Kind::LongName => {}
        }
        if !self.is_known {
            faults.push("its header is neither ustar nor GNU".to_owned());
        }
        let mut broken = |is: bool, what: &str| {
            if is {
                faults.push(what.to_owned());
            }
        };
        broken(self.owner != (0, 0), "its owner is not root:root (0:0)");
        broken(
            (self.names.0.as_slice(), self.names.1.as_slice()) != (b"root", b"root"),
            "its owner is not named root:root",
        );
        broken(
            self.mode & 0o6000 != 0,
            "it runs with its owner's rights (set-id)",
        );
        broken(self.mode & 0o1002 == 0o002, "everybody may write to it");
        broken(self.mode > 0o7777, "its permissions have unknown bits");
        if self.kind == Kind::File && self.path.starts_with(b"etc/rc.d/rc.") {
            broken(
                self.mode & 0o111 != 0,
                "a script of a service comes without the executable bit, which turns it on",
            );
        }
        faults
    }
}

/// A number in octal digits with blanks around it.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches(|c| c == ' ' || c == '\0');
    if text.is_empty() || !text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return None;
    }
    u64::from_str_radix(text, 8).ok()
}

fn text(field: &[u8]) -> Vec<u8> {
    field
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect()
}
