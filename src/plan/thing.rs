//! A wanted package, group, user, service or database beside what is there.

use super::compare::blocked;
use super::{Action, Found, Mark, Observe, Reason, State, Step};
use crate::resource::{PackageVersion, Resource, Wake};

/// A package, group, user, service or database: there, or to be made; left to the machine in a tree.
pub(super) fn thing_step(
    step: Step,
    resource: &Resource,
    machine: &dyn Observe,
    known: Option<&Mark>,
) -> Step {
    let before = match machine.thing(resource) {
        None => return step,
        Some(Found::Unknown(why)) => return blocked(step, &why),
        Some(Found::State(state)) => state,
    };
    let mut step = step;
    let after = match (resource, &before) {
        // What is there and not asked for by its version is left as it is.
        (
            Resource::Package {
                name,
                version: Some(version),
            },
            State::Package(found),
        ) => {
            if found.is_of(version) {
                State::Package(found.clone())
            } else {
                let wanted = PackageVersion::any(version);
                if let Err(why) = machine.offers(name, &wanted) {
                    return blocked(step, &why);
                }
                if let Err(why) = machine.offers(name, found) {
                    let remark = format!(
                        "there would be no way back to version {}: {why}",
                        found.upstream
                    );
                    return blocked(step, &remark);
                }
                step.remark = format!("{} → {version}", found.upstream);
                State::Package(wanted)
            }
        }
        (Resource::Service(_), _) => State::Service {
            enabled: true,
            running: true,
        },
        (Resource::Database(_), _) => State::Database { fits: true },
        _ => State::Present,
    };
    let mark = Mark {
        wanted: String::new(),
        bytes: String::new(),
        mode: String::new(),
        owner: String::new(),
        was: None,
        waits: None,
    };
    let mark = match resource {
        Resource::User { group, home, .. } => Mark {
            wanted: format!("{group} {home}"),
            ..mark
        },
        Resource::Database(database) => Mark {
            wanted: database.engine.as_str().to_owned(),
            ..mark
        },
        Resource::Service(service) => Mark {
            wanted: serde_json::to_string(service).unwrap_or_default(),
            ..mark
        },
        _ => mark,
    };
    // It runs, and was not told of a change.
    let waits = match &before {
        State::Service { running: true, .. } => known.and_then(|mark| mark.waits),
        _ => None,
    };
    let (action, reason) = match &before {
        found if *found == after && waits.is_none() => (Action::Keep, Reason::Same),
        State::Absent => (Action::Create, Reason::Asked),
        State::Database { .. } if known.is_some() => (Action::Change, Reason::Drifted),
        State::Database { .. } => (Action::Change, Reason::Foreign),
        _ => (Action::Change, Reason::Asked),
    };
    let mut remark = match &before {
        State::Service { enabled, running } if action == Action::Change => match (enabled, running)
        {
            (false, false) => "enable and start".to_owned(),
            (false, true) => "enable".to_owned(),
            (true, false) => "start".to_owned(),
            (true, true) => String::new(),
        },
        State::Database { fits: false } => {
            "its roles do not come in: given their rights".to_owned()
        }
        _ => step.remark.clone(),
    };
    let mut wakes = step.wakes.clone();
    if let (Some(how), Resource::Service(service)) = (waits, resource) {
        let told = format!("{}, which was put off", how.as_str());
        remark = match remark.as_str() {
            "" => told,
            other => format!("{other}, {told}"),
        };
        wakes.push(Wake {
            service: service.id,
            how,
        });
    }
    // Packages are installed for good: others may rely on them by the time we go.
    let is_package = matches!(resource, Resource::Package { .. });
    Step {
        action,
        reason,
        thing: Some(resource.clone()),
        before,
        after: Some(after),
        mark: (!is_package).then_some(mark),
        wakes,
        remark,
        ..step
    }
}
