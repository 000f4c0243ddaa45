//! The cache of sources: one folder, one file for each source.
//!
//! ```text
//! /var/cache/jitsi-install/sources/
//!   jicofo_1.0-1183-1_all.deb             whole, and of the right SHA-256
//!   jitsi-meet-web_1.0.9268-1_all.deb.part        what was received so far; locked while it grows
//!   jitsi-meet-web_1.0.9268-1_all.deb.part.from   where it comes from, to go on with it
//!   luasec-1.3.2.tar.gz.wrong             stood under a name that it had no right to
//! ```
//!
//! A file gets its name after its hash was right, and it is hashed again before each use. So
//! nothing has to be synced: what a power cut spoils is seen, set aside and fetched again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode as Bits, SFlag, fchmod, fstat, fstatat};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::root::Root;
use crate::name::excerpt;
use crate::package::Source;
use crate::recipe::hex;

/// Where it is on a machine.
pub const PLACE: &str = "/var/cache/jitsi-install/sources";

/// How much is read at once to be hashed.
const CHUNK: usize = 512 << 10;

/// How long somebody else who receives the same file is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// A folder of sources.
pub struct Cache {
    dir: OwnedFd,
    place: PathBuf,
}

/// Why the cache cannot give or take something.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder, or a file in it, cannot be used.
    #[error("`{}`: {why}", place.display())]
    Place {
        /// Which.
        place: PathBuf,
        /// What the system said, or what is wrong with it.
        why: io::Error,
    },
    /// A source has a name that no file in a folder can have.
    #[error("the source `{0}` has no usable file name")]
    Name(String),
    /// It is not there.
    #[error("`{}` is not there yet", .0.display())]
    Missing(PathBuf),
    /// It was something else, and does not have its name any more.
    #[error("`{}` was not what the catalogue says (SHA-256 {found}, not {wanted}); it is `{}` now", place.display(), aside.display())]
    Wrong {
        /// Where it stood.
        place: PathBuf,
        /// Where it is now.
        aside: PathBuf,
        /// Its hash.
        found: String,
        /// The hash that it should have.
        wanted: String,
    },
    /// Somebody else is at it.
    #[error("`{}` is being received by another process", .0.display())]
    Busy(PathBuf),
}

impl Cache {
    /// Opens the cache in a folder inside a root, and makes it where it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or others could put files into it.
    pub fn open(root: &Root, place: &Path) -> Result<Self, CacheError> {
        Self::at(root, place, true)
    }

