//! The pages: the table of addresses on one screen, guards as types, one file per page in `page`.
//! This room maps HTTP to the acts of the room `account`; it decides nothing about people, and it
//! has no door to the machine.
//!
//! To add a page: its handler in `page`, with the guard that its signature asks for; its line in
//! [`table`]; its template below `templates/web` and in `template`.

pub mod address;
pub mod answer;
mod asset;
mod cookie;
mod door;
pub mod guard;
pub mod limit;
pub mod page;
mod said;
mod site;
mod template;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, header};
use axum::routing::{MethodRouter, get, on};

pub use address::Peer;
pub use cookie::Cookie;
pub use door::{BODY_LIMIT, PATIENCE};
pub use site::{Site, SiteError};
pub use template::TemplateError;

use crate::account::text::catalogue::LANGUAGES;
use crate::account::{Account, Office};

/// Who may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Everybody.
    Visitor,
    /// Who is signed in.
    Member,
    /// Who may approve.
    Approver,
    /// Administrators.
    Admin,
}

/// One address.
pub struct Row {
    /// `GET` or `POST`.
    pub method: Method,
    /// Without the prefix: `/sign-in`, `/admin/users/{id}`.
    pub path: &'static str,
    /// What the handler's guard asks for.
    pub who: Who,
    handler: MethodRouter<App>,
}

/// Every page, in the order of a person's way.
#[must_use]
pub fn table() -> Vec<Row> {
    use Who::{Member, Visitor};
    use page::account::{
        again, delete, email, home as own, password, profile, recovery_codes, second_factor,
        sessions,
    };
    use page::public::{confirm, email_change, forgot, reset, sign_in, sign_out, sign_up};
    use page::{home, language, public};
    let mut rows = vec![
        show("/", Visitor, home::show),
        send("/language", Visitor, language::choose),
        show("/sign-up", Visitor, sign_up::show),
        send("/sign-up", Visitor, sign_up::send),
        show("/sign-up/sent", Visitor, sign_up::sent),
        show("/invite", Visitor, sign_up::show),
        show("/confirm", Visitor, confirm::show),
        send("/confirm", Visitor, confirm::send),
        show("/resend", Visitor, confirm::ask),
        send("/resend", Visitor, confirm::resend),
        show("/resend/sent", Visitor, confirm::resent),
        show("/sign-in", Visitor, sign_in::show),
        send("/sign-in", Visitor, sign_in::send),
        show("/second-factor", Visitor, public::second_factor::show),
        send("/second-factor", Visitor, public::second_factor::send),
        send("/sign-out", Visitor, sign_out::send),
        show("/forgot", Visitor, forgot::show),
        send("/forgot", Visitor, forgot::send),
        show("/forgot/sent", Visitor, forgot::sent),
        show("/reset", Visitor, reset::show),
        send("/reset", Visitor, reset::send),
        show("/setup", Visitor, reset::show_first),
        send("/setup", Visitor, reset::send_first),
        show("/email-change", Visitor, email_change::show),
        send("/email-change", Visitor, email_change::send),
        show("/account", Member, own::show),
        show("/again", Member, again::show),
        send("/again", Member, again::send),
        show("/account/profile", Member, profile::show),
        send("/account/profile", Member, profile::send),
        show("/account/password", Member, password::show),
        send("/account/password", Member, password::send),
        show("/account/email", Member, email::show),
        send("/account/email", Member, email::send),
        show("/account/sessions", Member, sessions::show),
        send("/account/sessions/end", Member, sessions::end),
        send("/account/sessions/end-others", Member, sessions::end_others),
        show("/account/second-factor", Member, second_factor::show),
        send("/account/second-factor", Member, second_factor::send),
        send("/account/second-factor/off", Member, second_factor::off),
        show("/account/recovery-codes", Member, recovery_codes::show),
        send("/account/recovery-codes", Member, recovery_codes::send),
        show("/account/delete", Member, delete::show),
        send("/account/delete", Member, delete::send),
    ];
    rows.extend(page::admin::table());
    rows
}

/// The line of a page that is looked at.
pub fn show<H: Handler<T, App>, T: 'static>(path: &'static str, who: Who, handler: H) -> Row {
    Row {
        method: Method::GET,
        path,
        who,
        handler: get(handler),
    }
}

/// The line of a form that is sent.
pub fn send<H: Handler<T, App>, T: 'static>(path: &'static str, who: Who, handler: H) -> Row {
    Row {
        method: Method::POST,
        path,
        who,
        handler: on(axum::routing::MethodFilter::POST, handler),
    }
}

/// Everything that the pages need.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// Store, world, hasher, seal, settings, texts.
    pub office: Office,
    /// The site's address, taken apart.
    pub site: Site,
    templates: template::Templates,
    limits: limit::Limits,
    assets: asset::Assets,
    trusted: Vec<address::Network>,
}

/// The pages cannot be made of these settings.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// `public_url`.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// `public_url` is no origin for browsers.
    #[error("public_url: {0}")]
    Origin(#[from] tower_http::csrf::ConfigError),
    /// `trusted_proxies`.
    #[error("trusted_proxies: {0}")]
    Network(#[from] address::NetworkError),
    /// A template of ours.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The pages of an office.
    ///
    /// # Errors
    /// When `public_url` or `trusted_proxies` cannot be used.
    pub fn new(office: Office) -> Result<Self, AppError> {
        let site = Site::of(&office.settings)?;
        let assets = asset::Assets::new();
        let trusted = &office.settings.trusted_proxies;
        let trusted = trusted.iter().map(|text| address::Network::parse(text));
        Ok(Self(Arc::new(Parts {
            trusted: trusted.collect::<Result<_, _>>()?,
            templates: template::Templates::new(&site, &office.texts, &assets)?,
            limits: limit::Limits::default(),
            assets,
            site,
            office,
        })))
    }

    /// The language of a page: the account's, else the one chosen before, else the best of what
    /// the browser asks for, else the site's.
    fn language(&self, account: Option<&Account>, headers: &HeaderMap) -> &'static str {
        let asked = headers.get(header::ACCEPT_LANGUAGE);
        let asked = asked.and_then(|line| line.to_str().ok());
        let wanted = account
            .map(|account| account.language.as_str())
            .or_else(|| Cookie::Language.read(&self.site, headers));
        let chosen = self.office.texts.choose(asked, wanted);
        LANGUAGES
            .into_iter()
            .find(|code| *code == chosen)
            .unwrap_or("en")
    }

    /// A scene without a person.
    fn bare(&self, language: &'static str) -> guard::Scene {
        guard::Scene {
            app: self.clone(),
            language,
            signed: None,
            said: None,
            path: "/".into(),
            address: None,
            agent: String::new(),
        }
    }
}

/// The service: each request's extensions should hold a [`Peer`].
///
/// # Errors
/// When `public_url` is no origin.
pub fn router(app: App) -> Result<Router, AppError> {
    let prefix = &app.site.prefix;
    let mut pages = Router::new();
    for row in table() {
        if row.path == "/" && !prefix.is_empty() {
            pages = pages.route(prefix, row.handler.clone());
        }
        pages = pages.route(&format!("{prefix}{}", row.path), row.handler);
    }
    let assets = app.clone();
    let files = move |Path(name): Path<String>| async move { assets.assets.answer(&name) };
    let pages = pages
        .route(&format!("{prefix}/static/{{name}}"), get(files))
        .fallback(|| async { answer::Fault::Missing })
        .with_state(app.clone());
    Ok(door::around(pages, &app)?)
}
