//! Files of this machine, asked for as if they were elsewhere.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Answer, NetError, broken};

/// The file that a `file://` address means.
pub(super) fn path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("file://")?;
    Some(PathBuf::from(
        path.strip_prefix("localhost").unwrap_or(path),
    ))
}

/// Opens it.
pub(super) fn open(path: &Path, url: &str) -> Result<Answer, NetError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => NetError::Missing {
            url: url.to_owned(),
        },
        _ => broken(url, &error.to_string()),
    };
    // Without waiting for somebody at the other end of a pipe.
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)
        .map_err(failed)?;
    let stat = file.metadata().map_err(failed)?;
    if !stat.is_file() {
        return Err(broken(url, "it is no plain file"));
    }
    Ok(Answer {
        from: 0,
        total: Some(stat.len()),
        state: None,
        body: Box::new(file),
    })
}
