//! The loop: journal, alter, mark; and in `back` the same loop backwards.
//!
//! A failed apply takes its steps back. A rollback is itself a plan, made from the journals of
//! the generations in between, and goes through the same loop, so that it can be rolled back too.
//!
//! Over 400 lines, because the traits that the loop asks for stand with the loop that asks.

mod back;

use std::collections::BTreeMap;

use crate::journal::{Entry, Ledger, LedgerError, Undo};
use crate::name::{AbsPath, ServiceId};
use crate::plan::{Action, Applied, Found, Mark, Observe, Plan, Reason, State, Step, Was};
use crate::resource::{How, Resource, Service, digest};

use back::starts;
pub use back::{plan_back, rollback, take_back};

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
    /// Tells a service of a change, if it runs or should; says whether it was told.
    ///
    /// # Errors
    /// What the system said.
    fn wake(&mut self, _service: &Service, _how: How) -> Result<bool, AlterError> {
        Ok(false)
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
            settle_back(plan, machine, progress)?;
        }
        Ok(())
    };
    let done = match run() {
        Ok(()) => ledger
            .finish(number, title, &applied)
            .map_err(ApplyError::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(Outcome {
            generation: Some(number),
            taken: todo.len(),
        }),
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
                machine.wake(service, *how)?;
            }
            _ if step.action == Action::Keep => continue,
            _ => {}
        }
        await_up(service, machine, progress)?;
    }
    Ok(())
}

/// The same for a rollback, which knows its services from the books.
fn settle_back(
    plan: &Plan,
    machine: &mut dyn Alter,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    for service in &plan.restarts {
        let is_of = |step: &Step| {
            step.thing
                .as_ref()
                .is_some_and(|one| one.name() == service.name)
        };
        let is_started = plan.steps.iter().any(|step| is_of(step) && starts(step));
        if !is_started {
            progress.service(&service.name, "restart");
            if !machine.wake(service, How::Restart)? {
                continue;
            }
        }
        await_up(service, machine, progress)?;
    }
    Ok(())
}

fn await_up(
    service: &Service,
    machine: &mut dyn Alter,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    progress.service(&service.name, "waiting until it is up");
    if let Some(warning) = machine.await_up(service)? {
        progress.warn(&warning);
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
