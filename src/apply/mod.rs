//! The loop: journal, alter, mark; and in `back` the same loop backwards.
//!
//! A failed apply takes its steps back. A rollback is itself a plan, made from the journals of
//! the generations in between, and goes through the same loop, so that it can be rolled back too.

mod adopt;
mod alter;
mod back;
mod keep_going;
mod settle;
mod take;
mod upgrade;

use std::collections::BTreeMap;

use crate::journal::{Ledger, LedgerError};
use crate::name::ServiceId;
use crate::plan::{Action, Applied, Plan, State, Step};
use crate::resource::{How, Resource, Service};

use adopt::adopt;
pub use alter::{Alter, AlterError, Progress};
pub use back::{plan_back, rollback, take_back};
pub use keep_going::Failed;
use keep_going::Failures;
use settle::{settle, settle_back};
use take::take;
pub use upgrade::{Begun, upgrade};

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
    /// A step was left out.
    #[error("left out, since `{0}` failed")]
    LeftOut(String),
    /// What was done could not be taken back wholly.
    #[error("{first}; and taking it back failed: {second}")]
    HalfWay {
        /// Why the apply failed.
        first: Box<ApplyError>,
        /// Why the way back failed.
        second: Box<ApplyError>,
    },
}

impl ApplyError {
    /// Nothing may be done without books.
    fn is_of_books(&self) -> bool {
        matches!(self, Self::Ledger(_))
    }
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The new generation; `None` when nothing had to be done.
    pub generation: Option<u32>,
    /// Steps that were taken.
    pub taken: usize,
    /// Steps that failed or were left out; only [`keep_going()`] has any.
    pub failures: Vec<Failed>,
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// All are taken back.
    AllOrNothing,
    /// It alone is taken back, and those that need it are left out.
    KeepGoing,
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
    let order = Order::of(plan, title);
    carry_out(order, machine, ledger, progress)
}

/// Carries a plan out in a generation that was begun with [`upgrade()`]; a failure takes back its
/// packages too. With `keeps_going` as [`keep_going()`].
///
/// # Errors
/// As [`apply()`].
pub fn go_on(
    begun: Begun,
    plan: &Plan,
    title: &str,
    keeps_going: bool,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let mut order = Order::of(plan, title);
    order.begun = Some(begun);
    if keeps_going {
        order.manner = Manner::KeepGoing;
    }
    carry_out(order, machine, ledger, progress)
}

/// Carries out what can be carried out. A step that fails is taken back alone, those that need it
/// are left out, and the books say of both what they said before, so that the next apply has them
/// in its plan.
///
/// # Errors
/// When the books cannot be kept, or a step that failed cannot be taken back: then as [`apply()`].
pub fn keep_going(
    plan: &Plan,
    title: &str,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let mut order = Order::of(plan, title);
    order.manner = Manner::KeepGoing;
    carry_out(order, machine, ledger, progress)
}

/// What is to be carried out, and how.
struct Order<'p> {
    plan: &'p Plan,
    title: &'p str,
    /// What the books will say.
    applied: Applied,
    manner: Manner,
    /// The generation that has begun already.
    begun: Option<Begun>,
}

