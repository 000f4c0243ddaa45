//! The running machine: its packages, people and services.
//!
//! Programs of the system do the work, with arguments of ours and never a secret among them. Only
//! [`Machine`](super::Machine) uses this, and only when the root is the machine itself. What all
//! systems share is here: people, probes, waiting. `debian` knows apt and systemd; `pkgtools`
//! and `slackware` know Slackware's packages and rc scripts. To add a system: a file beside them, a
//! variant of [`Live`], and the compiler names the rest.

mod accounts;
mod databases;
mod debian;
mod health;
mod pkgtools;
mod slackware;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::facts;
use super::names::{self, Table};
use super::root::Root;
use super::workshop::{Installed, Workshop};
use crate::apply::AlterError;
use crate::name::AbsPath;
use crate::package::assemble::Family;
use crate::plan::{Found, State};
use crate::platform::Init;
use crate::resource::{How, PackageVersion, Probe, Resource, Service};

pub use health::trouble;

/// How long a service may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is known of the running machine.
pub enum Live {
    /// apt and systemd.
    Debian(debian::Debian),
    /// pkgtools and rc scripts.
    Slackware(pkgtools::Pkgtools),
}

/// A package to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// In this version; else in the one that fits best.
    pub version: Option<PackageVersion>,
}

/// How a service stands, with the system's own word for it.
enum Standing {
    Up,
    Coming(String),
    /// It will not come up by itself any more.
    Down(String),
}

fn failed(what: &str, why: impl Into<String>) -> AlterError {
    AlterError {
        path: what.to_owned(),
        why: why.into(),
    }
}

