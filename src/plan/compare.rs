//! One wanted resource beside what stands there: what would be done, and why.

use super::thing::thing_step;
use super::{Action, Crowd, Found, Mark, Observe, Reason, State, Step, block};
use crate::resource::{Content, Dir, File, Item, Link, Resource, digest};

/// What the books note of a folder that is ours alone.
pub(super) const OURS: &str = "ours";

/// The step of one wanted resource.
pub(super) fn step(item: &Item, machine: &dyn Observe, mark: Option<&Mark>, crowd: &Crowd) -> Step {
    let blank = Step {
        service: Some(item.service),
        id: item.resource.id(),
        kind: item.resource.kind(),
        path: item.resource.path().cloned(),
        action: Action::Machine,
        reason: Reason::Asked,
        thing: None,
        owner: None,
        wakes: item.wakes.clone(),
        before: State::Absent,
        after: None,
        recipe: None,
        mark: None,
        veiled: false,
        remark: String::new(),
    };
    let Some(path) = item.resource.path() else {
        return thing_step(blank, &item.resource, machine, mark);
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
        Resource::Dir(dir) => {
            let owner = Some(dir.owner.clone());
            dir_step(Step { owner, ..step }, dir, machine, mark, crowd)
        }
        Resource::File(file) => {
            if let Some(name) = crowd.lacks(&file.owner, machine) {
                let remark = format!(
                    "its owner `{name}` is gone from this machine, and the package that brought it is still there: install that package anew"
                );
                return blocked(step, &remark);
            }
            let owner = Some(file.owner.clone());
            file_step(Step { owner, ..step }, file, machine, mark, crowd)
        }
        Resource::Link(link) => link_step(step, link, mark),
        Resource::Package { .. }
        | Resource::Group { .. }
        | Resource::User { .. }
        | Resource::Service(_)
        | Resource::Database(_) => step,
    }
}

pub(super) fn blocked(step: Step, remark: &str) -> Step {
    Step {
        action: Action::Blocked,
        remark: remark.to_owned(),
        ..step
    }
}

fn dir_step(
    step: Step,
    dir: &Dir,
    machine: &dyn Observe,
    mark: Option<&Mark>,
    crowd: &Crowd,
) -> Step {
    let new = Mark {
        wanted: if dir.ours {
            OURS.to_owned()
        } else {
            String::new()
        },
        bytes: String::new(),
        mode: dir.mode.to_string(),
        owner: dir.owner.to_string(),
        was: None,
        waits: None,
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
            if crowd.brings(&dir.owner) || ids.is_some() && *found != ids {
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
                Some(old) if (&old.mode, &old.owner) == (&new.mode, &new.owner) => Reason::Drifted,
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
        State::File { .. }
        | State::Present
        | State::Package(_)
        | State::Service { .. }
        | State::Database { .. } => {
            blocked(step, "a file stands where a folder should be: move it away")
        }
        State::Link { .. } => blocked(step, "a link stands where a folder should be: move it away"),
    }
}

fn link_step(step: Step, link: &Link, mark: Option<&Mark>) -> Step {
    let new = Mark {
        wanted: link.target.to_string(),
        bytes: String::new(),
        mode: String::new(),
        owner: String::new(),
        was: None,
        waits: None,
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
        State::Dir { .. }
        | State::Present
        | State::Package(_)
        | State::Service { .. }
        | State::Database { .. } => {
            blocked(step, "a folder stands where a link should be: move it away")
        }
    }
}

fn file_step(
    step: Step,
    file: &File,
    machine: &dyn Observe,
    mark: Option<&Mark>,
    crowd: &Crowd,
) -> Step {
    if let Content::Block(text) = &file.content {
        return block::step(step, file, text, machine, mark);
    }
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
        was: None,
        waits: None,
    };
    let (bytes, mode, found_ids) = match &step.before {
        State::File { bytes, mode, ids } => (bytes.clone(), *mode, *ids),
        State::Dir { .. }
        | State::Present
        | State::Package(_)
        | State::Service { .. }
        | State::Database { .. } => {
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
    let found = match &file.content {
        // The same bytes have the same digest, which is known already.
        Content::Bytes(want) if *want == bytes => wanted.clone(),
        _ => digest(&bytes),
    };
    let right_content = match &file.content {
        Content::Bytes(want) => *want == bytes,
        Content::Block(text) => text.as_bytes() == bytes,
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
    if crowd.brings(&file.owner) || ids.is_some() && found_ids != ids {
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
    let plain = |bytes: &[u8], mark: Mark, step: Step| Step {
        after: Some(State::File {
            bytes: bytes.to_vec(),
            mode: file.mode,
            ids,
        }),
        mark: Some(Mark {
            bytes: digest(bytes),
            ..mark
        }),
        ..step
    };
    match &file.content {
        Content::Bytes(bytes) => plain(bytes, mark, step),
        Content::Block(text) => plain(text.as_bytes(), mark, step),
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
