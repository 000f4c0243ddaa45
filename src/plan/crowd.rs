//! People of a machine who are about to come, and those who are gone.

use std::collections::BTreeSet;

use super::{Action, Found, Observe, State, Step};
use crate::name::{AbsPath, Owner};
use crate::resource::Resource;

/// Who is about to come to a machine, by steps of the plan so far.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Users and groups that are made.
    names: BTreeSet<String>,
    /// Packages are installed, which bring people of their own.
    with_packages: bool,
}

impl Crowd {
    pub(super) fn note(&mut self, step: &Step) {
        match (&step.thing, step.action) {
            (Some(Resource::User { name, .. } | Resource::Group { name, .. }), Action::Create) => {
                self.names.insert(name.clone());
            }
            (Some(Resource::Package { .. }), Action::Create) => self.with_packages = true,
            _ => {}
        }
    }

    /// Is an owner made only now? What has a number of a former one is given to the new one.
    pub(super) fn brings(&self, owner: &Owner) -> bool {
        self.names.contains(&owner.user) || self.names.contains(&owner.group)
    }

    /// Who is gone from a machine, and nothing will bring him back.
    pub(super) fn lacks<'o>(&self, owner: &'o Owner, machine: &dyn Observe) -> Option<&'o str> {
        if self.with_packages || machine.ids(owner).is_some() {
            return None;
        }
        let is_gone = |thing: Resource| machine.thing(&thing) == Some(Found::State(State::Absent));
        let user = Resource::User {
            name: owner.user.clone(),
            group: owner.group.clone(),
            home: AbsPath::fixed("/nonexistent"),
            ids: None,
        };
        let group = Resource::Group {
            name: owner.group.clone(),
            id: None,
        };
        let is_made = |name: &String| self.names.contains(name);
        if !is_made(&owner.user) && is_gone(user) {
            Some(&owner.user)
        } else if !is_made(&owner.group) && is_gone(group) {
            Some(&owner.group)
        } else {
            None
        }
    }
}
