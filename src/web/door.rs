//! The layers around every page: what no request passes without, and no answer leaves without.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use tera::Context;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{ConfigError, CsrfLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::App;
use super::answer::Written;

/// Largest body of a request.
pub const BODY_LIMIT: usize = 64 * 1024;

/// From the first byte of a request's head to the last of the answer's: a slow sender ends here.
pub const PATIENCE: Duration = Duration::from_secs(20);

static HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts the layers around the pages.
///
/// # Errors
/// When `public_url` is no origin.
pub fn around(pages: Router, app: &App) -> Result<Router, ConfigError> {
    let csrf = CsrfLayer::new().add_trusted_origin(&app.site.origin)?;
    Ok(pages.layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn_with_state(app.clone(), finish))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::REQUEST_TIMEOUT,
                PATIENCE,
            ))
            .layer(middleware::map_request(forget_host))
            .layer(csrf)
            .layer(RequestBodyLimitLayer::new(BODY_LIMIT)),
    ))
}

/// The name that a request asks for is nothing that we believe: it goes before anybody looks.
async fn forget_host(mut request: Request) -> Request {
    request.headers_mut().remove(header::HOST);
    request.headers_mut().remove("x-forwarded-host");
    if request.uri().authority().is_some() {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    }
    request
}

/// Security headers on every answer, and a page for those that have none.
async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let language = app.language(None, request.headers());
    let mut response = next.run(request).await;
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    if is_failure && response.extensions().get::<Written>().is_none() {
        response = plain(&app, language, response);
    }
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.site.is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A page about a failure, with nothing of its cause.
fn plain(app: &App, language: &'static str, old: Response) -> Response {
    let status = old.status();
    let word = match status.as_u16() {
        403 => "foreign",
        404 | 405 => "not_found",
        413 => "too_large",
        429 => "too_many",
        408 | 503 => "busy",
        400..=499 => "senseless",
        _ => "broken",
    };
    let mut context = Context::new();
    app.bare(language).fill(&mut context);
    context.insert("title", &format!("error.{word}.title"));
    context.insert("text", &format!("error.{word}.text"));
    let body = app
        .templates
        .render(language, "public/fault.html", &context)
        .unwrap_or_else(|error| {
            tracing::error!(%error, "the page about a failure could not be made");
            format!("{status}\n")
        });
    let mut new = (status, Html(body)).into_response();
    for name in [header::RETRY_AFTER, header::ALLOW, header::CONNECTION] {
        if let Some(value) = old.headers().get(&name) {
            new.headers_mut().insert(name, value.clone());
        }
    }
    new
}

/// The last resort: the log has the place, the reader a plain page.
fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(cause = text, "a page panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
