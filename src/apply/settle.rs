//! Services are told of what changed, and awaited.

use super::back::starts;
use super::{Alter, ApplyError, Progress, is_running};
use crate::plan::{Action, Plan, Step};
use crate::resource::{How, Service};

/// Tells a service once of what changed and waits until it is up. One that was only just started
/// has read everything already.
pub(super) fn settle(
    step: &Step,
    service: &Service,
    how: Option<How>,
    machine: &mut dyn Alter,
    progress: &mut dyn Progress,
) -> Result<(), ApplyError> {
    match how {
        Some(how) if is_running(&step.before) => {
            progress.service(&service.name, how.as_str());
            machine.wake(service, how)?;
        }
        _ if step.action == Action::Keep => return Ok(()),
        _ => {}
    }
    await_up(service, machine, progress)
}

/// The same for a rollback, which knows its services from the books.
pub(super) fn settle_back(
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
