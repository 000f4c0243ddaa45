//! Debian and what descends from it: apt, dpkg and systemd.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use super::{Standing, Wanted, failed, run};
use crate::apply::AlterError;
use crate::host::root::Root;
use crate::host::workshop::{Installed, Workshop, debian_version};
use crate::name::{AbsPath, Mode};
use crate::plan::{Found, State};
use crate::resource::{How, PackageVersion};

/// How often systemd may start a service again before we call it broken.
const MOST_RESTARTS: u32 = 3;

/// Forbids packages to start their services while they are installed: until they are configured
/// they would listen to the whole world. It is the file that Debian policy asks for.
const POLICY: &str = "#!/bin/sh\n# written by jitsi-install while it installs packages\nexit 101\n";

/// Where it belongs.
const POLICY_FILE: &str = "/usr/sbin/policy-rc.d";

/// What apt knows.
pub struct Debian {
    pub(super) installed: Installed,
    workshop: Workshop,
    /// Every package that a site may want.
    names: BTreeSet<&'static str>,
    /// Those of them that can be had; asked for in one go, since apt reads its lists anew each time.
    candidates: OnceCell<BTreeSet<String>>,
}

impl Debian {
    /// Asks the machine what is installed.
    pub(super) fn ask(names: BTreeSet<&'static str>, workshop: Workshop) -> Self {
        Self {
            installed: installed(),
            workshop,
            names,
            candidates: OnceCell::new(),
        }
    }

    /// Is a package there, or can it be had?
    pub(super) fn package(&self, root: &Root, name: &str, version: Option<&str>) -> Found {
        match (self.installed.get(name), version) {
            (Some(_), None) => return Found::State(State::Present),
            (Some(found), Some(_)) => return Found::State(State::Package(found.clone())),
            (None, _) => {}
        }
        let offered = match version {
            Some(version) => self.offers(root, name, &PackageVersion::any(version)),
            None if self.has_candidate(name) => Ok(()),
            None => self.workshop.has(root, name, None, &self.installed),
        };
        match offered {
            Ok(()) => Found::State(State::Absent),
            Err(why) => Found::Unknown(format!("no repository of this machine has it; {why}")),
        }
    }

    /// Could this version be installed, from the store or from a repository?
    pub(super) fn offers(
        &self,
        root: &Root,
        name: &str,
        version: &PackageVersion,
    ) -> Result<(), String> {
        match self
            .workshop
            .has(root, name, Some(version), &self.installed)
        {
            Err(_) if in_repository(name, version).is_some() => Ok(()),
            answer => answer,
        }
    }

    /// Has a repository any version of it?
    fn has_candidate(&self, name: &str) -> bool {
        if !self.names.contains(name) {
            return candidates([name]).contains(name);
        }
        let ask = || candidates(self.names.iter().copied());
        self.candidates.get_or_init(ask).contains(name)
    }

    /// What `apt-get install` takes for a package: its name, perhaps with a version, or a file.
    fn word(&self, root: &Root, wanted: &Wanted) -> Result<String, AlterError> {
        let Wanted { name, version } = wanted;
        match version {
            None if self.has_candidate(name) => return Ok(name.clone()),
            Some(version)
                if self
                    .workshop
                    .has(root, name, Some(version), &self.installed)
                    .is_err() =>
            {
                if let Some(exact) = in_repository(name, version) {
                    return Ok(format!("{name}={exact}"));
                }
            }
            _ => {}
        }
        let made = self
            .workshop
            .make(root, name, version.as_ref(), &self.installed);
        made.map(|file| file.to_string())
            .map_err(|why| failed(name, why))
    }

    /// Takes away what a run that was killed while it installed has left behind: no package would
    /// start its services ever after.
    pub(super) fn tidy(root: &Root) -> std::io::Result<()> {
        let policy = AbsPath::fixed(POLICY_FILE);
        match root.look(&policy) {
            Found::State(State::File { bytes, .. }) if bytes == POLICY.as_bytes() => {
                root.put(&policy, &State::Absent)
            }
            _ => Ok(()),
        }
    }

