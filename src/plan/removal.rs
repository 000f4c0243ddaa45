//! What the books know and nobody wants any more.

use std::collections::BTreeSet;

use super::{Action, Applied, Found, Mark, Observe, Reason, State, Step, block};
use crate::name::{AbsPath, Engine, ServiceId};
use crate::resource::{Database, Layout, Resource, Service, digest};

/// What the books know and the layout no longer names: files and links first, then folders from
/// the inside out, which stay when something of others is in them.
pub(super) fn steps(layout: &Layout, machine: &dyn Observe, applied: &Applied) -> Vec<Step> {
    let mut wanted: BTreeSet<String> = layout.items.iter().map(|item| item.resource.id()).collect();
    for path in &layout.kept {
        wanted.extend(["file", "block", "link", "dir"].map(|kind| format!("{kind} {path}")));
    }
    let mut steps = Vec::new();
    for (id, mark) in applied.iter().filter(|(id, _)| !wanted.contains(*id)) {
        let Some((kind, name)) = id.split_once(' ') else {
            continue;
        };
        if let Some(thing) = thing(kind, name, &mark.wanted) {
            steps.extend(thing_step(id, thing, mark, machine));
            continue;
        }
        let (Ok(path), Some(kind)) = (
            AbsPath::parse(name),
            ["file", "block", "link", "dir"]
                .into_iter()
                .find(|known| *known == kind),
        ) else {
            continue;
        };
        let (before, trouble) = match machine.look(&path) {
            Found::State(state) => (state, None),
            Found::Unknown(why) => (State::Absent, Some(why)),
        };
        if kind == "block" && trouble.is_none() {
            let (action, after, drifted, remark) = block::removal(&before, mark, machine);
            steps.push(Step {
                action,
                reason: if drifted {
                    Reason::Drifted
                } else {
                    Reason::Asked
                },
                after: Some(after),
                veiled: false,
                remark,
                ..gone(id, kind, path, before)
            });
            continue;
        }
        let drifted = match &before {
            State::File { bytes, .. } => digest(bytes) != mark.bytes,
            State::Link { target } => *target != mark.wanted,
            State::Absent
            | State::Dir { .. }
            | State::Present
            | State::Package(_)
            | State::Database { .. }
            | State::Service { .. } => false,
        };
        let same_kind = matches!(
            (&before, kind),
            (State::Absent, _)
                | (State::File { .. }, "file")
                | (State::Link { .. }, "link")
                | (State::Dir { .. }, "dir")
        );
        let former = mark.was.as_ref().map(|was| was.state(machine));
        let (action, remark) = match (trouble, same_kind, &former) {
            (Some(why), ..) => (Action::Blocked, why),
            (None, false, _) => (
                Action::Keep,
                "something else stands there now; it is left alone".to_owned(),
            ),
            (None, true, Some(None)) => (
                Action::Blocked,
                "the copy of what stood there before is gone".to_owned(),
            ),
            (None, true, Some(Some(state))) if *state == before => {
                (Action::Keep, "it is again as it was found".to_owned())
            }
            (None, true, Some(Some(_))) => (Action::Change, "back to how it was found".to_owned()),
            (None, true, None) if before == State::Absent => {
                (Action::Keep, "it is gone already".to_owned())
            }
            (None, true, None) => (Action::Remove, "no longer wanted".to_owned()),
        };
        steps.push(Step {
            action,
            reason: if drifted {
                Reason::Drifted
            } else {
                Reason::Asked
            },
            after: Some(former.flatten().unwrap_or(State::Absent)),
            remark,
            ..gone(id, kind, path, before)
        });
    }
    leave_data(&mut steps, machine, applied);
    // Services stop before their files go; people go last.
    steps.sort_by_key(|step| {
        let place = match step.kind {
            "service" => 0,
            "file" | "block" | "link" => 1,
            "dir" => 2,
            "user" => 3,
            _ => 4,
        };
        (place, std::cmp::Reverse(step.id.clone()))
    });
    steps
}

/// A step for a path that nobody wants any more.
fn gone(id: &str, kind: &'static str, path: AbsPath, before: State) -> Step {
    Step {
        service: None,
        id: id.to_owned(),
        kind,
        path: Some(path),
        thing: None,
        owner: None,
        wakes: Vec::new(),
        action: Action::Keep,
        reason: Reason::Asked,
        before,
        after: None,
        recipe: None,
        mark: None,
        veiled: true,
        remark: String::new(),
    }
}

/// Leaves data where they are, and with whom.
pub(crate) fn leave_data(steps: &mut [Step], machine: &dyn Observe, applied: &Applied) {
    leave_what_is_not_empty(steps, machine, applied);
    leave_owners(steps, applied);
}

