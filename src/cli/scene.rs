//! What most verbs begin with: the root, the site, the platform, secrets and facts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::report::{BAD_SITE, FAILED, Failure, NOT_PERMITTED, Report, USAGE};
use super::{FamilyArg, Global};
use crate::host::books::Books;
use crate::host::root::Root;
use crate::host::secrets::Kept;
use crate::host::{self, Machine, facts, secrets, workshop};
use crate::layout::layout;
use crate::name::{AbsPath, Mode};
use crate::package::Catalogue;
use crate::package::set::Choice;
use crate::plan::Observe;
use crate::platform::{Family, Platform, Release};
use crate::resource::Layout;
use crate::service::Facts;
use crate::site::{self, Site};

/// Where this program keeps its own files inside a root.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Site file, secrets, templates.
    pub(super) config: AbsPath,
    /// The books.
    pub(super) state: AbsPath,
}

impl Places {
    /// The places of an installed machine.
    pub(super) fn system() -> Self {
        Self {
            config: AbsPath::fixed("/etc/jitsi-install"),
            state: AbsPath::fixed("/var/lib/jitsi-install"),
        }
    }

    /// The same places below a folder.
    pub(super) fn below(base: &AbsPath) -> Self {
        let system = Self::system();
        Self {
            config: base.join(system.config.relative()),
            state: base.join(system.state.relative()),
        }
    }

    pub(super) fn secrets(&self) -> AbsPath {
        self.config.join("secrets.toml")
    }

    pub(super) fn templates(&self) -> AbsPath {
        self.config.join("templates")
    }

    /// Where certificates may be besides the site's source.
    pub(super) fn known(&self, site: &Site, platform: &Platform) -> facts::KnownPlaces {
        facts::KnownPlaces::below(&self.state, &platform.jitsi_config, &site.domain)
    }

    pub(super) fn books<'m>(&self, machine: &'m Machine) -> Books<'m> {
        Books::read_only(machine.root(), self.state.clone())
    }

    pub(super) fn locked_books<'m>(
        &self,
        machine: &'m Machine,
        command: &str,
    ) -> Result<Books<'m>, Failure> {
        Ok(Books::locked(machine.root(), self.state.clone(), command)?)
    }
}

impl Places {
    /// The books, for one who waits for his turn.
    pub(super) fn awaited_books<'m>(
        &self,
        machine: &'m Machine,
        command: &str,
        patience: Duration,
    ) -> Result<Books<'m>, Failure> {
        Ok(Books::locked_within(
            machine.root(),
            self.state.clone(),
            command,
            patience,
        )?)
    }
}

/// Where the hooks and the units look for this program.
const PROGRAM: &str = "/usr/sbin/jitsi-install";

/// What a verb works on: a staged tree, or the machine itself.
pub(super) struct Target {
    root: PathBuf,
    is_live: bool,
}

impl Target {
    /// What `--root` names; without it, the machine itself.
    pub(super) fn of(global: &Global) -> Result<Self, Failure> {
        let root = global.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        let whole = host::stand::whole(&root).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::new(FAILED, format!("there is no folder `{}`", root.display()))
                    .hint(format!("make it first: `mkdir -p {}`", root.display()))
            }
            _ => Failure::io(&root, &error),
        })?;
        if !host::stand::is_dir(&whole) {
            return Err(Failure::new(
                FAILED,
                format!("`{}` is no folder", root.display()),
            ));
        }
        let is_live = whole == Path::new("/");
        if is_live {
            carried()?;
        }
        Ok(Self {
            root: whole,
            is_live,
        })
    }

    /// On the machine itself, writes down what is done to it.
    pub(super) fn log(
        &self,
        machine: &Machine,
        title: &str,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if !self.is_live {
            return Ok(());
        }
        let folder = AbsPath::fixed("/var/log/jitsi-install");
        let file = folder.join("jitsi-install.log");
        let opened = machine
            .root()
            .ensure_dir(&folder, Mode(0o750))
            .and_then(|()| machine.root().open_log(&file));
        let opened = opened.map_err(|error| Failure::io(Path::new(file.as_str()), &error))?;
        report.log_to(opened, title);
        Ok(())
    }

    /// Opens it.
    pub(super) fn open(&self) -> Result<Machine, Failure> {
        let opened = if self.is_live {
            Machine::open_live()
        } else {
            Machine::open(&self.root)
        };
        opened.map_err(|error| Failure::io(&self.root, &error))
    }
}

/// Is this machine one that this version carries?
fn carried() -> Result<(), Failure> {
    let tree = "give `--root DIR` to lay out a tree to look at, copy or package";
    if !host::process::is_root() {
        return Err(
            Failure::new(NOT_PERMITTED, "the machine itself is for root")
                .hint(format!("run it as root, or with `sudo`; or {tree}")),
        );
    }
    let has = |program: &str| host::process::find(program).is_some();
    let is_debian = has("apt-get") && host::stand::is_dir(Path::new("/run/systemd/system"));
    let is_slackware = host::stand::is_file(Path::new("/etc/slackware-version"))
        && host::stand::is_dir(Path::new("/var/lib/pkgtools/packages"))
        && has("upgradepkg");
    if !is_debian && !is_slackware {
        return Err(Failure::new(
            USAGE,
            "this version carries machines with apt and a running systemd, and Slackware with its pkgtools, and this is neither",
        )
        .hint(tree));
    }
    Ok(())
}

/// Where the site file is.
pub(super) fn site_path(global: &Global) -> PathBuf {
    global.site.clone().unwrap_or_else(|| {
        let root = global.root.clone().unwrap_or_else(|| PathBuf::from("/"));
        root.join("etc/jitsi-install/site.toml")
    })
}

