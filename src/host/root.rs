//! Paths inside a root, resolved the way `chroot` would: a link, absolute or with `..`, never
//! leads out. Files are replaced as a whole: temp file beside, owner, mode, contents, sync,
//! rename, sync of the folder; a link in the last part is replaced, never followed.

mod dir;
mod look;
mod trusted;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{
    AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat, renameat,
};
use nix::sys::stat::{FileStat, Mode as Bits, SFlag, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, fsync, symlinkat, unlinkat};

use dir::{into_place, make_dir, readable, remove, sync_dir, temp_name, write_temp};

use crate::name::{AbsPath, Mode};
use crate::plan::{Found, State};

/// Links followed in one path at the most, as in Linux.
const MOST_LINKS: u32 = 40;

/// Files and folders that are held open until they are synced at the most.
const MOST_UNSYNCED: usize = 128;

/// Folders that [`Root::glance`] holds open at the most.
const MOST_OPEN: usize = 64;

/// Largest file that is read whole; configuration is far smaller.
const LARGEST: u64 = 64 << 20;

/// A folder in which all paths are resolved.
pub struct Root {
    fd: OwnedFd,
    /// What [`Root::put_later`] wrote and nobody synced yet.
    unsynced: Mutex<Vec<OwnedFd>>,
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn bits(mode: Mode) -> Bits {
    Bits::from_bits_truncate(mode.0)
}

impl Root {
    /// Opens a folder as root.
    ///
    /// # Errors
    /// When it is no folder or cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            fd: open(
                path,
                OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
                Bits::empty(),
            )?,
            unsynced: Mutex::default(),
        })
    }

    /// Opens a folder as the kernel resolves it inside a root (Linux 5.6); on an older kernel, or
    /// where a filter refuses the call, step by step.
    fn walk(&self, parts: &[&str]) -> nix::Result<OwnedFd> {
        let path = if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        };
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        match openat2(&self.fd, path.as_str(), how) {
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EAGAIN) => self.walk_by_hand(parts),
            opened => opened,
        }
    }

    /// Walks to a folder; the last part may be a link too.
    fn walk_by_hand(&self, parts: &[&str]) -> nix::Result<OwnedFd> {
        let mut stack = vec![self.fd.try_clone().map_err(|_| Errno::EMFILE)?];
        let mut queue: VecDeque<OsString> = parts.iter().map(OsString::from).collect();
        let mut links = 0;
        while let Some(part) = queue.pop_front() {
            if part.is_empty() || part == "." {
                continue;
            }
            if part == ".." {
                if stack.len() > 1 {
                    stack.pop();
                }
                continue;
            }
            let top = stack.last().ok_or(Errno::ENOENT)?;
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let next = openat(top.as_fd(), part.as_os_str(), flags, Bits::empty())?;
            match kind(&fstat(&next)?) {
                SFlag::S_IFDIR => stack.push(next),
                SFlag::S_IFLNK => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    let target = readlinkat(top.as_fd(), part.as_os_str())?;
                    if target.as_bytes().first() == Some(&b'/') {
                        stack.truncate(1);
                    }
                    for piece in target.as_bytes().split(|byte| *byte == b'/').rev() {
                        queue.push_front(OsStr::from_bytes(piece).to_owned());
                    }
                }
                _ => return Err(Errno::ENOTDIR),
            }
        }
        stack.pop().ok_or(Errno::ENOENT)
    }

    /// The folder that holds a path, and the path's last part.
    fn parent<'p>(&self, path: &'p AbsPath) -> nix::Result<(OwnedFd, &'p str)> {
        let mut parts: Vec<&str> = path.relative().split('/').collect();
        let last = parts.pop().unwrap_or_default();
        Ok((self.walk(&parts)?, last))
    }
}

impl Root {
    /// Makes a path be as `state` says; see [`Alter::put`](crate::apply::Alter::put).
    ///
    /// # Errors
    /// What the system said.
    pub fn put(&self, path: &AbsPath, state: &State) -> io::Result<()> {
        for written in self.write(path, state)? {
            fsync(written)?;
        }
        Ok(())
    }

    /// The same, but what was written survives a power cut only after [`Root::sync`]: many at once
    /// cost hardly more than one.
    ///
    /// # Errors
    /// What the system said.
    pub fn put_later(&self, path: &AbsPath, state: &State) -> io::Result<()> {
        let written = self.write(path, state)?;
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.extend(written);
        let is_full = unsynced.len() >= MOST_UNSYNCED;
        drop(unsynced);
        if is_full { self.sync() } else { Ok(()) }
    }

