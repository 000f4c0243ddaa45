//! The way back: a generation that was never finished, and rollback to a former one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alter, ApplyError, Order, Outcome, Progress, carry_out};
use crate::journal::{Entry, Ledger, LedgerError, Undo};
use crate::name::AbsPath;
use crate::plan::{Action, Applied, Found, Observe, Plan, Reason, State, Step, block, removal};
use crate::resource::{How, Resource, Service, digest};

/// Takes back what an unfinished generation did, last step first, and strikes it. Taking back
/// twice does no harm: each entry says what should stand, not what to do. An earlier taking back
/// may have been killed between the files and their services, so all services of the journal
/// are told.
///
/// # Errors
/// When the books cannot be read or the machine refuses; the generation stays unfinished then.
pub fn take_back(
    number: u32,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<usize, ApplyError> {
    back(number, &|_| true, machine, ledger, progress)
}

/// The same for steps of this very run: only services that something was taken back for are told,
/// if any are.
pub(super) fn take_back_own(
    number: u32,
    plan: &Plan,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<usize, ApplyError> {
    let tells = |changed: bool| changed && !plan.leaves_services;
    back(number, &tells, machine, ledger, progress)
}

fn back(
    number: u32,
    tells: &dyn Fn(bool) -> bool,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<usize, ApplyError> {
    let entries = ledger.entries(number)?;
    let (mut woken, mut idle) = (BTreeSet::new(), BTreeSet::new());
    // What ran comes back last: it reads the files, and `rc.local` has to name it.
    let (last, first): (Vec<&Entry>, Vec<&Entry>) = entries
        .iter()
        .rev()
        .partition(|entry| matches!(entry.undo, Undo::Service { running: true, .. }));
    for entry in first.into_iter().chain(last) {
        let state = former(number, entry, ledger)?;
        let changed = match entry.place() {
            Some(path) => path_back(&path, entry, &state, machine, ledger, progress)?,
            None => thing_back(entry, &state, machine, progress)?,
        };
        if tells(changed) {
            woken.extend(entry.wakes.iter().cloned());
        }
        if matches!(entry.undo, Undo::Service { running: false, .. }) {
            idle.extend(entry.id.split_once(' ').map(|(_, name)| name.to_owned()));
        }
    }
    woken.retain(|name| !idle.contains(name));
    if machine.is_live() {
        machine.refresh()?;
        // What runs has read what is gone again. That it comes up is for whoever looks next: this
        // is the way out already.
        for name in woken {
            progress.service(&name, "restart with what was there before");
            let service = removal::service(&name, "");
            if let Err(error) = machine.wake(&service, How::Restart) {
                progress.warn(&error.to_string());
            }
        }
    }
    machine.sync()?;
    ledger.strike(number)?;
    Ok(entries.len())
}

/// Takes the last step back, when it is of this resource: it failed, perhaps half-way.
pub(super) fn take_back_last(
    number: u32,
    id: &str,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    let entries = ledger.entries(number)?;
    let Some(entry) = entries.last().filter(|entry| entry.id == id) else {
        return Ok(());
    };
    let state = former(number, entry, ledger)?;
    match entry.place() {
        Some(path) => path_back(&path, entry, &state, machine, ledger, progress)?,
        None => thing_back(entry, &state, machine, progress)?,
    };
    Ok(())
}

fn path_back(
    path: &AbsPath,
    entry: &Entry,
    state: &State,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<bool, ApplyError> {
    machine.sweep(path);
    let found = machine.look(path);
    if found == Found::State(state.clone()) {
        return Ok(false);
    }
    let is_ours =
        matches!(&found, Found::State(State::File { bytes, .. }) if digest(bytes) == entry.puts);
    if let Found::State(State::File { bytes, .. }) = &found
        && !is_ours
        && !matches!(state, State::File { bytes: former, .. } if former == bytes)
    {
        // Neither what was there nor what we put: somebody wrote it since the run was cut off.
        let place = ledger.back_up(path, bytes)?;
        progress.kept(path, &place);
    }
    progress.back(path.as_str());
    let state = match &found {
        // In a file of others only our block goes back, whatever else became of it.
        Found::State(now) if entry.id.starts_with("block ") && !is_ours => &block::back(state, now),
        _ => state,
    };
    machine.put(path, state)?;
    Ok(true)
}

fn thing_back(
    entry: &Entry,
    state: &State,
    machine: &mut dyn Alter,
    progress: &mut dyn Progress,
) -> Result<bool, ApplyError> {
    let thing = entry
        .id
        .split_once(' ')
        .and_then(|(kind, name)| removal::thing(kind, name, &entry.details));
    let Some(thing) = thing else { return Ok(false) };
    if machine.thing(&thing) == Some(Found::State(state.clone())) {
        return Ok(false);
    }
    progress.back(&entry.id);
    machine.set(&thing, state)?;
    Ok(true)
}

fn former(number: u32, entry: &Entry, ledger: &dyn Ledger) -> Result<State, LedgerError> {
    let copy = match entry.undo {
        Undo::File { .. } => ledger.copy(number, entry.step)?,
        Undo::Absent
        | Undo::Dir { .. }
        | Undo::Link { .. }
        | Undo::Present
        | Undo::Package(_)
        | Undo::Service { .. }
        | Undo::Database { .. } => Vec::new(),
    };
    Ok(entry.undo.state(copy))
}

/// The plan that leads back to generation `target` (0: before the first).
///
/// # Errors
/// When the books no longer reach back that far.
pub fn plan_back(
    target: u32,
    machine: &dyn Observe,
    ledger: &dyn Ledger,
) -> Result<Plan, ApplyError> {
    let generations = ledger.generations()?;
    let reached = generations.last().map_or(0, |generation| generation.number);
    let oldest = generations
        .first()
        .map_or(1, |generation| generation.number);
    let kept = |number: u32| {
        generations
            .iter()
            .any(|generation| generation.number == number)
    };
    if target > reached
        || (target != reached && target + 1 < oldest)
        || (target + 1 > oldest && !kept(target))
    {
        return Err(ApplyError::NoGeneration(target));
    }
    // The oldest entry for a thing tells how it was at the target.
    let mut wanted: BTreeMap<String, (Entry, State)> = BTreeMap::new();
    for generation in generations
        .iter()
        .filter(|generation| generation.number > target)
        .rev()
    {
        for entry in ledger.entries(generation.number)?.into_iter().rev() {
            let state = former(generation.number, &entry, ledger)?;
            wanted.insert(entry.id.clone(), (entry, state));
        }
    }
    let applied = ledger.applied()?;
    let mut plan = Plan::default();
    let mut told = BTreeSet::new();
    for (entry, state) in wanted.into_values() {
        let Some(step) = step_back(&entry, state, machine, &applied) else {
            continue;
        };
        if step.action != Action::Keep {
            told.extend(entry.wakes);
            if let (Some(Resource::Service(service)), true) = (&step.thing, starts(&step)) {
                told.insert(service.name.clone());
            }
        }
        plan.steps.push(step);
    }
    removal::leave_data(&mut plan.steps, machine, &applied);
    plan.steps.sort_by_key(order_back);
    let then = ledger.applied_at(target)?;
    plan.restarts = told.iter().map(|name| service(name, &then)).collect();
    plan.restarts.sort_by_key(|service| service.id);
    Ok(plan)
}

/// A service as the books had it.
fn service(name: &str, books: &Applied) -> Service {
    let mark = books.get(&format!("service {name}"));
    removal::service(name, mark.map_or("", |mark| &mark.wanted))
}

/// Does a service run after this step that did not run before?
pub(super) fn starts(step: &Step) -> bool {
    let runs = |state: &State| matches!(state, State::Service { running: true, .. });
    step.after.as_ref().is_some_and(runs) && !runs(&step.before)
}

fn step_back(
    entry: &Entry,
    state: State,
    machine: &dyn Observe,
    applied: &Applied,
) -> Option<Step> {
    let (kind, name) = entry.id.split_once(' ')?;
    let path = entry.place();
    let thing = removal::thing(kind, name, &entry.details);
    // People may be in it by now: going back leaves it, with whoever is there.
    if let Some(Resource::Database(_)) = &thing {
        let mark = applied.get(&entry.id)?;
        return removal::thing_step(&entry.id, thing?, mark, machine);
    }
    let found = match (&path, &thing) {
        (Some(path), _) => machine.look(path),
        (None, Some(thing)) => machine.thing(thing)?,
        (None, None) => return None,
    };
    let (before, mut trouble) = match found {
        Found::State(before) => (before, None),
        Found::Unknown(why) => (State::Absent, Some(why)),
    };
    let mut remark = String::new();
    if let (State::Package(now), State::Package(then)) = (&before, &state)
        && now != then
    {
        remark = format!("{} → {}", now.upstream, then.upstream);
        trouble = trouble.or_else(|| machine.offers(name, then).err());
    }
    // In a file of others only our block goes back.
    let state = match kind {
        "block" => block::back(&state, &before),
        _ => state,
    };
    let action = match (&trouble, &before, &state) {
        (Some(_), ..) => Action::Blocked,
        (None, found, wanted) if found == wanted => Action::Keep,
        (None, State::Absent, _) => Action::Create,
        (None, _, State::Absent) => Action::Remove,
        (None, ..) => Action::Change,
    };
    let is_edited = match &before {
        State::File { bytes, .. } => applied
            .get(&entry.id)
            .is_none_or(|mark| mark.bytes != digest(bytes)),
        _ => false,
    };
    let kinds = [
        "file", "block", "link", "dir", "package", "group", "user", "service",
    ];
    let kind = kinds.into_iter().find(|known| *known == kind)?;
    Some(Step {
        service: None,
        id: entry.id.clone(),
        kind,
        path,
        thing,
        owner: None,
        wakes: Vec::new(),
        action,
        reason: if is_edited {
            Reason::Drifted
        } else {
            Reason::Asked
        },
        before,
        after: Some(state),
        recipe: None,
        mark: None,
        veiled: true,
        remark: trouble.unwrap_or(remark),
    })
}

/// Services that stop come first and those that start come last; packages come before people; people who come back come before
/// the files, and those who go after them; folders that come back first, outer before inner;
/// folders that go after the files, inner before outer.
fn order_back(step: &Step) -> (u8, std::cmp::Reverse<usize>, String) {
    let depth = std::cmp::Reverse(step.id.matches('/').count());
    let flat = std::cmp::Reverse(0);
    let runs = matches!(step.after, Some(State::Service { running: true, .. }));
    let (place, depth) = match (step.kind, step.action) {
        ("service", _) if !runs => (0, flat),
        ("package", _) => (1, flat),
        ("group", Action::Create | Action::Keep) => (2, flat),
        ("user", Action::Create | Action::Keep) => (3, flat),
        ("dir", Action::Remove) => (6, depth),
        ("dir", _) => (4, flat),
        ("user", _) => (7, flat),
        ("group", _) => (8, flat),
        ("service", _) => (9, flat),
        _ => (5, flat),
    };
    (place, depth, step.id.clone())
}

/// Carries a plan of [`plan_back`] out: afterwards the books say what they said at the target, and whose
/// are the data that stay.
///
/// # Errors
/// As [`apply`](super::apply()).
pub fn rollback(
    plan: &Plan,
    target: u32,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let title = format!("rollback to {target}");
    let mut order = Order::of(plan, &title);
    let then = ledger.applied_at(target)?;
    order.applied.extend(then);
    carry_out(order, machine, ledger, progress)
}
