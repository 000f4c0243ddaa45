//! The layout compared with the machine: what would change, and why.
//!
//! Three states are compared: wanted, found, and last applied (digests only), so that a plan can
//! tell a change that was asked for from one that somebody made on the machine. The machine is
//! seen through [`Observe`], which cannot write. What could not be looked at is blocked, never
//! silently fine. [`show`] turns a plan into a table, diffs or JSON, with secrets veiled.

pub mod show;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::{AbsPath, Mode, Owner, ServiceId};
use crate::resource::{Content, Dir, File, Item, Layout, Link, Resource, digest};

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
    /// The numbers of an owner, when this root knows the names and the caller may give files away.
    fn ids(&self, owner: &Owner) -> Option<(u32, u32)>;
}

/// What is remembered of a resource that an apply put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Digest of what was wanted ([`Content::digest`]), a link's target, or empty for a folder.
    pub wanted: String,
    /// Digest of the bytes that were written; empty for links and folders.
    pub bytes: String,
    /// Permissions that were given, in octal.
    pub mode: String,
    /// Owner that was wanted, by name.
    pub owner: String,
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
    /// Marks of resources that this plan does not look at, and that the books keep.
    pub elsewhere: Applied,
    /// What the reader should know.
    pub remarks: Vec<String>,
    /// Words that are veiled in everything shown.
    pub veiled: Vec<crate::secret::Secret<String>>,
    /// Owners that this root does not know; its files keep whoever writes them.
    pub unknown_owners: Vec<String>,
}

impl Plan {
    /// Would anything be done?
    #[must_use]
    pub fn changes(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(
                step.action,
                Action::Create | Action::Change | Action::Remove
            )
        })
    }

    /// Steps that stand in the way of the whole plan.
    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| step.action == Action::Blocked)
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
    let mut unknown = std::collections::BTreeSet::new();
    for item in &layout.items {
        if let Resource::Dir(Dir { owner, .. }) | Resource::File(File { owner, .. }) =
            &item.resource
            && machine.ids(owner).is_none()
        {
            unknown.insert(owner.to_string());
        }
        plan.steps
            .push(step(item, machine, applied.get(&item.resource.id())));
    }
    plan.steps.extend(removals(layout, machine, applied));
    plan.unknown_owners = unknown.into_iter().collect();
    plan
}

fn step(item: &Item, machine: &dyn Observe, mark: Option<&Mark>) -> Step {
    let blank = Step {
        service: Some(item.service),
        id: item.resource.id(),
        kind: item.resource.kind(),
        path: item.resource.path().cloned(),
        action: Action::Machine,
        reason: Reason::Asked,
        before: State::Absent,
        after: None,
        recipe: None,
        mark: None,
        veiled: false,
        remark: String::new(),
    };
    let Some(path) = item.resource.path() else {
        return blank;
    };
    let before = match machine.look(path) {
        Found::State(state) => state,
        Found::Unknown(why) => {
            return Step {
                action: Action::Blocked,
                remark: why,
                ..blank
            };
        }
    };
    let step = Step { before, ..blank };
    match &item.resource {
        Resource::Dir(dir) => dir_step(step, dir, machine, mark),
        Resource::File(file) => file_step(step, file, machine, mark),
        Resource::Link(link) => link_step(step, link, mark),
        Resource::Package { .. }
        | Resource::Group { .. }
        | Resource::User { .. }
        | Resource::Service { .. } => step,
    }
}

fn blocked(step: Step, remark: &str) -> Step {
    Step {
        action: Action::Blocked,
        remark: remark.to_owned(),
        ..step
    }
}

