//! The running machine: its packages, people and services, on systems with apt and systemd.
//!
//! Programs of the system do the work (`apt-get`, `useradd`, `systemctl`), with arguments of ours
//! and never a secret among them. Only [`Machine`](super::Machine) uses this, and only when the
//! root is the machine itself.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::root::Root;
use crate::apply::AlterError;
use crate::name::{AbsPath, Mode};
use crate::plan::{Found, State};
use crate::resource::{How, Probe, Resource, Service};

/// How long a service may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often systemd may start a service again before we call it broken.
const MOST_RESTARTS: u32 = 3;

/// Forbids packages to start their services while they are installed: until they are configured
/// they would listen to the whole world. It is the file that Debian policy asks for.
const POLICY: &str = "#!/bin/sh\n# written by jitsi-install while it installs packages\nexit 101\n";

/// What is known of the running machine.
pub struct Live {
    installed: BTreeSet<String>,
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
    let lines: Vec<&str> = words.trim().lines().collect();
    let last = lines[lines.len().saturating_sub(6)..].join("\n");
    Err(format!("`{program} {}` failed: {last}", args.join(" ")))
}

impl Live {
    /// Asks the machine what is installed.
    #[must_use]
    pub fn ask() -> Self {
        Self {
            installed: installed(),
        }
    }

    /// See [`Observe::thing`](crate::plan::Observe::thing).
    #[must_use]
    pub fn thing(&self, resource: &Resource) -> Option<Found> {
        Some(match resource {
            Resource::Package { name } => self.package(name),
            Resource::Group { name } => {
                there(nix::unistd::Group::from_name(name).map(|found| found.is_some()))
            }
            Resource::User { name, .. } => {
                there(nix::unistd::User::from_name(name).map(|found| found.is_some()))
            }
            Resource::Service(service) => unit(&service.name),
            Resource::Dir(_) | Resource::File(_) | Resource::Link(_) => return None,
        })
    }

    fn package(&self, name: &str) -> Found {
        if self.installed.contains(name) {
            return Found::State(State::Present);
        }
        let policy = run("apt-cache", &["policy", "--", name]).unwrap_or_default();
        let candidate = policy
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "));
        match candidate {
            Some(version) if version != "(none)" => Found::State(State::Absent),
            _ => Found::Unknown(format!(
                "it is not installed and no repository of this machine has it: add one that does, or install `{name}` by hand"
            )),
        }
    }

    /// Installs packages, without starting what is in them.
    ///
    /// # Errors
    /// The last words of `apt-get`.
    pub fn install(&mut self, root: &Root, names: &[String]) -> Result<(), AlterError> {
        let policy = AbsPath::fixed("/usr/sbin/policy-rc.d");
        let ours = State::File {
            bytes: POLICY.as_bytes().to_vec(),
            mode: Mode(0o755),
            ids: None,
        };
        let is_free = match root.look(&policy) {
            Found::State(State::Absent) => true,
            // Left behind by a run that was killed.
            Found::State(State::File { bytes, .. }) => bytes == POLICY.as_bytes(),
            _ => false,
        };
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
            "-o",
            "Dpkg::Options::=--force-confold",
            "--",
        ];
        args.extend(names.iter().map(String::as_str));
        let done = run("apt-get", &args);
        if is_free {
            put(&State::Absent)?;
        }
        self.installed = installed();
        done.map(|_| ()).map_err(|why| failed("packages", why))
    }

    /// See [`Alter::set`](crate::apply::Alter::set).
    ///
    /// # Errors
    /// The last words of the system's program.
    pub fn set(&mut self, thing: &Resource, state: &State) -> Result<(), AlterError> {
        let name = thing.name();
        let done = match (thing, state) {
            (Resource::Group { name }, State::Present) => {
                run("groupadd", &["--system", "--", name])
            }
            (Resource::Group { name }, State::Absent) => run("groupdel", &["--", name]),
            (Resource::User { name, group, home }, State::Present) => {
                let args = [
                    "--system",
                    "--no-create-home",
                    "--shell",
                    "/usr/sbin/nologin",
                ];
                let more = ["--gid", group, "--home-dir", home.as_str(), "--", name];
                run("useradd", &[args.as_slice(), more.as_slice()].concat())
            }
            (Resource::User { name, .. }, State::Absent) => run("userdel", &["--", name]),
            (Resource::Service(_), State::Service { enabled, running }) => {
                service(name, *enabled, *running)
            }
            _ => Err("there is no way to make it so".to_owned()),
        };
        done.map(|_| ()).map_err(|why| failed(name, why))
    }
}

fn there(found: Result<bool, nix::Error>) -> Found {
    match found {
        Ok(true) => Found::State(State::Present),
        Ok(false) => Found::State(State::Absent),
        Err(error) => Found::Unknown(format!("it cannot be looked up: {}", error.desc())),
    }
}

