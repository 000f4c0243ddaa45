//! What is done within one open folder: read, temp file, into place, remove, sync.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode as Bits, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, unlinkat};

use super::{LARGEST, bits, kind};
use crate::name::{AbsPath, Mode};

/// Where a link leads, in words; [`super::Root::read`] then resolves those inside the root again.
pub(super) fn followed(link: &AbsPath, target: &str) -> Option<AbsPath> {
    let mut parts: Vec<&str> = link.relative().split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    AbsPath::parse(&format!("/{}", parts.join("/"))).ok()
}

pub(super) fn read(fd: OwnedFd, size: i64) -> io::Result<Vec<u8>> {
    let mut file = std::fs::File::from(fd);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    if size == 0 {
        // Files of `/proc` do not say how large they are.
        file.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

pub(super) fn temp_name(name: &str) -> String {
    let mut random = [0; 6];
    crate::host::random(&mut random);
    format!(".{name}.{}.new", crate::recipe::hex(&random))
}

pub(super) fn give(fd: &impl AsFd, ids: Option<(u32, u32)>) -> nix::Result<()> {
    let Some((user, group)) = ids else {
        return Ok(());
    };
    let stat = fstat(fd.as_fd())?;
    if (stat.st_uid, stat.st_gid) == (user, group) {
        return Ok(());
    }
    fchown(
        fd.as_fd(),
        Some(Uid::from_raw(user)),
        Some(Gid::from_raw(group)),
    )
}

pub(super) fn write_temp(
    dir: &OwnedFd,
    temp: &str,
    bytes: &[u8],
    mode: Mode,
    ids: Option<(u32, u32)>,
) -> io::Result<OwnedFd> {
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let fd = openat(dir, temp, flags, Bits::from_bits_truncate(0o600))?;
    give(&fd, ids)?;
    fchmod(&fd, bits(mode))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    Ok(file.into())
}

pub(super) fn into_place(dir: &OwnedFd, temp: &str, name: &str) -> io::Result<()> {
    if let Err(error) = renameat(dir, temp, dir, name) {
        let _ = unlinkat(dir, temp, UnlinkatFlags::NoRemoveDir);
        return Err(error.into());
    }
    Ok(())
}

pub(super) fn make_dir(
    dir: &OwnedFd,
    name: &str,
    mode: Mode,
    ids: Option<(u32, u32)>,
) -> io::Result<OwnedFd> {
    match mkdirat(dir, name, Bits::from_bits_truncate(0o700)) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let made = openat(dir, name, flags, Bits::empty())?;
    give(&made, ids)?;
    fchmod(&made, bits(mode))?;
    Ok(made)
}

pub(super) fn remove(dir: &OwnedFd, name: &str) -> nix::Result<()> {
    let stat = match fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(()),
        found => found?,
    };
    let is_dir = kind(&stat) == SFlag::S_IFDIR;
    match unlinkat(
        dir,
        name,
        if is_dir {
            UnlinkatFlags::RemoveDir
        } else {
            UnlinkatFlags::NoRemoveDir
        },
    ) {
        Err(Errno::ENOTEMPTY | Errno::EEXIST) if is_dir => Ok(()),
        done => done,
    }
}

/// Syncs a folder, so that a rename in it survives a power cut.
pub(super) fn sync_dir(dir: &OwnedFd) -> io::Result<()> {
    Ok(fsync(readable(dir)?)?)
}

/// A folder opened so that it can be synced.
pub(super) fn readable(dir: &OwnedFd) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat(dir, ".", flags, Bits::empty())
}
