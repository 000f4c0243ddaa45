//! The store of packages, and the place where they are made when they are missing.
//!
//! A package is looked for in the store first, where an administrator may put his own too. What is
//! not there is made from the catalogue, when the cache has its sources.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use crate::host::build::{Job, build, this_arch};
use crate::host::cache::{self, Cache};
use crate::host::root::Root;
use crate::name::{AbsPath, Mode};
use crate::package::assemble::Family;
use crate::package::set::Choice;
use crate::package::version::compare;
use crate::package::{Catalogue, PackageError, Piece};
use crate::resource::PackageVersion;

/// Where package files lie, ours and those that an administrator put there.
pub const STORE: &str = "/var/cache/jitsi-install/packages";

/// Where an administrator's own catalogue takes the place of the built-in one.
pub const CATALOGUE: &str = "/etc/jitsi-install/catalogue.toml";

/// The catalogue of a machine: the administrator's own, else the one that is built in.
///
/// # Errors
/// When it cannot be read or has a mistake.
pub fn catalogue(root: &Root) -> Result<Catalogue, PackageError> {
    let own = AbsPath::fixed(CATALOGUE);
    if !root.exists(&own) {
        return Catalogue::own();
    }
    let bytes = root.read(&own)?;
    let text = String::from_utf8(bytes).map_err(|_| PackageError::Catalogue {
        place: format!("`{CATALOGUE}`"),
        why: "it is not UTF-8 text".to_owned(),
    })?;
    Catalogue::parse(&text)
}

/// What is installed, by name.
pub type Installed = BTreeMap<String, PackageVersion>;

/// Finds packages, and makes them.
pub struct Workshop {
    family: Family,
    catalogue: OnceCell<Result<Catalogue, String>>,
}

