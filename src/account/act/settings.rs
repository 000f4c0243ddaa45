//! What administrators change without a restart: the policy, kept in the database as JSON.

use std::sync::Arc;

use serde_json::Value;

use super::note;
use crate::account::audit::Entry;
use crate::account::policy::{Policy, Problem};
use crate::account::store::{Error, Setting, Store, Work};
use crate::account::{Actor, Office};

/// The policy's name in the table of settings.
pub(in crate::account) const NAME: &str = "registration";

/// What is in force, who saved it and when.
#[derive(Debug, Clone)]
pub struct Current {
    /// What is in force.
    pub policy: Policy,
    /// Unix seconds and name; nothing when the file's values hold.
    pub saved: Option<(i64, String)>,
    /// Stands for exactly these values: who saves says which they saw.
    pub seen: String,
}

/// Why settings were not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsaved {
    /// Values that cannot stand.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Wrong(Vec<Problem>),
    /// Somebody else saved others meanwhile.
    #[error("somebody else saved other settings meanwhile")]
    Stale,
    /// The database refused or does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The policy in force, at most two seconds old: for sign-up and whatever else asks all the time.
///
/// # Errors
/// When the database does not answer.
pub async fn policy(office: &Office) -> Result<Arc<Policy>, Error> {
    let millis = office.world.millis();
    if let Some(policy) = office.policy.fresh(millis) {
        return Ok(policy);
    }
    let policy = saved(office, &office.store).await?;
    Ok(office.policy.keep(millis, policy))
}

/// The policy as the database has it now, for the page that shows it.
///
/// # Errors
/// When the database does not answer.
pub async fn current(office: &Office) -> Result<Current, Error> {
    let setting = office.store.setting(NAME).await?;
    let policy = read(office, setting.as_ref());
    Ok(Current {
        seen: digest(&policy),
        saved: setting.map(|setting| (setting.changed, setting.changed_by)),
        policy,
    })
}

/// Saves a policy: in force at once here, and within two seconds on other instances.
///
/// # Errors
/// When values cannot stand, or when what is in force is not what `seen` stands for.
pub async fn save(
    office: &Office,
    actor: &Actor,
    policy: Policy,
    seen: &str,
) -> Result<Policy, Unsaved> {
    let policy = policy.tidy().map_err(Unsaved::Wrong)?;
    let work = office.store.begin().await?;
    if digest(&held(office, &work).await?) != seen {
        return Err(Unsaved::Stale);
    }
    write(office, &work, actor, &policy).await?;
    work.commit().await?;
    office.policy.keep(office.world.millis(), policy.clone());
    Ok(policy)
}

/// The policy as it is in the database, or in the file when nothing was saved.
pub(super) async fn saved(office: &Office, store: &Store) -> Result<Policy, Error> {
    let setting = store.setting(NAME).await?;
    Ok(read(office, setting.as_ref()))
}

/// The same, and nobody else changes it until the work ends.
pub(super) async fn held(office: &Office, work: &Work) -> Result<Policy, Error> {
    work.hold_setting(NAME).await?;
    saved(office, work).await
}

/// Writes a policy that was checked, and what changed by it to the audit trail.
pub(super) async fn write(
    office: &Office,
    work: &Work,
    actor: &Actor,
    policy: &Policy,
) -> Result<(), Error> {
    let before = json(&saved(office, work).await?);
    let after = json(policy);
    let changes = difference(&before, &after);
    if changes.is_empty() {
        return Ok(());
    }
    let setting = Setting {
        name: NAME.into(),
        value: after.to_string(),
        changed: office.world.now(),
        changed_by: actor.name.clone(),
    };
    work.set_setting(&setting).await?;
    let entry = Entry::new("settings.changed", None, "done").detail(changes.join("\n"));
    note(office, work, actor, &entry).await
}

/// A value that no version of this program wrote lets nobody in until an administrator saves anew.
fn read(office: &Office, setting: Option<&Setting>) -> Policy {
    let first = || office.settings.registration.clone();
    setting.map_or_else(first, |setting| {
        serde_json::from_str(&setting.value).unwrap_or_else(|error| {
            tracing::error!(%error, "the settings in the database cannot be read; sign-up is closed");
            Policy {
                mode: crate::account::policy::Registration::Closed,
                ..first()
            }
        })
    })
}

fn json(policy: &Policy) -> Value {
    serde_json::to_value(policy).unwrap_or_default()
}

fn digest(policy: &Policy) -> String {
    super::link::digest(&json(policy).to_string())
}

/// `mode: "open" → "closed"` for each field that differs; of lists what came and what went.
fn difference(before: &Value, after: &Value) -> Vec<String> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    for (field, new) in after {
        let old = before.get(field).unwrap_or(&Value::Null);
        if old == new {
            continue;
        }
        changes.push(match (old.as_array(), new.as_array()) {
            (Some(old), Some(new)) => {
                let came = new
                    .iter()
                    .filter(|one| !old.contains(one))
                    .map(|one| ('+', one));
                let went = old
                    .iter()
                    .filter(|one| !new.contains(one))
                    .map(|one| ('-', one));
                let parts: Vec<String> = came
                    .chain(went)
                    .map(|(sign, one)| format!("{sign}{}", one.as_str().unwrap_or_default()))
                    .collect();
                format!("{field}: {}", parts.join(" "))
            }
            _ => format!("{field}: {old} → {new}"),
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::policy::Registration;

    #[test]
    fn changes_have_old_and_new_values() {
        let before = Policy {
            blocked_domains: vec!["a.example.org".into(), "b.example.org".into()],
            ..Policy::default()
        };
        let after = Policy {
            mode: Registration::Closed,
            blocked_domains: vec!["b.example.org".into(), "c.example.org".into()],
            ..Policy::default()
        };
        assert_eq!(
            difference(&json(&before), &json(&after)),
            [
                "blocked_domains: +c.example.org -a.example.org",
                "mode: \"approval\" → \"closed\"",
            ]
        );
        assert!(difference(&json(&before), &json(&before)).is_empty());
    }
}