/// The text of the site file.
pub(super) fn site_text(global: &Global) -> Result<String, Failure> {
    let path = site_path(global);
    let bytes = host::stand::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            BAD_SITE,
            format!("there is no site file `{}`", path.display()),
        )
        .hint("write one: `jitsi-install init meet.example.org --site FILE`, or name yours with `--site`"),
        _ => Failure::io(&path, &error),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let what = format!("`{}` line {line}: this is not UTF-8 text", path.display());
        Failure::new(BAD_SITE, what).hint("save it as UTF-8")
    })
}

/// Reads and checks the site file.
pub(super) fn read_site(global: &Global) -> Result<Site, Failure> {
    site::parse(&site_text(global)?).map_err(|error| {
        let mistakes = match error.problems.len() {
            1 => "one mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        let path = site_path(global);
        Failure::new(
            BAD_SITE,
            format!("`{}` has {mistakes}\n{error}", path.display()),
        )
    })
}

/// The platform that `--family` or the tree itself names.
pub(super) fn platform(global: &Global, machine: &Machine) -> Result<Platform, Failure> {
    let found = facts::release(machine.root());
    let asked = global.family.map(|family| match family {
        FamilyArg::Debian => Family::Debian,
        FamilyArg::Slackware => Family::Slackware,
    });
    let release: Release = match (asked, found) {
        (Some(family), Some(release)) if release.family() == family => release,
        (Some(family), _) => family.newest(),
        (None, Some(release)) => release,
        (None, None) => {
            return Err(
                Failure::new(USAGE, "the tree does not say which system it is")
                    .hint("name its family: `--family debian` or `--family slackware`"),
            );
        }
    };
    Ok(release.platform())
}

/// Everything that a layout is made from.
pub(super) struct Scene {
    pub(super) site: Site,
    pub(super) platform: Platform,
    pub(super) kept: Kept,
    pub(super) facts: Facts,
    remarks: Vec<String>,
}

/// The pieces of the set that a site file pins.
fn chosen<'c>(set: &str, catalogue: &'c Catalogue) -> Result<Vec<Choice<'c>>, Failure> {
    catalogue.choose_set(set).map_err(|error| {
        let known = catalogue.sets().join(", ");
        Failure::new(BAD_SITE, format!("`packages.set`: {error}"))
            .hint(format!("the catalogue has {known}"))
    })
}

/// Is the set known that a site file pins?
pub(super) fn check_set(global: &Global, site: &Site) -> Result<(), Failure> {
    let Some(set) = &site.packages.set else {
        return Ok(());
    };
    let root = global.root.as_deref().unwrap_or(Path::new("/"));
    let root = Root::open(root).map_err(|error| Failure::io(root, &error))?;
    let catalogue =
        workshop::catalogue(&root).map_err(|error| Failure::new(BAD_SITE, error.to_string()))?;
    chosen(set, &catalogue).map(drop)
}

/// The versions of a set, by the names that the family has for its packages.
fn versions(
    set: &str,
    platform: &Platform,
    root: &Root,
) -> Result<BTreeMap<String, String>, Failure> {
    let catalogue =
        workshop::catalogue(root).map_err(|error| Failure::new(BAD_SITE, error.to_string()))?;
    let chosen = chosen(set, &catalogue)?;
    let is_debian = platform.release.family() == Family::Debian;
    let versions = chosen.into_iter().map(|Choice { piece, release }| {
        let debian = piece.debian.as_ref().filter(|_| is_debian);
        let name = debian.unwrap_or(&piece.name).clone();
        (name, release.version.clone())
    });
    Ok(versions.collect())
}

impl Scene {
    /// Gathers it.
    pub(super) fn set(
        site: Site,
        platform: Platform,
        machine: &Machine,
        places: &Places,
    ) -> Result<Self, Failure> {
        let now = host::now();
        let web_root = site
            .web
            .root
            .clone()
            .unwrap_or_else(|| platform.meet_home.clone());
        let known = places.known(&site, &platform);
        let (mut facts, mut remarks) = facts::gather(
            machine.root(),
            &site,
            &web_root,
            &places.templates(),
            &known,
            now,
        )
        .map_err(|error| Failure::new(BAD_SITE, error.what).hint(error.hint))?;
        // In a tree packages are left to the machine that uses it.
        if let Some(set) = site.packages.set.as_ref().filter(|_| machine.is_live()) {
            facts.versions = versions(set, &platform, machine.root())?;
        }
        let program = AbsPath::fixed(PROGRAM);
        if machine.is_live() && !machine.root().exists(&program) {
            remarks.push(format!(
                "the hooks and the daily look for renewed certificates call `{program}`, which is not there: copy this program to it"
            ));
        }
        let kept = secrets::load(machine.root(), &places.secrets(), &site.domain, now).map_err(
            |error| {
                Failure::new(FAILED, error.to_string())
                    .hint("nothing was changed; let root read it, or restore it from a copy")
            },
        )?;
        Ok(Self {
            site,
            platform,
            kept,
            facts,
            remarks,
        })
    }

    /// What the machine should hold.
    pub(super) fn layout(&self) -> Result<Layout, Failure> {
        let mut layout = layout(&self.site, &self.platform, &self.kept.secrets, &self.facts)
            .map_err(|error| {
                Failure::new(BAD_SITE, error.to_string())
                    .hint("look at the site file and at your own templates")
            })?;
        layout.remarks.splice(0..0, self.remarks.iter().cloned());
        Ok(layout)
    }
}
