//! The loop: journal, alter, mark; and the same loop backwards.
//!
//! A failed apply takes its steps back. A rollback is itself a plan, made from the journals of
//! the generations in between, and goes through the same loop, so that it can be rolled back too.

use std::collections::BTreeMap;

use crate::journal::{Entry, Ledger, LedgerError, Undo};
use crate::name::AbsPath;
use crate::plan::{Action, Applied, Found, Mark, Observe, Plan, Reason, State, Step, Was};
use crate::resource::digest;

/// How the loop changes the machine.
pub trait Alter: Observe {
    /// Makes `path` be as `state` says, as a whole or not at all.
    ///
    /// # Errors
    /// What the system said. A folder that should go but is not empty is no error: it stays.
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError>;
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
    /// A failed apply takes this path back.
    fn back(&mut self, path: &AbsPath);
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
    let mut run = || -> Result<(), ApplyError> {
        adopt(plan, &known, &mut applied, ledger, progress)?;
        for (place, step) in todo.iter().enumerate() {
            progress.step(place + 1, todo.len(), step);
            if let Some(mut mark) = take(number, place + 1, step, machine, ledger)? {
                mark.was = applied.get(&step.id).and_then(|noted| noted.was.clone());
                applied.insert(step.id.clone(), mark);
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
        let Some(path) = &step.path else { continue };
        let is_first = !known.contains_key(&step.id);
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
            (State::File { .. } | State::Absent, _) => continue,
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
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
) -> Result<Option<Mark>, ApplyError> {
    let (Some(path), Some(after)) = (&step.path, &step.after) else {
        return Ok(None);
    };
    if machine.look(path) != Found::State(step.before.clone()) {
        return Err(ApplyError::Moved(path.to_string()));
    }
    let mut after = after.clone();
    let mut mark = step.mark.clone();
    if let (Some(recipe), State::File { bytes, .. }) = (&step.recipe, &mut after) {
        let made = recipe
            .make(&mut |buffer| machine.random(buffer))
            .map_err(|why| ApplyError::Recipe {
                path: path.to_string(),
                why,
            })?;
        bytes.clone_from(&made);
        if let Some(mark) = &mut mark {
            mark.bytes = digest(bytes);
        }
    }
    let entry = Entry {
        step: place,
        id: step.id.clone(),
        path: path.to_string(),
        puts: match &after {
            State::File { bytes, .. } => digest(bytes),
            State::Absent | State::Dir { .. } | State::Link { .. } => String::new(),
        },
        undo: Undo::to(&step.before),
    };
    let copy = match &step.before {
        State::File { bytes, .. } => Some(bytes.as_slice()),
        State::Absent | State::Dir { .. } | State::Link { .. } => None,
    };
    ledger.note(number, &entry, copy)?;
    machine.put(path, &after)?;
    Ok(mark)
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
    for entry in entries.iter().rev() {
        let Some(path) = entry.place() else { continue };
        let state = former(number, entry, ledger)?;
        machine.sweep(&path);
        let found = machine.look(&path);
        if found == Found::State(state.clone()) {
            continue;
        }
        if let Found::State(State::File { bytes, .. }) = &found
            && digest(bytes) != entry.puts
            && !matches!(&state, State::File { bytes: former, .. } if former == bytes)
        {
            // Neither what was there nor what we put: somebody wrote it since the run was cut off.
            let place = ledger.back_up(&path, bytes)?;
            progress.kept(&path, &place);
        }
        progress.back(&path);
        machine.put(&path, &state)?;
    }
    ledger.strike(number)?;
    Ok(entries.len())
}

fn former(number: u32, entry: &Entry, ledger: &dyn Ledger) -> Result<State, LedgerError> {
    let copy = match entry.undo {
        Undo::File { .. } => ledger.copy(number, entry.step)?,
        Undo::Absent | Undo::Dir { .. } | Undo::Link { .. } => Vec::new(),
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
    // The oldest entry for a path tells what stood there at the target.
    let mut wanted: BTreeMap<String, (String, State)> = BTreeMap::new();
    for generation in generations
        .iter()
        .filter(|generation| generation.number > target)
        .rev()
    {
        for entry in ledger.entries(generation.number)?.iter().rev() {
            let state = former(generation.number, entry, ledger)?;
            wanted.insert(entry.path.clone(), (entry.id.clone(), state));
        }
    }
    let applied = ledger.applied()?;
    let mut steps: Vec<Step> = wanted
        .into_iter()
        .filter_map(|(path, (id, state))| step_back(&path, id, state, machine, &applied))
        .collect();
    steps.sort_by_key(order_back);
    Ok(Plan {
        steps,
        ..Plan::default()
    })
}

fn step_back(
    path: &str,
    id: String,
    state: State,
    machine: &dyn Observe,
    applied: &Applied,
) -> Option<Step> {
    let path = AbsPath::parse(path).ok()?;
    let kind = ["file", "link", "dir"]
        .into_iter()
        .find(|kind| id.starts_with(kind))?;
    let (before, trouble) = match machine.look(&path) {
        Found::State(before) => (before, None),
        Found::Unknown(why) => (State::Absent, Some(why)),
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
            .get(&id)
            .is_none_or(|mark| mark.bytes != digest(bytes)),
        State::Absent | State::Dir { .. } | State::Link { .. } => false,
    };
    Some(Step {
        service: None,
        id,
        kind,
        path: Some(path),
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

/// Folders that come back first, outer before inner; then files; folders that go last, inner
/// before outer.
fn order_back(step: &Step) -> (u8, std::cmp::Reverse<usize>, String) {
    let depth = step.id.matches('/').count();
    match (step.kind, step.action) {
        ("dir", Action::Remove) => (2, std::cmp::Reverse(depth), step.id.clone()),
        ("dir", _) => (0, std::cmp::Reverse(0), step.id.clone()),
        _ => (1, std::cmp::Reverse(0), step.id.clone()),
    }
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
