//! The audit trail: filtered, page after page.

use time::{Date, Month};

use super::PAGE;
use super::form::{Asked, Fields};
use super::view::{Choice, Line};
use crate::account::store::AuditFilter;
use crate::web::answer::Answer;
use crate::web::guard::Admin;

/// Names in the query that say which entries.
const NAMES: [&str; 6] = ["actor", "target", "action", "outcome", "from", "to"];

/// `GET /admin/audit`
pub async fn list(admin: Admin, asked: Asked) -> Answer {
    let store = &admin.app.office.store;
    let found = store
        .audit(&wanted(&asked), asked.some("after"), PAGE)
        .await?;
    let entries: Vec<Line> = found.rows.into_iter().map(Line::from).collect();
    let query = asked.query(&NAMES, &[]);
    let path = |query: &str| admin.app.site.path(&format!("/admin/audit{query}"));
    let next = found
        .next
        .map(|mark| path(&asked.query(&NAMES, &[("after", &mark)])));
    let first = asked.some("after").map(|_| path(&query));
    let mut filter = serde_json::Map::new();
    for name in NAMES {
        filter.insert(name.into(), asked.trimmed(name).into());
    }
    let outcomes = Choice::words(&admin, "admin.outcome.", &["done", "refused", "failed"]);
    admin
        .page("admin/audit.html")
        .with("section", "audit")
        .with("entries", &entries)
        .with("filter", &filter)
        .with("outcomes", &outcomes)
        .with("query", &query)
        .with("next", &next)
        .with("first", &first)
        .answer()
}

/// The query of a filter, for the audit trail of a download.
pub fn query(asked: &Fields) -> String {
    asked.query(&NAMES, &[])
}

/// What a query asks the store for.
pub fn wanted(asked: &Fields) -> AuditFilter {
    let text = |name| asked.some(name).map(str::to_owned);
    AuditFilter {
        target: None,
        target_name: text("target"),
        actor_name: text("actor"),
        action: text("action"),
        outcome: text("outcome"),
        from: asked.some("from").and_then(midnight),
        // The day is meant as a whole.
        to: asked
            .some("to")
            .and_then(midnight)
            .map(|at| at + 86_400_000),
    }
}

/// Unix milliseconds at which a day (`2026-11-22`, UTC) begins.
fn midnight(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = Month::try_from(parts.next()?.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, parts.next()?.parse().ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight() {
        assert_eq!(midnight("1970-01-02"), Some(86_400_000));
        assert_eq!(midnight("2026-11-22"), Some(1_795_305_600_000));
        for wrong in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "22.11.2026",
            "x-y-z",
        ] {
            assert_eq!(midnight(wrong), None, "{wrong}");
        }
    }
}
