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
    again(stage)
}

/// The same with the site file that is there.
fn again(stage: &Stage) -> String {
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

/// Calls by which an apply changes a tree, and at how many of each to fail.
const FAILING: &[(&str, usize)] = &[
    ("fsync", 8),
    ("write", 6),
    ("renameat", 8),
    ("mkdirat", 4),
    ("unlinkat", 4),
    ("fchmod", 5),
    ("openat2", 10),
    ("getdents64", 4),
];

/// Runs the line of a stage under `strace`; `None` where that cannot be.
fn traced(stage: &Stage, options: &str) -> Option<Output> {
    if !shell("strace -o /dev/null true").status.success() {
        let strict = std::env::var_os("CHECK_STRICT").is_some_and(|value| value == "1");
        assert!(!strict, "`strace` is missing");
        eprintln!("SKIPPED: `strace` is missing, so no call can fail");
        return None;
    }
    let line = again(stage);
    Some(shell(&format!(
        "LC_ALL=C timeout 60 strace -f {options} {line}"
    )))
}

/// A tree with everything that `from` has.
fn copied(from: &Stage) -> Stage {
    let stage = Stage::new();
    let line = format!(
        "cp -a {}. {}",
        from.path("").display(),
        stage.path("").display()
    );
    assert!(shell(&line).status.success());
    stage
}

/// How often an apply makes each call.
fn counts(stage: &Stage) -> Option<Vec<(&'static str, usize)>> {
    let log = stage.path("calls");
    let names: Vec<&str> = FAILING.iter().map(|(name, _)| *name).collect();
    let options = format!("-e trace={} -o {}", names.join(","), log.display());
    let output = traced(stage, &options)?;
    assert!(output.status.success());
    let calls = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let count = |name: &str| calls.matches(&format!(" {name}(")).count();
    Some(names.into_iter().map(|name| (name, count(name))).collect())
}

#[test]
fn a_disk_that_fails_anywhere_leaves_the_old_state() {
    let old = Stage::quick();
    assert!(shell(&line(&old)).status.success());
    // More, less and others, all in one apply.
    let site = format!(
        "{SITE}web.server = \"caddy\"\nprosody.log_level = \"debug\"\njicofo.memory = 4096\n"
    );
    std::fs::write(old.path("site.toml"), site).unwrap();
    let picture = |stage: &Stage| -> Picture {
        let mut picture = stage.picture();
        picture.remove("site.toml");
        picture
    };
    let before = picture(&old);
    let new = copied(&old);
    let Some(counts) = counts(&new) else {
        return;
    };
    let after = picture(&new);
    assert_ne!(before, after);
    let mut failed = 0;
    for (place, (name, count)) in counts.into_iter().enumerate() {
        assert!(count > 0, "an apply makes no `{name}`");
        let points = FAILING[place].1.min(count);
        for point in 0..points {
            let when = 1 + point * count / points;
            let (errno, words) = match point % 2 {
                0 => ("EIO", ["I/O error", "Input/output error"]),
                _ => ("EACCES", ["EACCES", "Permission denied"]),
            };
            // Once, or from there on until the end: then there is no way back either, at first.
            let lasting: &[&str] = if point % 4 < 2 { &["", "+"] } else { &[""] };
            for &more in lasting {
                let fault = format!("{name}:error={errno}:when={when}{more}");
                let stage = copied(&old);
                let output = traced(&stage, &format!("-o /dev/null -e inject={fault}")).unwrap();
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                if output.status.success() {
                    // An error that does not matter: a folder that would not go, as if others had files in it.
                    assert_eq!(more, "", "{fault}: {err}");
                } else if name == "write" && err.is_empty() {
                    // Its own words could not be written either.
                    assert_eq!(more, "+", "{fault}");
                } else {
                    failed += 1;
                    assert!(err.contains("error: "), "{fault}: {err}");
                    let says = words.iter().any(|word| err.contains(word));
                    assert!(says, "{fault}: {err}");
                    assert!(err.contains("hint: "), "{fault}: {err}");
                    if more.is_empty() {
                        assert_eq!(picture(&stage), before, "{fault}: {err}");
                    }
                }
                let again = shell(&format!("{} 2>&1", again(&stage)));
                let said = String::from_utf8_lossy(&again.stdout).into_owned();
                assert!(again.status.success(), "after {fault}: {said}");
                assert_eq!(picture(&stage), after, "after {fault}: {said}");
            }
        }
    }
    assert!(failed > 40, "only {failed} faults were noticed");
}
