//! What is wrong on a machine that was laid out, and how to mend it.
//!
//! A [`Question`] has an id and a title; asked of a [`Subject`] (what was wanted) and a [`Probe`]
//! (what is there) it gives a [`Check`]: verdict, evidence, cure. This room judges and does not
//! look: the host room implements [`Probe`], and every look of it is bounded in time and size. No
//! check shows a secret, and none changes anything. To add one: a `Question` in the file of its
//! theme, its line in [`QUESTIONS`], its answer in that file's `checks`, a row in `docs/doctor.md`
//! (a test says so), and a test that breaks what it looks at.

mod accounts;
mod bridge;
mod certificates;
mod cures;
mod hocon;
mod hosts;
mod java;
mod line;
mod lua;
mod network;
mod prosody;
mod running;
mod visitors;
mod web;
mod wire;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::name::{AbsPath, Mode, ServiceId};
use crate::recipe::Recipe;
use crate::resource::{Content, Layout, Resource};
use crate::secret::Secret;
use crate::service::Context;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    #[serde(rename = "ok")]
    Good,
    /// It works, and somebody should look at it.
    Warn,
    /// Something does not work, or is open that should be closed.
    Bad,
    /// It could not be looked at, or does not concern this site.
    #[serde(rename = "skip")]
    Skipped,
}

impl Verdict {
    /// The word at the beginning of a line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Skipped => "skip",
        }
    }
}

/// Something that can be asked of every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// As `D-05`; two questions about one matter may share it.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The question's id.
    pub id: &'static str,
    /// The question in a few words.
    pub title: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen, and where.
    pub evidence: String,
    /// What to do or type; empty when nothing is to be done.
    pub cure: String,
}

impl Question {
    const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title }
    }

    fn answer(self, verdict: Verdict, evidence: String, cure: String) -> Check {
        Check {
            id: self.id,
            title: self.title,
            verdict,
            evidence,
            cure,
        }
    }

    fn good(self, evidence: impl Into<String>) -> Check {
        self.answer(Verdict::Good, evidence.into(), String::new())
    }

    fn warn(self, evidence: impl Into<String>, cure: impl Into<String>) -> Check {
        self.answer(Verdict::Warn, evidence.into(), cure.into())
    }

    fn bad(self, evidence: impl Into<String>, cure: impl Into<String>) -> Check {
        self.answer(Verdict::Bad, evidence.into(), cure.into())
    }

    fn skipped(self, why: impl Into<String>) -> Check {
        self.answer(Verdict::Skipped, why.into(), String::new())
    }

    /// Bad with everything that is wrong, or good with `evidence` when nothing is.
    fn faults(self, faults: &[String], evidence: impl Into<String>, cure: &str) -> Check {
        if faults.is_empty() {
            self.good(evidence)
        } else {
            self.bad(faults.join("; "), cure)
        }
    }

    /// The answer on a tree that is no running machine.
    fn asleep(self) -> Check {
        self.skipped("not a running machine")
    }
}

/// Every question, in the order of the ids.
pub const QUESTIONS: &[Question] = &[
    prosody::MODULES_OF_LUA,
    prosody::VERSION,
    hosts::ADMINS_OWN,
    prosody::LOG,
    prosody::PLUGINS,
    accounts::RECORDS,
    wire::LOGIN,
    visitors::MECHANISMS,
    accounts::ROSTER,
    java::JICOFO_HEALTH,
    bridge::BREWERY,
    java::BRIDGES,
    certificates::AUTH,
    wire::AUTH,
    certificates::TRUST,
    running::OPTIONS,
    certificates::SITE,
    wire::SITE,
    certificates::COPIES,
    running::FRESH,
    certificates::KEYSTORE,
    wire::BRIDGE,
    java::JARS,
    java::VERSION,
    hosts::EMPTY_TOKENS,
    visitors::FORGED,
    hosts::GUESTS,
    visitors::GUEST,
    hosts::CLOSED,
    visitors::BREWERY,
    hosts::MODERATORS,
    hosts::KEY_SERVER,
    web::PAGE,
    web::CONFIG,
    network::NAME,
    network::PORTS,
    network::LOOPBACK,
    network::IPV6,
    network::PRIVATE,
    network::BUFFERS,
    java::BRIDGE_HEALTH,
    network::AAAA,
    bridge::WEBSOCKETS,
    web::LOGS,
    accounts::DRIFT,
    java::MEMORY,
    java::LIMITS,
    accounts::SECRETS,
    web::AUTHORIZATION,
    web::HOST_HEADER,
    bridge::DEAD,
    running::RUNS,
    running::BOOT,
    hosts::OWN_MODULE,
];

