//! Recipes on disk, in a folder that the administrator names.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::stand::{self, Access};
use crate::package::recipe::Recipe;

/// What became of the files of a recipe, by their paths in its folder.
#[derive(Debug, Default)]
pub struct Written {
    /// New, or replaced.
    pub changed: Vec<String>,
    /// As they were.
    pub same: Vec<String>,
}

/// The first file that is there and is not what the recipe says.
///
/// # Errors
/// What the system said.
pub fn differs(folder: &Path, files: &Recipe) -> io::Result<Option<PathBuf>> {
    for (path, (_, text)) in files {
        let place = folder.join(path.as_str());
        if state(&place, text)? == State::Other {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Writes the files that are not there as they should be, each whole.
///
/// # Errors
/// What the system said.
pub fn write(folder: &Path, files: &Recipe) -> io::Result<Written> {
    let mut written = Written::default();
    for (path, (mode, text)) in files {
        let place = folder.join(path.as_str());
        let has_mode = || {
            let found = std::fs::metadata(&place);
            found.is_ok_and(|found| found.permissions().mode() & 0o777 == *mode)
        };
        if state(&place, text)? == State::Same && has_mode() {
            written.same.push(path.to_string());
            continue;
        }
        if let Some(above) = place.parent() {
            std::fs::create_dir_all(above)?;
        }
        let access = Access {
            mode: Some(*mode),
            owner: None,
        };
        stand::replace(&place, text.as_bytes(), &access)?;
        written.changed.push(path.to_string());
    }
    Ok(written)
}

#[derive(PartialEq, Eq)]
enum State {
    Missing,
    Same,
    Other,
}

fn state(place: &Path, text: &str) -> io::Result<State> {
    match std::fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::Missing),
        Err(error) => Err(error),
        Ok(found) if !found.is_file() => Ok(State::Other),
        Ok(_) if stand::read(place)? == text.as_bytes() => Ok(State::Same),
        Ok(_) => Ok(State::Other),
    }
}