impl Workshop {
    /// One for a family.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self {
            family,
            catalogue: OnceCell::new(),
        }
    }

    /// Is there a package, or could one be made? Without a version, of the set that is installed.
    ///
    /// # Errors
    /// Why not, and what helps.
    pub fn has(
        &self,
        root: &Root,
        name: &str,
        version: Option<&PackageVersion>,
        installed: &Installed,
    ) -> Result<(), String> {
        if self.stored(root, name, version).is_some() {
            return Ok(());
        }
        let choice = self.choice(root, name, version, installed)?;
        for needed in self.needs(root, choice.piece, installed) {
            self.has(root, needed, None, installed)
                .map_err(|why| format!("it needs `{needed}`: {why}"))?;
        }
        let cache = Cache::look(root, Path::new(cache::PLACE)).map_err(|why| why.to_string())?;
        let lacking = choice.release.sources_for(this_arch()).find(|source| {
            let is_there = cache.as_ref().is_some_and(|cache| cache.has(source));
            !is_there
        });
        let Some(source) = lacking else { return Ok(()) };
        let piece = &choice.piece.name;
        let set = choice.release.set.as_ref();
        let set = set.map_or_else(String::new, |set| format!(" --set {set}"));
        Err(format!(
            "version {} can be built when its source `{}` is in the cache: `jitsi-install package fetch{set} {piece}`; or put a package of it into `{STORE}`",
            choice.release.version,
            cache::file_name(source).unwrap_or_default(),
        ))
    }

    /// What has to be installed for a package, and it last: what it is built and runs with comes before. A
    /// package that is there already was somebody else's work, who knows what it needs.
    #[must_use]
    pub fn in_order(&self, root: &Root, name: &str, installed: &Installed) -> Vec<String> {
        let mut order = Vec::new();
        self.visit(root, name, installed, &mut order);
        order
    }

    fn visit(&self, root: &Root, name: &str, installed: &Installed, order: &mut Vec<String>) {
        let choice = self.choice(root, name, None, installed);
        if let Ok(choice) = choice
            && self.stored(root, name, None).is_none()
        {
            for needed in self.needs(root, choice.piece, installed) {
                if !order.iter().any(|one| one == needed) {
                    self.visit(root, needed, installed, order);
                }
            }
        }
        order.push(name.to_owned());
    }

    /// The pieces that a piece depends on and that are not installed; apt knows by itself.
    fn needs<'p>(
        &'p self,
        root: &Root,
        piece: &'p Piece,
        installed: &'p Installed,
    ) -> impl Iterator<Item = &'p str> {
        let is_piece = |name: &&String| match self.catalogue(root) {
            Ok(catalogue) => catalogue.piece(name).is_some(),
            Err(_) => false,
        };
        let names: Vec<&str> = match self.family {
            Family::Debian => Vec::new(),
            Family::Slackware => piece
                .depends
                .iter()
                .filter(is_piece)
                .map(String::as_str)
                .filter(|name| !installed.contains_key(*name))
                .collect(),
        };
        names.into_iter()
    }

    /// The package's file; made, if there is none yet.
    ///
    /// # Errors
    /// Why there is none.
    pub fn make(
        &self,
        root: &Root,
        name: &str,
        version: Option<&PackageVersion>,
        installed: &Installed,
    ) -> Result<AbsPath, String> {
        if let Some(file) = self.stored(root, name, version) {
            return Ok(file);
        }
        let choice = self.choice(root, name, version, installed)?;
        let cache = Cache::open(root, Path::new(cache::PLACE)).map_err(|why| why.to_string())?;
        let store = AbsPath::fixed(STORE);
        root.ensure_dir(&store, Mode(0o755))
            .map_err(|why| format!("`{store}`: {why}"))?;
        let job = Job {
            choice,
            family: self.family,
            arch: this_arch(),
            time: None,
        };
        build(&job, &cache, Path::new(STORE)).map_err(|why| why.to_string())?;
        let made = self.stored(root, name, version);
        made.ok_or_else(|| format!("what was built of it is not in `{store}`"))
    }

    fn catalogue(&self, root: &Root) -> Result<&Catalogue, String> {
        let read = || catalogue(root).map_err(|why| why.to_string());
        self.catalogue
            .get_or_init(read)
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The release of the catalogue that is meant.
    fn choice(
        &self,
        root: &Root,
        name: &str,
        version: Option<&PackageVersion>,
        installed: &Installed,
    ) -> Result<Choice<'_>, String> {
        let catalogue = self.catalogue(root)?;
        let Some(piece) = catalogue.piece(name) else {
            return Err(format!(
                "it is not in the catalogue: put a package of it into `{STORE}`, or install it by hand"
            ));
        };
        if let Some(version) = version {
            let release = piece.release(&version.upstream).ok_or_else(|| {
                let version = &version.upstream;
                format!(
                    "the catalogue has no version {version} of it, and `{STORE}` has no package"
                )
            })?;
            return Ok(Choice { piece, release });
        }
        let set = catalogue.set_among(&|piece, release| {
            let found = installed.get(self.name_of(piece));
            found.is_some_and(|found| found.is_of(&release.version))
        });
        let names = [piece.name.clone()];
        let chosen = catalogue
            .choose(set, &names)
            .map_err(|why| why.to_string())?;
        let first = chosen.into_iter().next();
        first.ok_or_else(|| "the catalogue has no release of it".to_owned())
    }

    /// What this family calls a piece.
    fn name_of<'p>(&self, piece: &'p Piece) -> &'p str {
        match self.family {
            Family::Debian => piece.debian.as_ref().unwrap_or(&piece.name),
            Family::Slackware => &piece.name,
        }
    }

    /// The file of a package in the store: the very one that is meant, else the newest that fits.
    fn stored(&self, root: &Root, name: &str, wanted: Option<&PackageVersion>) -> Option<AbsPath> {
        let store = AbsPath::fixed(STORE);
        let files = root.list(&store);
        let mut fitting: Vec<(&String, PackageVersion)> = files
            .iter()
            .filter_map(|file| Some((file, self.version_in(file, name)?)))
            .filter(|(_, found)| wanted.is_none_or(|wanted| found == wanted))
            .collect();
        fitting.sort_by(|(_, a), (_, b)| {
            let is_meant = |one: &PackageVersion| wanted.is_some_and(|w| w.exact == one.exact);
            (is_meant(a).cmp(&is_meant(b))).then_with(|| compare(&a.exact, &b.exact))
        });
        fitting.last().map(|(file, _)| store.join(file))
    }

    /// The version of a package file, if it is of this package.
    fn version_in(&self, file: &str, name: &str) -> Option<PackageVersion> {
        match self.family {
            Family::Slackware => {
                let (stem, ending) = file.rsplit_once('.')?;
                let is_package = matches!(ending, "tgz" | "tbz" | "tlz" | "txz");
                let (found, version) = slackware_parts(stem).filter(|_| is_package)?;
                (found == name).then_some(version)
            }
            Family::Debian => {
                let mut parts = file.strip_suffix(".deb")?.splitn(3, '_');
                let (found, version) = (parts.next()?, parts.next()?);
                parts.next()?;
                (found == name).then(|| debian_version(version))
            }
        }
    }
}