/// To whom a folder of ours belongs that stays, stays too: the next account of the system could get
/// the same number, and with it what is in the folder.
fn leave_owners(steps: &mut [Step], applied: &Applied) {
    let stays = |step: &Step| step.kind == "dir" && step.action == Action::Keep;
    let owners: Vec<(String, String)> = steps
        .iter()
        .filter(|step| stays(step))
        .filter_map(|step| step.mark.as_ref())
        .filter(|mark| mark.is_own_folder())
        .filter_map(|mark| mark.owner.split_once(':'))
        .map(|(user, group)| (user.to_owned(), group.to_owned()))
        .collect();
    let users: BTreeSet<&String> = owners.iter().map(|(user, _)| user).collect();
    let mut groups: BTreeSet<String> = owners.iter().map(|(_, group)| group.clone()).collect();
    let leave = |steps: &mut [Step], stays: &mut dyn FnMut(&Resource) -> bool| {
        for step in steps
            .iter_mut()
            .filter(|step| step.action == Action::Remove)
        {
            if step.thing.as_ref().is_some_and(&mut *stays) {
                step.action = Action::Keep;
                step.after = None;
                step.mark = applied.get(&step.id).cloned();
                step.remark = "what belongs to it stays".to_owned();
            }
        }
    };
    leave(steps, &mut |thing| match thing {
        Resource::User { name, group, .. } if users.contains(name) => {
            groups.insert(group.clone());
            true
        }
        _ => false,
    });
    leave(
        steps,
        &mut |thing| matches!(thing, Resource::Group { name, .. } if groups.contains(name)),
    );
}

/// A folder in which somebody else has put something stays, and stays in the books: it is ours to
/// remove when it is empty.
fn leave_what_is_not_empty(steps: &mut [Step], machine: &dyn Observe, applied: &Applied) {
    let is_going = |step: &Step| step.action == Action::Remove;
    let mut going: BTreeSet<AbsPath> = steps
        .iter()
        .filter(|step| is_going(step))
        .filter_map(|step| step.path.clone())
        .collect();
    let mut folders: Vec<&mut Step> = steps
        .iter_mut()
        .filter(|step| step.kind == "dir" && is_going(step))
        .collect();
    // From the inside out: a folder that stays keeps the one around it.
    folders.sort_by_key(|step| std::cmp::Reverse(step.id.clone()));
    for step in folders {
        let Some(path) = step.path.clone() else {
            continue;
        };
        if machine
            .names(&path)
            .iter()
            .all(|name| going.contains(&path.join(name)))
        {
            continue;
        }
        going.remove(&path);
        step.action = Action::Keep;
        step.after = None;
        step.mark = applied.get(&step.id).cloned();
        step.remark = "others' files are in it".to_owned();
    }
}

/// A package, group, user, service or database again, from what the books say of it.
pub(crate) fn thing(kind: &str, name: &str, details: &str) -> Option<Resource> {
    Some(match kind {
        "package" => Resource::Package {
            name: name.to_owned(),
            version: Some(details.to_owned()),
        },
        "group" => Resource::Group {
            name: name.to_owned(),
            id: details.parse().ok(),
        },
        "user" => {
            let mut words = details.split(' ');
            let (group, home) = (words.next()?, words.next()?);
            let mut number = || words.next()?.parse().ok();
            Resource::User {
                name: name.to_owned(),
                group: group.to_owned(),
                home: AbsPath::parse(home).ok()?,
                ids: number().zip(number()),
            }
        }
        "service" => Resource::Service(service(name, details)),
        "database" => Resource::Database(Database {
            engine: Engine::parse(details)?,
            name: name.to_owned(),
            password: None,
            reader_password: None,
        }),
        _ => return None,
    })
}

/// A service, from what the books say of it; one that they do not know has nothing to look at but
/// itself.
pub(crate) fn service(name: &str, details: &str) -> Service {
    serde_json::from_str(details).unwrap_or_else(|_| Service {
        name: name.to_owned(),
        id: ServiceId::Certificates,
        probes: Vec::new(),
    })
}

/// People whom others had made stay; a service goes back to how it was found.
pub(crate) fn thing_step(
    id: &str,
    thing: Resource,
    mark: &Mark,
    machine: &dyn Observe,
) -> Option<Step> {
    let (before, trouble) = match machine.thing(&thing)? {
        Found::State(state) => (state, None),
        Found::Unknown(why) => (State::Absent, Some(why)),
    };
    if matches!(thing, Resource::Database(_)) {
        // People are in it. Only `uninstall --purge` drops it.
        return Some(Step {
            thing: Some(thing),
            mark: Some(mark.clone()),
            remark: "people's data stays".to_owned(),
            ..no_path(id, "database", before)
        });
    }
    let after = match (&mark.was, &thing) {
        (Some(was), _) => was.state(machine)?,
        (None, Resource::Service(_)) => State::Service {
            enabled: false,
            running: false,
        },
        (None, _) => State::Absent,
    };
    let action = match &trouble {
        Some(_) => Action::Blocked,
        None if before == after => Action::Keep,
        None if after == State::Absent => Action::Remove,
        None => Action::Change,
    };
    let remark = match (&trouble, &after) {
        (Some(why), _) => why.clone(),
        (
            None,
            State::Service {
                enabled: false,
                running: false,
            },
        ) => "stop and disable".to_owned(),
        (None, _) => "back to how it was found".to_owned(),
    };
    Some(Step {
        thing: Some(thing.clone()),
        action,
        after: Some(after),
        remark,
        ..no_path(id, thing.kind(), before)
    })
}

/// A step for a thing that nobody wants any more.
fn no_path(id: &str, kind: &'static str, before: State) -> Step {
    Step {
        service: None,
        id: id.to_owned(),
        kind,
        path: None,
        thing: None,
        owner: None,
        wakes: Vec::new(),
        action: Action::Keep,
        reason: Reason::Asked,
        before,
        after: None,
        recipe: None,
        mark: None,
        veiled: false,
        remark: String::new(),
    }
}
