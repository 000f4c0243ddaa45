//! Slackware's packages. There is no repository to ask: what is to be installed is built, by this
//! program from its cache or by somebody else from a SlackBuild, and waits in the store.

use std::time::{Duration, Instant};

use super::{Wanted, failed, run};
use crate::apply::AlterError;
use crate::host::root::Root;
use crate::host::workshop::{Installed, Workshop, slackware_parts};
use crate::name::AbsPath;
use crate::plan::{Found, State};
use crate::resource::PackageVersion;

/// Records of installed packages.
const RECORDS: &str = "/var/lib/pkgtools/packages";

/// How long other pkgtools may go on.
const PATIENCE: Duration = Duration::from_secs(120);

/// What pkgtools know.
pub struct Pkgtools {
    pub(super) installed: Installed,
    workshop: Workshop,
}

impl Pkgtools {
    /// Asks the machine what is installed.
    pub(super) fn ask(root: &Root, workshop: Workshop) -> Self {
        Self {
            installed: installed(root),
            workshop,
        }
    }

    /// Is a package there, or can it be had?
    pub(super) fn package(&self, root: &Root, name: &str, version: Option<&str>) -> Found {
        match (self.installed.get(name), version) {
            (Some(_), None) => return Found::State(State::Present),
            (Some(found), Some(_)) => return Found::State(State::Package(found.clone())),
            (None, _) => {}
        }
        let version = version.map(PackageVersion::any);
        match self
            .workshop
            .has(root, name, version.as_ref(), &self.installed)
        {
            Ok(()) => Found::State(State::Absent),
            Err(why) => Found::Unknown(why),
        }
    }

    /// Could this version be installed?
    pub(super) fn offers(
        &self,
        root: &Root,
        name: &str,
        version: &PackageVersion,
    ) -> Result<(), String> {
        self.workshop
            .has(root, name, Some(version), &self.installed)
    }

    /// Installs packages; pkgtools start nothing.
    pub(super) fn install(&mut self, root: &Root, wanted: &[Wanted]) -> Result<(), AlterError> {
        wait_for_others()?;
        for Wanted { name, version } in self.in_order(root, wanted) {
            let (name, version) = (&name, &version);
            let file = self
                .workshop
                .make(root, name, version.as_ref(), &self.installed);
            let file = file.map_err(|why| failed(name, why))?;
            let args = ["--install-new", "--reinstall", file.as_str()];
            run("upgradepkg", &args).map_err(|why| failed(name, why))?;
        }
        self.installed = installed(root);
        let is_there = |wanted: &&Wanted| match (self.installed.get(&wanted.name), &wanted.version)
        {
            (Some(found), Some(version)) => found == version,
            (found, None) => found.is_some(),
            (None, Some(_)) => false,
        };
        match wanted.iter().find(|wanted| !is_there(wanted)) {
            Some(wanted) => Err(failed(&wanted.name, "upgradepkg left no record of it")),
            None => Ok(()),
        }
    }

    /// With what has to come before.
    fn in_order(&self, root: &Root, wanted: &[Wanted]) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        for one in wanted {
            for name in self.workshop.in_order(root, &one.name, &self.installed) {
                let asked = wanted.iter().find(|other| other.name == name);
                let version = asked.and_then(|asked| asked.version.clone());
                if !all.iter().any(|other| other.name == name) {
                    all.push(Wanted { name, version });
                }
            }
        }
        all
    }
}

/// Waits for pkgtools that are at work: what a run of ours had started goes on when that run is killed,
/// and two of them at once may lose each other's links.
fn wait_for_others() -> Result<(), AlterError> {
    let until = Instant::now() + PATIENCE;
    while let Some(name) = at_work() {
        if Instant::now() > until {
            return Err(failed(
                &name,
                "it has been running for long: let it end first",
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// A program of pkgtools that runs.
fn at_work() -> Option<String> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let names = processes.filter_map(|one| std::fs::read_to_string(one.path().join("comm")).ok());
    let mut names = names.map(|name| name.trim().to_owned());
    names.find(|name| ["upgradepkg", "installpkg", "removepkg"].contains(&name.as_str()))
}

/// What is installed, by the records.
fn installed(root: &Root) -> Installed {
    let records = root.list(&AbsPath::fixed(RECORDS));
    let known = records.iter().filter_map(|record| slackware_parts(record));
    known
        .map(|(name, version)| (name.to_owned(), version))
        .collect()
}