/// Name and version of `NAME-VERSION-ARCH-BUILD`; only the name may have dashes.
#[must_use]
pub fn slackware_parts(package: &str) -> Option<(&str, PackageVersion)> {
    let mut parts = package.rsplitn(4, '-');
    let (_build, _arch, version) = (parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next()?;
    let version = PackageVersion {
        upstream: version.to_owned(),
        exact: package[name.len() + 1..].to_owned(),
    };
    Some((name, version))
}

/// A version of Debian's, `[EPOCH:]UPSTREAM[-REVISION]`.
#[must_use]
pub fn debian_version(text: &str) -> PackageVersion {
    let upstream = text.split_once(':').map_or(text, |(_, rest)| rest);
    let upstream = upstream.rsplit_once('-').map_or(upstream, |(up, _)| up);
    PackageVersion {
        upstream: upstream.to_owned(),
        exact: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, STORE, Workshop, debian_version, slackware_parts};
    use crate::host::root::Root;
    use crate::name::AbsPath;
    use crate::resource::PackageVersion;

    #[test]
    fn only_the_name_of_a_package_has_dashes() {
        let (name, version) = slackware_parts("jitsi-meet-web-1.0.8-noarch-2_SBo").unwrap();
        assert_eq!(
            (name, version.upstream.as_str(), version.exact.as_str()),
            ("jitsi-meet-web", "1.0.8", "1.0.8-noarch-2_SBo")
        );
        assert_eq!(slackware_parts("jitsi-meet"), None);
    }

    #[test]
    fn a_revision_is_not_upstreams() {
        assert!(debian_version("1.0-1183-1").is_of("1.0-1183"));
        assert!(debian_version("1:2.3-307-g4bb0aead1-1+x").is_of("2.3-307-g4bb0aead1"));
        assert!(!debian_version("1.0-1183-1").is_of("1.0-1174"));
    }

    /// What the store gives for a name and a version.
    fn stored(files: &[&str], family: Family, name: &str, wanted: Option<(&str, &str)>) -> String {
        let tree = tempfile::tempdir().unwrap();
        let store = tree.path().join(&STORE[1..]);
        std::fs::create_dir_all(&store).unwrap();
        for file in files {
            std::fs::write(store.join(file), "").unwrap();
        }
        let wanted = wanted.map(|(upstream, exact)| PackageVersion {
            upstream: upstream.to_owned(),
            exact: exact.to_owned(),
        });
        let root = Root::open(tree.path()).unwrap();
        let found: Option<AbsPath> = Workshop::new(family).stored(&root, name, wanted.as_ref());
        found.map_or_else(String::new, |path| path.file_name().to_owned())
    }

    #[test]
    fn the_store_gives_the_newest_that_fits_and_the_very_one_that_is_meant() {
        let files = [
            "jicofo-1.9-noarch-1.txz",
            "jicofo-1.10-noarch-1.tgz",
            "jicofo-1.10-noarch-10_x.txz",
            "jicofo-1.10-noarch-2.txz",
            "jicofo-1.10-noarch-11.txz.asc",
            "jicofo-extra-3.0-noarch-1.txz",
        ];
        let get = |name, wanted| stored(&files, Family::Slackware, name, wanted);
        assert_eq!(get("jicofo", None), "jicofo-1.10-noarch-10_x.txz");
        assert_eq!(get("jicofo", Some(("1.9", ""))), "jicofo-1.9-noarch-1.txz");
        let exact = Some(("1.10", "1.10-noarch-1"));
        assert_eq!(get("jicofo", exact), "jicofo-1.10-noarch-1.tgz");
        assert_eq!(get("jicofo", Some(("1.11", ""))), "");
        assert_eq!(get("nginx", None), "");
        let files = ["jicofo_1.0-1183-1_all.deb", "jicofo_1.0-1174-1_all.deb"];
        let get = |name, wanted| stored(&files, Family::Debian, name, wanted);
        assert_eq!(get("jicofo", None), files[0]);
        assert_eq!(get("jicofo", Some(("1.0-1174", ""))), files[1]);
    }
}
