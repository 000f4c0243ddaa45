//! Files that the administrator names on the command line, outside any root.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Reads a file of at most 64 MiB.
///
/// # Errors
/// What the system said.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(64 << 20)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces a file as a whole; a new one gets `mode`, an old one keeps its own and its owner when
/// the caller may give files away.
///
/// # Errors
/// What the system said; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temp = tempfile::Builder::new()
        .prefix(".jitsi-install.")
        .tempfile_in(folder)?;
    let mut wanted = mode;
    if let Ok(old) = std::fs::symlink_metadata(path)
        && old.is_file()
    {
        wanted = old.mode() & 0o7777;
        let _ = std::os::unix::fs::fchown(temp.as_file(), Some(old.uid()), Some(old.gid()));
    }
    temp.as_file()
        .set_permissions(std::fs::Permissions::from_mode(wanted))?;
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}
