//! Prosody's accounts as they lie on the disk, file by file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::account::import::prosody;

/// The files of every `HOST/accounts` in a folder of data (`/var/lib/prosody`), or of one such
/// `accounts` folder, in order of their names. They are opened one at a time, and read as far as
/// an account may be long.
///
/// # Errors
/// A folder that cannot be read, or has no accounts in it.
pub fn files(folder: &Path) -> io::Result<impl Iterator<Item = prosody::File> + use<>> {
    let mut folders: Vec<(String, PathBuf)> = Vec::new();
    if folder.file_name().is_some_and(|name| name == "accounts") {
        let whole = fs::canonicalize(folder)?;
        let host = whole.parent().and_then(Path::file_name);
        let host = host.map(|name| name.to_string_lossy().into_owned());
        folders.push((host.unwrap_or_default(), whole));
    } else {
        for name in names(folder)? {
            let accounts = folder.join(&name).join("accounts");
            if accounts.is_dir() {
                folders.push((name.to_string_lossy().into_owned(), accounts));
            }
        }
    }
    if folders.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no folder in it has a folder `accounts`",
        ));
    }
    let mut listed = Vec::new();
    for (host, folder) in folders {
        listed.push((host, names(&folder)?, folder));
    }
    Ok(listed.into_iter().flat_map(|(host, names, folder)| {
        names.into_iter().map(move |name| prosody::File {
            host: host.clone(),
            contents: contents(&folder.join(&name)).map_err(|why| why.to_string()),
            name: name.to_string_lossy().into_owned(),
        })
    }))
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    // Not a pipe or a device, which might never end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("is no file"));
    }
    let mut contents = Vec::new();
    let most = prosody::LARGEST as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut contents)?;
    Ok(contents)
}
