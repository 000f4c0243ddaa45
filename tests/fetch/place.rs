//! Where the cache is: full disks, folders that nobody can write to, folders of others.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::proving::{said, skip};
use crate::server::{Server, head};
use crate::stage::{Piece, Stage, bytes, names};

/// Fetches with the cache on a file system of its own, in a mount namespace; then lists it.
fn on_its_own_disk(stage: &Stage, options: &str, then: &str) -> Option<(Output, Vec<String>)> {
    if !nix::unistd::geteuid().is_root() {
        skip("only root can mount a small disk");
        return None;
    }
    let disk = stage.path("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o {options} none {disk} && mkdir {disk}/cache && {then} || exit 99; \
         \"$@\"; code=$?; ls -A {disk}/cache >{list}; exit $code",
        disk = disk.display(),
        list = stage.path("list").display()
    );
    let fetch = stage.command(&["fetch", "--stall-timeout", "2", "--cache"]);
    let output = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            &script,
            "sh",
        ])
        .arg(fetch.get_program())
        .args(fetch.get_args())
        .envs(
            fetch
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .arg(disk.join("cache"))
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(99), "{}", said(&output));
    let list = std::fs::read_to_string(stage.path("list")).unwrap();
    Some((output, list.lines().map(str::to_owned).collect()))
}

#[test]
fn a_full_disk() {
    let file = bytes(3_000_000, 60);
    let sent = file.clone();
    let server = Server::start(move |request, wire, _| match request.path.as_str() {
        "/told" => head(wire, "200 OK", &[("Content-Length", "3000000")]),
        _ => {
            head(wire, "200 OK", &[])?;
            wire.write_all(&sent)
        }
    });
    for (path, need) in [
        ("told", "has 3000000 bytes"),
        ("untold", "no room for `untold`"),
    ] {
        let piece = Piece::of("piece", server.url(path), &file).without_size();
        let stage = Stage::new(&[piece]);
        let Some((output, left)) = on_its_own_disk(&stage, "size=1m", "true") else {
            return;
        };
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("no room") && text.contains(need), "{text}");
        assert!(
            text.contains("hint: make room, or name a folder elsewhere"),
            "{text}"
        );
        assert_eq!(left, [""; 0]);
    }
    // With room for it, it is received there.
    let stage = Stage::one(server.url("untold"), &file);
    let Some((output, left)) = on_its_own_disk(&stage, "size=4m", "true") else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(left, ["untold"]);
}

#[test]
fn a_disk_that_cannot_be_written() {
    let file = bytes(1_000, 61);
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    let remount = format!("mount -o remount,ro {}", stage.path("disk").display());
    let Some((output, left)) = on_its_own_disk(&stage, "size=1m", &remount) else {
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("a.bin.part`: Read-only file system"),
        "{text}"
    );
    assert_eq!(left, [""; 0]);
    assert_eq!(server.log().len(), 0);
}

/// The program, copied to where everybody may run it, without rights.
fn without_rights(stage: &Stage, args: &[&str]) -> Option<Output> {
    use std::os::unix::process::CommandExt;
    let nobody = crate::proving::nobody()?;
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = stage.path("jitsi-install");
    // By another process: what a test starts meanwhile would inherit it, open for writing, from ours.
    let mut copy = Command::new("cp");
    copy.args([Path::new(env!("CARGO_BIN_EXE_jitsi-install")), &program]);
    assert!(copy.status().unwrap().success());
    open(&program, 0o755);
    open(&stage.path(""), 0o755);
    let command = stage.command(args);
    let output = Command::new(program)
        .args(command.get_args())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .uid(nobody.uid.as_raw())
        .gid(nobody.gid.as_raw())
        .output()
        .unwrap();
    Some(output)
}

#[test]
fn without_rights_of_root() {
    let file = bytes(1_000, 62);
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    let Some(output) = without_rights(&stage, &["fetch"]) else {
        skip("root is needed to become somebody else");
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(77), "{text}");
    assert!(
        text.contains("hint: run it as root, or name a folder of yours"),
        "{text}"
    );
    // What root fetched is of use to everybody.
    stage.fetches();
    let output = without_rights(&stage, &["fetch"]).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("0 received (0 B), 1 in"));
    // Something wrong in it is named, and used by nobody.
    std::fs::write(stage.cache().join("a.bin"), b"other").unwrap();
    let output = without_rights(&stage, &["fetch"]).unwrap();
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    assert_eq!(stage.names(), ["a.bin"]);
}

#[test]
fn folders_of_others() {
    let file = bytes(1_000, 63);
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    let fetch = |cache: &Path| {
        let mut command = stage.command(&["fetch", "--cache"]);
        command.arg(cache).output().unwrap()
    };
    let open = stage.path("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o1777)).unwrap();
    let output = fetch(&open);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(77), "{text}");
    assert!(
        text.contains("others can write to it") && text.contains("hint: "),
        "{text}"
    );
    assert_eq!(names(&open), [""; 0]);
    // One's own folder in it, through one's own link, is fine.
    symlink("open/mine", stage.path("link")).unwrap();
    let output = fetch(&stage.path("link/.."));
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    let output = fetch(&stage.path("link"));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(names(&open.join("mine")), ["a.bin"]);
    if !nix::unistd::geteuid().is_root() {
        skip("root is needed to make folders of others");
        return;
    }
    // A link of somebody else is not followed, wherever it leads.
    let target = stage.path("target");
    std::fs::create_dir(&target).unwrap();
    symlink(&target, open.join("trap")).unwrap();
    std::os::unix::fs::lchown(open.join("trap"), Some(65_534), Some(65_534)).unwrap();
    for cache in ["trap", "trap/deep"] {
        let output = fetch(&open.join(cache));
        let text = said(&output);
        assert_eq!(output.status.code(), Some(77), "{text}");
        assert!(text.contains("`trap` is a link of another user"), "{text}");
    }
    assert_eq!(names(&target), [""; 0]);
    std::os::unix::fs::chown(&target, Some(65_534), None).unwrap();
    let output = fetch(&target);
    assert!(
        said(&output).contains("belongs to another user"),
        "{}",
        said(&output)
    );
    // A file stands where a folder should.
    std::fs::write(stage.path("file"), b"").unwrap();
    let output = fetch(&stage.path("file"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("Not a directory"),
        "{}",
        said(&output)
    );
}

#[test]
fn links_in_the_cache_are_not_followed() {
    let file = bytes(1_000, 64);
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    let precious = stage.path("precious");
    std::fs::write(&precious, b"precious").unwrap();
    std::fs::create_dir_all(stage.cache()).unwrap();
    for name in ["a.bin", "a.bin.part", "a.bin.part.from"] {
        symlink(&precious, stage.cache().join(name)).unwrap();
    }
    let text = stage.fetches();
    assert!(text.contains("is no plain file"), "{text}");
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    assert_eq!(stage.names(), ["a.bin", "a.bin.wrong"]);
    let got = stage.cache().join("a.bin");
    assert!(!got.is_symlink() && std::fs::read(&got).unwrap() == file);
    let mode = std::fs::metadata(&got).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
}
