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
mod people;
mod probe;
mod prosody;
mod running;
mod signin;
mod versions;
mod visitors;
mod web;
mod wire;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use probe::{
    Admission, Listener, LogIn, Place, Probe, Process, Reader, Reception, Seen, Visit,
};

use crate::name::{AbsPath, ServiceId};
use crate::package::Catalogue;
use crate::recipe::Recipe;
use crate::resource::{Content, Layout, Resource};
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
    versions::SET,
    versions::HOLES,
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
    people::SERVICE,
    people::SETTINGS,
    people::PAGES,
    people::SOCKET,
    people::FILES,
    signin::SECRET,
    people::MAIL,
    people::ADMINISTRATOR,
    signin::VIEW,
];

/// What was wanted: everything that the judges compare with.
pub struct Subject<'a> {
    /// The site, its platform, secrets, facts and host names.
    pub context: &'a Context<'a>,
    /// What was laid out.
    pub layout: &'a Layout,
    /// What is known of versions, or why nothing is.
    pub catalogue: Result<Catalogue, String>,
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
    checks.extend(people::checks(subject, probe));
    checks.extend(running::checks(subject, probe));
    checks.extend(signin::checks(subject, probe));
    checks.extend(versions::checks(subject, probe));
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
