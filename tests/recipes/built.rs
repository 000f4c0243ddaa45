//! Real builds: sources from Debian's archive whose SHA-256 is the catalogue's, made into packages by
//! the SlackBuild in a root that looks like Slackware, and by dpkg-buildpackage.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use jitsi_install::package::recipe::{self, Form};

use super::{catalogue, has, lay, root, run};

/// Pieces that build fast, in the order in which they need each other.
const PIECES: [&str; 5] = ["lua", "luaexpat", "luasec", "luaossl", "lua-basexx"];

/// What compiling them needs besides.
const HEADERS: [&str; 4] = [
    "lua5.4/lua.h",
    "expat.h",
    "openssl/ssl.h",
    "readline/readline.h",
];

/// Longer than anything here takes to download.
const SECONDS: &str = "60";

/// Both tests want the same sources; one of them fetches.
static FETCHING: Mutex<()> = Mutex::new(());

/// The piece's source, from the cache of the last run or from a mirror that the catalogue names.
fn source(name: &str) -> Option<PathBuf> {
    let _alone = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let catalogue = catalogue();
    let release = catalogue.piece(name)?.newest()?;
    let source = release.sources.first()?;
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recipe-sources");
    std::fs::create_dir_all(&cache).ok()?;
    let place = cache.join(source.file_name());
    let is_right = |place: &Path| {
        let output = Command::new("sha256sum").arg(place).output();
        output.is_ok_and(|found| found.stdout.starts_with(source.sha256.as_bytes()))
    };
    if !is_right(&place) {
        let mirror = source.mirrors.first().unwrap_or(&source.url);
        let _ = Command::new("curl")
            .args([
                "-fsSL",
                "--max-time",
                SECONDS,
                "--max-filesize",
                "4000000",
                "-o",
            ])
            .arg(&place)
            // Debian's archive is checked by the hash, and some mirrors have no TLS.
            .arg(mirror.replace("https://deb.debian.org/", "http://deb.debian.org/"))
            .status();
    }
    is_right(&place).then_some(place)
}

fn sources(what: &str) -> Option<Vec<PathBuf>> {
    for program in ["curl", "file", "gcc", "make", "unshare"] {
        if !has(program, what) {
            return None;
        }
    }
    for header in HEADERS {
        if !Path::new("/usr/include").join(header).exists() {
            assert!(
                std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
                "no `{header}`"
            );
            println!("SKIPPED: {what}: no `{header}`");
            return None;
        }
    }
    let found: Option<Vec<_>> = PIECES.iter().map(|name| source(name)).collect();
    if found.is_none() {
        assert!(
            std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
            "no sources"
        );
        println!("SKIPPED: {what}: the sources cannot be had");
    }
    found
}

#[test]
fn slackbuilds_build_and_what_they_build_runs() {
    let what = "SlackBuilds in a Slackware root";
    if !has("unshare", what) || !is_root(what) {
        return;
    }
    let Some(sources) = sources(what) else { return };
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue();
    for (name, source) in PIECES.iter().zip(&sources) {
        let piece = catalogue.piece(name).unwrap();
        let files = recipe::write(piece, piece.newest().unwrap(), Form::SlackBuild).unwrap();
        let own = folder.path().join(name);
        lay(&own, &files);
        std::fs::copy(source, own.join(source.file_name().unwrap())).unwrap();
    }
    let said = run(Command::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--net",
            "--kill-child",
            "--propagation",
            "private",
            "bash",
        ])
        .arg(root().join("tests/standins/slackware/build.sh"))
        .arg(folder.path())
        .arg(root().join("tests/standins"))
        .args(PIECES));
    for name in PIECES {
        assert!(said.contains(&format!("built {name}")), "{said}");
    }
    assert!(said.contains("twice the same: luaexpat"), "{said}");
    assert!(said.contains("YQ== table: table: table:"), "{said}");
    assert!(said.contains("a spoiled source is not built"), "{said}");
}

fn is_root(what: &str) -> bool {
    let is_root = nix::unistd::Uid::effective().is_root();
    if !is_root {
        assert!(
            std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
            "not root"
        );
        println!("SKIPPED: {what}: not root");
    }
    is_root
}

#[test]
fn debian_folders_build_and_lintian_finds_no_error() {
    let what = "recipes by dpkg-buildpackage";
    for program in ["dpkg-buildpackage", "dh", "lintian"] {
        if !has(program, what) {
            return;
        }
    }
    let Some(sources) = sources(what) else { return };
    let catalogue = catalogue();
    for (name, source) in PIECES.iter().zip(&sources) {
        let piece = catalogue.piece(name).unwrap();
        if piece.slackware_only {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let files = recipe::write(piece, piece.newest().unwrap(), Form::Debian).unwrap();
        let own = folder.path().join("recipe");
        lay(&own, &files);
        std::fs::copy(source, folder.path().join(source.file_name().unwrap())).unwrap();
        run(Command::new("dpkg-buildpackage")
            .args(["-b", "-us", "-uc"])
            .current_dir(&own));
        let package = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                file.starts_with(&format!("{}_", piece.debian_name())) && file.ends_with(".deb")
            })
            .unwrap_or_else(|| panic!("{name}: no package"));
        let list = run(Command::new("dpkg-deb").arg("-c").arg(&package));
        let wanted = match *name {
            "luaexpat" => "/lua/5.4/lxp.so",
            "luasec" => "/lua/5.4/ssl.so",
            "luaossl" => "/lua/5.4/_openssl.so",
            _ => "/usr/share/lua/5.4/basexx.lua",
        };
        assert!(list.contains(wanted), "{list}");
        let mut lintian = Command::new("lintian");
        lintian.args([
            "--allow-root",
            "--fail-on",
            "error",
            "--tag-display-limit",
            "0",
        ]);
        // Of upstream's own work and of the archive's rules, not of the recipe's.
        lintian.args([
            "--suppress-tags",
            "no-manual-page,initial-upload-closes-no-bugs",
        ]);
        run(lintian.arg(&package));
    }
}
