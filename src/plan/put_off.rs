//! A plan that leaves every service as it runs; the books remember what each was not told.

use super::{Action, Plan, Reason, State};
use crate::resource::{How, Resource, Service};

/// A service that does not run with what is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub service: String,
    /// What it was not told; `None` for one that does not run and was not started.
    pub how: Option<How>,
}

impl Plan {
    /// Starts, reloads and restarts nothing; that is left to a later apply. A service that would
    /// have to stop stands in the way: its files and its user go.
    #[must_use]
    pub fn put_off(mut self) -> Self {
        self.leaves_services = true;
        let woken = Self::wakes(self.todo());
        for step in &mut self.steps {
            let State::Service { enabled, running } = step.before else {
                continue;
            };
            let Some(mark) = &mut step.mark else {
                let stays = matches!(step.after, Some(State::Service { running: after, .. }) if after == running);
                if !stays {
                    step.action = Action::Blocked;
                    "it would have to be stopped: apply without `--no-restart`"
                        .clone_into(&mut step.remark);
                }
                continue;
            };
            if let Some(Resource::Service(service)) = &step.thing {
                mark.waits = woken.get(&service.id).copied().filter(|_| running);
            }
            let how = match mark.waits {
                Some(how) => format!("{} is put off", how.as_str()),
                None if !running => "start is put off".to_owned(),
                None => String::new(),
            };
            (step.action, step.reason, step.remark) = if enabled {
                (Action::Keep, Reason::Same, how)
            } else {
                (
                    Action::Change,
                    Reason::Asked,
                    format!("enable; {how}").trim_end_matches("; ").to_owned(),
                )
            };
            step.after = Some(State::Service {
                enabled: true,
                running,
            });
        }
        self
    }

    /// Services beside this plan cannot be told by it; the books say that they wait.
    pub fn note_elsewhere(&mut self, services: &[Service]) {
        let woken = Self::wakes(self.todo());
        for service in services {
            let mark = self.elsewhere.get_mut(&format!("service {}", service.name));
            if let (Some(how), Some(mark)) = (woken.get(&service.id), mark) {
                mark.waits = mark.waits.max(Some(*how));
            }
        }
    }

    /// Who does not run with what is laid out once this plan is carried out.
    #[must_use]
    pub fn waiting(&self) -> Vec<Waiting> {
        let elsewhere = self.elsewhere.iter().filter_map(|(id, mark)| {
            Some(Waiting {
                service: id.strip_prefix("service ")?.to_owned(),
                how: Some(mark.waits?),
            })
        });
        let waits = |step: &super::Step| {
            if !self.leaves_services {
                return None;
            }
            let how = step.mark.as_ref()?.waits;
            let runs = matches!(step.after, Some(State::Service { running: true, .. }));
            let Some(Resource::Service(service)) = &step.thing else {
                return None;
            };
            (how.is_some() || !runs).then(|| Waiting {
                service: service.name.clone(),
                how,
            })
        };
        let here = self.steps.iter().filter_map(waits);
        here.chain(elsewhere).collect()
    }
}
