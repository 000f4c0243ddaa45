//! Sources that have to be compiled: the lines of their recipe are run in a folder of their own, with
//! an empty environment, and when the caller is root under a number that nobody has. What they put
//! below `DESTDIR` becomes a tree.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZero;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::names::{self, Table};
use super::process::is_root;
use tempfile::TempDir;

use crate::package::assemble::Family;
use crate::package::{Content, Node, PackageError, PackagePath, Tree};

/// systemd.exec(5), `DynamicUser=`.
const FREE: std::ops::Range<u32> = 61_184..65_520;

/// How many of the last lines of a build that failed are shown.
const LAST_LINES: usize = 12;

/// Programs without their symbols, as packages carry them. What is a program is seen by its first bytes.
const STRIP: &str = r#"
cd "$HOME"
find "$DESTDIR" -type f \( -perm -100 -o -name '*.so*' \) -exec sh -c \
  'for file; do case $(head -c4 "$file" | od -An -tx1) in *7f*45*4c*46*) printf "%s\n" "$file";; esac; done' - {} + > programs
if [ -s programs ]; then xargs -d '\n' strip --strip-unneeded < programs; fi
"#;

/// Which packages of Debian have the libraries that programs were linked with, as
/// dpkg-shlibdeps(1) knows it.
const LIBRARIES: &str = r#"
mkdir debian
printf 'Source: x\n\nPackage: x\nArchitecture: any\n' > debian/control
if [ -s programs ]; then xargs -d '\n' dpkg-shlibdeps -O --warnings=0 < programs > libraries; fi
"#;

/// What a build has left.
#[derive(Debug)]
pub struct Compiled {
    /// What it installed.
    pub tree: Tree,
    /// Packages of Debian that its programs were linked with; none of another family.
    pub depends: Vec<String>,
}

/// Why sources could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The build failed.
    #[error("the build failed ({status}); its last lines:\n{lines}")]
    Failed {
        /// How it ended.
        status: String,
        /// What it said last.
        lines: String,
    },
    /// What it left cannot be packaged.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The folder of the build could not be used.
    #[error("`{}`: {why}", place.display())]
    Io {
        /// Where.
        place: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

fn at(place: &Path) -> impl FnOnce(io::Error) -> CompileError {
    let place = place.to_owned();
    move |why| CompileError::Io { place, why }
}

/// Compiles unpacked sources of a piece by the lines of `script`; gives what they installed, with the contents at
/// the end of the spool.
///
/// # Errors
/// When the build fails, with its last lines; nothing is left of it then.
pub fn compile(
    name: &str,
    sources: &[Tree],
    script: &str,
    family: Family,
    spool: &mut File,
) -> Result<Compiled, CompileError> {
    let folder = folder(name).map_err(at(Path::new("the temporary folder")))?;
    let place = |name: &str| folder.path().join(name);
    let [work, dest, home] = ["src", "dest", "home"].map(place);
    for new in [&work, &dest, &home] {
        fs::create_dir(new).map_err(at(new))?;
    }
    for source in sources {
        lay_out(source, &work, spool)?;
    }
    let lines = place("build.sh");
    let libraries = match family {
        Family::Debian => LIBRARIES,
        Family::Slackware => "",
    };
    fs::write(&lines, format!("{script}{STRIP}{libraries}")).map_err(at(&lines))?;
    let log = place("log");
    let written = File::create(&log).map_err(at(&log))?;
    let both = written.try_clone().map_err(at(&log))?;
    let mut command = Command::new("bash");
    command
        .arg(&lines)
        .current_dir(&work)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin",
        )
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env("DESTDIR", &dest)
        .env(
            "JOBS",
            std::thread::available_parallelism()
                .map_or(1, NonZero::get)
                .to_string(),
        )
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(written)
        .stderr(both);
    if is_root() {
        let number = free_number();
        give(folder.path(), number, number).map_err(at(folder.path()))?;
        command.uid(number).gid(number);
    }
    let status = command.status().map_err(at(Path::new("bash")))?;
    if !status.success() {
        let said = fs::read(&log).map_err(at(&log))?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let all: Vec<&str> = said.lines().collect();
        return Err(CompileError::Failed {
            status: status.to_string(),
            lines: all[all.len().saturating_sub(LAST_LINES)..].join("\n"),
        });
    }
    let mut tree = Tree::new();
    collect(&dest, "", &mut tree, spool)?;
    let told = fs::read_to_string(home.join("libraries")).unwrap_or_default();
    let depends = told.trim().strip_prefix("shlibs:Depends=").unwrap_or("");
    let depends = depends.split(", ").filter(|one| !one.is_empty());
    Ok(Compiled {
        tree,
        depends: depends.map(str::to_owned).collect(),
    })
}

