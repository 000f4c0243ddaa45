//! Machines that somebody or something has spoiled: an apply converges, or refuses and leaves
//! everything as it was.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use jitsi_install::host::secrets;
use jitsi_install::name::{AbsPath, Domain};

use super::stage::{Picture, Stage, without_shared};

const SITE: &str = "schema = 1\ndomain = \"meet.example.org\"\n";
const CONF: &str = "etc/jitsi/jicofo/jicofo.conf";

/// A command line that applies `SITE` in the root of a stage.
fn line(stage: &Stage) -> String {
    std::fs::write(stage.path("site.toml"), SITE).unwrap();
    let root = stage.path("");
    format!(
        "{} apply --yes -q --family debian --root {root} --site {root}site.toml",
        env!("CARGO_BIN_EXE_jitsi-install"),
        root = root.display(),
    )
}

fn shell(script: &str) -> Output {
    Command::new("sh").args(["-c", script]).output().unwrap()
}

/// In a mount namespace of its own; `None` when this user may not have one.
fn mounted(script: &str) -> Option<Output> {
    let may = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .status();
    if !may.is_ok_and(|status| status.success()) {
        let strict = std::env::var_os("CHECK_STRICT").is_some_and(|value| value == "1");
        assert!(!strict, "nothing can be mounted here");
        eprintln!("SKIPPED: nothing can be mounted here (root and `unshare` are needed)");
        return None;
    }
    Some(
        Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .output()
            .unwrap(),
    )
}

/// The picture without what is different in every site: secrets, and what is made of them.
fn shape(stage: &Stage) -> Picture {
    let kind = |text: &String| text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    stage
        .picture()
        .iter()
        .map(|(path, text)| (path.clone(), kind(text)))
        .collect()
}

#[test]
fn umask_and_locale_change_nothing() {
    let shapes: Vec<Picture> = [
        "umask 077",
        "umask 000",
        "umask 022; export LC_ALL=C",
        "umask 022; export LC_ALL=C.UTF-8",
    ]
    .into_iter()
    .map(|before| {
        let stage = Stage::new();
        let output = shell(&format!("{before}; {}", line(&stage)));
        assert!(
            output.status.success(),
            "{before}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::remove_file(stage.path("site.toml")).unwrap();
        // The folders that the books and secrets themselves need are made with 0755, too.
        shape(&stage)
    })
    .collect();
    for other in &shapes[1..] {
        assert_eq!(&shapes[0], other);
    }
}

#[test]
fn half_written_and_read_only_files_are_mended() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    let whole = std::fs::read(stage.path(CONF)).unwrap();
    let before = stage.picture();
    std::fs::write(stage.path(CONF), &whole[..whole.len() / 2]).unwrap();
    std::fs::set_permissions(stage.path(CONF), std::fs::Permissions::from_mode(0o400)).unwrap();
    stage.apply("").unwrap();
    assert_eq!(stage.picture(), before);
    // A temporary file of a run that was killed long ago is no obstacle.
    std::fs::write(
        stage.path("etc/jitsi/jicofo/.jicofo.conf.0123456789ab.new"),
        "half",
    )
    .unwrap();
    stage.apply("[jicofo]\nmemory = 2000\n").unwrap();
}

#[test]
fn etc_may_be_another_file_system() {
    let stage = Stage::new();
    let line = line(&stage);
    let root = stage.path("");
    let script = format!(
        "set -e; mkdir -p {root}/etc; mount -t tmpfs none {root}/etc; {line}; {line}; cat {root}/etc/prosody/prosody.cfg.lua",
        root = root.display(),
    );
    let Some(output) = mounted(&script) else {
        return;
    };
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{err}");
    assert!(out.contains("plugin_paths"), "{out}");
}

#[test]
fn a_read_only_file_system_and_no_inode_are_refused_whole() {
    for (mount, reason) in [
        (
            "mount -t tmpfs none etc; mkdir -p etc/jitsi; mount -o remount,ro none etc",
            "Read-only file system",
        ),
        (
            "mount -t tmpfs -o nr_inodes=30 none etc",
            "No space left on device",
        ),
    ] {
        let stage = Stage::new();
        std::fs::create_dir_all(stage.path("etc")).unwrap();
        let line = line(&stage);
        let script = format!(
            "cd {root} || exit 9; {mount}; {line} && exit 8; find etc -type f -not -path '*/jitsi-install/*' | sed 's/^/left: /'",
            root = stage.path("").display(),
        );
        let Some(output) = mounted(&script) else {
            return;
        };
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(err.contains(reason), "{out}{err}");
        assert!(!out.contains("left: "), "{out}{err}");
        let outside = without_shared(stage.picture());
        let made: Vec<&String> = outside
            .keys()
            .filter(|path| path.starts_with("var/lib/prosody"))
            .collect();
        assert!(made.is_empty(), "{made:?}");
    }
}

#[test]
fn a_jump_of_the_clock_renews_certificates_and_nothing_else() {
    let stage = Stage::new();
    let machine = stage.machine();
    let file = AbsPath::fixed("/etc/jitsi-install/secrets.toml");
    let domain = Domain::parse("meet.example.org").unwrap();
    let (now, year) = (1_790_000_000, 31_557_600);
    let first = secrets::load(machine.root(), &file, &domain, now).unwrap();
    secrets::save(machine.root(), &file, &first.secrets).unwrap();
    for (at, is_new) in [
        (now, false),
        (now - 20 * year, false),
        (now + 20 * year, true),
    ] {
        let again = secrets::load(machine.root(), &file, &domain, at).unwrap();
        assert_eq!(again.is_new, is_new, "at {at}");
        assert_eq!(again.secrets.words(), first.secrets.words());
        assert_eq!(again.secrets.jvb_nickname, first.secrets.jvb_nickname);
    }
    let renamed = Domain::parse("talk.example.org").unwrap();
    let other = secrets::load(machine.root(), &file, &renamed, now).unwrap();
    assert!(other.is_new, "another name wants other certificates");
    assert_eq!(other.secrets.words(), first.secrets.words());
}
