//! Catalogue, cache and network, as the verbs are told of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::Global;
use crate::cli::report::{BAD_SITE, Failure, NOT_PERMITTED};
use crate::host::cache::{self, Cache, CacheError};
use crate::host::net::Net;
use crate::host::root::Root;
use crate::host::{stand, workshop};
use crate::package::Catalogue;

/// Which catalogue.
#[derive(Debug, clap::Args)]
pub(super) struct Known {
    /// The catalogue [default: /etc/jitsi-install/catalogue.toml where there is one, else the one that is built in]
    #[arg(long, value_name = "FILE", env = "JITSI_INSTALL_CATALOGUE")]
    catalogue: Option<PathBuf>,
}

/// Where the catalogue and the cache are.
#[derive(Debug, clap::Args)]
pub(super) struct Stock {
    #[command(flatten)]
    known: Known,
    /// The folder of downloaded sources [default: var/cache/jitsi-install/sources below the root]
    #[arg(long, value_name = "DIR", env = "JITSI_INSTALL_CACHE")]
    cache: Option<PathBuf>,
}

impl Known {
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
}

impl Stock {
    pub(super) fn catalogue(&self, global: &Global) -> Result<Catalogue, Failure> {
        self.known.catalogue(global)
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
