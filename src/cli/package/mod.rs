//! Upstream's releases made into packages.
//!
//! To add a verb: a variant of [`Verb`], a file with `run`, its line in [`run`], a session in
//! `tests/fetch/` or a neighbour of it.

mod build;
mod fetch;
mod list;
mod progress;
mod recipe;
mod sbom;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::Global;
use super::report::{BAD_SITE, FAILED, Failure, NOT_PERMITTED, Report, USAGE};
use crate::host::cache::{self, Cache, CacheError};
use crate::host::fetch::FetchError;
use crate::host::net::{Net, NetError};
use crate::host::root::Root;
use crate::host::stand;
use crate::host::workshop;
use crate::package::Catalogue;
use crate::package::meta::Arch;
use crate::package::set::ChoiceError;

/// Packages from the catalogue.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the pieces of the catalogue
    List(list::Args),
    /// Download sources into the cache
    Fetch(fetch::Args),
    /// Build packages of sources in the cache
    Build(build::Args),
    /// Write what is needed to make a package without this program
    Recipe(recipe::Args),
    /// Print what this program is made of (CycloneDX)
    Sbom(sbom::Args),
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    match verb {
        Verb::List(args) => list::run(global, args, report),
        Verb::Fetch(args) => fetch::run(global, args, report),
        Verb::Build(args) => build::run(global, args, report),
        Verb::Recipe(args) => recipe::run(global, args, report),
        Verb::Sbom(args) => sbom::run(args, report),
    }
}

/// Where the catalogue and the cache are.
#[derive(Debug, clap::Args)]
pub(super) struct Stock {
    /// The catalogue [default: /etc/jitsi-install/catalogue.toml where there is one, else the one that is built in]
    #[arg(long, value_name = "FILE", env = "JITSI_INSTALL_CATALOGUE")]
    catalogue: Option<PathBuf>,
    /// The folder of downloaded sources [default: var/cache/jitsi-install/sources below the root]
    #[arg(long, value_name = "DIR", env = "JITSI_INSTALL_CACHE")]
    cache: Option<PathBuf>,
}

impl Stock {
    pub(super) fn catalogue(&self, global: &Global) -> Result<Catalogue, Failure> {
        let Some(file) = &self.catalogue else {
            let root = global.root.as_deref().unwrap_or(Path::new("/"));
            let root = Root::open(root).map_err(|error| Failure::io(root, &error))?;
            return workshop::catalogue(&root)
                .map_err(|error| Failure::new(BAD_SITE, error.to_string()));
        };
        let bytes = stand::read(file).map_err(|error| Failure::io(file, &error))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::new(BAD_SITE, format!("`{}` is not text", file.display())))?;
        Catalogue::parse(&text)
            .map_err(|error| Failure::new(BAD_SITE, format!("`{}`: {error}", file.display())))
    }

    /// The cache, made where it is missing.
    pub(super) fn cache(&self, global: &Global) -> Result<Cache, Failure> {
        let (root, place) = self.place(global)?;
        Cache::open(&root, &place).map_err(|error| self.refused(&error))
    }

    /// The cache for a look; `None` when there is none.
    pub(super) fn cache_if_there(&self, global: &Global) -> Result<Option<Cache>, Failure> {
        let (root, place) = self.place(global)?;
        Cache::look(&root, &place).map_err(|error| self.refused(&error))
    }

    /// A folder that was named is one of this machine; the usual one is inside the root.
    fn place(&self, global: &Global) -> Result<(Root, PathBuf), Failure> {
        let (root, place) = match &self.cache {
            Some(dir) => (
                Path::new("/"),
                stand::absolute(dir).map_err(|error| Failure::io(dir, &error))?,
            ),
            None => (
                global.root.as_deref().unwrap_or(Path::new("/")),
                PathBuf::from(cache::PLACE),
            ),
        };
        let opened = Root::open(root).map_err(|error| Failure::io(root, &error))?;
        Ok((opened, place))
    }

    fn refused(&self, error: &CacheError) -> Failure {
        let failure = Failure::from(error);
        match (&self.cache, failure.code) {
            (None, NOT_PERMITTED) => failure.hint(
                "run it as root, or name a folder of yours: `--cache ~/.cache/jitsi-install`",
            ),
            _ => failure,
        }
    }
}

/// How files are fetched.
#[derive(Debug, clap::Args)]
pub(super) struct Way {
    /// Give a server up that sends nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    stall_timeout: u64,
}

