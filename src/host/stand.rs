//! Files that the administrator names on the command line, outside any root; and throw-away
//! folders.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Most bytes that are read of a file: 64 MiB.
const LARGEST: u64 = 64 << 20;

/// Reads a file of at most 64 MiB.
///
/// # Errors
/// What the system said.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path)?;
    let size = file.metadata()?.len().min(LARGEST);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Who may do what with a file; `None` leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Permissions.
    pub mode: Option<u32>,
    /// Numbers of user and group.
    pub owner: Option<(u32, u32)>,
}

/// Replaces a file as a whole. Where `access` is silent an old file's mode and owner stay (the owner
/// when the caller may give files away), and a new one is for its writer alone.
///
/// # Errors
/// What the system said; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], access: &Access) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let folder = folder_of(path);
    let mut temp = tempfile::Builder::new()
        .prefix(".jitsi-install.")
        .tempfile_in(folder)?;
    let old = std::fs::symlink_metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file);
    if let Some((user, group)) = access.owner {
        fchown(temp.as_file(), Some(user), Some(group))?;
    } else if let Some(old) = &old {
        // Not root: then the file goes on belonging to whoever writes it.
        let _ = fchown(temp.as_file(), Some(old.uid()), Some(old.gid()));
    }
    let old_mode = old.map(|old| old.mode() & 0o7777);
    if let Some(mode) = access.mode.or(old_mode) {
        temp.as_file()
            .set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Gives a file the access that is asked for; whether anything had to be changed.
///
/// # Errors
/// What the system said.
pub fn give_access(path: &Path, access: &Access) -> std::io::Result<bool> {
    use std::os::unix::fs::{MetadataExt, fchown};
    if *access == Access::default() {
        return Ok(false);
    }
    let file = std::fs::File::open(path)?;
    let now = file.metadata()?;
    let owner = access.owner.filter(|ids| *ids != (now.uid(), now.gid()));
    let mode = access.mode.filter(|mode| *mode != now.mode() & 0o7777);
    if let Some((user, group)) = owner {
        fchown(&file, Some(user), Some(group))?;
    }
    if let Some(mode) = mode {
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    Ok(owner.is_some() || mode.is_some())
}

/// A file's permissions.
///
/// # Errors
/// What the system said.
pub fn mode(path: &Path) -> std::io::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes a new file, and the folders above it; never an old one, even when two start at once.
///
/// # Errors
/// What the system said; `AlreadyExists` when something is there.
pub fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder_of(path))?;
    std::fs::File::create_new(path)?.write_all(bytes)
}

/// Writes a file, and the folders above it.
///
/// # Errors
/// What the system said.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder_of(path))?;
    std::fs::write(path, bytes)
}

/// Makes a folder and those above it.
///
/// # Errors
/// What the system said.
pub fn make_dirs(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Is there a folder?
#[must_use]
pub fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Is there a file?
#[must_use]
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// A path with its links resolved.
///
/// # Errors
/// What the system said.
pub fn whole(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize()
}

/// A path from the root on, without a look at the disk.
///
/// # Errors
/// When there is no folder to begin with.
pub fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

/// An empty folder for oneself (0700) that is removed with everything in it.
///
/// # Errors
/// What the system said.
pub fn throw_away(prefix: &str) -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))?;
    Ok(folder)
}

/// Gives a folder and everything in it to a user and a group; links are not followed.
///
/// # Errors
/// What the system said.
pub fn give(path: &Path, user: u32, group: u32) -> std::io::Result<()> {
    let mut rest = vec![path.to_path_buf()];
    while let Some(path) = rest.pop() {
        std::os::unix::fs::lchown(&path, Some(user), Some(group))?;
        if path.is_dir() && !path.is_symlink() {
            for entry in std::fs::read_dir(&path)? {
                rest.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Opens a file, to be read bit by bit.
///
/// # Errors
/// What the system said.
pub fn open(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// An empty file without a name, which is gone when it is closed.
///
/// # Errors
/// What the system said.
pub fn spool() -> std::io::Result<std::fs::File> {
    tempfile::tempfile()
}

/// The folder in which throw-away folders are made (`TMPDIR`).
#[must_use]
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// A variable of the environment that a hook's caller sets.
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// Names in a folder, sorted; none when there is no such folder.
#[must_use]
pub fn list(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Does the administrator want no colours (`NO_COLOR`, see no-color.org)?
#[must_use]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
