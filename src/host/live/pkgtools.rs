//! Slackware's packages. There is no repository to ask: what is to be installed was built from its
//! SlackBuild and put into [`STORE`].

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{failed, run};
use crate::apply::AlterError;
use crate::host::root::Root;
use crate::name::AbsPath;
use crate::plan::{Found, State};

/// Records of installed packages.
const RECORDS: &str = "/var/lib/pkgtools/packages";

/// Where package files wait to be installed.
const STORE: &str = "/var/cache/jitsi-install/packages";

/// What pkgtools know.
pub struct Pkgtools {
    installed: BTreeSet<String>,
}

impl Pkgtools {
    /// Asks the machine what is installed.
    pub(super) fn ask(root: &Root) -> Self {
        let records = root.list(&AbsPath::fixed(RECORDS));
        Self {
            installed: records
                .iter()
                .filter_map(|record| Some(parts(record)?.0.to_owned()))
                .collect(),
        }
    }

    /// Is a package there, or can it be had?
    pub(super) fn package(&self, root: &Root, name: &str) -> Found {
        if self.installed.contains(name) {
            return Found::State(State::Present);
        }
        match newest(&root.list(&AbsPath::fixed(STORE)), name) {
            Some(_) => Found::State(State::Absent),
            None => Found::Unknown(format!(
                "it is not installed: build `{name}` from its SlackBuild and put the package into `{STORE}`, or install it by hand"
            )),
        }
    }

    /// Installs packages; pkgtools start nothing.
    pub(super) fn install(&mut self, root: &Root, names: &[String]) -> Result<(), AlterError> {
        let store = root.list(&AbsPath::fixed(STORE));
        for name in names {
            let file = newest(&store, name).ok_or_else(|| {
                failed(name, format!("no package of it is in `{STORE}` any more"))
            })?;
            let done = run("upgradepkg", &["--install-new", &format!("{STORE}/{file}")]);
            done.map_err(|why| failed(name, why))?;
        }
        *self = Self::ask(root);
        match names.iter().find(|name| !self.installed.contains(*name)) {
            Some(name) => Err(failed(name, "upgradepkg left no record of it")),
            None => Ok(()),
        }
    }
}

/// Name and version of `NAME-VERSION-ARCH-BUILD`; only the name may have dashes.
fn parts(package: &str) -> Option<(&str, &str)> {
    let mut parts = package.rsplitn(4, '-');
    let (_build, _arch, version) = (parts.next()?, parts.next()?, parts.next()?);
    Some((parts.next()?, version))
}

/// The package file of a name with the highest version, then build.
fn newest<'f>(files: &'f [String], name: &str) -> Option<&'f str> {
    let stem = |file: &'f str| {
        let (stem, ending) = file.rsplit_once('.')?;
        let is_package = matches!(ending, "tgz" | "tbz" | "tlz" | "txz");
        (is_package && parts(stem)?.0 == name).then_some(stem)
    };
    files
        .iter()
        .filter_map(|file| Some((stem(file)?, file.as_str())))
        .max_by(|(a, _), (b, _)| by_version(a, b))
        .map(|(_, file)| file)
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
    use super::*;

    #[test]
    fn only_the_name_of_a_package_has_dashes() {
        assert_eq!(
            parts("jitsi-meet-web-1.0.8-noarch-2_SBo"),
            Some(("jitsi-meet-web", "1.0.8"))
        );
        assert_eq!(parts("jitsi-meet"), None);
    }

    #[test]
    fn the_newest_package_is_chosen_by_version() {
        let files = [
            "jicofo-1.9-noarch-1.txz",
            "jicofo-1.10-noarch-1.tgz",
            "jicofo-1.10-noarch-1.tgz.asc",
            "jicofo-extra-3.0-noarch-1.txz",
        ]
        .map(str::to_owned);
        assert_eq!(newest(&files, "jicofo"), Some("jicofo-1.10-noarch-1.tgz"));
        assert_eq!(newest(&files, "nginx"), None);
        assert_eq!(by_version("1.0-noarch-2", "1.0-noarch-10"), Ordering::Less);
    }
}
