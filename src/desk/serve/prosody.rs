//! Prosody's question whether a password is right: asked over the loopback with a shared secret,
//! so that Prosody's one thread never hashes. Unknown, disabled and wrong get the same answer.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::internal::Desk;
use crate::account::Actor;
use crate::account::act::Failure;
use crate::account::act::signin::for_prosody;
use crate::desk::metrics::{Outcome, Via};
use crate::secret::Secret;

/// Largest question.
const MOST: usize = 8 * 1024;
/// Seconds after which Prosody may ask again when there is too much to do.
const PAUSE: u64 = 2;

/// What Prosody asks.
#[derive(Debug, Deserialize)]
pub struct Question {
    /// The name, as it was typed.
    pub username: String,
    /// The password.
    pub password: Secret<String>,
    /// Where the client is, as far as Prosody knows: for limits and the audit trail.
    #[serde(default)]
    pub address: Option<IpAddr>,
}

impl Question {
    /// Reads the body of a request; `None` for what is no question.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        // Left alone, the reader takes a list of two texts for an object as well, and does not look
        // into what it skips.
        let text = std::str::from_utf8(body).ok()?;
        text.trim_start()
            .starts_with('{')
            .then(|| serde_json::from_str(text).ok())?
    }
}

pub(super) async fn password(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let Some(secret) = &desk.secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !shows(request.headers(), secret) {
        tracing::warn!("a question about a password came without the secret");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(body) = axum::body::to_bytes(request.into_body(), MOST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(question) = Question::read(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    drop(body);
    let actor = Actor {
        name: "prosody".into(),
        address: question.address.map(|address| address.to_canonical()),
        ..Actor::default()
    };
    let asked = for_prosody(&desk.office, &actor, &question.username, &question.password).await;
    let (outcome, answer) = match asked {
        Ok(true) => (
            Outcome::Accepted,
            Json(json!({ "ok": true })).into_response(),
        ),
        Ok(false) => {
            let answer = (StatusCode::FORBIDDEN, Json(json!({ "ok": false })));
            (Outcome::Refused, answer.into_response())
        }
        Err(Failure::Limited(seconds)) => (
            Outcome::Limited,
            later(StatusCode::TOO_MANY_REQUESTS, seconds),
        ),
        Err(Failure::Busy(_)) => (Outcome::Busy, later(StatusCode::SERVICE_UNAVAILABLE, PAUSE)),
        Err(Failure::Store(error)) => {
            desk.metrics.database_error();
            tracing::warn!(%error, "Prosody's question could not be answered");
            (
                Outcome::Failed,
                later(StatusCode::SERVICE_UNAVAILABLE, PAUSE),
            )
        }
    };
    desk.metrics.sign_in(Via::Prosody, outcome);
    answer
}

/// Whether the request has `Authorization: Bearer` and the secret; compared in constant time.
fn shows(headers: &HeaderMap, secret: &Secret<String>) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    aws_lc_rs::constant_time::verify_slices_are_equal(given, secret.reveal().as_bytes()).is_ok()
}

fn later(status: StatusCode, seconds: u64) -> Response {
    (
        status,
        [(header::RETRY_AFTER, seconds)],
        Json(json!({ "ok": false })),
    )
        .into_response()
}
