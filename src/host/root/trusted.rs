//! Folders that nobody else can put anything into: what a process of root keeps there is what it
//! put there itself.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode as Bits, SFlag, fstat, mkdirat};
use nix::unistd::{getegid, geteuid};

use super::dir::readable;
use super::{MOST_LINKS, Root, kind};

impl Root {
    /// Opens a folder that belongs to this user or to root and that nobody else can write to. No
    /// link is followed that belongs to another user; the check and the opening are one walk, so
    /// that nothing can be exchanged between them. With `make`, folders that are missing are made.
    ///
    /// # Errors
    /// `PermissionDenied`, and whom it belongs to; or what the system said.
    pub fn trusted_dir(&self, path: &Path, make: bool) -> io::Result<OwnedFd> {
        let mut stack = vec![self.fd.try_clone()?];
        let mut queue: VecDeque<OsString> = path
            .components()
            .filter(|part| !matches!(part, Component::RootDir | Component::Prefix(_)))
            .map(|part| part.as_os_str().to_owned())
            .collect();
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
            let next = enter(top, &part, make)?;
            let stat = fstat(&next)?;
            match kind(&stat) {
                SFlag::S_IFDIR => stack.push(next),
                SFlag::S_IFLNK => {
                    judge_link(&part, &stat)?;
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::ELOOP.into());
                    }
                    let target = readlinkat(top.as_fd(), part.as_os_str())?;
                    if target.as_bytes().first() == Some(&b'/') {
                        stack.truncate(1);
                    }
                    for piece in target.as_bytes().split(|byte| *byte == b'/').rev() {
                        queue.push_front(OsStr::from_bytes(piece).to_owned());
                    }
                }
                _ => return Err(Errno::ENOTDIR.into()),
            }
        }
        let folder = stack.pop().ok_or(Errno::ENOENT)?;
        judge_folder(&fstat(&folder)?)?;
        Ok(readable(&folder)?)
    }
}

/// Opens what stands at a name, without following it.
fn enter(folder: &OwnedFd, name: &OsStr, make: bool) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match openat(folder, name, flags, Bits::empty()) {
        Err(Errno::ENOENT) if make => {
            match mkdirat(folder, name, Bits::from_bits_truncate(0o755)) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(error) => return Err(error),
            }
            openat(folder, name, flags, Bits::empty())
        }
        opened => opened,
    }
}

fn refuse(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn is_ours(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

fn judge_link(name: &OsStr, stat: &FileStat) -> io::Result<()> {
    if is_ours(stat.st_uid) {
        return Ok(());
    }
    Err(refuse(format!(
        "its part `{}` is a link of another user (number {})",
        name.display(),
        stat.st_uid
    )))
}

fn judge_folder(stat: &FileStat) -> io::Result<()> {
    if !is_ours(stat.st_uid) {
        return Err(refuse(format!(
            "it belongs to another user (number {})",
            stat.st_uid
        )));
    }
    let by_group = stat.st_mode & 0o020 != 0 && ![0, getegid().as_raw()].contains(&stat.st_gid);
    if by_group || stat.st_mode & 0o002 != 0 {
        return Err(refuse(format!(
            "others can write to it (its permissions are {:04o})",
            stat.st_mode & 0o7777
        )));
    }
    Ok(())
}
