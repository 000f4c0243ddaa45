//! The shapes in which templates get what acts give: times, people, choices, refusals.

use axum::http::StatusCode;
use serde::Serialize;
use time::OffsetDateTime;

use crate::account::act::refusal::Refusal;
use crate::account::audit::Written;
use crate::account::store::Group;
use crate::account::text::Texts;
use crate::account::{Account, AccountId};
use crate::web::answer::Fault;
use crate::web::guard::Scene;

/// A point in time, for machines and for people.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    iso: String,
    text: String,
    day: String,
}

impl Moment {
    /// Of Unix seconds.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let day = format!(
            "{:04}-{:02}-{:02}",
            at.year(),
            u8::from(at.month()),
            at.day()
        );
        let clock = format!("{:02}:{:02}", at.hour(), at.minute());
        Self {
            iso: format!("{day}T{clock}:{:02}Z", at.second()),
            text: format!("{day} {clock} UTC"),
            day,
        }
    }

    /// For people: `2026-11-22 20:15 UTC`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// For machines (RFC 3339).
    #[must_use]
    pub fn iso(&self) -> &str {
        &self.iso
    }
}

/// How long ago, in one unit.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Age {
    unit: &'static str,
    count: i64,
}

impl Age {
    /// Of seconds that have passed.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        let (unit, count) = match seconds {
            ..60 => ("now", 0),
            60..3600 => ("minutes", seconds / 60),
            3600..172_800 => ("hours", seconds / 3600),
            _ => ("days", seconds / 86_400),
        };
        Self { unit, count }
    }
}

/// An account in a list or on its own page.
#[derive(Debug, Serialize)]
pub struct Person {
    id: String,
    login: String,
    display_name: String,
    email: String,
    state: &'static str,
    role: &'static str,
    origin: &'static str,
    reason: String,
    has_totp: bool,
    created: Moment,
    since: Moment,
    age: Age,
    last_seen: Option<Moment>,
    /// From where they signed up.
    pub address: String,
}

impl Person {
    /// Of an account, at this time.
    #[must_use]
    pub fn of(account: &Account, now: i64) -> Self {
        Self {
            id: account.id.0.clone(),
            login: account.login.as_str().into(),
            display_name: account.display_name.clone(),
            email: account.email.clone().unwrap_or_default(),
            state: account.state.as_str(),
            role: account.role.as_str(),
            origin: account.origin.as_str(),
            reason: account.reason.clone(),
            has_totp: account.has_totp,
            created: Moment::of(account.created),
            since: Moment::of(account.state_since),
            age: Age::of(now - account.state_since),
            last_seen: account.last_seen.map(Moment::of),
            address: String::new(),
        }
    }
}

/// An entry of the audit trail.
#[derive(Debug, Serialize)]
pub struct Line {
    at: Moment,
    actor: String,
    address: String,
    action: String,
    target: String,
    outcome: String,
    detail: String,
}

impl From<Written> for Line {
    fn from(written: Written) -> Self {
        Self {
            at: Moment::of(written.at.div_euclid(1000)),
            actor: written.actor_name,
            address: written.address,
            action: written.entry.action,
            target: written.entry.target_name,
            outcome: written.entry.outcome,
            detail: written.entry.detail,
        }
    }
}

/// One of several to choose from.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    value: String,
    text: String,
}

impl Choice {
    /// A value and what people read.
    #[must_use]
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            text: text.into(),
        }
    }

    /// Values whose texts stand below one key.
    #[must_use]
    pub fn words(scene: &Scene, below: &str, values: &[&str]) -> Vec<Self> {
        let texts = &scene.app.office.texts;
        let text = |value: &str| texts.say(scene.language, &format!("{below}{value}"), &[]);
        values
            .iter()
            .map(|value| Self::new(*value, text(value)))
            .collect()
    }

    /// Groups by their names.
    #[must_use]
    pub fn groups(groups: &[Group]) -> Vec<Self> {
        groups
            .iter()
            .map(|group| Self::new(group.id.0.clone(), group.name.clone()))
            .collect()
    }

    /// The languages of pages.
    #[must_use]
    pub fn languages(texts: &Texts) -> Vec<Self> {
        let all = texts.languages();
        all.map(|(value, text)| Self::new(value, text)).collect()
    }
}

