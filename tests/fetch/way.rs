//! `--from`: mirrors and folders.

use crate::proving::said;
use crate::server::Server;
use crate::stage::{Piece, Stage, bytes};

fn fetch(stage: &Stage, from: &str) -> (Option<i32>, String) {
    let output = stage.run(&["fetch", "--from", from]);
    (output.status.code(), said(&output))
}

#[test]
fn a_folder() {
    let (file, other) = (bytes(300_000, 80), bytes(300_000, 81));
    let nowhere = "https://upstream.invalid/a.bin".to_owned();
    let stage = Stage::new(&[Piece::of("piece", nowhere, &file).without_size()]);
    let folder = stage.path("folder with a space");
    std::fs::create_dir(&folder).unwrap();
    let from = folder.to_str().unwrap();
    let (code, text) = fetch(&stage, from);
    assert!(
        code == Some(1) && text.contains("a.bin`: there is no such file"),
        "{text}"
    );
    std::fs::write(folder.join("a.bin"), &other).unwrap();
    let (code, text) = fetch(&stage, from);
    assert!(
        code == Some(1) && text.contains("is not what the catalogue says"),
        "{text}"
    );
    assert_eq!(stage.names(), [""; 0]);
    std::fs::write(folder.join("a.bin"), &file).unwrap();
    let (code, text) = fetch(&stage, from);
    assert_eq!(code, Some(0), "{text}");
    stage.holds("a.bin", &file);
    // The folder's own file stays as it is.
    assert!(std::fs::read(folder.join("a.bin")).unwrap() == file);

    let (code, text) = fetch(&stage, "/no/such/folder");
    assert!(
        code == Some(1) && text.contains("there is no folder `/no/such/folder`"),
        "{text}"
    );
    // What is no file is not read: a pipe would never end.
    std::fs::remove_file(stage.cache().join("a.bin")).unwrap();
    std::fs::remove_file(folder.join("a.bin")).unwrap();
    nix::unistd::mkfifo(&folder.join("a.bin"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (code, text) = fetch(&stage, from);
    assert!(
        code == Some(1) && text.contains("it is no plain file"),
        "{text}"
    );
    assert_eq!(stage.names(), [""; 0]);
}

#[test]
fn a_mirror() {
    let file = bytes(300_000, 82);
    let server = Server::files(&[("pool/a.bin", &file), ("bad/a.bin", &file[1..])]);
    let nowhere = "https://upstream.invalid/x/a.bin".to_owned();
    let stage = Stage::new(&[Piece::of("piece", nowhere, &file)]);
    let (code, text) = fetch(&stage, &server.url("bad/"));
    assert!(
        code == Some(1) && text.contains("has 299999 bytes"),
        "{text}"
    );
    assert_eq!(stage.names(), [""; 0]);
    for base in ["pool", "pool/"] {
        let (code, text) = fetch(&stage, &server.url(base));
        assert_eq!(code, Some(0), "{text}");
        stage.holds("a.bin", &file);
        std::fs::remove_file(stage.cache().join("a.bin")).unwrap();
    }
    let folder = stage.path("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.bin"), &file).unwrap();
    let (code, text) = fetch(&stage, &format!("file://{}", folder.display()));
    assert_eq!(code, Some(0), "{text}");
    stage.holds("a.bin", &file);
}
