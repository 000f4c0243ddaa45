//! `users show`: everything about one account that is no secret.

use serde_json::json;

use super::{find, plain, time, word};
use crate::account::Office;
use crate::account::store::AuditFilter;
use crate::desk::office::failure;
use crate::desk::report::{Failure, Report};

pub(super) async fn run(office: &Office, name: &str, report: &mut Report) -> Result<(), Failure> {
    let account = find(office, name).await?;
    let store = &office.store;
    let groups = store.groups_of(&account.id).await.map_err(failure)?;
    let groups: Vec<String> = groups.into_iter().map(|group| group.name).collect();
    let now = office.world.now();
    let sessions = store
        .sessions(&account.id, now)
        .await
        .map_err(failure)?
        .len();
    let filter = AuditFilter {
        target: Some(account.id.clone()),
        ..AuditFilter::default()
    };
    let trail = store.audit(&filter, None, 10).await.map_err(failure)?.rows;
    if report.is_json() {
        report.json(
            &json!({ "account": account, "groups": groups, "sessions": sessions, "audit": trail }),
        );
        return Ok(());
    }
    let seen = account.last_seen.map_or_else(|| "never".into(), time);
    let lines = [
        ("name", account.login.as_str().to_owned()),
        ("key", account.id.to_string()),
        ("shown as", account.display_name.clone()),
        (
            "e-mail",
            account.email.clone().unwrap_or_else(|| "-".into()),
        ),
        (
            "state",
            format!(
                "{} since {}",
                account.state.as_str(),
                time(account.state_since)
            ),
        ),
        ("role", word(&account.role)),
        (
            "groups",
            if groups.is_empty() {
                "-".into()
            } else {
                groups.join(", ")
            },
        ),
        ("language", account.language.clone()),
        (
            "origin",
            format!("{}, {}", word(&account.origin), time(account.created)),
        ),
        (
            "second factor",
            if account.has_totp { "yes" } else { "no" }.into(),
        ),
        ("last sign-in", seen),
        ("sessions", sessions.to_string()),
        (
            "reason",
            if account.reason.is_empty() {
                "-".into()
            } else {
                account.reason.clone()
            },
        ),
    ];
    for (key, value) in lines {
        report.data(&format!("{key:<14} {}", plain(&value)));
    }
    for entry in &trail {
        report.data(&super::audit::line(entry));
    }
    Ok(())
}
