//! What somebody without rights gets when he knocks: active probes of a running Prosody.
//!
//! They change nothing that lasts: whoever would get in leaves at once.

use super::{APPLY, Check, Probe, Question, Reception, Subject, Visit};
use crate::site::Mode;

pub(super) const MECHANISMS: Question = Question::new("D-06", "the hosts offer a way to log in");
pub(super) const FORGED: Question = Question::new("D-19", "a forged token is refused");
pub(super) const GUEST: Question = Question::new(
    "D-20",
    "a guest with a forged token gets into no closed room",
);
pub(super) const BREWERY: Question = Question::new(
    "D-21",
    "an anonymous client gets neither into the brewery nor makes rooms",
);

/// It has the form of a token and nobody has signed it.
const FORGED_TOKEN: &str = "x.y.z";

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    if !probe.is_running() {
        return [MECHANISMS, FORGED, GUEST, BREWERY]
            .map(Question::asleep)
            .into();
    }
    let cure = format!(
        "{APPLY}; then {}; until then the site is open",
        subject.restart("prosody")
    );
    let hosts = &subject.context.hosts;
    let domain = &subject.context.site.domain;
    // A name that nobody else uses, and that no token was made for.
    let room = format!("doctor{}", subject.now);
    let at_site = probe.visit(&Visit {
        host: domain.to_string(),
        token: Some(FORGED_TOKEN.to_owned()),
        rooms: vec![format!("{room}@{}", hosts.conference)],
    });
    if !subject.context.site.auth.guests {
        return vec![
            mechanisms(subject, &[(domain.as_str(), &at_site)]),
            forged(subject, &at_site, &cure),
            GUEST.skipped("there are no guests on this site"),
            BREWERY.skipped("nobody gets in without a token or account on this site"),
        ];
    }
    let guest = |token: Option<&str>, rooms: Vec<String>| {
        probe.visit(&Visit {
            host: hosts.guest.to_string(),
            token: token.map(str::to_owned),
            rooms,
        })
    };
    let brewery = format!("jvbbrewery@{}", hosts.internal);
    let with_token = guest(
        Some(FORGED_TOKEN),
        vec![format!("{room}@{}", hosts.conference), brewery.clone()],
    );
    let without = guest(
        None,
        vec![
            brewery,
            format!("{room}@{}", hosts.internal),
            format!("{room}@{}", hosts.conference),
            format!("{room}@{}", hosts.lobby),
            format!("{room}@{}", hosts.breakout),
        ],
    );
    vec![
        mechanisms(
            subject,
            &[
                (domain.as_str(), &at_site),
                (hosts.guest.as_str(), &without),
            ],
        ),
        forged(subject, &at_site, &cure),
        shut(GUEST, &with_token, &cure),
        shut(BREWERY, &without, &cure),
    ]
}

type Visited = Result<Reception, String>;

fn mechanisms(subject: &Subject<'_>, visited: &[(&str, &Visited)]) -> Check {
    let mut faults = Vec::new();
    let mut offers = Vec::new();
    for (host, reception) in visited {
        match reception {
            Ok(reception) if reception.mechanisms.is_empty() => {
                faults.push(format!("{host} offers no SASL mechanism"));
            }
            Ok(reception) => {
                offers.push(format!("{host}: {}", reception.mechanisms.join(" ")));
            }
            Err(why) => faults.push(format!("{host}: {why}")),
        }
    }
    MECHANISMS.faults(
        &faults,
        offers.join("; "),
        &format!(
            "look for modules that Prosody could not load, in `{}`; then {}",
            subject.context.platform.prosody.logs.join("prosody.err"),
            subject.restart("prosody")
        ),
    )
}

fn forged(subject: &Subject<'_>, visited: &Visited, cure: &str) -> Check {
    let domain = &subject.context.site.domain;
    let reception = match visited {
        Ok(reception) => reception,
        Err(why) => return FORGED.skipped(why),
    };
    // Without tokens there is no log-in to try: what is offered must ask for a password.
    let asks = |name: &String| name == "PLAIN" || name.starts_with("SCRAM-");
    if subject.context.site.auth.mode == Mode::SqlHashed && !reception.mechanisms.is_empty() {
        return if reception.mechanisms.iter().all(asks) {
            FORGED.good(format!("{domain} lets nobody in without a password"))
        } else {
            FORGED.bad(
                format!("{domain} offers ways in that ask for no password"),
                cure,
            )
        };
    }
    match &reception.login {
        Some(Err(condition)) => FORGED.good(format!("{domain} answers `{condition}`")),
        Some(Ok(())) => FORGED.bad(
            format!("{domain} lets somebody in with a token that nobody has signed"),
            cure,
        ),
        None => FORGED.skipped(format!("{domain} offers no way to log in")),
    }
}

/// Good when a visitor got into none of the rooms that he tried.
fn shut(question: Question, visited: &Visited, cure: &str) -> Check {
    let reception = match visited {
        Ok(reception) => reception,
        Err(why) => return question.skipped(why),
    };
    match &reception.login {
        Some(Ok(())) => {}
        Some(Err(condition)) => {
            return question.skipped(format!("guests cannot log in at all: `{condition}`"));
        }
        None => return question.skipped("there is no way for guests to log in"),
    }
    let mut open = Vec::new();
    let mut closed = Vec::new();
    for (room, outcome) in &reception.rooms {
        match outcome {
            Ok(standing) => open.push(format!("he gets into {room} as {standing}")),
            Err(condition) => closed.push(format!("{room}: {condition}")),
        }
    }
    if open.is_empty() && closed.is_empty() {
        return question.skipped("no room could be tried");
    }
    question.faults(&open, closed.join("; "), cure)
}
