use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::package::catalogue::Record;

const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn source(name: &str, sha256: &str) -> Source {
    Source {
        url: format!("https://example.org/pool/{name}"),
        mirrors: Vec::new(),
        file: None,
        root: None,
        md5: None,
        sha256: sha256.to_owned(),
        size: None,
        arch: None,
        record: Record::Computed,
    }
}

fn tree() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    (folder, root)
}

#[test]
fn names() {
    assert_eq!(file_name(&source("a_1.deb", "")).unwrap(), "a_1.deb");
    for bad in ["", ".x", "-x", "x.part", "x.wrong", "x y", "x\u{e9}"] {
        assert!(file_name(&source(bad, "")).is_err(), "{bad:?}");
    }
    let mut named = source("a", "");
    named.file = Some("../a".to_owned());
    assert!(file_name(&named).is_err());
}

#[test]
fn what_is_wrong_is_set_aside() {
    let (folder, root) = tree();
    let cache = Cache::open(&root, Path::new("/c")).unwrap();
    let place = folder.path().join("c");
    assert!(matches!(
        cache.open_verified(&source("a", NOTHING)),
        Err(CacheError::Missing(_))
    ));
    std::fs::write(place.join("a"), b"").unwrap();
    let mut bytes = Vec::new();
    let mut file = cache.open_verified(&source("a", NOTHING)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    assert!(bytes.is_empty() && cache.has(&source("a", NOTHING)));

    std::fs::write(place.join("a"), b"other").unwrap();
    let error = cache.open_verified(&source("a", NOTHING)).unwrap_err();
    assert!(error.to_string().contains("a.wrong"), "{error}");
    assert!(!place.join("a").exists());
    assert_eq!(std::fs::read(place.join("a.wrong")).unwrap(), b"other");

    // A link is none of ours, even when it leads to the right bytes.
    std::fs::write(place.join("right"), b"").unwrap();
    symlink("right", place.join("a")).unwrap();
    assert!(!cache.has(&source("a", NOTHING)));
    assert!(cache.open_verified(&source("a", NOTHING)).is_err());
    assert!(place.join("a.wrong").is_symlink() && place.join("right").exists());
}

#[test]
fn folders_of_others_are_refused() {
    let (folder, root) = tree();
    let place = folder.path().join("c");
    assert!(Cache::look(&root, Path::new("/c")).unwrap().is_none());
    std::fs::create_dir(&place).unwrap();
    for (mode, is_fine) in [
        (0o755, true),
        (0o700, true),
        (0o777, false),
        (0o1777, false),
    ] {
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
        let opened = Cache::open(&root, Path::new("/c"));
        assert_eq!(opened.is_ok(), is_fine, "{mode:o}");
    }
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A link inside the root is followed inside the root.
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    symlink("/elsewhere/..//c", folder.path().join("link")).unwrap();
    let cache = Cache::open(&root, Path::new("/link/deep")).unwrap();
    assert_eq!(cache.place(), Path::new("/link/deep"));
    assert!(place.join("deep").is_dir());
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::lchown(folder.path().join("link"), Some(1234), None).unwrap();
    let error = Cache::open(&root, Path::new("/link/deep")).err().unwrap();
    assert!(
        error.to_string().contains("link of another user"),
        "{error}"
    );
    std::os::unix::fs::lchown(&place, Some(1234), None).unwrap();
    let error = Cache::open(&root, Path::new("/c")).err().unwrap();
    assert!(error.to_string().contains("number 1234"), "{error}");
    // Through a folder of another user one may pass: no link of his is followed.
    assert!(Cache::open(&root, Path::new("/c/deep")).is_ok());
}

#[test]
fn a_part_is_one_process_alone() {
    let (folder, root) = tree();
    let cache = Cache::open(&root, Path::new("/c")).unwrap();
    let place = folder.path().join("c");
    let part = cache.part("a").unwrap().unwrap();
    part.note("x").unwrap();
    assert_eq!(part.noted().as_deref(), Some("x"));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| cache.part("a").unwrap().is_none());
        std::thread::sleep(Duration::from_millis(150));
        assert!(!other.is_finished());
        part.finish().unwrap();
        assert!(other.join().unwrap());
    });
    let names = super::super::stand::list(&place);
    assert_eq!(names, ["a"]);
    // Whatever stands where a part should, it is not written through.
    std::fs::write(folder.path().join("precious"), b"precious").unwrap();
    symlink(folder.path().join("precious"), place.join("b.part")).unwrap();
    cache.part("b").unwrap().unwrap().finish().unwrap();
    assert_eq!(
        std::fs::read(folder.path().join("precious")).unwrap(),
        b"precious"
    );
    assert!(!place.join("b").is_symlink());
}
