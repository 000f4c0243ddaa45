//! What a handler gives back: a [`Page`], a way on ([`Go`]), or a [`Fault`] that the outermost
//! layer turns into a plain page in the reader's language.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use tera::Context;

use super::cookie::Cookie;
use super::guard::Scene;
use crate::account::act::Failure;
use crate::account::act::check::Mistake;
use crate::account::store::Error;

/// What handlers return.
pub type Answer = Result<Response, Fault>;

/// A page: template, context, status.
pub struct Page {
    scene: Scene,
    template: &'static str,
    context: Context,
    status: StatusCode,
    cookies: Vec<String>,
}

/// On to another page (303), perhaps with a message that it shows once.
pub struct Go {
    scene: Scene,
    location: String,
    cookies: Vec<String>,
}

/// Marks an answer whose body is written: the outermost layer leaves it alone.
#[derive(Debug, Clone, Copy)]
pub struct Written;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 404.
    Missing,
    /// 400: what was sent makes no sense; no page of ours sends it.
    Senseless,
    /// 429, with seconds to wait.
    Limited(u64),
    /// 503: too many passwords at once.
    Busy,
    /// 303 to a path with the prefix: to sign in, or to type the password again.
    Elsewhere(String),
    /// 500; the text goes to the log and never to the page.
    Broken(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Down { .. } | Error::Busy { .. } => {
                tracing::warn!(%error, "a page had to wait for the database");
                Self::Busy
            }
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Busy(_) => Self::Busy,
            Failure::Limited(seconds) => Self::Limited(seconds),
        }
    }
}

impl Page {
    /// A page for a scene; handlers say [`Scene::page`].
    #[must_use]
    pub fn new(scene: Scene, template: &'static str) -> Self {
        Self {
            scene,
            template,
            context: Context::new(),
            status: StatusCode::OK,
            cookies: Vec::new(),
        }
    }

    /// With a value for the template.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Self {
        self.context.insert(name, value);
        self
    }

    /// With what is wrong: at each field its text, above the form what is about all of it; 422.
    /// Nothing wrong changes nothing.
    #[must_use]
    pub fn mistakes(self, mistakes: &[Mistake]) -> Self {
        if mistakes.is_empty() {
            return self;
        }
        let texts = &self.scene.app.office.texts;
        let mut errors = BTreeMap::new();
        for mistake in mistakes {
            let minimum = mistake.minimum.to_string();
            let values = [("minimum", minimum.as_str())];
            let text = texts.say(self.scene.language, mistake.key, &values);
            errors.entry(mistake.field).or_insert(text);
        }
        let problem = errors.remove("form").unwrap_or_default();
        self.with("errors", &errors)
            .with("problem", &problem)
            .status(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// With another status than 200.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a cookie, as [`Cookie::set`] writes it.
    #[must_use]
    pub fn cookie(mut self, line: String) -> Self {
        self.cookies.push(line);
        self
    }

    /// The answer.
    ///
    /// # Errors
    /// When the template is wrong.
    pub fn answer(mut self) -> Answer {
        let Scene { app, .. } = &self.scene;
        self.scene.fill(&mut self.context);
        if !self.context.contains_key("problem") {
            self.context.insert("problem", "");
        }
        let text = app
            .templates
            .render(self.scene.language, self.template, &self.context)
            .map_err(|error| Fault::Broken(format!("`{}`: {error}", self.template)))?;
        if self.scene.said.is_some() {
            self.cookies.push(Cookie::Said.clear(&app.site));
        }
        let mut response = (self.status, Html(text)).into_response();
        set_cookies(&mut response, &self.cookies);
        response.extensions_mut().insert(Written);
        Ok(response)
    }
}

impl Go {
    /// On to a page, without the prefix; handlers say [`Scene::go`].
    #[must_use]
    pub fn new(scene: Scene, page: &str) -> Self {
        Self {
            location: scene.app.site.path(page),
            scene,
            cookies: Vec::new(),
        }
    }

    /// With a message for the next page: a key of the texts, never a text.
    #[must_use]
    pub fn say(mut self, key: &str) -> Self {
        let line = super::said::write(&self.scene.app, key);
        self.cookies.push(line);
        self
    }

    /// With a cookie, as [`Cookie::set`] writes it.
    #[must_use]
    pub fn cookie(mut self, line: String) -> Self {
        self.cookies.push(line);
        self
    }

    /// The answer.
    ///
    /// # Errors
    /// Never; it has the form of the others.
    pub fn answer(self) -> Answer {
        let mut response = see_other(&self.location);
        set_cookies(&mut response, &self.cookies);
        Ok(response)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let wait = |seconds: u64| [(header::RETRY_AFTER, seconds.to_string())];
        match self {
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            Self::Senseless => StatusCode::BAD_REQUEST.into_response(),
            Self::Limited(seconds) => {
                (StatusCode::TOO_MANY_REQUESTS, wait(seconds)).into_response()
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, wait(2)).into_response(),
            Self::Elsewhere(location) => see_other(&location),
            Self::Broken(why) => {
                tracing::error!(%why, "a page could not be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn set_cookies(response: &mut Response, cookies: &[String]) {
    for line in cookies {
        if let Ok(value) = HeaderValue::from_str(line) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
