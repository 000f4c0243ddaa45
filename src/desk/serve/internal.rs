//! What only this machine may ask: whether the service is well, its figures, and, for Prosody,
//! whether a password is right.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::time::timeout;

use super::prosody;
use crate::account::store::{Total, UserFilter};
use crate::account::{Office, Role, state};
use crate::desk::metrics::{Gauge, Metrics};
use crate::secret::Secret;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long figures from the database are shown again.
const FRESH: Duration = Duration::from_secs(15);

/// What the answers are made of.
pub(super) struct Desk {
    pub(super) office: Office,
    pub(super) metrics: Arc<Metrics>,
    /// What Prosody shows; without it, it is not answered.
    pub(super) secret: Option<Secret<String>>,
    pub(super) gauges: Mutex<Option<(Instant, Arc<Vec<Gauge>>)>>,
}

/// The addresses.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route("/prosody/password", post(prosody::password))
        .with_state(desk)
}

async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    match timeout(PATIENCE, desk.office.store.ping()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => {
            desk.metrics.database_error();
            tracing::warn!(%error, "not ready");
            not_ready()
        }
        Err(_) => {
            desk.metrics.database_error();
            tracing::warn!("not ready: the database does not answer");
            not_ready()
        }
    }
}

fn not_ready() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "the database does not answer\n",
    )
        .into_response()
}

async fn figures(State(desk): State<Arc<Desk>>) -> Response {
    let mut gauges = vec![Gauge {
        name: "jitsi_accounts_hashes",
        help: "Passwords that are being hashed, or wait for it.",
        values: vec![(String::new(), as_figure(desk.office.hasher.load()))],
    }];
    let asked = timeout(PATIENCE, kept(&desk)).await.ok().flatten();
    gauges.push(Gauge {
        name: "jitsi_accounts_database_up",
        help: "Whether the database answered.",
        values: vec![(String::new(), if asked.is_some() { 1.0 } else { 0.0 })],
    });
    let page = match &asked {
        Some(kept) => desk.metrics.show(gauges.iter().chain(kept.iter())),
        None => desk.metrics.show(gauges.iter()),
    };
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, page).into_response()
}

/// Figures from the database, asked for once in a while.
async fn kept(desk: &Desk) -> Option<Arc<Vec<Gauge>>> {
    {
        let kept = desk.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, gauges)) = kept.as_ref()
            && at.elapsed() < FRESH
        {
            return Some(Arc::clone(gauges));
        }
    }
    match ask(&desk.office).await {
        Ok(gauges) => {
            let gauges = Arc::new(gauges);
            let mut kept = desk.gauges.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some((Instant::now(), Arc::clone(&gauges)));
            Some(gauges)
        }
        Err(error) => {
            desk.metrics.database_error();
            tracing::warn!(%error, "no figures from the database");
            None
        }
    }
}

async fn ask(office: &Office) -> Result<Vec<Gauge>, crate::account::store::Error> {
    let outbox = office.store.outbox().await?;
    let waits = outbox
        .oldest
        .map_or(0, |oldest| office.world.now() - oldest);
    let mut states = Vec::new();
    for state in state::State::ALL {
        let filter = UserFilter {
            state: Some(state),
            ..UserFilter::default()
        };
        let (Total::Exactly(count) | Total::AtLeast(count)) =
            office.store.count_users(&filter).await?;
        states.push((format!("state=\"{}\"", state.as_str()), as_figure(count)));
    }
    let administrators = UserFilter {
        state: Some(state::State::Active),
        role: Some(Role::Admin),
        ..UserFilter::default()
    };
    let (Total::Exactly(administrators) | Total::AtLeast(administrators)) =
        office.store.count_users(&administrators).await?;
    Ok(vec![
        Gauge {
            name: "jitsi_accounts_administrators",
            help: "Active accounts that administer, counted up to 1000.",
            values: vec![(String::new(), as_figure(administrators))],
        },
        Gauge {
            name: "jitsi_accounts_accounts",
            help: "Accounts by state, counted up to 1000.",
            values: states,
        },
        Gauge {
            name: "jitsi_accounts_outbox",
            help: "Mails and webhooks that wait, and those that were given up.",
            values: vec![
                ("state=\"waiting\"".into(), as_figure(outbox.waiting)),
                ("state=\"failed\"".into(), as_figure(outbox.failed)),
            ],
        },
        Gauge {
            name: "jitsi_accounts_outbox_oldest_seconds",
            help: "How long the oldest in the outbox has waited.",
            values: vec![(String::new(), as_figure(waits))],
        },
    ])
}

fn as_figure(number: impl TryInto<u32>) -> f64 {
    number.try_into().map_or(f64::from(u32::MAX), f64::from)
}