/// Runs a program of the system; its last words are the reason when it fails.
fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{program}` could not be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut words = String::from_utf8_lossy(&output.stderr).into_owned();
    if words.trim().is_empty() {
        words = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    Err(format!(
        "`{program} {}` failed: {}",
        args.join(" "),
        last(&words, 6)
    ))
}

/// The last lines of a text.
fn last(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

impl Live {
    /// Asks the machine what it is and what is installed.
    #[must_use]
    pub fn ask(root: &Root) -> Self {
        let platform = facts::release(root).map(|release| release.platform());
        match platform.as_ref().map(|platform| platform.init) {
            Some(Init::RcD) => Self::Slackware(pkgtools::Pkgtools::ask(
                root,
                Workshop::new(Family::Slackware),
            )),
            Some(Init::Systemd) | None => {
                let names = platform.iter().flat_map(|known| known.packages.all());
                Self::Debian(debian::Debian::ask(
                    names.collect(),
                    Workshop::new(Family::Debian),
                ))
            }
        }
    }

    /// See [`Observe::thing`](crate::plan::Observe::thing).
    #[must_use]
    pub fn thing(&self, root: &Root, resource: &Resource) -> Option<Found> {
        Some(match (resource, self) {
            (Resource::Group { name, .. }, _) => {
                there(names::by_name(Table::Group, name).is_some())
            }
            (Resource::User { name, .. }, _) => {
                there(names::by_name(Table::Passwd, name).is_some())
            }
            (Resource::Package { name, version }, Self::Debian(debian)) => {
                debian.package(root, name, version.as_deref())
            }
            (Resource::Package { name, version }, Self::Slackware(pkgtools)) => {
                pkgtools.package(root, name, version.as_deref())
            }
            (Resource::Service(service), Self::Debian(_)) => debian::unit(&service.name),
            (Resource::Service(service), Self::Slackware(_)) => {
                slackware::look(root, &service.name)
            }
            (Resource::Database(wanted), _) => databases::look(self, root, wanted),
            (Resource::Dir(_) | Resource::File(_) | Resource::Link(_), _) => return None,
        })
    }

    /// See [`Observe::offers`](crate::plan::Observe::offers).
    ///
    /// # Errors
    /// Why the version cannot be had.
    pub fn offers(&self, root: &Root, name: &str, version: &PackageVersion) -> Result<(), String> {
        match self {
            Self::Debian(debian) => debian.offers(root, name, version),
            Self::Slackware(pkgtools) => pkgtools.offers(root, name, version),
        }
    }

    /// Takes away what a run that was killed has left behind outside the books.
    ///
    /// # Errors
    /// What the system said.
    pub fn tidy(&self, root: &Root) -> std::io::Result<()> {
        match self {
            Self::Debian(_) => debian::Debian::tidy(root),
            Self::Slackware(_) => Ok(()),
        }
    }

    /// Installs packages, without starting what is in them.
    ///
    /// # Errors
    /// The last words of the package manager.
    pub fn install(&mut self, root: &Root, wanted: &[Wanted]) -> Result<(), AlterError> {
        match self {
            Self::Debian(debian) => debian.install(root, wanted),
            Self::Slackware(pkgtools) => pkgtools.install(root, wanted),
        }
    }

    /// See [`Alter::set`](crate::apply::Alter::set).
    ///
    /// # Errors
    /// The last words of the system's program.
    pub fn set(&mut self, root: &Root, thing: &Resource, state: &State) -> Result<(), AlterError> {
        if let (Resource::Package { name, .. }, State::Package(version)) = (thing, state) {
            let wanted = Wanted {
                name: name.clone(),
                version: Some(version.clone()),
            };
            return self.install(root, &[wanted]);
        }
        let done = match (thing, state) {
            (Resource::Group { name, id }, State::Present) => self.add_group(name, *id),
            (Resource::Group { name, .. }, State::Absent) => {
                run("groupdel", &["--", name]).map(drop)
            }
            (
                Resource::User {
                    name,
                    group,
                    home,
                    ids,
                },
                State::Present,
            ) => self.add_user(root, name, group, home, *ids),
            (Resource::User { name, .. }, State::Absent) => accounts::remove_user(name),
            (Resource::Service(service), State::Service { enabled, running }) => match self {
                Self::Debian(_) => debian::set(&service.name, *enabled, *running),
                Self::Slackware(_) => slackware::set(root, &service.name, *enabled, *running),
            },
            (Resource::Database(wanted), State::Database { .. }) => databases::make(wanted),
            (Resource::Database(gone), State::Absent) => databases::drop_empty(gone),
            _ => Err("there is no way to make it so".to_owned()),
        };
        done.map_err(|why| match thing {
            Resource::Service(service) => {
                let lines = self.last_lines(root, &service.name);
                failed(thing.name(), format!("{why}\n{lines}"))
            }
            _ => failed(thing.name(), why),
        })
    }

    /// Has the system read anew which services there are.
    ///
    /// # Errors
    /// Its last words.
    pub fn refresh(&self) -> Result<(), AlterError> {
        match self {
            Self::Debian(_) => debian::reload_units(),
            Self::Slackware(_) => Ok(()),
        }
    }

    /// See [`Alter::wake`](crate::apply::Alter::wake).
    ///
    /// # Errors
    /// Its last words.
    pub fn wake(&self, root: &Root, name: &str, how: How) -> Result<bool, AlterError> {
        let done = match self {
            Self::Debian(_) => debian::wake(name, how),
            Self::Slackware(_) => slackware::wake(root, name, how),
        };
        done.map_err(|why| failed(name, format!("{why}\n{}", self.last_lines(root, name))))
    }

    /// See [`Alter::await_up`](crate::apply::Alter::await_up).
    ///
    /// # Errors
    /// The last lines of its log, when it does not come up.
    pub fn await_up(
        &self,
        root: &Root,
        service: &Service,
        logs: &Logs,
    ) -> Result<Option<String>, AlterError> {
        let until = Instant::now() + PATIENCE;
        let (mut steady, mut idle) = (0, 0);
        loop {
            let standing = match self {
                Self::Debian(_) => debian::standing(&service.name),
                Self::Slackware(_) => slackware::standing(root, &service.name, &mut idle),
            };
            let mut missing = trouble(service);
            let errors = Errors::of(root, service, logs);
            missing.extend(errors.fatal.clone());
            let is_up = match &standing {
                Standing::Up => true,
                Standing::Coming(word) | Standing::Down(word) => word == "active",
            };
            if is_up && missing.is_empty() {
                // Up twice in a row: a program that reads its configuration late dies in between.
                steady += 1;
                if steady == 2 {
                    let warning = format!(
                        "`{}` is up and logs errors:\n{}",
                        service.name, errors.lines
                    );
                    return Ok((!errors.lines.is_empty()).then_some(warning));
                }
            } else {
                steady = 0;
            }
            let is_over = matches!(standing, Standing::Down(_)) || errors.fatal.is_some();
            if is_over || Instant::now() > until {
                let what = missing.join(", ");
                if is_up && missing.iter().all(|why| why.starts_with("answers")) {
                    return Ok(Some(format!(
                        "`{}` is up and not well: {what}",
                        service.name
                    )));
                }
                let state = match standing {
                    Standing::Up => "active".to_owned(),
                    Standing::Coming(word) | Standing::Down(word) => word,
                };
                let lines = if errors.lines.is_empty() {
                    self.last_lines(root, &service.name)
                } else {
                    errors.lines
                };
                return Err(failed(
                    &service.name,
                    format!(
                        "the service did not come up (it is {state}; {what}); its last lines:\n{lines}"
                    ),
                ));
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    fn last_lines(&self, root: &Root, name: &str) -> String {
        match self {
            Self::Debian(_) => debian::last_lines(name),
            Self::Slackware(_) => slackware::last_lines(root, name),
        }
    }
}

/// What is installed on the machine.
#[must_use]
pub fn installed(root: &Root) -> Installed {
    match Live::ask(root) {
        Live::Debian(debian) => debian.installed,
        Live::Slackware(pkgtools) => pkgtools.installed,
    }
}

/// How long logs of errors were.
type Logs = BTreeMap<AbsPath, usize>;

/// Notes how long the logs of a service are that is about to be started or told.
pub(super) fn measure(root: &Root, service: &Service, logs: &mut Logs) {
    for probe in &service.probes {
        if let Probe::Log { file, .. } = probe {
            let length = root.read(file).map_or(0, |bytes| bytes.len());
            logs.insert(file.clone(), length);
        }
    }
}

/// What the logs of errors say since a service was started or told.
struct Errors {
    lines: String,
    /// Why it has not come up, whatever answers.
    fatal: Option<String>,
}

impl Errors {
    fn of(root: &Root, service: &Service, logs: &Logs) -> Self {
        let (mut lines, mut found) = (String::new(), None);
        for probe in &service.probes {
            let Probe::Log { file, fatal } = probe else {
                continue;
            };
            let Some(length) = logs.get(file) else {
                continue;
            };
            let bytes = root.read(file).unwrap_or_default();
            // Shorter than it was: it was rotated, and all of it is new.
            let new = bytes.get(*length..).unwrap_or(&bytes);
            let text = String::from_utf8_lossy(new);
            if text.contains(fatal.as_str()) {
                found = Some(format!("`{file}` says `{fatal}`"));
            }
            lines.push_str(&last(&text, 10));
        }
        Self {
            lines,
            fatal: found,
        }
    }
}

fn there(is_there: bool) -> Found {
    Found::State(if is_there {
        State::Present
    } else {
        State::Absent
    })
}
