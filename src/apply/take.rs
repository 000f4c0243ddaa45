//! One step.

use super::{Alter, AlterError, ApplyError, ServiceNames};
use crate::journal::{Entry, Ledger, Undo};
use crate::name::Owner;
use crate::plan::{Found, Mark, Observe, State, Step};
use crate::resource::{Resource, digest};

/// Takes one step: looks again, writes the way back, then alters.
pub(super) fn take(
    number: u32,
    place: usize,
    step: &Step,
    names: &ServiceNames,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
) -> Result<Option<Mark>, ApplyError> {
    let Some(after) = &step.after else {
        return Ok(None);
    };
    let mut after = after.clone();
    let mut mark = step.mark.clone();
    let found = match (&step.path, &step.thing) {
        (Some(path), _) => machine.look(path),
        (None, Some(thing)) => machine.thing(thing).unwrap_or(Found::State(State::Absent)),
        (None, None) => return Ok(None),
    };
    if let Found::Unknown(why) = found {
        let path = step.id.clone();
        return Err(AlterError { path, why }.into());
    }
    if step.thing.is_some() && found == Found::State(after.clone()) {
        // An earlier step did it along: `userdel` takes a user's own group with it.
        return Ok(mark);
    }
    if !is_as_planned(&found, &step.before) {
        return Err(ApplyError::Moved(step.id.clone()));
    }
    if let (Some(recipe), State::File { bytes, .. }) = (&step.recipe, &mut after) {
        let made = recipe
            .make(&mut |buffer| machine.random(buffer))
            .map_err(|why| ApplyError::Recipe {
                path: step.id.clone(),
                why,
            })?;
        bytes.clone_from(&made);
        if let Some(mark) = &mut mark {
            mark.bytes = digest(bytes);
        }
    }
    give(&mut after, step, machine)?;
    let copy = match &step.before {
        State::File { bytes, .. } => Some(bytes.as_slice()),
        _ => None,
    };
    let entry = Entry {
        step: place,
        id: step.id.clone(),
        path: step
            .path
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        wakes: names.woken_by(step),
        details: details(step, machine),
        puts: match &after {
            State::File { bytes, .. } => digest(bytes),
            _ => String::new(),
        },
        undo: Undo::to(&step.before),
    };
    ledger.note(number, &entry, copy)?;
    match (&step.path, &step.thing) {
        (Some(path), _) => machine.put(path, &after)?,
        (None, Some(thing)) => machine.set(thing, &after)?,
        (None, None) => {}
    }
    Ok(mark)
}

/// What a group or user is like, with the numbers of one that goes: files keep those. The version
/// of a package.
fn details(step: &Step, machine: &dyn Observe) -> String {
    let is_there = step.before == State::Present;
    let ids = |user: &str, group: &str| {
        let ids = machine.ids(&Owner::new(user, group));
        ids.filter(|_| is_there)
    };
    match &step.thing {
        Some(Resource::Package { version, .. }) => version.clone().unwrap_or_default(),
        Some(Resource::Database(database)) => database.engine.as_str().to_owned(),
        Some(Resource::Group { name, .. }) => {
            ids("root", name).map_or_else(String::new, |(_, group)| group.to_string())
        }
        Some(Resource::User {
            name, group, home, ..
        }) => match ids(name, group) {
            Some((user_id, group_id)) => format!("{group} {home} {user_id} {group_id}"),
            None => format!("{group} {home}"),
        },
        _ => String::new(),
    }
}

/// Is the machine still as the plan saw it? Whether a service starts at boot may have been written
/// by an earlier step of the same plan: on Slackware that is a line in a file.
fn is_as_planned(found: &Found, before: &State) -> bool {
    match (found, before) {
        (
            Found::State(State::Service { running, .. }),
            State::Service {
                running: planned, ..
            },
        ) => running == planned,
        // Its server may have been started by an earlier step, and only since then it is seen.
        (Found::State(State::Database { .. }), State::Absent) => true,
        (Found::State(found), before) => found == before,
        (Found::Unknown(_), _) => false,
    }
}

/// The owner's numbers, which may be known only since an earlier step. On a running machine a
/// file never goes to somebody who is not there.
fn give(after: &mut State, step: &Step, machine: &dyn Observe) -> Result<(), ApplyError> {
    let (State::File { ids, .. } | State::Dir { ids, .. }, Some(owner)) = (after, &step.owner)
    else {
        return Ok(());
    };
    if ids.is_none() {
        *ids = machine.ids(owner);
        if ids.is_none() && machine.is_live() {
            return Err(ApplyError::Owner {
                id: step.id.clone(),
                owner: owner.to_string(),
            });
        }
    }
    Ok(())
}
