//! The first page of the console: numbers that lead to their lists, and what happened last.

use serde_json::json;

use super::users;
use super::view::Line;
use crate::account::act::settings;
use crate::account::store::AuditFilter;
use crate::account::{Role, State};
use crate::web::answer::Answer;
use crate::web::guard::Approver;

/// `GET /admin`: for approvers the list of those who wait.
pub async fn show(approver: Approver) -> Answer {
    if approver.account.role != Role::Admin {
        return approver.go("/admin/waiting").answer();
    }
    let office = &approver.app.office;
    let store = &office.store;
    let mut numbers = Vec::new();
    for (name, state, to) in [
        ("waiting", State::Pending, "/admin/waiting"),
        (
            "unconfirmed",
            State::Unconfirmed,
            "/admin/waiting?show=unconfirmed",
        ),
        ("active", State::Active, "/admin/users?state=active"),
        (
            "suspended",
            State::Suspended,
            "/admin/users?state=suspended",
        ),
        ("rejected", State::Rejected, "/admin/waiting?show=rejected"),
    ] {
        let count = users::count(store, state).await?;
        numbers.push(json!({ "name": name, "count": count, "to": to }));
    }
    let outbox = store.outbox().await?;
    let letters = [
        json!({ "name": "mails", "count": outbox.waiting }),
        json!({ "name": "stuck", "count": outbox.failed }),
    ];
    let entries = store.audit(&AuditFilter::default(), None, 10).await?.rows;
    let entries: Vec<Line> = entries.into_iter().map(Line::from).collect();
    approver
        .page("admin/overview.html")
        .with("section", "overview")
        .with("numbers", &numbers)
        .with("letters", &letters)
        .with("mode", &settings::policy(office).await?.mode)
        .with("entries", &entries)
        .answer()
}
