//! The loop: journal, alter, mark; and the same loop backwards.
//!
//! A failed apply takes its steps back. A rollback is itself a plan, made from the journals of
//! the generations in between, and goes through the same loop, so that it can be rolled back too.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{Entry, Ledger, LedgerError, Undo};
use crate::name::{AbsPath, ServiceId};
use crate::plan::{
    Action, Applied, Found, Mark, Observe, Plan, Reason, State, Step, Was, block, removal,
};
use crate::resource::{How, Resource, Service, digest};

/// How the loop changes the machine.
pub trait Alter: Observe {
    /// Makes `path` be as `state` says, as a whole or not at all.
    ///
    /// # Errors
    /// What the system said. A folder that should go but is not empty is no error: it stays.
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError>;
    /// Makes a group, user or service be as `state` says.
    ///
    /// # Errors
    /// What the system said.
    fn set(&mut self, thing: &Resource, _state: &State) -> Result<(), AlterError> {
        Err(AlterError {
            path: thing.name().to_owned(),
            why: "this is a tree and no machine".to_owned(),
        })
    }
    /// Learns anew who is there and which units there are.
    ///
    /// # Errors
    /// What the system said.
    fn refresh(&mut self) -> Result<(), AlterError> {
        Ok(())
    }
    /// Tells a service of a change, if it runs.
    ///
    /// # Errors
    /// What the system said.
    fn wake(&mut self, _service: &str, _how: How) -> Result<(), AlterError> {
        Ok(())
    }
    /// Waits, within bounds, until a service is up; gives a warning when it is up and not well.
    ///
    /// # Errors
    /// When it does not come up, with the last lines of its log.
    fn await_up(&mut self, _service: &Service) -> Result<Option<String>, AlterError> {
        Ok(None)
    }
    /// Has the kernel take the settings of a file that changed; what it refuses is a warning.
    fn kernel(&mut self, _file: &AbsPath) -> Option<String> {
        None
    }
    /// Removes what a killed `put` may have left beside a path.
    fn sweep(&mut self, path: &AbsPath);
    /// Fills a buffer with true randomness.
    fn random(&mut self, buffer: &mut [u8]);
}

/// A change that the system refused.
#[derive(Debug, thiserror::Error)]
#[error("`{path}`: {why}")]
pub struct AlterError {
    /// Where.
    pub path: String,
    /// What the system said.
    pub why: String,
}

/// Tells what happens while it happens.
pub trait Progress {
    /// Step `number` of `total` is about to be taken.
    fn step(&mut self, number: usize, total: usize, step: &Step);
    /// What somebody else wrote at `path` is kept at `backup`.
    fn kept(&mut self, path: &AbsPath, backup: &AbsPath);
    /// A failed apply takes this back: a path, or the name of a thing.
    fn back(&mut self, what: &str);
    /// A service is told of a change, or awaited.
    fn service(&mut self, name: &str, what: &str);
    /// Something is not as it should be, and no reason to stop.
    fn warn(&mut self, text: &str);
}

/// An apply that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan has steps that stand in its way.
    #[error("nothing was changed: {0}")]
    Blocked(String),
    /// The machine changed between plan and apply.
    #[error("`{0}` changed since the plan was made")]
    Moved(String),
    /// The books could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The machine refused.
    #[error(transparent)]
    Alter(#[from] AlterError),
    /// Something could not be made.
    #[error("`{path}`: {why}")]
    Recipe {
        /// Where it should go.
        path: String,
        /// Why not.
        why: crate::recipe::RecipeError,
    },
    /// A file's owner is not on this machine.
    #[error("{id} should belong to `{owner}`, and this machine has no such user or group")]
    Owner {
        /// The resource.
        id: String,
        /// User and group.
        owner: String,
    },
    /// There is no such generation.
    #[error("there is no generation {0} to go back to")]
    NoGeneration(u32),
    /// What was done could not be taken back wholly.
    #[error("{first}; and taking it back failed: {second}")]
    HalfWay {
        /// Why the apply failed.
        first: Box<ApplyError>,
        /// Why the way back failed.
        second: Box<ApplyError>,
    },
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The new generation; `None` when nothing had to be done.
    pub generation: Option<u32>,
    /// Steps that were taken.
    pub taken: usize,
}

/// Carries a plan out, or takes back what it did.
///
/// # Errors
/// When anything fails; the machine is then as it was, unless the error is
/// [`ApplyError::HalfWay`].
pub fn apply(
    plan: &Plan,
    title: &str,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let applied = plan_marks(plan);
    carry_out(plan, title, applied, machine, ledger, progress)
}

/// What the books will say when every step of a plan is taken or was not needed.
fn plan_marks(plan: &Plan) -> Applied {
    let mut applied = plan.elsewhere.clone();
    applied.extend(
        plan.steps
            .iter()
            .filter_map(|step| Some((step.id.clone(), step.mark.clone()?))),
    );
    applied
}