impl Way {
    pub(super) fn net(&self) -> Result<Net, Failure> {
        Net::new(Duration::from_secs(self.stall_timeout)).map_err(|error| Failure::from(&error))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchArg {
    /// 64-bit PCs
    #[value(name = "x86_64", alias = "amd64")]
    X86_64,
    /// 64-bit ARM
    #[value(alias = "arm64")]
    Aarch64,
}

/// The kind of machine that is meant: what was said, else this one.
pub(super) fn arch(said: Option<ArchArg>) -> Result<Arch, Failure> {
    match said {
        Some(ArchArg::X86_64) => Ok(Arch::X86_64),
        Some(ArchArg::Aarch64) => Ok(Arch::Aarch64),
        None if cfg!(target_arch = "x86_64") => Ok(Arch::X86_64),
        None if cfg!(target_arch = "aarch64") => Ok(Arch::Aarch64),
        None => Err(
            Failure::new(USAGE, "there are no packages for this kind of machine")
                .hint("name another one with `--arch x86_64` or `--arch aarch64`"),
        ),
    }
}

impl From<&CacheError> for Failure {
    fn from(error: &CacheError) -> Self {
        let is_denied = matches!(
            error,
            CacheError::Place { why, .. } if why.kind() == std::io::ErrorKind::PermissionDenied
        );
        let failure = Self::new(
            if is_denied { NOT_PERMITTED } else { FAILED },
            error.to_string(),
        );
        match error {
            // With a number of the system it could not be entered; without, it is not trusted.
            CacheError::Place { why, .. } if is_denied && why.raw_os_error().is_none() => {
                failure.hint("make a folder that only you can write to, and name it with `--cache`")
            }
            CacheError::Place { .. } if is_denied => failure.hint("run it as root, or with `sudo`"),
            CacheError::Place { .. } => failure,
            CacheError::Missing(_) => failure.hint("`jitsi-install package fetch` downloads it"),
            CacheError::Wrong { .. } => {
                failure.hint("`jitsi-install package fetch` downloads it anew")
            }
            CacheError::Busy(_) => failure.hint("wait for it, or stop it, then run this again"),
            CacheError::Name(_) => failure.hint("give it a `file` in the catalogue"),
        }
    }
}

impl From<&NetError> for Failure {
    fn from(error: &NetError) -> Self {
        let failure = Self::new(FAILED, error.to_string());
        match error {
            NetError::Refused { status: 404 | 410, .. } => failure.hint(
                "upstream keeps no old releases for ever: `jitsi-install package outdated` says what there is now; \
                 `--from` names a mirror or a folder that still has it",
            ),
            NetError::Missing { .. } => failure.hint("look what is in that folder; the names have to be those of `jitsi-install package list --json`"),
            NetError::Refused { status: 401 | 403 | 407, .. } => {
                failure.hint("look whether a proxy stands in between (`https_proxy`), or name another place with `--from`")
            }
            NetError::Redirect { .. } => {
                failure.hint("name a place that does not lead on with `--from`")
            }
            NetError::TooLarge { .. } => {
                failure.hint("it is not what it should be; name another place with `--from`")
            }
            NetError::Broken { why, .. } if why.starts_with("no trust") => failure.hint(
                "the package ca-certificates brings the usual authorities; `SSL_CERT_FILE` names one of your own",
            ),
            NetError::Broken { .. } | NetError::Refused { .. } => failure.hint(
                "run it again: what was received is kept; without a network, `--from` names a folder with the files",
            ),
        }
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        match error {
            FetchError::Cache(error) => Self::from(error),
            FetchError::Net(error) => Self::from(error),
            FetchError::Wrong { .. } | FetchError::Length { .. } => {
                Self::new(FAILED, error.to_string()).hint(
                    "nothing of it was kept; `jitsi-install package outdated` asks upstream's signed index what is right",
                )
            }
            FetchError::Full { .. } => Self::new(FAILED, error.to_string())
                .hint("make room, or name a folder elsewhere with `--cache`"),
        }
    }
}

impl From<&ChoiceError> for Failure {
    fn from(error: &ChoiceError) -> Self {
        let code = match error {
            ChoiceError::NoPiece(_) | ChoiceError::NoSet(_) => USAGE,
            _ => FAILED,
        };
        Self::new(code, error.to_string()).hint(match error {
            ChoiceError::NoPiece(_) => "`jitsi-install package list` lists them",
            ChoiceError::NoSet(_) | ChoiceError::Lacking { .. } | ChoiceError::NoGoodSet => {
                "`jitsi-install package list --all` lists every release with its set"
            }
            ChoiceError::NoGoodRelease(_) | ChoiceError::Hole { .. } => {
                "take a newer catalogue with `--catalogue`"
            }
        })
    }
}
