//! A block of ours in a file of others, between two marker lines. All else in the file is theirs:
//! only the block is compared, put in, replaced and taken away.

use super::{Action, Mark, Observe, Reason, State, Step, Was, compare};
use crate::name::Mode;
use crate::resource::{File, digest};

/// First line of a block.
const BEGIN: &str = "# >>> jitsi-install: from here to the end line it will be written again";

/// How the first line is known, whatever a later version puts behind it.
const BEGINS: &str = "# >>> jitsi-install";

/// Last line of a block.
const END: &str = "# <<< jitsi-install";

/// First line of a file that only has our block: these files are shell scripts.
const HEAD: &str = "#!/bin/bash\n";

/// A file, taken apart at the markers.
struct Parts<'f> {
    before: &'f [u8],
    /// What is between the marker lines, or `None` without any.
    block: Option<&'f [u8]>,
    after: &'f [u8],
}

/// Finds the block; an error when only one marker is there.
fn parts(bytes: &[u8]) -> Result<Parts<'_>, String> {
    let (mut begin, mut end, mut place) = (None, None, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let next = place + line.len();
        if begin.is_none() && line.starts_with(BEGINS.as_bytes()) {
            begin = Some((place, next));
        } else if begin.is_some() && end.is_none() && line.trim_ascii_end() == END.as_bytes() {
            end = Some((place, next));
        }
        place = next;
    }
    match (begin, end) {
        (Some(begin), Some(end)) => Ok(Parts {
            before: &bytes[..begin.0],
            block: Some(&bytes[begin.1..end.0]),
            after: &bytes[end.1..],
        }),
        (Some(_), None) => Err(format!(
            "the line `{END}` that ends our block is missing: put it back, or remove the block"
        )),
        (None, _) => {
            let (before, after) = bytes.split_at(place_for_new(bytes));
            Ok(Parts {
                before,
                block: None,
                after,
            })
        }
    }
}

/// The end, or before a last `exit`, behind which nothing would be reached.
fn place_for_new(bytes: &[u8]) -> usize {
    let mut place = bytes.len();
    for line in bytes.split_inclusive(|byte| *byte == b'\n').rev() {
        place -= line.len();
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if line == b"exit" || line.starts_with(b"exit ") {
            return place;
        }
        break;
    }
    bytes.len()
}

/// What is between the markers; `None` without them.
fn inner(bytes: &[u8]) -> Option<&[u8]> {
    parts(bytes).ok()?.block
}

/// The file with `text` as its block, or with none.
fn with(bytes: &[u8], text: Option<&[u8]>) -> Vec<u8> {
    let Ok(Parts { before, after, .. }) = parts(bytes) else {
        return bytes.to_vec();
    };
    let mut all = before.to_vec();
    if let Some(text) = text {
        if !all.is_empty() && !all.ends_with(b"\n") {
            all.push(b'\n');
        }
        all.extend_from_slice(format!("{BEGIN}\n").as_bytes());
        all.extend_from_slice(text);
        all.extend_from_slice(format!("{END}\n").as_bytes());
    }
    all.extend_from_slice(after);
    all
}

/// The block of `former` in what stands there `now`: the way back, which leaves alone what others
/// have written since.
pub(crate) fn back(former: &State, now: &State) -> State {
    match (former, now) {
        (
            State::File {
                bytes: old, mode, ..
            },
            State::File { bytes, ids, .. },
        ) => State::File {
            bytes: with(bytes, inner(old)),
            mode: *mode,
            ids: *ids,
        },
        (State::Absent, State::File { .. }) => without(now, None),
        _ => former.clone(),
    }
}

/// What stands there without our block. The file goes when it was ours and nothing else is in it.
fn without(now: &State, found_first: Option<&State>) -> State {
    let State::File { bytes, mode, ids } = now else {
        return now.clone();
    };
    let rest = with(bytes, None);
    let (rest, mode) = match found_first {
        None if rest.trim_ascii() == HEAD.trim_ascii().as_bytes()
            || rest.trim_ascii().is_empty() =>
        {
            return State::Absent;
        }
        Some(State::File {
            bytes: first,
            mode: first_mode,
            ..
        }) => {
            // A last line without an end was given one to make room for the block.
            let is_first = rest.strip_suffix(b"\n") == Some(first.as_slice());
            let rest = if is_first { first.clone() } else { rest };
            (
                rest,
                if *mode == runnable(*first_mode) {
                    *first_mode
                } else {
                    *mode
                },
            )
        }
        _ => (rest, *mode),
    };
    State::File {
        bytes: rest,
        mode,
        ids: *ids,
    }
}

/// The mode with which those who may read may run.
fn runnable(mode: Mode) -> Mode {
    Mode(mode.0 | (mode.0 & 0o444) >> 2)
}