/// A folder to build in, of which the name is the same each time as long as nobody has it: compilers
/// write it into programs.
fn folder(name: &str) -> io::Result<TempDir> {
    let start = format!("jitsi-install-build-{name}");
    let private = Permissions::from_mode(0o700);
    let mut plain = tempfile::Builder::new();
    let plain = plain
        .prefix(&start)
        .rand_bytes(0)
        .permissions(private.clone());
    match plain.tempdir() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => tempfile::Builder::new()
            .prefix(&start)
            .permissions(private)
            .tempdir(),
        made => made,
    }
}

/// Writes a tree into a folder. A tree has nothing below a link, so that none is followed.
fn lay_out(tree: &Tree, folder: &Path, spool: &mut File) -> Result<(), CompileError> {
    for (path, node) in tree.iter() {
        let place = folder.join(path.as_str());
        match node {
            Node::Dir { .. } => match fs::create_dir(&place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(at(&place))?,
            },
            Node::File { mode, content } => {
                let mut file = File::create_new(&place).map_err(at(&place))?;
                let mut from = content.open(spool).map_err(at(&place))?;
                io::copy(&mut from, &mut file).map_err(at(&place))?;
                let mode = Permissions::from_mode(mode & 0o755 | 0o600);
                file.set_permissions(mode).map_err(at(&place))?;
            }
            Node::Link { target } => symlink(target, &place).map_err(at(&place))?,
        }
    }
    Ok(())
}

/// A number that neither a user nor a group has, of those that systemd gives to passing users: no
/// other program can reach what is built.
fn free_number() -> u32 {
    let mut number = FREE.start;
    for _ in 0..1000 {
        let mut bytes = [0; 4];
        super::random(&mut bytes);
        number = FREE.start + u32::from_ne_bytes(bytes) % (FREE.end - FREE.start);
        let is_taken = |table| names::by_number(table, number).is_some();
        if !is_taken(Table::Passwd) && !is_taken(Table::Group) {
            break;
        }
    }
    number
}

/// Gives a folder and everything in it to somebody.
fn give(place: &Path, user: u32, group: u32) -> io::Result<()> {
    lchown(place, Some(user), Some(group))?;
    if fs::symlink_metadata(place)?.is_dir() {
        for entry in fs::read_dir(place)? {
            give(&entry?.path(), user, group)?;
        }
    }
    Ok(())
}

/// Everything below a folder, in the order of names.
fn collect(
    folder: &Path,
    above: &str,
    tree: &mut Tree,
    spool: &mut File,
) -> Result<(), CompileError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        names.push(entry.map_err(at(folder))?.file_name());
    }
    names.sort();
    for name in names {
        let place = folder.join(&name);
        let refuse = |why: &str| PackageError::Path {
            path: place.display().to_string(),
            why: why.to_owned(),
        };
        let name = name
            .to_str()
            .ok_or_else(|| refuse("its name is not UTF-8"))?;
        let path = PackagePath::parse(&format!("{above}{name}"))?;
        let seen = fs::symlink_metadata(&place).map_err(at(&place))?;
        let mode = seen.permissions().mode() & 0o777;
        if seen.is_dir() {
            tree.put(path.clone(), Node::Dir { mode })?;
            collect(&place, &format!("{path}/"), tree, spool)?;
        } else if seen.is_symlink() {
            let target = fs::read_link(&place).map_err(at(&place))?;
            let target = target
                .to_str()
                .ok_or_else(|| refuse("its target is not UTF-8"))?;
            let target = target.to_owned();
            tree.put(path, Node::Link { target })?;
        } else if seen.is_file() {
            let begins = spool.seek(SeekFrom::End(0)).map_err(at(&place))?;
            let file = File::open(&place).map_err(at(&place))?;
            let len = io::copy(&mut file.take(seen.len()), spool).map_err(at(&place))?;
            spool.flush().map_err(at(&place))?;
            let content = Content::Spooled { at: begins, len };
            tree.put(path, Node::File { mode, content })?;
        } else {
            return Err(refuse("it is no file, folder or link").into());
        }
    }
    Ok(())
}
