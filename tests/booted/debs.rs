//! Stand-ins as Debian packages, built at every run: Jicofo and the bridge from
//! `tests/standins/java`, the Prosody plugins and the web application from their folders. Unlike
//! upstream's they make no user and no configuration, so that all of that is the installer's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::rootfs::{digest, stanza};
use super::shell::done;
use super::tree;

/// Programs in Java: package, folder below `/usr/share`, by which the jar is named too.
const PROGRAMS: &[(&str, &str)] = &[
    ("jicofo", "jicofo"),
    ("jitsi-videobridge2", "jitsi-videobridge"),
];

/// Folders that are packed as they are: package, folder below `tests/standins`, place.
const FOLDERS: &[(&str, &str, &str)] = &[
    (
        "jitsi-meet-prosody",
        "prosody-plugins",
        "usr/share/jitsi-meet/prosody-plugins",
    ),
    ("jitsi-meet-web", "meet", "usr/share/jitsi-meet"),
];

/// The built packages.
#[derive(Debug, Clone)]
pub(crate) struct Debs {
    /// Their files: name, contents.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// What apt's index says of them.
    pub(crate) index: String,
    /// Stands for what is in the packages that are no programs: the same from the same sources.
    pub(crate) contents: String,
}

/// HOCON's own library, which Maven has put there (`tests/java/pom.xml`).
pub(crate) fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/java/config.jar")
}

/// Built once in a run.
pub(crate) fn built() -> Result<&'static Debs, String> {
    static BUILT: OnceLock<Result<Debs, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_ref().map_err(Clone::clone)
}

fn build() -> Result<Debs, String> {
    let standins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins");
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = place.path();
    let classes = place.join("classes");
    make(&classes)?;
    let mut sources = Vec::new();
    java(&standins.join("java"), &mut sources)?;
    done(
        Command::new("javac")
            .args(["--release", "17", "-Xlint:all", "-Werror", "-cp"])
            .arg(library())
            .arg("-d")
            .arg(&classes)
            .args(&sources),
    )?;
    let mut trees = Vec::new();
    for (package, home) in PROGRAMS {
        let tree = place.join(package);
        let share = tree.join("usr/share").join(home);
        make(&share.join("lib"))?;
        let jar = share.join(format!("{home}.jar"));
        done(
            Command::new("jar")
                .args(["--create", "--file"])
                .arg(&jar)
                .arg("-C")
                .arg(&classes)
                .arg("."),
        )?;
        copy(&library(), &share.join("lib/config.jar"))?;
        trees.push((*package, tree));
    }
    for (package, from, to) in FOLDERS {
        let tree = place.join(package);
        let to = tree.join(to);
        make(to.parent().unwrap_or(&tree))?;
        done(
            Command::new("cp")
                .arg("-R")
                .arg(standins.join(from))
                .arg(to),
        )?;
        trees.push((*package, tree));
    }
    let mut debs = Debs {
        files: Vec::new(),
        index: String::new(),
        contents: String::new(),
    };
    for (_, from, _) in FOLDERS {
        for (path, what) in tree::of(&standins.join(from))? {
            debs.contents.push_str(&format!("{from}{path} {what}\n"));
        }
    }
    debs.contents = digest(debs.contents.as_bytes());
    for (package, tree) in trees {
        let control = standins.join(format!("debs/{package}.control"));
        make(&tree.join("DEBIAN"))?;
        copy(&control, &tree.join("DEBIAN/control"))?;
        let doc = tree.join("usr/share/doc").join(package);
        make(&doc)?;
        copy(&standins.join("debs/README"), &doc.join("README"))?;
        // whatever the umask of this machine
        done(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&tree))?;
        let name = format!("{package}_1.0-0standin_all.deb");
        let file = place.join(&name);
        done(
            Command::new("dpkg-deb")
                .args(["--root-owner-group", "-Znone", "--build"])
                .arg(&tree)
                .arg(&file),
        )?;
        debs.index.push_str(&stanza(&file)?);
        let bytes = fs::read(&file).map_err(|error| error.to_string())?;
        debs.files.push((name, bytes));
    }
    Ok(debs)
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = fs::copy(from, to);
    copied
        .map(|_| ())
        .map_err(|error| format!("{}: {error}", from.display()))
}

fn java(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            java(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "java") {
            found.push(path);
        }
    }
    Ok(())
}