fn dir_step(step: Step, dir: &Dir, machine: &dyn Observe, mark: Option<&Mark>) -> Step {
    let new = Mark {
        wanted: String::new(),
        bytes: String::new(),
        mode: dir.mode.to_string(),
        owner: dir.owner.to_string(),
    };
    let ids = machine.ids(&dir.owner);
    let wanted = State::Dir {
        mode: dir.mode,
        ids,
    };
    match &step.before {
        State::Absent => Step {
            action: Action::Create,
            after: Some(wanted),
            mark: Some(new),
            ..step
        },
        // A folder that others own too is left alone, and forgotten unless we made it.
        State::Dir { .. } if !dir.ours => Step {
            action: Action::Keep,
            reason: Reason::Same,
            mark: mark.cloned(),
            ..step
        },
        State::Link { .. } if !dir.ours && machine.is_dir(&dir.path) => Step {
            action: Action::Keep,
            reason: Reason::Same,
            mark: mark.cloned(),
            ..step
        },
        State::Dir { mode, ids: found } => {
            let mut differs = Vec::new();
            if *mode != dir.mode {
                differs.push(format!("mode {mode} → {}", dir.mode));
            }
            if ids.is_some() && *found != ids {
                differs.push(format!("owner → {}", dir.owner));
            }
            if differs.is_empty() {
                return Step {
                    action: Action::Keep,
                    reason: Reason::Same,
                    mark: Some(new),
                    ..step
                };
            }
            let reason = match mark {
                Some(old) if *old == new => Reason::Drifted,
                Some(_) => Reason::Asked,
                None => Reason::Foreign,
            };
            Step {
                action: Action::Change,
                reason,
                after: Some(wanted),
                mark: Some(new),
                remark: differs.join(", "),
                ..step
            }
        }
        State::File { .. } => blocked(step, "a file stands where a folder should be: move it away"),
        State::Link { .. } => blocked(step, "a link stands where a folder should be: move it away"),
    }
}

fn link_step(step: Step, link: &Link, mark: Option<&Mark>) -> Step {
    let new = Mark {
        wanted: link.target.to_string(),
        bytes: String::new(),
        mode: String::new(),
        owner: String::new(),
    };
    let after = Some(State::Link {
        target: link.target.to_string(),
    });
    match &step.before {
        State::Absent => Step {
            action: Action::Create,
            after,
            mark: Some(new),
            ..step
        },
        State::Link { target } if *target == link.target.as_str() => Step {
            action: Action::Keep,
            reason: Reason::Same,
            mark: Some(new),
            ..step
        },
        State::Link { target } => {
            let reason = match mark {
                Some(old) if old.wanted == *target => Reason::Asked,
                Some(_) => Reason::Drifted,
                None => Reason::Foreign,
            };
            let remark = format!("{} → {}", crate::name::excerpt(target), link.target);
            Step {
                action: Action::Change,
                reason,
                after,
                mark: Some(new),
                remark,
                ..step
            }
        }
        State::File { .. } => {
            let remark = "a file gives way to the link".to_owned();
            Step {
                action: Action::Change,
                reason: Reason::Foreign,
                after,
                mark: Some(new),
                remark,
                ..step
            }
        }
        State::Dir { .. } => blocked(step, "a folder stands where a link should be: move it away"),
    }
}

fn file_step(step: Step, file: &File, machine: &dyn Observe, mark: Option<&Mark>) -> Step {
    let step = Step {
        veiled: file.veiled,
        ..step
    };
    let ids = machine.ids(&file.owner);
    let wanted = file.content.digest();
    let new = |bytes: String| Mark {
        wanted: wanted.clone(),
        bytes,
        mode: file.mode.to_string(),
        owner: file.owner.to_string(),
    };
    let (bytes, mode, found_ids) = match &step.before {
        State::File { bytes, mode, ids } => (bytes.clone(), *mode, *ids),
        State::Dir { .. } => {
            return blocked(step, "a folder stands where a file should be: move it away");
        }
        State::Absent | State::Link { .. } => {
            let (action, reason, remark) = match (&step.before, mark) {
                (State::Absent, None) => (Action::Create, Reason::Asked, String::new()),
                (State::Absent, Some(_)) => {
                    (Action::Create, Reason::Drifted, "it is gone".to_owned())
                }
                (_, None) => (
                    Action::Change,
                    Reason::Foreign,
                    "a link gives way to the file".to_owned(),
                ),
                (_, Some(_)) => (
                    Action::Change,
                    Reason::Drifted,
                    "a link gives way to the file".to_owned(),
                ),
            };
            return fill(
                Step {
                    action,
                    reason,
                    remark,
                    ..step
                },
                file,
                ids,
                new(String::new()),
            );
        }
    };
    let found = digest(&bytes);
    let right_content = match &file.content {
        Content::Bytes(want) => *want == bytes,
        // The books save the costly look inside, as long as neither side has changed.
        Content::Made(recipe) => {
            mark.is_some_and(|old| old.wanted == wanted && old.bytes == found)
                || recipe.holds(&bytes)
        }
    };
    let mut differs = Vec::new();
    if !right_content {
        differs.push("contents".to_owned());
    }
    if mode != file.mode {
        differs.push(format!("mode {mode} → {}", file.mode));
    }
    if ids.is_some() && found_ids != ids {
        differs.push(format!("owner → {}", file.owner));
    }
    if differs.is_empty() {
        return Step {
            action: Action::Keep,
            reason: Reason::Same,
            mark: Some(new(found)),
            ..step
        };
    }
    let reason = match mark {
        None => Reason::Foreign,
        Some(old) if !right_content && old.bytes == found => Reason::Asked,
        Some(old)
            if right_content
                && (old.mode != file.mode.to_string() || old.owner != file.owner.to_string()) =>
        {
            Reason::Asked
        }
        Some(_) => Reason::Drifted,
    };
    let step = Step {
        action: Action::Change,
        reason,
        remark: differs.join(", "),
        ..step
    };
    if right_content {
        let after = State::File {
            bytes,
            mode: file.mode,
            ids,
        };
        return Step {
            after: Some(after),
            mark: Some(new(found)),
            ..step
        };
    }
    fill(step, file, ids, new(String::new()))
}