/// The step of a wanted block.
pub(super) fn step(
    step: Step,
    file: &File,
    text: &str,
    machine: &dyn Observe,
    mark: Option<&Mark>,
) -> Step {
    let new = Mark {
        wanted: file.content.digest(),
        bytes: digest(text.as_bytes()),
        mode: String::new(),
        owner: String::new(),
        was: None,
        waits: None,
    };
    let (bytes, mode, ids) = match &step.before {
        State::File { bytes, mode, ids } => (bytes, *mode, *ids),
        State::Absent => {
            let after = State::File {
                bytes: with(HEAD.as_bytes(), Some(text.as_bytes())),
                mode: file.mode,
                ids: machine.ids(&file.owner),
            };
            return Step {
                action: Action::Create,
                reason: if mark.is_some() {
                    Reason::Drifted
                } else {
                    Reason::Asked
                },
                after: Some(after),
                mark: Some(new),
                ..step
            };
        }
        _ => {
            return compare::blocked(
                step,
                "no plain file stands where a block of ours should be put in: move it away",
            );
        }
    };
    let found = match parts(bytes) {
        Ok(parts) => parts.block,
        Err(why) => return compare::blocked(step, &why),
    };
    let is_right = found == Some(text.as_bytes());
    let mut differs = Vec::new();
    if !is_right {
        differs.push(
            if found.is_some() {
                "our block"
            } else {
                "our block is put in"
            }
            .to_owned(),
        );
    }
    if runnable(mode) != mode {
        differs.push(format!("mode {mode} → {}", runnable(mode)));
    }
    if differs.is_empty() {
        return Step {
            action: Action::Keep,
            reason: Reason::Same,
            mark: Some(new),
            ..step
        };
    }
    let reason = match (mark, found) {
        (None, None) => Reason::Asked,
        (None, Some(_)) => Reason::Foreign,
        (Some(old), Some(found)) if !is_right && old.bytes == digest(found) => Reason::Asked,
        (Some(_), _) => Reason::Drifted,
    };
    let after = State::File {
        bytes: if is_right {
            bytes.clone()
        } else {
            with(bytes, Some(text.as_bytes()))
        },
        mode: runnable(mode),
        ids,
    };
    Step {
        action: Action::Change,
        reason,
        after: Some(after),
        mark: Some(new),
        remark: differs.join(", "),
        ..step
    }
}

/// How a file that the books say has our block goes on without it: action, what will stand there,
/// whether the block was edited, and a remark.
pub(super) fn removal(
    before: &State,
    mark: &Mark,
    machine: &dyn Observe,
) -> (Action, State, bool, String) {
    let State::File { bytes, .. } = before else {
        return (
            Action::Keep,
            before.clone(),
            false,
            match before {
                State::Absent => "it is gone already",
                _ => "something else stands there now; it is left alone",
            }
            .to_owned(),
        );
    };
    let found = match parts(bytes) {
        Ok(parts) => parts.block,
        Err(why) => return (Action::Blocked, before.clone(), true, why),
    };
    let Some(found) = found else {
        return (
            Action::Keep,
            before.clone(),
            false,
            "our block is gone already".to_owned(),
        );
    };
    let was = mark.was.as_ref().and_then(|was| match was {
        Was::File { .. } => was.state(machine),
        _ => None,
    });
    let after = match (&was, &mark.was) {
        // Somebody else's file whose copy is lost: it stays, even with nothing in it.
        (None, Some(_)) => match before {
            State::File { bytes, mode, ids } => State::File {
                bytes: with(bytes, None),
                mode: *mode,
                ids: *ids,
            },
            other => other.clone(),
        },
        _ => without(before, was.as_ref()),
    };
    let is_edited = digest(found) != mark.bytes;
    match &after {
        State::Absent => (
            Action::Remove,
            after,
            is_edited,
            "no longer wanted".to_owned(),
        ),
        _ => (
            Action::Change,
            after,
            is_edited,
            "our block is taken away".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_in_and_away() {
        for (before, after) in [
            ("a\n", "a\n"),
            ("", ""),
            (
                "#!/bin/sh\na\n\nexit 0\n# vi\n",
                "#!/bin/sh\na\n\nexit 0\n# vi\n",
            ),
            ("no end", "no end\n"),
        ] {
            let put = with(before.as_bytes(), Some(b"x\n"));
            assert_eq!(inner(&put), Some(b"x\n".as_slice()));
            let again = with(&put, Some(b"y\n"));
            assert_eq!(inner(&again), Some(b"y\n".as_slice()));
            assert_eq!(with(&again, None), after.as_bytes());
        }
    }

    #[test]
    fn nothing_is_put_behind_an_exit() {
        let put = with(b"a\nexit 0\n", Some(b"x\n"));
        let text = String::from_utf8(put).unwrap();
        assert_eq!(text, format!("a\n{BEGIN}\nx\n{END}\nexit 0\n"));
    }

    #[test]
    fn half_a_block_is_left_alone() {
        let text = format!("a\n{BEGIN}\nx\n");
        assert!(parts(text.as_bytes()).is_err());
        assert_eq!(with(text.as_bytes(), None), text.as_bytes());
    }

    #[test]
    fn a_line_without_an_end_comes_back_so() {
        let first = State::File {
            bytes: b"no end".to_vec(),
            mode: Mode(0o644),
            ids: None,
        };
        let now = State::File {
            bytes: with(b"no end", Some(b"x\n")),
            mode: Mode(0o755),
            ids: None,
        };
        assert_eq!(without(&now, Some(&first)), first);
    }
}
