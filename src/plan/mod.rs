//! The layout compared with the machine: what would change, and why.
//!
//! Three states are compared: wanted, found, and last applied (digests only), so that a plan can
//! tell a change that was asked for from one that somebody made on the machine. The machine is
//! seen through [`Observe`], which cannot write. What could not be looked at is blocked, never
//! silently fine. [`show`] turns a plan into a table, diffs or JSON, with secrets veiled.

pub(crate) mod block;
mod compare;
mod crowd;
mod put_off;
pub(crate) mod removal;
pub mod show;
mod thing;
mod upgrades;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::name::{AbsPath, Mode, Owner, ServiceId};
use crate::resource::{Dir, File, How, Layout, PackageVersion, Resource, Service, Wake};

use crowd::Crowd;
pub use put_off::Waiting;

/// What stands, or should stand, at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A folder.
    Dir {
        /// Permissions.
        mode: Mode,
        /// User and group number; `None` leaves what is there.
        ids: Option<(u32, u32)>,
    },
    /// A file.
    File {
        /// Contents.
        bytes: Vec<u8>,
        /// Permissions.
        mode: Mode,
        /// User and group number; `None` leaves what is there.
        ids: Option<(u32, u32)>,
    },
    /// A symbolic link.
    Link {
        /// Its text.
        target: String,
    },
    /// A package, group or user that is there.
    Present,
    /// A package of which the version matters.
    Package(PackageVersion),
    /// A service.
    Service {
        /// Does it start at boot?
        enabled: bool,
        /// Does it run?
        running: bool,
    },
    /// A database.
    Database {
        /// Are its roles there, and do they come in with their passwords?
        fits: bool,
    },
}

/// What a look at a path gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This.
    State(State),
    /// Something that we neither make nor replace (a device, a socket), or a look that failed.
    Unknown(String),
}

/// How a plan sees the machine.
pub trait Observe {
    /// What stands at the path itself; a link in its last part is not followed.
    fn look(&self, path: &AbsPath) -> Found;
    /// Is there a folder, perhaps behind links that stay inside the root?
    fn is_dir(&self, path: &AbsPath) -> bool;
    /// The names in a folder.
    fn names(&self, path: &AbsPath) -> Vec<String>;
    /// Is this a running machine, whose packages, people and services are ours to look after?
    fn is_live(&self) -> bool {
        false
    }
    /// What there is of a package, group, user or service. `None` for a tree that is no running
    /// machine and has none of its own. A package that nobody could install is
    /// [`Found::Unknown`].
    fn thing(&self, _resource: &Resource) -> Option<Found> {
        None
    }
    /// Could this version of a package be installed? Says why not.
    ///
    /// # Errors
    /// Why not, and what helps.
    fn offers(&self, _package: &str, _version: &PackageVersion) -> Result<(), String> {
        Ok(())
    }
    /// The numbers of an owner, when this root knows the names and the caller may give files away.
    fn ids(&self, owner: &Owner) -> Option<(u32, u32)>;
}

/// What is remembered of a resource that an apply put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Digest of what was wanted ([`Content::digest`](crate::resource::Content::digest)), a
    /// link's target, or for a folder whether it is `ours` alone.
    pub wanted: String,
    /// Digest of the bytes that were written; empty for links and folders.
    pub bytes: String,
    /// Permissions that were given, in octal.
    pub mode: String,
    /// Owner that was wanted, by name.
    pub owner: String,
    /// What stood there before this program came, to be put back when it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Was>,
    /// What a running service was not told yet, because that was put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<How>,
}

impl Mark {
    /// Is it of a folder that is ours alone, with everything in it?
    #[must_use]
    pub fn is_own_folder(&self) -> bool {
        self.wanted == compare::OURS
    }
}

/// What stood at a path before this program came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "lowercase")]
pub enum Was {
    /// A folder.
    Dir {
        /// Permissions, as a number.
        mode: u32,
        /// User and group number.
        ids: Option<(u32, u32)>,
    },
    /// A file.
    File {
        /// Permissions, as a number.
        mode: u32,
        /// User and group number.
        ids: Option<(u32, u32)>,
        /// Where its contents are kept.
        backup: AbsPath,
    },
    /// A link.
    Link {
        /// Its text.
        target: String,
    },
    /// A group or user that others had made.
    Present,
    /// A service that others had set up.
    Service {
        /// Did it start at boot?
        enabled: bool,
        /// Did it run?
        running: bool,
    },
    /// A database that others had made.
    Database,
}

impl Was {
    /// The state itself; `None` when its backup is gone.
    fn state(&self, machine: &dyn Observe) -> Option<State> {
        Some(match self {
            Self::Dir { mode, ids } => State::Dir {
                mode: Mode(*mode),
                ids: *ids,
            },
            Self::Link { target } => State::Link {
                target: target.clone(),
            },
            Self::Present => State::Present,
            Self::Database => State::Database { fits: true },
            Self::Service { enabled, running } => State::Service {
                enabled: *enabled,
                running: *running,
            },
            Self::File { mode, ids, backup } => match machine.look(backup) {
                Found::State(State::File { bytes, .. }) => State::File {
                    bytes,
                    mode: Mode(*mode),
                    ids: *ids,
                },
                Found::State(_) | Found::Unknown(_) => return None,
            },
        })
    }
}

