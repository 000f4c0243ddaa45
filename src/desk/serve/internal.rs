//! What only this machine may ask: whether the service is well, its figures, and, for Prosody,
//! whether a password is right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::prosody;
use crate::account::store::{Error, Total, UserFilter};
use crate::account::{Office, Role, state};
use crate::desk::metrics::{Gauge, Metrics};
use crate::secret::Secret;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long the outbox's figures are shown again.
const FRESH: Duration = Duration::from_secs(15);
/// And the accounts': to count a million takes the database some tenths of a second.
const COUNTED: Duration = Duration::from_mins(1);

/// What the answers are made of.
pub(super) struct Desk {
    pub(super) office: Office,
    pub(super) metrics: Arc<Metrics>,
    /// What Prosody shows; without it, it is not answered.
    pub(super) secret: Option<Secret<String>>,
    pub(super) outbox: Kept<Vec<Gauge>>,
    pub(super) accounts: Kept<Gauge>,
}

/// What was last asked of the database, and when.
pub(super) struct Kept<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    /// What is kept, while it is fresh; otherwise what is asked now. Whoever comes meanwhile waits for
    /// the same answer.
    async fn or(
        &self,
        fresh: Duration,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        let mut kept = self.0.lock().await;
        if let Some((at, known)) = kept.as_ref()
            && at.elapsed() < fresh
        {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(ask.await?);
        *kept = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
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
    let outbox = desk.outbox.or(FRESH, outbox(&desk.office));
    let outbox = known(&desk, timeout(PATIENCE, outbox).await.ok());
    gauges.push(Gauge {
        name: "jitsi_accounts_database_up",
        help: "Whether the database answered.",
        values: vec![(String::new(), if outbox.is_some() { 1.0 } else { 0.0 })],
    });
    let accounts = match outbox {
        Some(_) => counted(&desk).await,
        None => None,
    };
    let outbox = outbox.iter().flat_map(|gauges| gauges.iter());
    let page = desk
        .metrics
        .show(gauges.iter().chain(outbox).chain(accounts.as_deref()));
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, page).into_response()
}

/// Counting goes on when a page does not wait for its end; the next one shows it.
async fn counted(desk: &Arc<Desk>) -> Option<Arc<Gauge>> {
    let counting = tokio::spawn({
        let desk = Arc::clone(desk);
        async move { desk.accounts.or(COUNTED, accounts(&desk.office)).await }
    });
    let counted = timeout(PATIENCE, counting).await.ok();
    known(desk, counted.and_then(Result::ok))
}

/// What was asked in time; a failure is counted and said.
fn known<T>(desk: &Desk, asked: Option<Result<Arc<T>, Error>>) -> Option<Arc<T>> {
    asked?
        .inspect_err(|error| {
            desk.metrics.database_error();
            tracing::warn!(%error, "no figures from the database");
        })
        .ok()
}

async fn outbox(office: &Office) -> Result<Vec<Gauge>, Error> {
    let outbox = office.store.outbox().await?;
    let waits = outbox
        .oldest
        .map_or(0, |oldest| office.world.now() - oldest);
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

async fn accounts(office: &Office) -> Result<Gauge, Error> {
    let states = office.store.count_states().await?;
    let value = |(state, count): (state::State, i64)| {
        (format!("state=\"{}\"", state.as_str()), as_figure(count))
    };
    Ok(Gauge {
        name: "jitsi_accounts_accounts",
        help: "Accounts by state.",
        values: states.into_iter().map(value).collect(),
    })
}

fn as_figure(number: impl TryInto<u32>) -> f64 {
    number.try_into().map_or(f64::from(u32::MAX), f64::from)
}