    /// Installs packages, without starting what is in them.
    ///
    /// # Errors
    /// The last words of `apt-get`.
    pub(super) fn install(&mut self, root: &Root, wanted: &[Wanted]) -> Result<(), AlterError> {
        let words: Result<Vec<String>, AlterError> =
            wanted.iter().map(|one| self.word(root, one)).collect();
        let words = words?;
        let policy = AbsPath::fixed(POLICY_FILE);
        let ours = State::File {
            bytes: POLICY.as_bytes().to_vec(),
            mode: Mode(0o755),
            ids: None,
        };
        // Somebody else's stays.
        let is_free = root.look(&policy) == Found::State(State::Absent);
        let put = |state: &State| {
            root.put(&policy, state)
                .map_err(|error| failed(policy.as_str(), error.to_string()))
        };
        if is_free {
            put(&ours)?;
        }
        let mut args = vec![
            "install",
            "-y",
            "--no-install-recommends",
            "--allow-downgrades",
            "-o",
            "Dpkg::Options::=--force-confold",
            "--",
        ];
        args.extend(words.iter().map(String::as_str));
        // Packages that a power cut left half configured stand in the way of all others.
        let configure = ["--configure", "--pending", "--force-confold"];
        let done = run("dpkg", &configure).and_then(|_| run("apt-get", &args));
        if is_free {
            put(&State::Absent)?;
        }
        self.installed = installed();
        self.candidates = OnceCell::new();
        done.map(|_| ()).map_err(|why| failed("packages", why))
    }
}

/// Those packages of which a repository has a version.
fn candidates<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeSet<String> {
    let args: Vec<&str> = ["policy", "--"].into_iter().chain(names).collect();
    with_candidate(&run("apt-cache", &args).unwrap_or_default())
}

/// `NAME:`, and somewhere below it `  Candidate: VERSION`.
fn with_candidate(policy: &str) -> BTreeSet<String> {
    let (mut found, mut name) = (BTreeSet::new(), "");
    for line in policy.lines() {
        if let Some(head) = line.strip_suffix(':').filter(|head| !head.contains(' ')) {
            name = head;
        } else if let Some(version) = line.trim().strip_prefix("Candidate: ")
            && version != "(none)"
        {
            found.insert(name.to_owned());
        }
    }
    found
}

/// The version of a repository that fits, with its revision.
fn in_repository(name: &str, wanted: &PackageVersion) -> Option<String> {
    // `NAME | VERSION | WHERE`, the newest first.
    let said = run("apt-cache", &["madison", "--", name]).unwrap_or_default();
    let versions = said.lines().filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        (columns.next()? == name).then_some(debian_version(columns.next()?))
    });
    let fitting: Vec<PackageVersion> = versions.filter(|version| version == wanted).collect();
    let exact = fitting.iter().find(|one| one.exact == wanted.exact);
    exact.or(fitting.first()).map(|one| one.exact.clone())
}

fn installed() -> Installed {
    let format = "${Package} ${Version} ${db:Status-Status}\\n";
    let listed = run("dpkg-query", &["-W", "-f", format]).unwrap_or_default();
    let packages = listed.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?);
        (words.next()? == "installed").then(|| (name.to_owned(), debian_version(version)))
    });
    packages.collect()
}

