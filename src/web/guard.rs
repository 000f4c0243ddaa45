//! Who may enter, as types: a handler that takes a [`Member`] is never called for anybody else.
//!
//! | type | who enters | others |
//! | --- | --- | --- |
//! | [`Visitor`] | everybody; [`Scene::signed`] tells who is signed in | |
//! | [`Member`] | who is signed in | to the sign-in |
//! | [`Approver`] | approvers and administrators, with their second factor | visitors to the sign-in, members 404 |
//! | [`Admin`] | administrators, with their second factor | the same |

use std::net::IpAddr;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use serde_json::json;
use tera::Context;

use super::address::{self, Peer};
use super::answer::{Fault, Go, Page};
use super::cookie::Cookie;
use super::limit::Cost;
use super::{App, said};
use crate::account::act::session::{self, Session};
use crate::account::{Account, Actor, Role};

/// Everything about a request that a page needs.
#[derive(Clone)]
pub struct Scene {
    /// The service.
    pub app: App,
    /// The page's language.
    pub language: &'static str,
    /// Who is signed in, and by which session.
    pub signed: Option<Signed>,
    /// The key of the message that the page shows.
    pub said: Option<String>,
    /// Path and query without the prefix.
    pub path: String,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`, cut.
    pub agent: String,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub account: Account,
    /// By which session.
    pub session: Session,
}

/// Anybody.
pub struct Visitor(pub Scene);

/// Somebody who is signed in.
pub struct Member {
    /// The request.
    pub scene: Scene,
    /// Who.
    pub account: Account,
    /// By which session.
    pub session: Session,
}

/// Somebody who may approve.
pub struct Approver(pub Member);

/// An administrator.
pub struct Admin(pub Member);

impl Scene {
    /// A page.
    #[must_use]
    pub fn page(&self, template: &'static str) -> Page {
        Page::new(self.clone(), template)
    }

    /// On to a page of ours, without the prefix.
    #[must_use]
    pub fn go(&self, page: &str) -> Go {
        Go::new(self.clone(), page)
    }

    /// Who acts, for acts and the audit trail.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let account = self.signed.as_ref().map(|signed| &signed.account);
        Actor {
            account: account.map(|account| account.id.clone()),
            name: account.map_or_else(String::new, |account| account.login.as_str().into()),
            address: self.address,
            agent: self.agent.clone(),
        }
    }

    /// Takes one of what the client's network may do.
    ///
    /// # Errors
    /// [`Fault::Limited`] when there is none left.
    pub fn limit(&self, cost: Cost) -> Result<(), Fault> {
        let millis = self.app.office.world.millis();
        self.app
            .limits
            .take(cost, self.address, millis)
            .map_err(Fault::Limited)
    }

    /// What every template may use; `templates/web/layout.html` has the list.
    pub(super) fn fill(&self, context: &mut Context) {
        let site = &self.app.site;
        let me = self.signed.as_ref().map(|Signed { account, .. }| {
            json!({
                "login": account.login,
                "display_name": account.display_name,
                "approver": account.role >= Role::Approver,
                "admin": account.role == Role::Admin,
            })
        });
        let languages: Vec<_> = self.app.office.texts.languages().collect();
        context.insert(
            "site",
            &json!({ "name": site.name, "meet_url": site.meet_url }),
        );
        context.insert("me", &me);
        context.insert("said", &self.said);
        context.insert("language", self.language);
        context.insert("languages", &languages);
        context.insert("path", &self.path);
    }
}

impl Member {
    /// Only on, when the password was typed a short while ago.
    ///
    /// # Errors
    /// On to the page that asks for it.
    pub fn fresh(&self) -> Result<(), Fault> {
        let office = &self.scene.app.office;
        if session::is_fresh(office, &self.session) {
            return Ok(());
        }
        Err(elsewhere(&self.scene.app, "/again", &self.scene.path))
    }

    fn staff(self, least: Role) -> Result<Self, Fault> {
        if self.account.role < least {
            return Err(Fault::Missing);
        }
        let app = &self.scene.app;
        if app.office.settings.sessions.staff_second_factor && !self.session.second_factor {
            return Err(Fault::Elsewhere(app.site.path("/account/second-factor")));
        }
        Ok(self)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let headers = &parts.headers;
        let address = address::client(
            parts.extensions.get::<Peer>().copied(),
            headers,
            &app.trusted,
        );
        let signed = match Cookie::Session.read(&app.site, headers) {
            Some(key) => session::find(&app.office, key).await?,
            None => None,
        };
        let account = signed.as_ref().map(|(account, _)| account);
        let language = app.language(account, headers);
        let agent = headers
            .get(header::USER_AGENT)
            .map_or_else(String::new, |value| {
                String::from_utf8_lossy(value.as_bytes())
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(200)
                    .collect()
            });
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self(Scene {
            app: app.clone(),
            language,
            signed: signed.map(|(account, session)| Signed { account, session }),
            said: said::read(app, headers),
            path: path
                .strip_prefix(app.site.prefix.as_str())
                .unwrap_or("/")
                .to_owned(),
            address,
            agent,
        }))
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let Visitor(scene) = Visitor::from_request_parts(parts, app).await?;
        match scene.signed.clone() {
            Some(Signed { account, session }) => Ok(Self {
                scene,
                account,
                session,
            }),
            None if parts.method == axum::http::Method::GET => {
                Err(elsewhere(app, "/sign-in", &scene.path))
            }
            None => Err(Fault::Elsewhere(app.site.path("/sign-in"))),
        }
    }
}

impl FromRequestParts<App> for Approver {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let member = Member::from_request_parts(parts, app).await?;
        member.staff(Role::Approver).map(Self)
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let member = Member::from_request_parts(parts, app).await?;
        member.staff(Role::Admin).map(Self)
    }
}

impl Deref for Visitor {
    type Target = Scene;
    fn deref(&self) -> &Scene {
        &self.0
    }
}

impl Deref for Member {
    type Target = Scene;
    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl Deref for Approver {
    type Target = Member;
    fn deref(&self) -> &Member {
        &self.0
    }
}

impl Deref for Admin {
    type Target = Member;
    fn deref(&self) -> &Member {
        &self.0
    }
}

/// To a page that leads back to `path` afterwards.
fn elsewhere(app: &App, page: &str, path: &str) -> Fault {
    let back = encoded(&app.site.path(path));
    Fault::Elsewhere(app.site.path(&format!("{page}?next={back}")))
}

/// Percent-encoded for a query (RFC 3986: all but unreserved characters and the slash).
#[must_use]
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
