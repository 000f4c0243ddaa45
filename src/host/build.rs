//! Packages made of sources in the cache.
//!
//! Nothing is written under a package's name before the whole of it is: it is made in an unnamed or
//! hidden file beside its place and renamed.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::cache::{self, Cache, CacheError};
use super::compile::{CompileError, compile};
use crate::package::assemble::{Family, Order, assemble};
use crate::package::meta::Arch;
use crate::package::set::Choice;
use crate::package::{
    Limits, PackageError, PackagePath, Source, Style, Tree, deb, recipe, sbom, txz, unpack,
};

/// What a `.txz` of ours has behind its build number.
const TAG: &str = "_ji";

/// What is made.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Which piece, in which release.
    pub choice: Choice<'a>,
    /// In which format.
    pub family: Family,
    /// For which machine.
    pub arch: Arch,
    /// `SOURCE_DATE_EPOCH`, where it is set.
    pub time: Option<u64>,
}

/// A finished package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its file.
    pub file: PathBuf,
    /// The list of what is in it, beside it.
    pub sbom: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A source is missing, or wrong.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The sources are not what they should be.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Compiling failed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// What compiles is made on the kind of machine that it is for.
    #[error("it is compiled, and that is done on the kind of machine that it is for")]
    OtherMachine,
    /// Writing failed.
    #[error("`{}`: {why}", place.display())]
    Io {
        /// Where.
        place: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

/// Makes a package in the folder `out`.
///
/// # Errors
/// Says what is missing or wrong; nothing is left behind then.
pub fn build(job: &Job<'_>, cache: &Cache, out: &Path) -> Result<Built, BuildError> {
    let Choice { piece, release } = job.choice;
    let at = |place: &Path| {
        let place = place.to_owned();
        move |why| BuildError::Io { place, why }
    };
    let mut spool = tempfile::tempfile_in(out).map_err(at(out))?;
    let script = recipe::build_script(piece, release, job.family.form())?;
    if script.is_some() && job.arch != this_arch() {
        return Err(BuildError::OtherMachine);
    }
    let (mut sources, mut whole) = (Vec::new(), Vec::new());
    for source in release.sources_for(job.arch) {
        let tree = taken_apart(job, source, cache, &mut spool)?;
        if script.is_some() {
            whole.push(tree.clone());
        }
        sources.push(below_root(source, tree)?);
    }
    let built = match script {
        Some(script) => Some(compile(
            &piece.name,
            &whole,
            &script,
            job.family,
            &mut spool,
        )?),
        None => None,
    };
    let order = Order {
        piece,
        release,
        family: job.family,
        arch: job.arch,
        build: 1,
        time: job.time,
    };
    let installed = built.as_ref().map(|built| &built.tree);
    let (mut meta, tree) = assemble(&order, &sources, installed, &mut spool)?;
    for library in built.into_iter().flat_map(|built| built.depends) {
        let package = library.split(' ').next();
        if !meta
            .depends
            .iter()
            .any(|one| one.split(' ').next() == package)
        {
            meta.depends.push(library);
        }
    }
    let name = match job.family {
        Family::Slackware => txz::file_name(&meta, TAG)?,
        Family::Debian => deb::file_name(&meta),
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = u32::try_from(threads).unwrap_or(1);
    let mut hidden = NamedTempFile::new_in(out).map_err(at(out))?;
    match job.family {
        Family::Slackware => {
            txz::write(&meta, &tree, &mut spool, threads, hidden.as_file_mut())?;
        }
        Family::Debian => {
            deb::write(&meta, &tree, &mut spool, threads, hidden.as_file_mut())?;
        }
    }
    let file = out.join(&name);
    let written = hidden.as_file_mut();
    let size = written.seek(SeekFrom::End(0)).map_err(at(&file))?;
    written.seek(SeekFrom::Start(0)).map_err(at(&file))?;
    let sha256 = cache::sha256(written).map_err(at(&file))?;
    let made = sbom::Made {
        piece,
        release,
        meta: &meta,
        file: &name,
        sha256: &sha256,
    };
    let mut list = serde_json::to_vec_pretty(&sbom::of(&made, &tree, &mut spool)?)
        .map_err(|error| at(&file)(error.into()))?;
    list.push(b'\n');
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    let sbom = out.join(format!("{stem}.cdx.json"));
    let mut listed = NamedTempFile::new_in(out).map_err(at(out))?;
    listed.write_all(&list).map_err(at(&sbom))?;
    keep(listed, &sbom)?;
    keep(hidden, &file)?;
    Ok(Built {
        file,
        sbom,
        sha256,
        size,
    })
}

/// What is in a source, after its hash was found right.
fn taken_apart(
    job: &Job<'_>,
    source: &Source,
    cache: &Cache,
    spool: &mut File,
) -> Result<Tree, BuildError> {
    let Choice { piece, release } = job.choice;
    let file = cache.open_verified(source)?;
    let name = cache::file_name(source)?;
    let limits = Limits::default();
    let tree = match piece.style_of(release) {
        Style::UpstreamDeb => {
            let expected = deb::Expected {
                package: piece.debian_name(),
                version: &release.version,
                arch: source.arch.unwrap_or(Arch::Any),
            };
            deb::read(name, file, &expected, &limits, spool)?.1
        }
        _ => unpack(name, file, &limits, spool)?,
    };
    Ok(tree)
}

/// What of a source the catalogue speaks of.
fn below_root(source: &Source, tree: Tree) -> Result<Tree, BuildError> {
    let Some(root) = &source.root else {
        return Ok(tree);
    };
    let inner = tree.below(&PackagePath::parse(root)?);
    inner.ok_or_else(|| {
        let archive = source.file_name().to_owned();
        let why = format!("there is no folder `{root}` in it");
        PackageError::Archive { archive, why }.into()
    })
}

/// The kind of this machine.
#[must_use]
pub fn this_arch() -> Arch {
    if cfg!(target_arch = "aarch64") {
        Arch::Aarch64
    } else {
        Arch::X86_64
    }
}

/// Gives a finished file its name, readable by everybody.
fn keep(file: NamedTempFile, place: &Path) -> Result<(), BuildError> {
    let at = |why| BuildError::Io {
        place: place.to_owned(),
        why,
    };
    let open = fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(open).map_err(at)?;
    file.as_file().sync_all().map_err(at)?;
    file.persist(place).map_err(|error| at(error.error))?;
    Ok(())
}