impl<'p> Order<'p> {
    fn of(plan: &'p Plan, title: &'p str) -> Self {
        Self {
            plan,
            title,
            applied: plan_marks(plan),
            manner: Manner::AllOrNothing,
            begun: None,
        }
    }
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
    order: Order<'_>,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Outcome, ApplyError> {
    let Order {
        plan,
        title,
        mut applied,
        manner,
        begun,
    } = order;
    if let Some(why) = refusal(plan) {
        // What was begun stays unfinished, for the caller to take back.
        return Err(why);
    }
    let todo: Vec<&Step> = plan.todo().collect();
    if todo.is_empty() && begun.is_none() && ledger.applied()? == applied {
        return Ok(Outcome {
            generation: None,
            taken: 0,
            failures: Vec::new(),
        });
    }
    let known = ledger.applied()?;
    let begun = match begun {
        Some(begun) => begun,
        None => Begun::with(Vec::new(), ledger)?,
    };
    let number = begun.number;
    let names = ServiceNames::of(plan);
    let mut failures = Failures::default();
    let mut taken: Vec<&Step> = begun.steps.iter().collect();
    let total = taken.len() + todo.len();
    let mut run = || -> Result<(), ApplyError> {
        adopt(plan, &known, &mut applied, ledger, progress)?;
        let mut stage = "";
        for (place, step) in todo.iter().enumerate() {
            let place = begun.steps.len() + place + 1;
            progress.step(place, total, step);
            if step.kind != stage
                && (step.kind == "service"
                    || matches!(stage, "group" | "user" | "service" | "database"))
            {
                // Services read what is laid out: it has to be there for good.
                machine.sync()?;
                machine.refresh()?;
            }
            stage = step.kind;
            let done = match failures.cause(step) {
                Some(cause) => Err(ApplyError::LeftOut(cause.to_owned())),
                None => take(number, place, step, &names, machine, ledger),
            };
            match done {
                Ok(mark) => {
                    taken.push(*step);
                    if let Some(mut mark) = mark {
                        mark.was = applied.get(&step.id).and_then(|noted| noted.was.clone());
                        applied.insert(step.id.clone(), mark);
                    }
                }
                Err(error) if manner == Manner::AllOrNothing || error.is_of_books() => {
                    return Err(error);
                }
                Err(error) => {
                    back::take_back_last(number, &step.id, machine, ledger, progress)?;
                    progress.failed(&step.id, &error.to_string());
                    failures.note(step, error.to_string(), &known, &mut applied);
                }
            }
        }
        machine.sync()?;
        if machine.is_live() {
            machine.refresh()?;
            let settings = taken.iter().filter(|step| step.action != Action::Remove);
            for path in settings.filter_map(|step| step.path.as_ref()) {
                if path.as_str().starts_with("/etc/sysctl.d/")
                    && let Some(warning) = machine.kernel(path)
                {
                    progress.warn(&warning);
                }
            }
            if plan.leaves_services {
                return Ok(());
            }
            let woken = Plan::wakes(taken.iter().copied());
            for (step, service) in services(plan) {
                let (how, runs) = (woken.get(&service.id).copied(), is_running(&step.before));
                if failures.service(service.id).is_some() {
                    if let Some(how) = how.filter(|_| runs) {
                        failures.waits(&step.id, how);
                    }
                    continue;
                }
                match settle(step, service, how, machine, progress) {
                    Err(error) if manner == Manner::KeepGoing => {
                        progress.failed(&step.id, &error.to_string());
                        failures.list.push(Failed {
                            id: step.id.clone(),
                            why: error.to_string(),
                        });
                        failures.waits(&step.id, How::Restart);
                    }
                    done => done?,
                }
            }
            failures.write(&mut applied);
            settle_back(plan, machine, progress)?;
        }
        Ok(())
    };
    let done = run();
    let is_idle = taken.is_empty() && !failures.list.is_empty();
    if done.is_ok() && is_idle {
        ledger.strike(number)?;
        return Ok(Outcome {
            generation: None,
            taken: 0,
            failures: failures.list,
        });
    }
    let done = done.and_then(|()| Ok(ledger.finish(number, title, &applied)?));
    match done {
        Ok(_) => Ok(Outcome {
            generation: Some(number),
            taken: taken.len(),
            failures: failures.list,
        }),
        Err(first) => match back::take_back_own(number, plan, machine, ledger, progress) {
            Ok(_) => Err(first),
            Err(second) => Err(ApplyError::HalfWay {
                first: Box::new(first),
                second: Box::new(second),
            }),
        },
    }
}

/// Why a plan as a whole is not carried out.
fn refusal(plan: &Plan) -> Option<ApplyError> {
    let blocked: Vec<String> = plan
        .blocked()
        .map(|step| format!("{}: {}", step.id, step.remark))
        .collect();
    (!blocked.is_empty()).then(|| ApplyError::Blocked(blocked.join("; ")))
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

fn is_running(state: &State) -> bool {
    matches!(state, State::Service { running: true, .. })
}
