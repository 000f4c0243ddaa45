//! A Debian that has nothing of Jitsi yet: made once by debootstrap, kept in `target/rootfs`, and
//! used as the lower layer of every container. Beside it stand, downloaded once, the packages that
//! an apply will want; in the container they are the only ones there are, since it has no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use super::cases::say;
use super::mirror::Mirror;
use super::shell::{done, told};

/// Where the container's apt looks.
pub(crate) const FOLDER: &str = "/var/local/debs";

/// Raised by one when what is done below changes, so that older trees are made anew.
const VERSION: u32 = 1;

const BASE: &str = "systemd,systemd-sysv,dbus,iproute2,procps,netbase,ca-certificates";

const WANTED: &[&str] = &[
    "prosody",
    "lua-basexx",
    "lua-cjson",
    "lua-inspect",
    "lua-luaossl",
    "lua-sec",
    "nginx",
    "caddy",
];

/// A release that is booted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    Bookworm,
    Trixie,
}

impl Release {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Release::Bookworm => "bookworm",
            Release::Trixie => "trixie",
        }
    }

    /// The Java that it has.
    pub(crate) fn java(self) -> &'static str {
        match self {
            Release::Bookworm => "openjdk-17-jre-headless",
            Release::Trixie => "openjdk-21-jre-headless",
        }
    }

    /// What its tree is made of.
    pub(crate) fn stamp(self) -> String {
        let wanted = WANTED.join(" ");
        format!("{VERSION} {BASE} {wanted} {}\n", self.java())
    }
}

/// cargo's folder for what it builds.
pub(crate) fn target() -> &'static Path {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp)
}

/// The tree of a release, made where it is missing or was left half-made.
pub(crate) fn of(release: Release) -> Result<PathBuf, String> {
    let home = target().join("rootfs");
    fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let root = home.join(release.name());
    let stamp = home.join(format!("{}.stamp", release.name()));
    let lock = fs::File::create(home.join(format!("{}.lock", release.name())));
    let lock = lock.map_err(|error| error.to_string())?;
    // two test runs at once: the second one waits and then finds it made
    let _lock =
        Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| error.to_string())?;
    let is_whole = fs::read_to_string(&stamp).is_ok_and(|text| text == release.stamp());
    if is_whole && root.is_dir() {
        return Ok(root);
    }
    say(&format!(
        "making a {} for containers; it is kept",
        release.name()
    ));
    let _ = fs::remove_file(&stamp);
    if root.exists() {
        fs::remove_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    }
    make(release, &root)?;
    fs::write(&stamp, release.stamp()).map_err(|error| error.to_string())?;
    Ok(root)
}

fn make(release: Release, root: &Path) -> Result<(), String> {
    let mirror = Mirror::of_this_machine()?;
    // a mount namespace of its own: when it fails, its mounts go with it
    done(
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "debootstrap"])
            .args(["--variant=minbase", &format!("--include={BASE}")])
            .arg(release.name())
            .arg(root)
            .arg(&mirror.main),
    )?;
    let put = |name: &str, text: &str| {
        let path = root.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    put("etc/hostname", "meet\n")?;
    put("etc/hosts", "127.0.0.1 localhost meet\n")?;
    // what is written here is thrown away: waiting for the disk would only cost time
    put("etc/dpkg/dpkg.cfg.d/thrown-away", "force-unsafe-io\n")?;
    // every container is a machine of its own
    put("etc/machine-id", "")?;
    let wanted: Vec<&str> = WANTED.iter().copied().chain([release.java()]).collect();
    let folder = root.join(FOLDER.trim_start_matches('/'));
    fill(root, &wanted, &folder, &mirror.lines(release.name()))?;
    put(
        "etc/apt/sources.list",
        &format!("deb [trusted=yes] file:{FOLDER} ./\n"),
    )
}

/// More packages for a release, into a folder of this machine.
pub(crate) fn download(release: Release, wanted: &[&str], folder: &Path) -> Result<(), String> {
    let lines = Mirror::of_this_machine()?.lines(release.name());
    fill(&of(release)?, wanted, folder, &lines)
}

/// Downloads with this machine's apt and its settings (proxies, certificates), as if it were the
/// container's: what is installed there already is left out.
fn fill(root: &Path, wanted: &[&str], folder: &Path, lines: &str) -> Result<(), String> {
    let state = root.with_extension("apt");
    let make = |path: &Path| {
        let made = fs::create_dir_all(path);
        made.map_err(|error| format!("{}: {error}", path.display()))
    };
    let _ = fs::remove_dir_all(&state);
    make(folder)?;
    make(&state.join("lists/partial"))?;
    make(&state.join("archives/partial"))?;
    let sources = state.join("sources.list");
    fs::write(&sources, lines).map_err(|error| error.to_string())?;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let options = [
        format!("Dir::Etc::sourcelist={}", path(&sources)),
        "Dir::Etc::sourceparts=-".to_owned(),
        "Dir::Etc::preferences=-".to_owned(),
        "Dir::Etc::preferencesparts=-".to_owned(),
        format!("Dir::State::lists={}", path(&state.join("lists"))),
        format!(
            "Dir::State::status={}",
            path(&root.join("var/lib/dpkg/status"))
        ),
        format!(
            "Dir::State::extended_states={}",
            path(&state.join("states"))
        ),
        format!("Dir::Cache::archives={}", path(&state.join("archives"))),
        "Dir::Cache::pkgcache=".to_owned(),
        "Dir::Cache::srcpkgcache=".to_owned(),
        "Dir::Etc::trustedparts=/usr/share/keyrings".to_owned(),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let apt = || {
        let mut command = Command::new("apt-get");
        command.arg("-q").arg("-y");
        for option in &options {
            command.arg("-o").arg(option);
        }
        command
    };
    done(apt().arg("update"))?;
    let mut install = apt();
    install.args(["--download-only", "--no-install-recommends", "install"]);
    done(install.args(wanted))?;
    for entry in fs::read_dir(state.join("archives")).map_err(|error| error.to_string())? {
        let from = entry.map_err(|error| error.to_string())?.path();
        let is_deb = from.extension().is_some_and(|end| end == "deb");
        if let Some(name) = from.file_name().filter(|_| is_deb) {
            fs::rename(&from, folder.join(name)).map_err(|error| error.to_string())?;
        }
    }
    let mut index = String::new();
    for file in debs(folder)? {
        index.push_str(&stanza(&file)?);
    }
    let _ = fs::remove_dir_all(&state);
    fs::write(folder.join("Packages"), index).map_err(|error| error.to_string())
}

/// The packages in a folder.
fn debs(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        .collect();
    found.sort();
    Ok(found)
}

/// What a package is to apt: its control file, and where it is.
pub(crate) fn stanza(file: &Path) -> Result<String, String> {
    let control = told(Command::new("dpkg-deb").arg("--field").arg(file))?;
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!(
        "{}\nFilename: ./{name}\nSize: {}\nSHA256: {}\n\n",
        control.trim_end(),
        bytes.len(),
        digest(&bytes)
    ))
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