/// What was refused, in words, and the field that it is about.
#[derive(Debug, Clone, Serialize)]
pub struct Wrong {
    field: &'static str,
    text: String,
}

impl Wrong {
    /// A refusal that a page tells of.
    ///
    /// # Errors
    /// What has a page of its own: no such account, a database that does not answer.
    pub fn told(scene: &Scene, refusal: Refusal) -> Result<Self, Fault> {
        match refusal {
            Refusal::Gone => Err(Fault::Missing),
            Refusal::Store(error) => Err(error.into()),
            other => Ok(Self::of(scene, &other)),
        }
    }

    /// 422 for a field of a form, 409 for what stands in the way.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.field.is_empty() {
            StatusCode::CONFLICT
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }

    /// The words.
    #[must_use]
    pub fn text(self) -> String {
        self.text
    }

    /// A text of the console without a field.
    #[must_use]
    pub fn say(scene: &Scene, key: &str) -> Self {
        Self {
            field: "",
            text: scene.app.office.texts.say(scene.language, key, &[]),
        }
    }

    /// A refusal in the page's language.
    #[must_use]
    pub fn of(scene: &Scene, refusal: &Refusal) -> Self {
        let texts = &scene.app.office.texts;
        let say = |key: &str, values: &[(&str, &str)]| texts.say(scene.language, key, values);
        let text = match refusal {
            Refusal::Moved { login, state, by } => {
                let state = say(&format!("admin.state.{}", state.as_str()), &[]);
                match by {
                    Some((by, when)) => {
                        let when = Moment::of(*when);
                        let values = [
                            ("login", login.as_str()),
                            ("state", state.as_str()),
                            ("by", by.as_str()),
                            ("when", when.text()),
                        ];
                        say("admin.wrong.moved_by", &values)
                    }
                    None => {
                        let values = [("login", login.as_str()), ("state", state.as_str())];
                        say("admin.wrong.moved", &values)
                    }
                }
            }
            Refusal::Number { least, most, .. } => {
                let value = format!("{least}–{most}");
                say("admin.wrong.number", &[("value", &value)])
            }
            other => say(&format!("admin.wrong.{}", other.word()), &[]),
        };
        Self {
            field: refusal.field(),
            text,
        }
    }
}

/// What came of an act on several people.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// How many it was done to.
    pub done: usize,
    /// Of how many.
    pub all: usize,
    /// Why it was not done to the others.
    pub left: Vec<String>,
    /// Who can be put back among those who wait.
    pub undo: Vec<String>,
}

impl Outcome {
    /// These were rejected, which can be undone.
    #[must_use]
    pub fn rejected(ids: Vec<AccountId>) -> Self {
        Self {
            done: ids.len(),
            all: ids.len(),
            undo: ids.into_iter().map(|id| id.0).collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_for_machines_and_for_people() {
        let moment = Moment::of(1_795_385_704);
        assert_eq!(moment.iso(), "2026-11-22T22:15:04Z");
        assert_eq!(moment.text(), "2026-11-22 22:15 UTC");
        assert_eq!(Moment::of(i64::MAX).iso(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn ages_have_one_unit() {
        for (seconds, unit, count) in [
            (-5, "now", 0),
            (59, "now", 0),
            (60, "minutes", 1),
            (3599, "minutes", 59),
            (3600, "hours", 1),
            (172_799, "hours", 47),
            (172_800, "days", 2),
        ] {
            assert_eq!(Age::of(seconds), Age { unit, count }, "{seconds}");
        }
    }
}
