//! Paths inside a root, resolved the way `chroot` would: a link, absolute or with `..`, never
//! leads out. Files are replaced as a whole: temp file beside, owner, mode, contents, sync,
//! rename, sync of the folder; a link in the last part is replaced, never followed.
//!
//! Over 400 lines, because everything that resolves a path has to stay behind one door.

mod trusted;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{
    AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat, renameat,
};
use nix::sys::stat::{FileStat, Mode as Bits, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, symlinkat, unlinkat};

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

impl Root {
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

/// Where a link leads, in words; [`Root::read`] then resolves those inside the root again.
fn followed(link: &AbsPath, target: &str) -> Option<AbsPath> {
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

fn read(fd: OwnedFd, size: i64) -> io::Result<Vec<u8>> {
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

fn temp_name(name: &str) -> String {
    let mut random = [0; 6];
    super::random(&mut random);
    format!(".{name}.{}.new", crate::recipe::hex(&random))
}

fn give(fd: &impl AsFd, ids: Option<(u32, u32)>) -> nix::Result<()> {
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

fn write_temp(
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

fn into_place(dir: &OwnedFd, temp: &str, name: &str) -> io::Result<()> {
    if let Err(error) = renameat(dir, temp, dir, name) {
        let _ = unlinkat(dir, temp, UnlinkatFlags::NoRemoveDir);
        return Err(error.into());
    }
    Ok(())
}

fn make_dir(dir: &OwnedFd, name: &str, mode: Mode, ids: Option<(u32, u32)>) -> io::Result<OwnedFd> {
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

fn remove(dir: &OwnedFd, name: &str) -> nix::Result<()> {
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
fn sync_dir(dir: &OwnedFd) -> io::Result<()> {
    Ok(fsync(readable(dir)?)?)
}

/// A folder opened so that it can be synced.
fn readable(dir: &OwnedFd) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat(dir, ".", flags, Bits::empty())
}