/// What was wanted: everything that the judges compare with.
pub struct Subject<'a> {
    /// The site, its platform, secrets, facts and host names.
    pub context: &'a Context<'a>,
    /// What was laid out.
    pub layout: &'a Layout,
    /// Ids of what differs from the layout, as a plan found it: drifted first, then pending.
    pub drifted: Vec<String>,
    /// Ids of what the site file asks for and is not there yet.
    pub pending: Vec<String>,
    /// The services of the layout, as the system has them; none of a tree.
    pub services: Vec<Standing>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What the system says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Unit or rc script, without ending or prefix.
    pub name: String,
    /// Does it run?
    pub runs: bool,
    /// Does it start at boot?
    pub at_boot: bool,
}

impl Subject<'_> {
    /// The services of the layout and what the system calls them.
    fn units(&self) -> impl Iterator<Item = (ServiceId, &str)> {
        self.layout
            .items
            .iter()
            .filter_map(|item| match &item.resource {
                Resource::Service(service) => Some((service.id, service.name.as_str())),
                _ => None,
            })
    }

    /// The recipe by which the layout makes a file.
    fn recipe(&self, path: &AbsPath) -> Option<&Recipe> {
        self.layout
            .items
            .iter()
            .find_map(|item| match &item.resource {
                Resource::File(file) if file.path == *path => match &file.content {
                    Content::Made(recipe) => Some(recipe),
                    Content::Bytes(_) | Content::Block(_) => None,
                },
                _ => None,
            })
    }
}

/// A file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Contents.
    pub bytes: Vec<u8>,
    /// Permissions.
    pub mode: Mode,
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A socket on which somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// Is it UDP?
    pub is_udp: bool,
    /// The program's name; `None` when the system does not tell.
    pub program: Option<String>,
}

/// How somebody without rights comes to Prosody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The XMPP host.
    pub host: String,
    /// The token in the address.
    pub token: Option<String>,
    /// Rooms to try, as `room@component`, one after the other; none are tried without a log-in.
    pub rooms: Vec<String>,
}

/// How a visitor fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reception {
    /// SASL mechanisms that were offered.
    pub mechanisms: Vec<String>,
    /// Did the log-in succeed? Else the XMPP condition.
    pub login: Option<Result<(), String>>,
    /// For each room tried the affiliation given, or the condition of the refusal.
    pub rooms: Vec<(String, Result<String, String>)>,
}

/// How a service account comes to Prosody: over c2s on loopback, with STARTTLS.
#[derive(Debug)]
pub struct LogIn<'a> {
    /// Prosody's port.
    pub port: u16,
    /// The XMPP host.
    pub host: String,
    /// The account's name.
    pub user: &'a str,
    /// Its password.
    pub password: &'a Secret<String>,
    /// The one certificate (PEM) that is trusted: whoever shows another hears no password.
    pub trusted: &'a str,
}

/// How a service account fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// The certificates (DER) that Prosody showed, its own first.
    pub certificates: Vec<Vec<u8>>,
    /// Did the log-in succeed? Else the XMPP condition. `None` when the certificate was not the
    /// trusted one.
    pub login: Option<Result<(), String>>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its program's name.
    pub name: String,
    /// Its command line. There may be secrets of others in it: none of it is shown but what a
    /// question asks for by name.
    pub arguments: Vec<String>,
    /// When it started, in seconds since 1970.
    pub started: Option<i64>,
}

