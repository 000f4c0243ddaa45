//! Lists to take away: people as CSV, the audit trail as CSV or JSON lines. They are read and sent
//! a thousand rows at a time, so that a long list needs no memory; the audit trail has who took what.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use serde_json::json;

use super::audit;
use super::form::{Asked, Fields};
use super::users;
use super::view::Moment;
use crate::account::Account;
use crate::account::act::csv;
use crate::account::act::export::{List, taken};
use crate::account::audit::Written;
use crate::account::store::{AuditFilter, Error, Store, UserList};
use crate::web::answer::Answer;
use crate::web::guard::Admin;

/// Rows that are read at a time.
const ROWS: usize = 1000;

/// `GET /admin/users.csv`
pub async fn users(admin: Admin, asked: Asked) -> Answer {
    let query = users::query(&asked);
    taken(&admin.app.office, &admin.actor(), List::Users, &query).await?;
    let list = users::wanted(&asked, ROWS);
    let store = admin.app.office.store.clone();
    let (mut to, body) = Channel::new(2);
    tokio::spawn(async move {
        let done = people(store, list, &mut to).await;
        end(to, done);
    });
    Ok(file("users.csv", "text/csv; charset=utf-8", body))
}

async fn people(store: Store, mut list: UserList, to: &mut To) -> Result<(), Error> {
    let mut text = csv::row(&[
        "login",
        "display_name",
        "email",
        "state",
        "role",
        "language",
        "origin",
        "created",
        "state_since",
        "last_seen",
        "second_factor",
        "reason",
    ]);
    list.after = None;
    loop {
        let page = store.users(&list).await?;
        text.extend(page.rows.iter().map(person));
        if to
            .send_data(Bytes::from(std::mem::take(&mut text)))
            .await
            .is_err()
        {
            return Ok(());
        }
        match page.next {
            Some(next) => list.after = Some(next),
            None => return Ok(()),
        }
    }
}

fn person(account: &Account) -> String {
    let seen = account.last_seen.map(Moment::of);
    csv::row(&[
        account.login.as_str(),
        &account.display_name,
        account.email.as_deref().unwrap_or_default(),
        account.state.as_str(),
        account.role.as_str(),
        &account.language,
        account.origin.as_str(),
        Moment::of(account.created).iso(),
        Moment::of(account.state_since).iso(),
        seen.as_ref().map_or("", Moment::iso),
        if account.has_totp { "yes" } else { "no" },
        &account.reason,
    ])
}

/// `GET /admin/audit.csv`
pub async fn audit_csv(admin: Admin, asked: Asked) -> Answer {
    let head = csv::row(&[
        "time", "actor", "address", "action", "target", "outcome", "detail",
    ]);
    let row = |entry: &Written| {
        csv::row(&[
            Moment::of(entry.at.div_euclid(1000)).iso(),
            &entry.actor_name,
            &entry.address,
            &entry.entry.action,
            &entry.entry.target_name,
            &entry.entry.outcome,
            &entry.entry.detail,
        ])
    };
    trail(
        &admin,
        &asked,
        "audit.csv",
        "text/csv; charset=utf-8",
        head,
        row,
    )
    .await
}

/// `GET /admin/audit.jsonl`
pub async fn audit_jsonl(admin: Admin, asked: Asked) -> Answer {
    let row = |entry: &Written| {
        let mut line = json!({
            "id": entry.id,
            "time": Moment::of(entry.at.div_euclid(1000)).iso(),
            "millis": entry.at,
            "actor": entry.actor_name,
            "actor_id": entry.actor,
            "address": entry.address,
            "action": entry.entry.action,
            "target": entry.entry.target_name,
            "target_id": entry.entry.target,
            "outcome": entry.entry.outcome,
            "detail": entry.entry.detail,
        })
        .to_string();
        line.push('\n');
        line
    };
    let kind = "application/x-ndjson";
    trail(&admin, &asked, "audit.jsonl", kind, String::new(), row).await
}

async fn trail(
    admin: &Admin,
    asked: &Fields,
    name: &'static str,
    kind: &'static str,
    head: String,
    row: fn(&Written) -> String,
) -> Answer {
    let query = audit::query(asked);
    taken(&admin.app.office, &admin.actor(), List::Audit, &query).await?;
    let (store, filter) = (admin.app.office.store.clone(), audit::wanted(asked));
    let (mut to, body) = Channel::new(2);
    tokio::spawn(async move {
        let done = entries(store, filter, &mut to, head, row).await;
        end(to, done);
    });
    Ok(file(name, kind, body))
}

async fn entries(
    store: Store,
    filter: AuditFilter,
    to: &mut To,
    mut text: String,
    row: fn(&Written) -> String,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = store.audit(&filter, after.as_deref(), ROWS).await?;
        text.extend(page.rows.iter().map(row));
        if to
            .send_data(Bytes::from(std::mem::take(&mut text)))
            .await
            .is_err()
        {
            return Ok(());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

type To = Sender<Bytes, Error>;

/// A list that breaks off is no shorter list: the connection ends with it.
fn end(to: To, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::error!(%error, "a list could not be sent to its end");
        to.abort(error);
    }
}

fn file(name: &str, kind: &'static str, body: Channel<Bytes, Error>) -> Response {
    let name = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, Body::new(body)).into_response()
}
