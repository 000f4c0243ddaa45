//! What each Jitsi service needs on a machine: one file per service.
//!
//! Each turns a [`Context`] into resources, and nothing else: no disk, no clock, no chance, so
//! that the same input gives the same bytes. To add a service: a variant of
//! [`ServiceId`], a file here with `items`, and its line in `layout`.

pub mod accounts;
pub mod boot;
pub mod caddy;
pub mod certificates;
pub mod jicofo;
pub mod logins;
pub mod meet;
pub mod nginx;
pub mod pages;
pub mod prosody;
mod values;
pub mod videobridge;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::name::{AbsPath, Domain, Mode, Owner, ServiceId};
use crate::platform::{Family, Init, Platform};
use crate::render::{RenderError, Renderer, Values};
use crate::resource::{Content, File, How, Item, Probe, Resource, Service, Wake};
use crate::secret::{CertifiedKey, Secret, Secrets};
use crate::site::{AcmeClient, CertificateSource, Site, WebServer};

/// What the host room found on the machine and the site needs to know.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The site's own certificate, when the site file names one.
    pub certificate: Option<CertifiedKey>,
    /// The shared secret of tokens, when the site file names a file with it.
    pub token_secret: Option<Secret<String>>,
    /// What stands in files that `[accounts]` names.
    pub accounts: accounts::Words,
    /// HTML pages of the web application, by their path below its root.
    pub pages: BTreeMap<String, String>,
    /// Versions of packages that the site file pins, by the names that this system has for them.
    pub versions: BTreeMap<String, String>,
    /// The administrator's own templates, by name.
    pub templates: BTreeMap<String, String>,
}

/// A service that could not be laid out.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A template failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The web application's pages could not be put together.
    #[error("the web application's pages cannot be put together: {0}")]
    Pages(#[from] pages::PageError),
}

/// The names under which Prosody serves; all below the site's domain.
#[derive(Debug, Clone, Serialize)]
pub struct Hosts {
    /// Service accounts.
    pub auth: Domain,
    /// People without a token.
    pub guest: Domain,
    /// Rooms.
    pub conference: Domain,
    /// The brewery's component.
    pub internal: Domain,
    /// Waiting rooms.
    pub lobby: Domain,
    /// Breakout rooms.
    pub breakout: Domain,
    /// The way to Jicofo.
    pub focus: Domain,
    /// Who spoke how long.
    pub speakerstats: Domain,
    /// Ends a conference for all.
    pub endconference: Domain,
    /// Audio and video moderation.
    pub avmoderation: Domain,
    /// Room metadata.
    pub metadata: Domain,
    /// Polls.
    pub polls: Domain,
}

impl Hosts {
    fn of(domain: &Domain) -> Self {
        let auth = domain.under("auth");
        Self {
            internal: auth.under("internal"),
            auth,
            guest: domain.under("guest"),
            conference: domain.under("conference"),
            lobby: domain.under("lobby"),
            breakout: domain.under("breakout"),
            focus: domain.under("focus"),
            speakerstats: domain.under("speakerstats"),
            endconference: domain.under("endconference"),
            avmoderation: domain.under("avmoderation"),
            metadata: domain.under("metadata"),
            polls: domain.under("polls"),
        }
    }
}

/// Everything that a service may look at.
pub struct Context<'a> {
    /// What is wanted.
    pub site: &'a Site,
    /// Where.
    pub platform: &'a Platform,
    /// The site's secrets.
    pub secrets: &'a Secrets,
    /// What was found.
    pub facts: &'a Facts,
    /// Prosody's host names.
    pub hosts: Hosts,
    renderer: Renderer,
    values: Values,
}

/// Password of the truststore; it guards nothing, since what is inside is public, but Java asks.
pub const TRUSTSTORE_PASSWORD: &str = "changeit";

impl<'a> Context<'a> {
    /// Puts the inputs together.
    #[must_use]
    pub fn new(
        site: &'a Site,
        platform: &'a Platform,
        secrets: &'a Secrets,
        facts: &'a Facts,
    ) -> Self {
        let renderer = Renderer::new(facts.templates.clone());
        let mut context = Self {
            site,
            platform,
            secrets,
            facts,
            hosts: Hosts::of(&site.domain),
            renderer,
            values: Values::default(),
        };
        context.values = context.values();
        context
    }

    /// The certificate that the site shows: its own, or the self-signed one.
    #[must_use]
    pub fn certificate(&self) -> &CertifiedKey {
        self.facts
            .certificate
            .as_ref()
            .unwrap_or(&self.secrets.site_certificate)
    }

    /// Caddy's storage, when Caddy itself has the site's certificate issued.
    #[must_use]
    pub fn caddy_issues(&self) -> Option<&AbsPath> {
        match &self.site.certificates {
            CertificateSource::Issued {
                by: AcmeClient::Caddy,
                home,
            } => Some(home),
            _ => None,
        }
    }