fn carry_out(
    plan: &Plan,
    title: &str,
    mut applied: Applied,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let blocked: Vec<String> = plan
        .blocked()
        .map(|step| format!("{}: {}", step.id, step.remark))
        .collect();
    if !blocked.is_empty() {
        return Err(ApplyError::Blocked(blocked.join("; ")));
    }
    let todo: Vec<&Step> = plan
        .steps
        .iter()
        .filter(|step| {
            matches!(
                step.action,
                Action::Create | Action::Change | Action::Remove
            )
        })
        .collect();
    if todo.is_empty() && ledger.applied()? == applied {
        return Ok(Outcome {
            generation: None,
            taken: 0,
        });
    }
    let known = ledger.applied()?;
    let number = ledger.begin()?;
    let names = ServiceNames::of(plan);
    let mut run = || -> Result<(), ApplyError> {
        adopt(plan, &known, &mut applied, ledger, progress)?;
        let mut woken: BTreeMap<ServiceId, How> = BTreeMap::new();
        let mut stage = "";
        for (place, step) in todo.iter().enumerate() {
            progress.step(place + 1, todo.len(), step);
            if step.kind != stage
                && (step.kind == "service" || matches!(stage, "group" | "user" | "service"))
            {
                machine.refresh()?;
            }
            stage = step.kind;
            let mark = take(number, place + 1, step, &names, machine, ledger)?;
            for wake in &step.wakes {
                let how = woken.entry(wake.service).or_insert(wake.how);
                *how = (*how).max(wake.how);
            }
            if let Some(mut mark) = mark {
                mark.was = applied.get(&step.id).and_then(|noted| noted.was.clone());
                applied.insert(step.id.clone(), mark);
            }
        }
        if machine.is_live() {
            machine.refresh()?;
            let settings = todo.iter().filter(|step| step.action != Action::Remove);
            for path in settings.filter_map(|step| step.path.as_ref()) {
                if path.as_str().starts_with("/etc/sysctl.d/")
                    && let Some(warning) = machine.kernel(path)
                {
                    progress.warn(&warning);
                }
            }
            settle(plan, &woken, machine, progress)?;
            for name in &plan.restarts {
                progress.service(name, "restart");
                machine.wake(name, How::Restart)?;
            }
        }
        Ok(())
    };
    match run() {
        Ok(()) => {
            ledger.finish(number, title, &applied)?;
            Ok(Outcome {
                generation: Some(number),
                taken: todo.len(),
            })
        }
        Err(first) => match take_back(number, machine, ledger, progress) {
            Ok(_) => Err(first),
            Err(second) => Err(ApplyError::HalfWay {
                first: Box::new(first),
                second: Box::new(second),
            }),
        },
    }
}

/// The names by which the machine knows our services.
struct ServiceNames(BTreeMap<ServiceId, String>);

impl ServiceNames {
    fn of(plan: &Plan) -> Self {
        Self(
            services(plan)
                .map(|(_, service)| (service.id, service.name.clone()))
                .collect(),
        )
    }

    fn woken_by(&self, step: &Step) -> Vec<String> {
        step.wakes
            .iter()
            .filter_map(|wake| self.0.get(&wake.service).cloned())
            .collect()
    }
}

/// The services of a plan with their steps, in starting order.
fn services(plan: &Plan) -> impl Iterator<Item = (&Step, &Service)> {
    plan.steps.iter().filter_map(|step| match &step.thing {
        Some(Resource::Service(service)) if step.mark.is_some() => Some((step, service)),
        _ => None,
    })
}

/// Tells each service once of what changed, in starting order, and waits until it is up. One that
/// was only just started has read everything already.
fn settle(
    plan: &Plan,
    woken: &BTreeMap<ServiceId, How>,
    machine: &mut dyn Alter,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    for (step, service) in services(plan) {
        let was_running = matches!(step.before, State::Service { running: true, .. });
        match woken.get(&service.id) {
            Some(how) if was_running => {
                progress.service(
                    &service.name,
                    if *how == How::Reload {
                        "reload"
                    } else {
                        "restart"
                    },
                );
                machine.wake(&service.name, *how)?;
            }
            _ if step.action == Action::Keep => continue,
            _ => {}
        }
        progress.service(&service.name, "waiting until it is up");
        if let Some(warning) = machine.await_up(service)? {
            progress.warn(&warning);
        }
    }
    Ok(())
}