/// What systemd says in a word; it exits with an error for most words.
fn word(verb: &str, unit: &str) -> String {
    Command::new("systemctl")
        .args([verb, "--", unit])
        .stdin(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

/// A unit's whole name: a service, unless it says otherwise.
fn unit_name(name: &str) -> String {
    if name.ends_with(".timer") {
        name.to_owned()
    } else {
        format!("{name}.service")
    }
}

/// The sockets that would start a unit again.
fn sockets(name: &str) -> Vec<String> {
    let unit = unit_name(name);
    let args = ["show", "--property=TriggeredBy", "--value", "--", &unit];
    let said = run("systemctl", &args).unwrap_or_default();
    said.split_whitespace()
        .filter(|trigger| trigger.ends_with(".socket"))
        .map(str::to_owned)
        .collect()
}

/// How a unit is.
pub(super) fn unit(name: &str) -> Found {
    let args = [
        "show",
        "--property=UnitFileState,ActiveState",
        "--",
        &unit_name(name),
    ];
    let said = run("systemctl", &args).unwrap_or_default();
    let property = |name: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let enabled = property("UnitFileState");
    if enabled.starts_with("masked") {
        return Found::Unknown(format!("the unit is masked: `systemctl unmask {name}`"));
    }
    Found::State(State::Service {
        enabled: enabled == "enabled",
        running: matches!(
            property("ActiveState"),
            "active" | "reloading" | "activating"
        ),
    })
}

/// Makes a unit be so.
pub(super) fn set(name: &str, enabled: bool, running: bool) -> Result<(), String> {
    let exists = !run(
        "systemctl",
        &["list-unit-files", "--no-legend", "--", &unit_name(name)],
    )
    .unwrap_or_default()
    .is_empty();
    if !exists && !enabled && !running {
        return Ok(());
    }
    if running {
        // A unit that failed often enough before would not be started again.
        let _ = run("systemctl", &["reset-failed", "--", name]);
        run("systemctl", &["start", "--", name])?;
    } else {
        let sockets = sockets(name);
        let mut stop = vec!["stop", "--", name];
        stop.extend(sockets.iter().map(String::as_str));
        run("systemctl", &stop)?;
        let _ = run("systemctl", &["reset-failed", "--", name]);
    }
    run(
        "systemctl",
        &[
            if enabled { "enable" } else { "disable" },
            "--quiet",
            "--",
            name,
        ],
    )
    .map(drop)
}

/// Has systemd read its units again.
///
/// # Errors
/// Its last words.
pub(super) fn reload_units() -> Result<(), AlterError> {
    run("systemctl", &["daemon-reload"])
        .map(|_| ())
        .map_err(|why| failed("systemd", why))
}

/// Tells a unit of a change, if it runs or should; says which.
pub(super) fn wake(name: &str, how: How) -> Result<bool, String> {
    // One that has failed, or is just about to be started again, wants to run.
    if !matches!(
        word("is-active", name).as_str(),
        "active" | "activating" | "reloading" | "failed"
    ) {
        return Ok(false);
    }
    let verb = match how {
        How::Reload => "reload-or-restart",
        How::Restart => "restart",
    };
    let _ = run("systemctl", &["reset-failed", "--", name]);
    // A socket reads what is new in its own unit only when it starts anew, too.
    let sockets = sockets(name);
    let mut words = vec![verb, "--", name];
    words.extend(sockets.iter().map(String::as_str));
    run("systemctl", &words).map(|_| true)
}

/// How a unit stands on its way up.
pub(super) fn standing(name: &str) -> Standing {
    let state = word("is-active", name);
    let args = ["show", "--property=NRestarts", "--value", "--", name];
    let restarts = run("systemctl", &args).unwrap_or_default();
    let is_looping = restarts
        .trim()
        .parse()
        .is_ok_and(|count: u32| count >= MOST_RESTARTS);
    match state.as_str() {
        "active" if !is_looping => Standing::Up,
        "failed" => Standing::Down(state),
        "" => Standing::Coming("unknown".to_owned()),
        _ if is_looping => Standing::Down(state),
        _ => Standing::Coming(state),
    }
}

/// The end of a unit's journal.
pub(super) fn last_lines(name: &str) -> String {
    let unit = unit_name(name);
    run(
        "journalctl",
        &["-u", &unit, "-n", "10", "--no-pager", "-o", "cat"],
    )
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::with_candidate;

    #[test]
    fn what_apt_has() {
        let policy = "jicofo:\n  Installed: (none)\n  Candidate: 1.0-1\n  Version table:\n     1.0-1 500\n        500 https://x.test stable/ Packages\n\
                      old:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n";
        let found = with_candidate(policy);
        assert_eq!(found.iter().collect::<Vec<_>>(), ["jicofo"]);
    }
}