    /// Syncs what [`Root::put_later`] wrote.
    ///
    /// # Errors
    /// What the system said.
    pub fn sync(&self) -> io::Result<()> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        for written in unsynced.drain(..) {
            fsync(written)?;
        }
        Ok(())
    }

    /// Makes a path be as `state` says; gives what has to be synced, inner before outer.
    fn write(&self, path: &AbsPath, state: &State) -> io::Result<Vec<OwnedFd>> {
        let (dir, name) = match self.parent(path) {
            Err(Errno::ENOENT) if *state == State::Absent => return Ok(Vec::new()),
            found => found?,
        };
        let mut written = Vec::with_capacity(2);
        match state {
            State::Absent => remove(&dir, name)?,
            State::Present | State::Package(_) | State::Service { .. } | State::Database { .. } => {
                return Err(io::Error::other("it is no file, folder or link"));
            }
            State::Dir { mode, ids } => written.push(make_dir(&dir, name, *mode, *ids)?),
            State::Link { target } => {
                let temp = temp_name(name);
                symlinkat(target.as_str(), &dir, temp.as_str())?;
                into_place(&dir, &temp, name)?;
            }
            State::File { bytes, mode, ids } => {
                let temp = temp_name(name);
                let ids = ids.or_else(|| {
                    let stat = fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
                    (kind(&stat) == SFlag::S_IFREG).then_some((stat.st_uid, stat.st_gid))
                });
                match write_temp(&dir, &temp, bytes, *mode, ids) {
                    Ok(file) => written.push(file),
                    Err(error) => {
                        let _ = unlinkat(&dir, temp.as_str(), UnlinkatFlags::NoRemoveDir);
                        return Err(error);
                    }
                }
                into_place(&dir, &temp, name)?;
            }
        }
        written.push(readable(&dir)?);
        Ok(written)
    }

    /// Makes a folder and the folders above it; those that exist are left as they are.
    ///
    /// # Errors
    /// What the system said.
    pub fn ensure_dir(&self, path: &AbsPath, mode: Mode) -> io::Result<()> {
        if self.is_dir(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.ensure_dir(&parent, Mode(0o755))?;
        }
        self.put(path, &State::Dir { mode, ids: None })
    }

    /// Adds bytes to the end of a file (made with 0600 when missing) and syncs it.
    ///
    /// # Errors
    /// What the system said.
    pub fn append(&self, path: &AbsPath, bytes: &[u8]) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        let flags = OFlag::O_WRONLY
            | OFlag::O_APPEND
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC;
        let file = openat(&dir, name, flags, Bits::from_bits_truncate(0o600))?;
        let is_new = fstat(&file)?.st_size == 0;
        let mut file = std::fs::File::from(file);
        file.write_all(bytes)?;
        file.sync_all()?;
        if is_new { sync_dir(&dir) } else { Ok(()) }
    }

    /// Opens a log for adding to, made with 0640 when missing.
    ///
    /// # Errors
    /// What the system said.
    pub fn open_log(&self, path: &AbsPath) -> io::Result<std::fs::File> {
        let (dir, name) = self.parent(path)?;
        let flags = OFlag::O_WRONLY
            | OFlag::O_APPEND
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC;
        Ok(std::fs::File::from(openat(
            &dir,
            name,
            flags,
            Bits::from_bits_truncate(0o640),
        )?))
    }

    /// Opens a file for locking, made with 0600 when missing.
    ///
    /// # Errors
    /// What the system said.
    pub fn open_lock(&self, path: &AbsPath) -> io::Result<std::fs::File> {
        let (dir, name) = self.parent(path)?;
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(std::fs::File::from(openat(
            &dir,
            name,
            flags,
            Bits::from_bits_truncate(0o600),
        )?))
    }

    /// Gives a file or folder another name in the same folder, at once or not at all.
    ///
    /// # Errors
    /// What the system said.
    pub fn rename(&self, path: &AbsPath, name: &str) -> io::Result<()> {
        let (dir, old) = self.parent(path)?;
        renameat(&dir, old, &dir, name)?;
        sync_dir(&dir)
    }

    /// Removes temporary files that a killed run left beside a path: `.NAME.<12 digits>.new`.
    pub fn sweep(&self, path: &AbsPath) {
        let Some(folder) = path.parent() else { return };
        let Ok((dir, name)) = self.parent(path) else {
            return;
        };
        let start = format!(".{name}.");
        for entry in self.list(&folder) {
            let middle = entry
                .strip_prefix(&start)
                .and_then(|rest| rest.strip_suffix(".new"));
            if middle
                .is_some_and(|word| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                let _ = unlinkat(&dir, entry.as_str(), UnlinkatFlags::NoRemoveDir);
            }
        }
    }

    /// Removes a file, or a folder of ours with everything in it.
    ///
    /// # Errors
    /// What the system said.
    pub fn remove_tree(&self, path: &AbsPath) -> io::Result<()> {
        // A link is removed as a link: what it leads to is not ours.
        if let Found::State(State::Dir { .. }) = self.look(path) {
            for name in self.names(path)? {
                self.remove_tree(&path.join(&name))?;
            }
        }
        self.put(path, &State::Absent)
    }
}
