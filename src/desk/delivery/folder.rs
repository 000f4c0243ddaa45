//! Mails into a folder, for trials and tests: each a whole file, for its owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Writes a mail to `FOLDER/NAME.eml`. As root, the file is given to the owner of the folder.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let place = folder.join(format!("{name}.eml"));
    let beside = folder.join(format!(".{name}.part"));
    let written = write(folder, &beside, bytes).and_then(|()| std::fs::rename(&beside, &place));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let (ours, wanted) = (file.metadata()?, std::fs::metadata(folder)?);
    if ours.uid() == 0 && wanted.uid() != 0 {
        fchown(&file, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_mail_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "one", b"text").unwrap();
        put(folder.path(), "one", b"text once more").unwrap();
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["one.eml"]);
        let file = folder.path().join("one.eml");
        assert_eq!(std::fs::read(&file).unwrap(), b"text once more");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(put(&folder.path().join("none"), "one", b"text").is_err());
    }
}
