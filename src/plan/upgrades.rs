//! Packages that a plan brings to another version.

use super::{Action, Plan, State, Step};

impl Plan {
    /// The steps that bring a package to another version.
    pub fn upgrades(&self) -> impl Iterator<Item = &Step> {
        self.todo()
            .filter(|step| matches!(step.after, Some(State::Package(_))))
    }

    /// Refuses to bring packages to another version, and says why.
    pub fn refuse_upgrades(&mut self, why: &str) {
        for step in &mut self.steps {
            if step.action == Action::Change && matches!(step.after, Some(State::Package(_))) {
                step.action = Action::Blocked;
                why.clone_into(&mut step.remark);
            }
        }
    }
}
