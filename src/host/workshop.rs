//! The store of packages, and the place where they are made when they are missing.
//!
//! A package is looked for in the store first, where an administrator may put his own too. What is
//! not there is made from the catalogue, when the cache has its sources.

use std::cmp::Ordering;

use crate::host::root::Root;
use crate::name::AbsPath;
use crate::package::{Catalogue, PackageError};
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

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Slackware's.
    Txz,
    /// Debian's.
    Deb,
}

/// Finds packages, and makes them.
pub struct Workshop {
    format: Format,
}

impl Workshop {
    /// One for a family.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Is there a package, or could one be made?
    ///
    /// # Errors
    /// Why not, and what helps.
    pub fn has(
        &self,
        root: &Root,
        name: &str,
        version: Option<&PackageVersion>,
    ) -> Result<(), String> {
        match self.stored(root, name, version) {
            Some(_) => Ok(()),
            None => Err(format!(
                "it is not installed: build `{name}` from its SlackBuild and put the package into `{STORE}`, or install it by hand"
            )),
        }
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
    ) -> Result<AbsPath, String> {
        self.stored(root, name, version)
            .ok_or_else(|| format!("no package of it is in `{STORE}` any more"))
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
            (is_meant(a).cmp(&is_meant(b))).then_with(|| by_version(&a.exact, &b.exact))
        });
        fitting.last().map(|(file, _)| store.join(file))
    }

    /// The version of a package file, if it is of this package.
    fn version_in(&self, file: &str, name: &str) -> Option<PackageVersion> {
        match self.format {
            Format::Txz => {
                let (stem, ending) = file.rsplit_once('.')?;
                let is_package = matches!(ending, "tgz" | "tbz" | "tlz" | "txz");
                let (found, version) = slackware_parts(stem).filter(|_| is_package)?;
                (found == name).then_some(version)
            }
            Format::Deb => {
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

/// Runs of digits by their value, all else as text: `1.10` comes after `1.9`.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        let order = match (digits(a), digits(b)) {
            (0, 0) => {
                let words = |text: &str| {
                    text.find(|c: char| c.is_ascii_digit())
                        .unwrap_or(text.len())
                };
                let (x, y) = (words(a), words(b));
                let order = a[..x].cmp(&b[..y]);
                (a, b) = (&a[x..], &b[y..]);
                order
            }
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            (x, y) => {
                let number = |text: &str| text.parse::<u128>().unwrap_or(u128::MAX);
                let order = number(&a[..x]).cmp(&number(&b[..y]));
                (a, b) = (&a[x..], &b[y..]);
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Format, STORE, Workshop, by_version, debian_version, slackware_parts};
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
    fn stored(files: &[&str], format: Format, name: &str, wanted: Option<(&str, &str)>) -> String {
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
        let found: Option<AbsPath> = Workshop::new(format).stored(&root, name, wanted.as_ref());
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
        let get = |name, wanted| stored(&files, Format::Txz, name, wanted);
        assert_eq!(get("jicofo", None), "jicofo-1.10-noarch-10_x.txz");
        assert_eq!(get("jicofo", Some(("1.9", ""))), "jicofo-1.9-noarch-1.txz");
        let exact = Some(("1.10", "1.10-noarch-1"));
        assert_eq!(get("jicofo", exact), "jicofo-1.10-noarch-1.tgz");
        assert_eq!(get("jicofo", Some(("1.11", ""))), "");
        assert_eq!(get("nginx", None), "");
        let files = ["jicofo_1.0-1183-1_all.deb", "jicofo_1.0-1174-1_all.deb"];
        let get = |name, wanted| stored(&files, Format::Deb, name, wanted);
        assert_eq!(get("jicofo", None), files[0]);
        assert_eq!(get("jicofo", Some(("1.0-1174", ""))), files[1]);
    }

    #[test]
    fn numbers_are_compared_by_their_value() {
        assert_eq!(by_version("1.0-noarch-2", "1.0-noarch-10"), Ordering::Less);
        assert_eq!(by_version("1.10", "1.9"), Ordering::Greater);
        assert_eq!(by_version("1.9", "1.9"), Ordering::Equal);
    }
}