/// How the doctor sees a machine. Every look ends by itself, within seconds.
pub trait Probe {
    /// Is it a running machine? Else only files are looked at.
    fn is_running(&self) -> bool;
    /// A file; `None` when it is not there.
    ///
    /// # Errors
    /// Why it could not be read.
    fn file(&self, path: &AbsPath) -> Result<Option<Seen>, String>;
    /// The last part of a log, and its permissions as far as its folder lets them count; `None` when
    /// it is not there.
    fn tail(&self, path: &AbsPath) -> Option<Seen>;
    /// Names in a folder, sorted.
    fn names(&self, path: &AbsPath) -> Vec<String>;
    /// What the kernel says below `/proc`.
    fn kernel(&self, path: &str) -> Option<String>;
    /// What `prosodyctl about` says.
    ///
    /// # Errors
    /// Why it said nothing.
    fn about(&self) -> Result<String, String>;
    /// Which of these modules the Lua that runs Prosody cannot load; its name comes first.
    ///
    /// # Errors
    /// Why it could not be asked.
    fn lacking(&self, modules: &[&str]) -> Result<(String, Vec<String>), String>;
    /// What `java -version` says.
    ///
    /// # Errors
    /// Why it said nothing.
    fn java(&self, java: &AbsPath) -> Result<String, String>;
    /// Who listens.
    ///
    /// # Errors
    /// Why that is not known.
    fn listeners(&self) -> Result<Vec<Listener>, String>;
    /// The addresses of a name.
    ///
    /// # Errors
    /// What the resolver said.
    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String>;
    /// When a file's contents last changed, in seconds since 1970.
    fn changed(&self, path: &AbsPath) -> Option<i64>;
    /// Everything that runs.
    fn processes(&self) -> Vec<Process>;
    /// The exit status with which a service last ended, if the system remembers one.
    fn last_exit(&self, service: &str) -> Option<i32>;
    /// A plain GET on loopback: status and body.
    ///
    /// # Errors
    /// Why there was no answer.
    fn http(&self, port: u16, path: &str, host: &str) -> Result<(u16, String), String>;
    /// A page of the site over TLS, by its name, from this machine: status and body. Whose the
    /// certificate is does not matter.
    ///
    /// # Errors
    /// Why there was no answer.
    fn page(&self, host: &str, address: SocketAddr, path: &str) -> Result<(u16, String), String>;
    /// The certificates (DER) that a TLS server shows, its own first.
    ///
    /// # Errors
    /// Why there was no TLS.
    fn certificates(&self, host: &str, address: SocketAddr) -> Result<Vec<Vec<u8>>, String>;
    /// A page of another machine; `None` when there is no program here that could fetch it.
    fn fetch(&self, url: &str) -> Option<Result<String, String>>;
    /// Comes to Prosody as a service account does.
    ///
    /// # Errors
    /// Why it did not come to a log-in.
    fn log_in(&self, order: &LogIn<'_>) -> Result<Admission, String>;
    /// Comes to Prosody by BOSH as anybody could.
    ///
    /// # Errors
    /// Why there was no answer.
    fn visit(&self, visit: &Visit) -> Result<Reception, String>;
}

/// What to type when something was changed by hand.
const APPLY: &str = "`jitsi-install apply` puts it right; `jitsi-install plan` shows it first";

/// Asks every question.
#[must_use]
pub fn examine(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let mut checks = prosody::checks(subject, probe);
    checks.extend(hosts::checks(subject, probe));
    checks.extend(accounts::checks(subject, probe));
    checks.extend(bridge::checks(subject, probe));
    checks.extend(certificates::checks(subject, probe));
    checks.extend(java::checks(subject, probe));
    checks.extend(network::checks(subject, probe));
    checks.extend(running::checks(subject, probe));
    checks.extend(visitors::checks(subject, probe));
    checks.extend(web::checks(subject, probe));
    checks.extend(wire::checks(subject, probe));
    let place = |check: &Check| {
        QUESTIONS
            .iter()
            .position(|one| (one.id, one.title) == (check.id, check.title))
    };
    checks.sort_by_key(place);
    checks
}

/// A file's text, or the fault that it is missing or cannot be read.
fn text_of(probe: &dyn Probe, path: &AbsPath) -> Result<String, String> {
    seen(probe, path).map(|seen| seen.text())
}

fn seen(probe: &dyn Probe, path: &AbsPath) -> Result<Seen, String> {
    match probe.file(path) {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(format!("`{path}` is missing")),
        Err(why) => Err(format!("`{path}` cannot be read: {why}")),
    }
}
