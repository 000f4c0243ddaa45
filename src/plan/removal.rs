//! What the books know and nobody wants any more.

use std::collections::BTreeSet;

use super::{Action, Applied, Found, Observe, Reason, State, Step};
use crate::name::AbsPath;
use crate::resource::{Layout, digest};

/// What the books know and the layout no longer names: files and links first, then folders from
/// the inside out, which stay when something of others is in them.
pub(super) fn steps(layout: &Layout, machine: &dyn Observe, applied: &Applied) -> Vec<Step> {
    let mut wanted: BTreeSet<String> = layout.items.iter().map(|item| item.resource.id()).collect();
    for path in &layout.kept {
        wanted.extend(["file", "link", "dir"].map(|kind| format!("{kind} {path}")));
    }
    let mut steps = Vec::new();
    for (id, mark) in applied.iter().filter(|(id, _)| !wanted.contains(*id)) {
        let Some((kind, name)) = id.split_once(' ') else {
            continue;
        };
        let (Ok(path), Some(kind)) = (
            AbsPath::parse(name),
            ["file", "link", "dir"]
                .into_iter()
                .find(|known| *known == kind),
        ) else {
            continue;
        };
        let (before, trouble) = match machine.look(&path) {
            Found::State(state) => (state, None),
            Found::Unknown(why) => (State::Absent, Some(why)),
        };
        let drifted = match &before {
            State::File { bytes, .. } => digest(bytes) != mark.bytes,
            State::Link { target } => *target != mark.wanted,
            State::Absent | State::Dir { .. } => false,
        };
        let same_kind = matches!(
            (&before, kind),
            (State::Absent, _)
                | (State::File { .. }, "file")
                | (State::Link { .. }, "link")
                | (State::Dir { .. }, "dir")
        );
        let former = mark.was.as_ref().map(|was| was.state(machine));
        let (action, remark) = match (trouble, same_kind, &former) {
            (Some(why), ..) => (Action::Blocked, why),
            (None, false, _) => (
                Action::Keep,
                "something else stands there now; it is left alone".to_owned(),
            ),
            (None, true, Some(None)) => (
                Action::Blocked,
                "the copy of what stood there before is gone".to_owned(),
            ),
            (None, true, Some(Some(state))) if *state == before => {
                (Action::Keep, "it is again as it was found".to_owned())
            }
            (None, true, Some(Some(_))) => (Action::Change, "back to how it was found".to_owned()),
            (None, true, None) if before == State::Absent => {
                (Action::Keep, "it is gone already".to_owned())
            }
            (None, true, None) => (Action::Remove, "no longer wanted".to_owned()),
        };
        steps.push(Step {
            service: None,
            id: id.clone(),
            kind,
            path: Some(path),
            action,
            reason: if drifted {
                Reason::Drifted
            } else {
                Reason::Asked
            },
            before,
            after: Some(former.flatten().unwrap_or(State::Absent)),
            recipe: None,
            mark: None,
            veiled: true,
            remark,
        });
    }
    steps.sort_by(|a, b| {
        let depth = |step: &Step| (step.kind == "dir", std::cmp::Reverse(step.id.clone()));
        depth(a).cmp(&depth(b))
    });
    steps
}
