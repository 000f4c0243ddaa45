//! What an apply that keeps going knows of its failures, and what it leaves out for them.

use std::collections::BTreeMap;

use crate::name::ServiceId;
use crate::plan::{Applied, State, Step};
use crate::resource::{How, Resource};

/// A step that failed, or was left out since another had failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The resource.
    pub id: String,
    /// Why.
    pub why: String,
}

/// What failed so far, and what that concerns.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) list: Vec<Failed>,
    /// Services that lack something, and what: they are not told of anything.
    services: BTreeMap<ServiceId, String>,
    /// What could not be removed: all that would be removed after it may be needed for that.
    removal: Option<String>,
    /// Services that go on running, and what they were not told.
    waiting: BTreeMap<String, How>,
}

impl Failures {
    /// The failure for which a step is left out.
    pub(super) fn cause(&self, step: &Step) -> Option<&str> {
        if step.service.is_none() {
            return self.removal.as_deref();
        }
        if let Some(Resource::Service(service)) = &step.thing {
            return self.service(service.id);
        }
        let needs = |failed: &&Failed| {
            let Some((kind, name)) = failed.id.split_once(' ') else {
                return false;
            };
            let owner = step.owner.as_ref();
            match kind {
                "group" => {
                    owner.is_some_and(|owner| owner.group == name)
                        || matches!(&step.thing, Some(Resource::User { group, .. }) if group == name)
                }
                "user" => owner.is_some_and(|owner| owner.user == name),
                "dir" => step.path.as_ref().is_some_and(|path| {
                    let below = path.as_str().strip_prefix(name);
                    below.is_some_and(|below| below.starts_with('/'))
                }),
                _ => false,
            }
        };
        let cause = self.list.iter().find(needs);
        cause.map(|failed| failed.id.as_str())
    }

    /// What a service lacks.
    pub(super) fn service(&self, id: ServiceId) -> Option<&str> {
        self.services.get(&id).map(String::as_str)
    }

    /// Notes that a step failed; the books go on saying what they said of it.
    pub(super) fn note(&mut self, step: &Step, why: String, known: &Applied, books: &mut Applied) {
        match step.service {
            None => self.removal = Some(step.id.clone()),
            Some(service) => {
                let woken = step.wakes.iter().map(|wake| wake.service);
                for id in woken.chain([service]) {
                    self.services.entry(id).or_insert_with(|| step.id.clone());
                }
            }
        }
        // Of a service that runs the books have to know what it waits for.
        let runs = matches!(step.before, State::Service { running: true, .. });
        if step.service.is_none() || !runs {
            match known.get(&step.id) {
                Some(mark) => books.insert(step.id.clone(), mark.clone()),
                None => books.remove(&step.id),
            };
        }
        self.list.push(Failed {
            id: step.id.clone(),
            why,
        });
    }

    /// A service that runs was not told, or not with success.
    pub(super) fn waits(&mut self, id: &str, how: How) {
        self.waiting.insert(id.to_owned(), how);
    }

    /// The books know who has to be told by the next apply.
    pub(super) fn write(&self, books: &mut Applied) {
        for (id, how) in &self.waiting {
            if let Some(mark) = books.get_mut(id) {
                mark.waits = mark.waits.max(Some(*how));
            }
        }
    }
}