fn installed() -> BTreeSet<String> {
    let listed = run(
        "dpkg-query",
        &["-W", "-f", "${Package} ${db:Status-Status}\\n"],
    )
    .unwrap_or_default();
    listed
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect()
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

fn unit(name: &str) -> Found {
    let enabled = word("is-enabled", name);
    if enabled.starts_with("masked") {
        return Found::Unknown(format!("the unit is masked: `systemctl unmask {name}`"));
    }
    Found::State(State::Service {
        enabled: enabled == "enabled",
        running: matches!(
            word("is-active", name).as_str(),
            "active" | "reloading" | "activating"
        ),
    })
}

fn service(name: &str, enabled: bool, running: bool) -> Result<String, String> {
    let exists = !run(
        "systemctl",
        &[
            "list-unit-files",
            "--no-legend",
            "--",
            &format!("{name}.service"),
        ],
    )
    .unwrap_or_default()
    .is_empty();
    if !exists && !enabled && !running {
        return Ok(String::new());
    }
    if running {
        // A unit that failed often enough before would not be started again.
        let _ = run("systemctl", &["reset-failed", "--", name]);
        run("systemctl", &["start", "--", name])?;
    } else {
        run("systemctl", &["stop", "--", name])?;
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
}

/// Has systemd read its units again.
///
/// # Errors
/// Its last words.
pub fn reload_units() -> Result<(), AlterError> {
    run("systemctl", &["daemon-reload"])
        .map(|_| ())
        .map_err(|why| failed("systemd", why))
}

/// See [`Alter::wake`](crate::apply::Alter::wake).
///
/// # Errors
/// Its last words.
pub fn wake(name: &str, how: How) -> Result<(), AlterError> {
    if word("is-active", name) != "active" && word("is-failed", name) != "failed" {
        return Ok(());
    }
    let verb = match how {
        How::Reload => "reload-or-restart",
        How::Restart => "restart",
    };
    let _ = run("systemctl", &["reset-failed", "--", name]);
    run("systemctl", &[verb, "--", name])
        .map(|_| ())
        .map_err(|why| failed(name, format!("{why}\n{}", last_lines(name))))
}

/// See [`Alter::await_up`](crate::apply::Alter::await_up).
///
/// # Errors
/// The last lines of its journal, when it does not come up.
pub fn await_up(service: &Service) -> Result<Option<String>, AlterError> {
    let until = Instant::now() + PATIENCE;
    let mut steady = 0;
    loop {
        let state = word("is-active", &service.name);
        let answers: Vec<Result<(), String>> = service.probes.iter().map(probe).collect();
        let missing: Vec<String> = answers.into_iter().filter_map(Result::err).collect();
        if state == "active" && missing.is_empty() {
            // Up twice in a row: a program that reads its configuration late dies in between.
            steady += 1;
            if steady == 2 {
                return Ok(None);
            }
        } else {
            steady = 0;
        }
        let args = [
            "show",
            "--property=NRestarts",
            "--value",
            "--",
            &service.name,
        ];
        let restarts = run("systemctl", &args).unwrap_or_default();
        let is_looping = restarts
            .trim()
            .parse()
            .is_ok_and(|count: u32| count >= MOST_RESTARTS);
        if state == "failed" || is_looping || Instant::now() > until {
            let is_unwell =
                state == "active" && missing.iter().all(|why| why.starts_with("answers"));
            let what = missing.join(", ");
            if is_unwell {
                return Ok(Some(format!(
                    "`{}` is up and not well: {what}",
                    service.name
                )));
            }
            let state = if state.is_empty() { "unknown" } else { &state };
            return Err(failed(
                &service.name,
                format!(
                    "the service did not come up (it is {state}; {what}); its last lines:\n{}",
                    last_lines(&service.name)
                ),
            ));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// What the probes of a service say against it.
#[must_use]
pub fn trouble(service: &Service) -> Vec<String> {
    service
        .probes
        .iter()
        .filter_map(|one| probe(one).err())
        .collect()
}

fn last_lines(name: &str) -> String {
    let unit = format!("{name}.service");
    run(
        "journalctl",
        &["-u", &unit, "-n", "10", "--no-pager", "-o", "cat"],
    )
    .unwrap_or_default()
}

fn probe(probe: &Probe) -> Result<(), String> {
    let short = Duration::from_millis(800);
    match probe {
        Probe::Tcp(address) => TcpStream::connect_timeout(address, short)
            .map(|_| ())
            .map_err(|_| format!("nothing listens at {address}")),
        Probe::Http { port, path } => {
            let address = SocketAddr::from(([127, 0, 0, 1], *port));
            let mut stream = TcpStream::connect_timeout(&address, short)
                .map_err(|_| format!("nothing listens at {address}"))?;
            let _ = stream.set_read_timeout(Some(Duration::from_secs(3)));
            let _ = stream
                .write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
            let mut answer = Vec::new();
            let _ = stream.take(4096).read_to_end(&mut answer);
            let text = String::from_utf8_lossy(&answer);
            match text.split(' ').nth(1) {
                Some("200") => Ok(()),
                Some(code) => Err(format!("answers {code} at {address}{path}")),
                None => Err(format!("no answer at {address}{path}")),
            }
        }
    }
}