    /// The HS256 secret: the shared one, or the generated one.
    #[must_use]
    pub fn token_secret(&self) -> &Secret<String> {
        self.facts
            .token_secret
            .as_ref()
            .unwrap_or(&self.secrets.token_secret)
    }

    /// A template's text with all values.
    ///
    /// # Errors
    /// When the template, one of ours or the administrator's, is wrong.
    pub fn render(&self, template: &str) -> Result<String, RenderError> {
        self.renderer.render(template, &self.values)
    }

    /// Jicofo's and the bridge's configuration folder.
    #[must_use]
    pub fn config_dir(&self, service: &str) -> AbsPath {
        self.platform.jitsi_config.join(service)
    }

    /// The truststore with the private certificate.
    #[must_use]
    pub fn truststore(&self) -> AbsPath {
        self.platform.jitsi_config.join("truststore.p12")
    }

    /// The certificate of the site's own authority.
    #[must_use]
    pub fn authority(&self) -> AbsPath {
        self.certs("ca.crt")
    }

    fn certs(&self, ending: &str) -> AbsPath {
        self.platform
            .jitsi_config
            .join(&format!("certs/{}.{ending}", self.site.domain))
    }

    /// The web application's folder.
    #[must_use]
    pub fn web_root(&self) -> &AbsPath {
        self.site
            .web
            .root
            .as_ref()
            .unwrap_or(&self.platform.meet_home)
    }

    /// Where the site can be reached from this machine itself.
    fn site_probe(&self) -> Probe {
        let everywhere = std::net::IpAddr::from([127, 0, 0, 1]);
        let address = self.site.web.addresses.first().copied();
        Probe::Tcp((address.unwrap_or(everywhere), self.site.web.https_port).into())
    }

    /// Is the platform run by systemd?
    fn has_systemd(&self) -> bool {
        self.platform.init == Init::Systemd
    }

    /// Is it of the Slackware family?
    fn is_slackware(&self) -> bool {
        self.platform.release.family() == Family::Slackware
    }
}

/// Gathers one service's resources.
struct Wants {
    service: ServiceId,
    items: Vec<Item>,
    wakes: Vec<Wake>,
}

impl Wants {
    /// Files of this service ask for `how` when they change.
    fn of(service: ServiceId, how: Option<How>) -> Self {
        let wakes = how.map(|how| Wake { service, how });
        Self {
            service,
            items: Vec::new(),
            wakes: wakes.into_iter().collect(),
        }
    }

    fn add(&mut self, resource: Resource) {
        let wakes = match resource {
            Resource::File(_) | Resource::Link(_) => self.wakes.clone(),
            Resource::Package { .. }
            | Resource::Group { .. }
            | Resource::User { .. }
            | Resource::Dir(_)
            | Resource::Service(_)
            | Resource::Database(_) => Vec::new(),
        };
        self.items.push(Item {
            service: self.service,
            resource,
            wakes,
        });
    }

    /// From here on files ask these services.
    fn waking(&mut self, services: &[ServiceId], how: How) {
        self.wakes = services
            .iter()
            .map(|service| Wake {
                service: *service,
                how,
            })
            .collect();
    }

    fn runs(&mut self, name: &str, probes: Vec<Probe>) {
        let id = self.service;
        self.add(Resource::Service(Service {
            name: name.to_owned(),
            id,
            probes,
        }));
    }

    /// Packages; those of a pinned set have their version, and a change of it has the service start
    /// anew.
    fn packages(&mut self, names: &[&str], context: &Context<'_>) {
        for name in names {
            let version = context.facts.versions.get(*name).cloned();
            let wake = Wake {
                service: self.service,
                how: How::Restart,
            };
            self.items.push(Item {
                service: self.service,
                wakes: version.iter().map(|_| wake).collect(),
                resource: Resource::Package {
                    name: (*name).to_owned(),
                    version,
                },
            });
        }
    }

    fn account(&mut self, account: &crate::platform::Account) {
        if let Some(home) = &account.made_with_home {
            self.add(Resource::Group {
                name: account.owner.group.clone(),
                id: None,
            });
            self.add(Resource::User {
                name: account.owner.user.clone(),
                group: account.owner.group.clone(),
                home: home.clone(),
                ids: None,
            });
        }
    }

    /// A file that is never shown.
    fn veiled_file(&mut self, path: AbsPath, owner: Owner, mode: u32, content: Content) {
        self.add(Resource::File(File {
            path,
            owner,
            mode: Mode(mode),
            content,
            veiled: true,
        }));
    }

    /// An rc script or other program: 0755 root.
    fn program(&mut self, path: AbsPath, text: &str) {
        self.add(Resource::File(File {
            path,
            owner: Owner::root(),
            mode: Mode(0o755),
            content: Content::Bytes(text.as_bytes().to_vec()),
            veiled: false,
        }));
    }
}

/// The items of the chosen web server.
pub(crate) fn web_items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    match context.site.web.server {
        WebServer::Nginx => nginx::items(context),
        WebServer::Caddy => caddy::items(context),
    }
}
