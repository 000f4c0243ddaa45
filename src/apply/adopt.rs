//! What stood there before: kept for good, and noted in the books.

use super::{ApplyError, Progress};
use crate::journal::Ledger;
use crate::plan::{Action, Applied, Plan, Reason, State, Was};

/// Keeps for good what others wrote where a step now writes, and notes in the books what stood
/// there before this program ever came, so that it can be put back when the program goes.
pub(super) fn adopt(
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
                State::Database { .. } => Was::Database,
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
            (
                State::File { .. }
                | State::Absent
                | State::Present
                | State::Package(_)
                | State::Service { .. }
                | State::Database { .. },
                _,
            ) => {
                continue;
            }
        };
        if is_first && let Some(mark) = applied.get_mut(&step.id) {
            mark.was = Some(was);
        }
    }
    Ok(())
}
