//! What stands at a path.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode as Bits, SFlag, fstat, fstatat};

use super::dir::{followed, read};
use super::{LARGEST, MOST_LINKS, MOST_OPEN, Root, kind};
use crate::name::{AbsPath, Mode};
use crate::plan::{Found, State};

impl Root {
    /// What stands at a path; see [`Observe::look`](crate::plan::Observe::look).
    #[must_use]
    pub fn look(&self, path: &AbsPath) -> Found {
        found(self.parent(path).and_then(|(dir, name)| state(&dir, name)))
    }

    /// The same for many paths one after the other: folders stay open for what else is in them. Only
    /// for as long as nobody changes anything.
    pub fn glance<'r>(&'r self) -> impl Fn(&AbsPath) -> Found + 'r {
        let open: RefCell<HashMap<String, OwnedFd>> = RefCell::default();
        move |path| {
            let (folder, name) = path
                .relative()
                .rsplit_once('/')
                .unwrap_or(("", path.relative()));
            let mut open = open.borrow_mut();
            if let Some(dir) = open.get(folder) {
                return found(state(dir, name));
            }
            match self.parent(path) {
                Ok((dir, _)) => {
                    let seen = found(state(&dir, name));
                    if open.len() == MOST_OPEN {
                        open.clear();
                    }
                    open.insert(folder.to_owned(), dir);
                    seen
                }
                Err(error) => found(Err(error)),
            }
        }
    }

    /// Is there a folder, perhaps behind links?
    #[must_use]
    pub fn is_dir(&self, path: &AbsPath) -> bool {
        self.walk(&path.relative().split('/').collect::<Vec<_>>())
            .is_ok()
    }

    /// Does anything stand at a path?
    #[must_use]
    pub fn exists(&self, path: &AbsPath) -> bool {
        self.parent(path)
            .and_then(|(dir, name)| fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW))
            .is_ok()
    }

    /// A file's bytes; links are followed inside the root.
    ///
    /// # Errors
    /// When it is no file or cannot be read.
    pub fn read(&self, path: &AbsPath) -> io::Result<Vec<u8>> {
        let mut path = path.clone();
        for _ in 0..MOST_LINKS {
            let (dir, name) = self.parent(&path)?;
            let stat = fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            if kind(&stat) == SFlag::S_IFLNK {
                let target = readlinkat(&dir, name)?.to_string_lossy().into_owned();
                path = followed(&path, &target).ok_or(Errno::ENOENT)?;
                continue;
            }
            if kind(&stat) != SFlag::S_IFREG || u64::try_from(stat.st_size).unwrap_or(0) > LARGEST {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is not a plain file, or far too large",
                ));
            }
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            return read(openat(&dir, name, flags, Bits::empty())?, stat.st_size);
        }
        Err(Errno::ELOOP.into())
    }

    /// The last bytes of a file, `most` of them, and its permissions; links are followed inside the
    /// root. A first line that was cut is left out.
    ///
    /// # Errors
    /// When it is no file or cannot be read.
    pub fn tail(&self, path: &AbsPath, most: u64) -> io::Result<(Vec<u8>, Mode)> {
        let mut path = path.clone();
        for _ in 0..MOST_LINKS {
            let (dir, name) = self.parent(&path)?;
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let opened = match openat(&dir, name, flags, Bits::empty()) {
                Err(Errno::ELOOP) => {
                    let target = readlinkat(&dir, name)?.to_string_lossy().into_owned();
                    path = followed(&path, &target).ok_or(Errno::ENOENT)?;
                    continue;
                }
                opened => opened?,
            };
            let stat = fstat(&opened)?;
            if kind(&stat) != SFlag::S_IFREG {
                return Err(io::Error::other("it is not a plain file"));
            }
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            let mut file = std::fs::File::from(opened);
            io::Seek::seek(&mut file, io::SeekFrom::Start(size.saturating_sub(most)))?;
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            if size > most {
                let cut = bytes.iter().position(|byte| *byte == b'\n');
                bytes.drain(..cut.map_or(0, |at| at + 1));
            }
            return Ok((bytes, Mode(stat.st_mode & 0o7777)));
        }
        Err(Errno::ELOOP.into())
    }

    /// When the contents of a plain file last changed, in seconds since 1970.
    #[must_use]
    pub fn changed(&self, path: &AbsPath) -> Option<i64> {
        let (dir, name) = self.parent(path).ok()?;
        let stat = fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
        (kind(&stat) == SFlag::S_IFREG).then_some(stat.st_mtime)
    }

    /// Names in a folder, sorted; none when there is no such folder, or nobody can read it.
    #[must_use]
    pub fn list(&self, path: &AbsPath) -> Vec<String> {
        self.names(path).unwrap_or_default()
    }

    /// Names in a folder, sorted; none when there is no such folder.
    ///
    /// # Errors
    /// What the system said.
    pub fn names(&self, path: &AbsPath) -> io::Result<Vec<String>> {
        let dir = match self.walk(&path.relative().split('/').collect::<Vec<_>>()) {
            Err(Errno::ENOENT) => return Ok(Vec::new()),
            found => found?,
        };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut dir = nix::dir::Dir::openat(&dir, ".", flags, Bits::empty())?;
        let mut names = Vec::new();
        for entry in dir.iter() {
            // After an error it would give the same one for ever.
            let entry = entry?;
            names.extend(entry.file_name().to_str().map(str::to_owned));
        }
        names.retain(|name| name != "." && name != "..");
        names.sort();
        Ok(names)
    }
}

/// What a look at a path tells.
fn found(seen: nix::Result<Found>) -> Found {
    match seen {
        Ok(found) => found,
        Err(Errno::ENOENT) => Found::State(State::Absent),
        Err(Errno::ENOTDIR) => {
            Found::Unknown("a file stands where one of its folders should be".to_owned())
        }
        Err(error) => Found::Unknown(format!("it cannot be looked at: {}", error.desc())),
    }
}

fn state(dir: &OwnedFd, name: &str) -> nix::Result<Found> {
    let stat = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    let mode = Mode(stat.st_mode & 0o7777);
    let ids = Some((stat.st_uid, stat.st_gid));
    Ok(match kind(&stat) {
        SFlag::S_IFDIR => Found::State(State::Dir { mode, ids }),
        SFlag::S_IFLNK => {
            let target = readlinkat(dir, name)?;
            Found::State(State::Link {
                target: target.to_string_lossy().into_owned(),
            })
        }
        SFlag::S_IFREG => {
            if u64::try_from(stat.st_size).unwrap_or(0) > LARGEST {
                return Ok(Found::Unknown(
                    "it is larger than any file of ours".to_owned(),
                ));
            }
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let file = openat(dir, name, flags, Bits::empty())?;
            match read(file, stat.st_size) {
                Ok(bytes) => Found::State(State::File { bytes, mode, ids }),
                Err(error) => Found::Unknown(format!("it cannot be read: {error}")),
            }
        }
        _ => Found::Unknown("a device, pipe or socket stands there".to_owned()),
    })
}