/// Sets what a file will be: at once for plain bytes, else by its recipe.
fn fill(step: Step, file: &File, ids: Option<(u32, u32)>, mark: Mark) -> Step {
    match &file.content {
        Content::Bytes(bytes) => Step {
            after: Some(State::File {
                bytes: bytes.clone(),
                mode: file.mode,
                ids,
            }),
            mark: Some(Mark {
                bytes: digest(bytes),
                ..mark
            }),
            ..step
        },
        Content::Made(recipe) => Step {
            after: Some(State::File {
                bytes: Vec::new(),
                mode: file.mode,
                ids,
            }),
            recipe: Some(recipe.clone()),
            mark: Some(mark),
            ..step
        },
    }
}

/// What the books know and the layout no longer names: files and links first, then folders from
/// the inside out, which stay when something of others is in them.
fn removals(layout: &Layout, machine: &dyn Observe, applied: &Applied) -> Vec<Step> {
    let wanted: std::collections::BTreeSet<String> =
        layout.items.iter().map(|item| item.resource.id()).collect();
    let mut steps = Vec::new();
    for (id, mark) in applied.iter().filter(|(id, _)| !wanted.contains(*id)) {
        let Some((kind, name)) = id.split_once(' ') else {
            continue;
        };
        let (Ok(path), Some(kind)) = (
            AbsPath::parse(name),
            ["file", "link", "dir"]
                .into_iter()
                .find(|known| *known == kind),
        ) else {
            continue;
        };
        let (before, trouble) = match machine.look(&path) {
            Found::State(state) => (state, None),
            Found::Unknown(why) => (State::Absent, Some(why)),
        };
        let drifted = match &before {
            State::File { bytes, .. } => digest(bytes) != mark.bytes,
            State::Link { target } => *target != mark.wanted,
            State::Absent | State::Dir { .. } => false,
        };
        let same_kind = matches!(
            (&before, kind),
            (State::Absent, _)
                | (State::File { .. }, "file")
                | (State::Link { .. }, "link")
                | (State::Dir { .. }, "dir")
        );
        let (action, remark) = match (trouble, same_kind) {
            (Some(why), _) => (Action::Blocked, why),
            (None, false) => (
                Action::Keep,
                "something else stands there now; it is left alone".to_owned(),
            ),
            (None, true) if before == State::Absent => {
                (Action::Keep, "it is gone already".to_owned())
            }
            (None, true) => (Action::Remove, "no longer wanted".to_owned()),
        };
        steps.push(Step {
            service: None,
            id: id.clone(),
            kind,
            path: Some(path),
            action,
            reason: if drifted {
                Reason::Drifted
            } else {
                Reason::Asked
            },
            before,
            after: Some(State::Absent),
            recipe: None,
            mark: None,
            veiled: true,
            remark,
        });
    }
    steps.sort_by(|a, b| {
        let depth = |step: &Step| (step.kind == "dir", std::cmp::Reverse(step.id.clone()));
        depth(a).cmp(&depth(b))
    });
    steps
}