/// Keeps for good what others wrote where a step now writes, and notes in the books what stood
/// there before this program ever came, so that it can be put back when the program goes.
fn adopt(
    plan: &Plan,
    known: &Applied,
    applied: &mut Applied,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    for step in &plan.steps {
        let is_first = !known.contains_key(&step.id);
        let Some(path) = &step.path else {
            let was = match step.before {
                State::Present => Was::Present,
                State::Service { enabled, running } => Was::Service { enabled, running },
                _ => continue,
            };
            if is_first && let Some(mark) = applied.get_mut(&step.id) {
                mark.was = Some(was);
            }
            continue;
        };
        let is_edited = matches!(step.action, Action::Change | Action::Remove)
            && matches!(step.reason, Reason::Drifted | Reason::Foreign);
        let mut backup = None;
        if let State::File { bytes, .. } = &step.before
            && step.mark.is_some() | is_edited
            && (is_first || is_edited)
        {
            let place = ledger.back_up(path, bytes)?;
            if is_edited {
                progress.kept(path, &place);
            }
            backup = Some(place);
        }
        let was = match (&step.before, backup) {
            (State::File { mode, ids, .. }, Some(backup)) => Was::File {
                mode: mode.0,
                ids: *ids,
                backup,
            },
            (State::Dir { mode, ids }, _) => Was::Dir {
                mode: mode.0,
                ids: *ids,
            },
            (State::Link { target }, _) => Was::Link {
                target: target.clone(),
            },
            (State::File { .. } | State::Absent | State::Present | State::Service { .. }, _) => {
                continue;
            }
        };
        if is_first && let Some(mark) = applied.get_mut(&step.id) {
            mark.was = Some(was);
        }
    }
    Ok(())
}

/// Takes one step: looks again, writes the way back, then alters.
fn take(
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
        details: match &step.thing {
            Some(Resource::User { group, home, .. }) => format!("{group} {home}"),
            _ => String::new(),
        },
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

/// Takes back what an unfinished generation did, last step first, and strikes it. Taking back
/// twice does no harm: each entry says what should stand, not what to do.
///
/// # Errors
/// When the books cannot be read or the machine refuses; the generation stays unfinished then.
pub fn take_back(
    number: u32,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<usize, ApplyError> {
    let entries = ledger.entries(number)?;
    let (mut woken, mut idle) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries.iter().rev() {
        let state = former(number, entry, ledger)?;
        let changed = match entry.place() {
            Some(path) => path_back(&path, entry, &state, machine, ledger, progress)?,
            None => thing_back(entry, &state, machine, progress)?,
        };
        if changed {
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
            if let Err(error) = machine.wake(&name, How::Restart) {
                progress.warn(&error.to_string());
            }
        }
    }
    ledger.strike(number)?;
    Ok(entries.len())
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
        | Undo::Service { .. } => Vec::new(),
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
    for (entry, state) in wanted.into_values() {
        let Some(step) = step_back(&entry, state, machine, &applied) else {
            continue;
        };
        if step.action != Action::Keep {
            plan.restarts.extend(entry.wakes);
        }
        plan.steps.push(step);
    }
    plan.steps.sort_by_key(order_back);
    Ok(plan)
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
    let found = match (&path, &thing) {
        (Some(path), _) => machine.look(path),
        (None, Some(thing)) => machine.thing(thing)?,
        (None, None) => return None,
    };
    let (before, trouble) = match found {
        Found::State(before) => (before, None),
        Found::Unknown(why) => (State::Absent, Some(why)),
    };
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
    let kind = ["file", "block", "link", "dir", "group", "user", "service"]
        .into_iter()
        .find(|known| *known == kind)?;
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
        remark: trouble.unwrap_or_default(),
    })
}

/// Services that stop come first and those that start come last; people who come back come before
/// the files, and those who go after them; folders that come back first, outer before inner;
/// folders that go after the files, inner before outer.
fn order_back(step: &Step) -> (u8, std::cmp::Reverse<usize>, String) {
    let depth = std::cmp::Reverse(step.id.matches('/').count());
    let flat = std::cmp::Reverse(0);
    let runs = matches!(step.after, Some(State::Service { running: true, .. }));
    let (place, depth) = match (step.kind, step.action) {
        ("service", _) if !runs => (0, flat),
        ("group", Action::Create | Action::Keep) => (1, flat),
        ("user", Action::Create | Action::Keep) => (2, flat),
        ("dir", Action::Remove) => (5, depth),
        ("dir", _) => (3, flat),
        ("user", _) => (6, flat),
        ("group", _) => (7, flat),
        ("service", _) => (8, flat),
        _ => (4, flat),
    };
    (place, depth, step.id.clone())
}

/// Carries a plan of [`plan_back`] out: afterwards the books say what they said at the target.
///
/// # Errors
/// As [`apply`].
pub fn rollback(
    plan: &Plan,
    target: u32,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let applied = ledger.applied_at(target)?;
    carry_out(
        plan,
        &format!("rollback to {target}"),
        applied,
        machine,
        ledger,
        progress,
    )
}