/// Everything that the last apply put in place: resource id to mark.
pub type Applied = BTreeMap<String, Mark>;

/// What would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing: it is as it should be.
    Keep,
    /// Make what is not there.
    Create,
    /// Change what is there.
    Change,
    /// Take away what an earlier apply put there.
    Remove,
    /// Nothing can be done: see the step's remark. The whole plan is refused.
    Blocked,
    /// Left to the machine that boots this tree: packages, people, services.
    Machine,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It is in order.
    Same,
    /// The site file asks for it, or no longer does.
    Asked,
    /// Somebody changed the machine since the last apply.
    Drifted,
    /// It stood there before this program came; it is kept as a backup.
    Foreign,
}

/// One resource's part of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// Who wants it; nobody, for what is removed.
    pub service: Option<ServiceId>,
    /// Kind and name, as `file /etc/x`.
    pub id: String,
    /// Kind in a word.
    pub kind: &'static str,
    /// Where, for what has a path.
    pub path: Option<AbsPath>,
    /// What would be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The thing itself, for what has no path.
    pub thing: Option<Resource>,
    /// Whose it should be; a user may be made only by an earlier step.
    pub owner: Option<Owner>,
    /// Which services must hear of it.
    pub wakes: Vec<Wake>,
    /// What there is now.
    pub before: State,
    /// What there will be; `None` while its bytes have to be made first (`recipe`).
    pub after: Option<State>,
    /// Makes the bytes.
    pub recipe: Option<crate::recipe::Recipe>,
    /// What the books will say; `None` for what they forget.
    pub mark: Option<Mark>,
    /// Must its contents never be shown?
    pub veiled: bool,
    /// What differs, or why it is blocked; for people.
    pub remark: String,
}

/// What would change on a machine.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
    /// Services to restart and to await when all is done, if they run; in starting order.
    pub restarts: Vec<Service>,
    /// Marks of resources that this plan does not look at, and that the books keep.
    pub elsewhere: Applied,
    /// What the reader should know.
    pub remarks: Vec<String>,
    /// Words that are veiled in everything shown.
    pub veiled: Vec<crate::secret::Secret<String>>,
    /// Owners that this root does not know; its files keep whoever writes them.
    pub unknown_owners: Vec<String>,
    /// Are services left as they run ([`Plan::put_off`])?
    pub leaves_services: bool,
}

impl Plan {
    /// Would anything be done?
    #[must_use]
    pub fn changes(&self) -> bool {
        self.todo().next().is_some()
    }

    /// Steps that stand in the way of the whole plan.
    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| step.action == Action::Blocked)
    }

    /// The steps that do something.
    pub fn todo(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| {
            matches!(
                step.action,
                Action::Create | Action::Change | Action::Remove
            )
        })
    }

    /// The services that must hear of what these steps do, and how.
    #[must_use]
    pub fn wakes<'s>(steps: impl Iterator<Item = &'s Step>) -> BTreeMap<ServiceId, How> {
        let mut woken = BTreeMap::new();
        for wake in steps.flat_map(|step| &step.wakes) {
            let how = woken.entry(wake.service).or_insert(wake.how);
            *how = wake.how.max(*how);
        }
        woken
    }

    /// How many steps have this action.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps
            .iter()
            .filter(|step| step.action == action)
            .count()
    }
}

/// Compares.
#[must_use]
pub fn plan(layout: &Layout, machine: &dyn Observe, applied: &Applied) -> Plan {
    let mut plan = Plan {
        remarks: layout.remarks.clone(),
        veiled: layout.veiled.clone(),
        ..Plan::default()
    };
    let mut unknown = BTreeSet::new();
    let mut crowd = Crowd::default();
    for item in &layout.items {
        if let Resource::Dir(Dir { owner, .. }) | Resource::File(File { owner, .. }) =
            &item.resource
            && machine.ids(owner).is_none()
        {
            unknown.insert(owner.to_string());
        }
        let mark = applied.get(&item.resource.id());
        let mut step = compare::step(item, machine, mark, &crowd);
        crowd.note(&step);
        if item
            .resource
            .path()
            .is_some_and(|path| layout.kept.contains(path))
        {
            step = left_alone(step);
        }
        if let (Some(new), Some(old)) = (&mut step.mark, mark) {
            new.was.clone_from(&old.was);
        }
        plan.steps.push(step);
    }
    // A service that goes makes room for one that comes: both may want the same port.
    let (leaving, rest): (Vec<Step>, Vec<Step>) = removal::steps(layout, machine, applied)
        .into_iter()
        .partition(|step| step.kind == "service");
    let first = plan.steps.iter().position(|step| step.kind == "service");
    let place = first.unwrap_or(plan.steps.len());
    plan.steps.splice(place..place, leaving);
    plan.steps.extend(rest);
    // A running machine may still get them, from packages or from steps of this very plan.
    if !machine.is_live() {
        plan.unknown_owners = unknown.into_iter().collect();
    }
    plan
}

/// The step of a path that the administrator keeps: nothing is done, and the books forget it.
fn left_alone(step: Step) -> Step {
    Step {
        action: Action::Keep,
        reason: Reason::Same,
        after: None,
        recipe: None,
        mark: None,
        remark: "left to you by `keep`".to_owned(),
        ..step
    }
}
