//! What is written down of each request: its number, method, route, status, time and client. Never
//! what stood in it: the route is the pattern in our table, without query, names and keys.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::desk::metrics::{Class, Metrics, Outcome, Via};
use crate::web::Peer;
use crate::web::address::{Network, client};

/// Who watches.
struct Watch {
    metrics: Arc<Metrics>,
    prefix: String,
    trusted: Vec<Network>,
    is_internal: bool,
    /// Tells this process's requests from those of others.
    process: u32,
    number: AtomicU32,
}

/// The number of a request, as the log and the header `X-Request-Id` have it.
#[derive(Debug, Clone, Copy)]
struct Id(u32, u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:06x}", self.0, self.1)
    }
}

/// Puts the watch around the pages.
pub(super) fn pages(
    pages: Router,
    metrics: &Arc<Metrics>,
    prefix: &str,
    trusted: &[String],
) -> Router {
    let trusted = trusted.iter().filter_map(|text| Network::parse(text).ok());
    watched(pages, metrics, prefix, trusted.collect(), false)
}

/// Puts the watch around what only this machine may ask.
pub(super) fn internal(own: Router, metrics: &Arc<Metrics>) -> Router {
    watched(own, metrics, "", Vec::new(), true)
}

fn watched(
    inner: Router,
    metrics: &Arc<Metrics>,
    prefix: &str,
    trusted: Vec<Network>,
    is_internal: bool,
) -> Router {
    let mut process = [0; 4];
    let _ = getrandom::fill(&mut process);
    let watch = Arc::new(Watch {
        metrics: Arc::clone(metrics),
        prefix: prefix.to_owned(),
        trusted,
        is_internal,
        process: u32::from_ne_bytes(process),
        number: AtomicU32::new(0),
    });
    inner.layer(middleware::from_fn_with_state(watch, look))
}

async fn look(State(watch): State<Arc<Watch>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = Id(watch.process, watch.number.fetch_add(1, Ordering::Relaxed));
    let method = request.method().clone();
    let peer = request.extensions().get::<Peer>().copied();
    let address = client(peer, request.headers(), &watch.trusted);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut answer = next.run(request).await;

    let time = begun.elapsed();
    let status = answer.status().as_u16();
    let route = route.as_ref().map(MatchedPath::as_str);
    let page = route.map(|route| route.strip_prefix(&watch.prefix).unwrap_or(route));
    let class = if watch.is_internal {
        Class::Internal
    } else {
        Class::of(page)
    };
    watch.metrics.request(class, status, time);
    if !watch.is_internal
        && method == Method::POST
        && matches!(page, Some("/sign-in" | "/second-factor"))
    {
        watch.metrics.sign_in(Via::Web, Outcome::of(status));
    }
    let from = address.map(tracing::field::display);
    let route = route.unwrap_or("-");
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(%id, %method, route, status, ms, from, "request");
    } else if class == Class::Static || class == Class::Internal {
        tracing::debug!(%id, %method, route, status, ms, from, "request");
    } else {
        tracing::info!(%id, %method, route, status, ms, from, "request");
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert("x-request-id", value);
    }
    answer
}
