//! A generation that begins with packages. They bring files of their own, which the rest of the
//! plan may depend on, so that it can only be made when they are there.

use super::{Alter, ApplyError, Progress, ServiceNames, back, refusal, take};
use crate::journal::{Ledger, LedgerError};
use crate::plan::{Plan, Step};

/// A generation whose packages are in place, and nothing else yet. It is finished by
/// [`go_on`](super::go_on) or taken back by [`take_back`](super::take_back).
#[derive(Debug)]
pub struct Begun {
    /// Its number.
    pub number: u32,
    /// The steps that were taken.
    pub(super) steps: Vec<Step>,
}

impl Begun {
    /// Opens a generation.
    pub(super) fn with(steps: Vec<Step>, ledger: &mut dyn Ledger) -> Result<Self, LedgerError> {
        let number = ledger.begin()?;
        Ok(Self { number, steps })
    }
}

/// Begins a generation and brings its packages to their versions; what runs with them is told by
/// [`go_on`](super::go_on).
///
/// # Errors
/// When anything fails; the former packages are then there again, unless the error is
/// [`ApplyError::HalfWay`].
pub fn upgrade(
    plan: &Plan,
    machine: &mut dyn Alter,
    ledger: &mut dyn Ledger,
    progress: &mut dyn Progress,
) -> Result<Begun, ApplyError> {
    if let Some(why) = refusal(plan) {
        return Err(why);
    }
    let steps: Vec<Step> = plan.upgrades().cloned().collect();
    let begun = Begun::with(steps, ledger)?;
    let names = ServiceNames::of(plan);
    let total = plan.todo().count();
    let mut run = || -> Result<(), ApplyError> {
        for (place, step) in begun.steps.iter().enumerate() {
            progress.step(place + 1, total, step);
            take(begun.number, place + 1, step, &names, machine, ledger)?;
        }
        machine.refresh()?;
        Ok(())
    };
    match run() {
        Ok(()) => Ok(begun),
        Err(first) => match back::take_back_own(begun.number, plan, machine, ledger, progress) {
            Ok(_) => Err(first),
            Err(second) => Err(ApplyError::HalfWay {
                first: Box::new(first),
                second: Box::new(second),
            }),
        },
    }
}