    /// Opens it for looking only; `None` when there is none.
    ///
    /// # Errors
    /// When others could put files into it.
    pub fn look(root: &Root, place: &Path) -> Result<Option<Self>, CacheError> {
        match Self::at(root, place, false) {
            Err(CacheError::Place { why, .. }) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    fn at(root: &Root, place: &Path, make: bool) -> Result<Self, CacheError> {
        match root.trusted_dir(place, make) {
            Ok(dir) => Ok(Self {
                dir,
                place: place.to_owned(),
            }),
            Err(why) => Err(CacheError::Place {
                place: place.to_owned(),
                why,
            }),
        }
    }

    /// The folder, as it was named.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Does a file stand under the source's name, as long as it should be? It is hashed when it is
    /// used.
    #[must_use]
    pub fn has(&self, source: &Source) -> bool {
        let Ok(name) = file_name(source) else {
            return false;
        };
        self.stat(name).is_ok_and(|stat| {
            is_file(&stat) && source.size.is_none_or(|size| length(&stat) == size)
        })
    }

    /// The source's file, at its beginning, after its hash was found right.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or was something else: that is set aside.
    pub fn open_verified(&self, source: &Source) -> Result<File, CacheError> {
        let name = file_name(source)?;
        let mut file = match self.open_file(name, OFlag::O_RDONLY) {
            Err(Errno::ENOENT) => return Err(CacheError::Missing(self.place.join(name))),
            // A link, a folder or the like: nothing that this cache put there.
            Err(Errno::ELOOP | Errno::EINVAL) => {
                return Err(self.set_aside(name, "is no plain file", &source.sha256)?);
            }
            opened => opened.map_err(|error| self.failed(name, error.into()))?,
        };
        let found = sha256(&mut file).map_err(|error| self.failed(name, error))?;
        if found != source.sha256 {
            return Err(self.set_aside(name, &found, &source.sha256)?);
        }
        file.seek(SeekFrom::Start(0))
            .map_err(|error| self.failed(name, error))?;
        Ok(file)
    }

    /// Bytes that can still be written where the cache is.
    #[must_use]
    pub fn room(&self) -> Option<u64> {
        let stat = fstatvfs(&self.dir).ok()?;
        stat.blocks_available().checked_mul(stat.fragment_size())
    }

    fn set_aside(&self, name: &str, found: &str, wanted: &str) -> Result<CacheError, CacheError> {
        let aside = format!("{name}.wrong");
        renameat(&self.dir, name, &self.dir, aside.as_str())
            .map_err(|error| self.failed(name, error.into()))?;
        Ok(CacheError::Wrong {
            place: self.place.join(name),
            aside: self.place.join(aside),
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        })
    }

    pub(super) fn failed(&self, name: &str, why: io::Error) -> CacheError {
        CacheError::Place {
            place: self.place.join(name),
            why,
        }
    }

    fn stat(&self, name: &str) -> nix::Result<FileStat> {
        fstatat(&self.dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// Opens a plain file; anything else is `EINVAL`, a link `ELOOP`.
    fn open_file(&self, name: &str, flags: OFlag) -> nix::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let opened = openat(&self.dir, name, flags, Bits::from_bits_truncate(0o644))?;
        if is_file(&fstat(&opened)?) {
            Ok(File::from(opened))
        } else {
            Err(Errno::EINVAL)
        }
    }

    fn remove(&self, name: &str) {
        let _ = unlinkat(&self.dir, name, UnlinkatFlags::NoRemoveDir);
    }
}

/// What was received of a file so far. It is locked: nobody else writes to it.
pub(super) struct Part<'c> {
    cache: &'c Cache,
    name: &'c str,
    pub(super) file: File,
}

impl Cache {
    /// The half-received file of a source, perhaps empty. Whoever receives it now is waited for;
    /// `None` when the file has its name by then.
    pub(super) fn part<'c>(&'c self, name: &'c str) -> Result<Option<Part<'c>>, CacheError> {
        let part = part_name(name);
        let until = Instant::now() + PATIENCE;
        loop {
            let opened = self.open_file(&part, OFlag::O_RDWR | OFlag::O_CREAT);
            let file = match opened {
                // Not what this cache makes; it may go, as any half file may.
                Err(Errno::ELOOP | Errno::EINVAL) => {
                    unlinkat(&self.dir, part.as_str(), UnlinkatFlags::NoRemoveDir)
                        .map_err(|error| self.failed(&part, error.into()))?;
                    continue;
                }
                opened => opened.map_err(|error| self.failed(&part, error.into()))?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
                Err(std::fs::TryLockError::WouldBlock) => {
                    return Err(CacheError::Busy(self.place.join(part)));
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(self.failed(&part, error)),
            }
            // Between the opening and the lock it may have got its name, or have been removed.
            let held = fstat(&file).map_err(|error| self.failed(&part, error.into()))?;
            let is_it = |stat: FileStat| (stat.st_dev, stat.st_ino) == (held.st_dev, held.st_ino);
            if !self.stat(&part).is_ok_and(is_it) {
                continue;
            }
            if self.stat(name).is_ok() {
                self.remove(&part);
                return Ok(None);
            }
            return Ok(Some(Part {
                cache: self,
                name,
                file,
            }));
        }
    }
}

impl Part<'_> {
    /// How much of it is there.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Begins it anew.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.cache.remove(&note_name(self.name));
        self.file.set_len(0)
    }

    /// Where it comes from, as [`Part::note`] wrote it down.
    pub(super) fn noted(&self) -> Option<String> {
        let file = self
            .cache
            .open_file(&note_name(self.name), OFlag::O_RDONLY)
            .ok()?;
        let mut text = String::new();
        file.take(16 << 10).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Writes down where it comes from.
    pub(super) fn note(&self, text: &str) -> io::Result<()> {
        let name = note_name(self.name);
        self.cache.remove(&name);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        io::Write::write_all(&mut self.cache.open_file(&name, flags)?, text.as_bytes())
    }

    /// It is whole and right: gives it its name.
    pub(super) fn finish(self) -> io::Result<()> {
        fchmod(self.file.as_fd(), Bits::from_bits_truncate(0o644))?;
        let dir = &self.cache.dir;
        renameat(dir, part_name(self.name).as_str(), dir, self.name)?;
        self.cache.remove(&note_name(self.name));
        Ok(())
    }

    /// Removes it: nothing of it is of use.
    pub(super) fn drop_it(self) {
        self.cache.remove(&note_name(self.name));
        self.cache.remove(&part_name(self.name));
    }
}

fn part_name(name: &str) -> String {
    format!("{name}.part")
}

fn note_name(name: &str) -> String {
    format!("{name}.part.from")
}

fn is_file(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

fn length(stat: &FileStat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// A source's name in the cache.
///
/// # Errors
/// When no file in a folder can have it, or the cache gives such names itself.
pub fn file_name(source: &Source) -> Result<&str, CacheError> {
    let name = source.file_name();
    let is_taken = [".part", ".from", ".wrong"]
        .iter()
        .any(|ending| name.ends_with(ending));
    let is_plain = |c: char| c.is_ascii_graphic() && c != '/';
    if name.is_empty()
        || name.len() > 200
        || name.starts_with(['.', '-'])
        || is_taken
        || !name.chars().all(is_plain)
    {
        return Err(CacheError::Name(excerpt(&source.url)));
    }
    Ok(name)
}

/// The SHA-256 of everything that is read, in small hexadecimal digits.
///
/// # Errors
/// What the reader said.
pub fn sha256(from: &mut impl Read) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hex(context.finish().as_ref())),
            Ok(count) => context.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
