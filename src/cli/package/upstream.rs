//! Upstream's index, as the verbs ask for it.

use std::path::{Path, PathBuf};

use super::super::report::{FAILED, Failure};
use crate::host::net::Net;
use crate::host::signature::{Signer, signed_index};
use crate::host::{self, stand};
use crate::package::Catalogue;
use crate::package::index::Index;

/// Which index, and whose key.
#[derive(Debug, clap::Args)]
pub(super) struct Where {
    /// The folder with upstream's signed index, or a saved `Packages` file [default: the catalogue's]
    #[arg(long, value_name = "URL|DIR|FILE", env = "JITSI_INSTALL_INDEX")]
    pub(super) index: Option<String>,
    /// The file with upstream's key [default: it is fetched]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// An index that was had.
pub(super) struct Asked {
    pub(super) index: Index,
    /// Does a signature vouch for it?
    pub(super) is_signed: bool,
    /// Where it was.
    pub(super) place: String,
}

impl Where {
    pub(super) fn ask(&self, catalogue: &Catalogue, net: &Net) -> Result<Asked, Failure> {
        let upstream = &catalogue.upstream;
        let place = match &self.index {
            None => upstream.index.clone(),
            Some(place) if place.contains("://") => place.clone(),
            Some(place) if stand::is_dir(Path::new(place)) => address(Path::new(place))?,
            Some(file) => return saved(Path::new(file)),
        };
        let key = match &self.key {
            Some(file) => address(file)?,
            None => upstream.key.clone(),
        };
        let signer = Signer {
            key: &key,
            fingerprint: &upstream.fingerprint,
        };
        let index = signed_index(net, &place, &signer, host::now());
        Ok(Asked {
            index: index.map_err(|error| Failure::from(&error))?,
            is_signed: true,
            place,
        })
    }
}

fn address(path: &Path) -> Result<String, Failure> {
    let whole = stand::absolute(path).map_err(|error| Failure::io(path, &error))?;
    Ok(format!("file://{}", whole.display()))
}

/// A `Packages` that somebody saved: nobody vouches for it.
fn saved(file: &Path) -> Result<Asked, Failure> {
    let bytes = stand::read(file).map_err(|error| Failure::io(file, &error))?;
    let index = Index::read(&bytes)
        .map_err(|error| Failure::new(FAILED, format!("`{}`: {error}", file.display())))?;
    Ok(Asked {
        index,
        is_signed: false,
        place: file.display().to_string(),
    })
}
