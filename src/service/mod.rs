//! What each Jitsi service needs on a machine: one file per service.
//!
//! Each turns a [`Context`] into resources, and nothing else: no disk, no clock, no chance, so
//! that the same input gives the same bytes. To add a service: a variant of
//! [`ServiceId`], a file here with `items`, and its line in `layout`.
//!
//! Over 400 lines, because the values of all templates stand in one list.

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
pub mod videobridge;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::name::{AbsPath, Domain, Mode, Owner, ServiceId};
use crate::platform::{Family, Init, Platform};
use crate::render::{RenderError, Renderer, Values};
use crate::resource::{Content, File, How, Item, Probe, Resource, Service, Wake};
use crate::secret::{CertifiedKey, Secret, Secrets};
use crate::site::{AcmeClient, CertificateSource, Signature, Site, WebServer};

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

    /// The values that every template may use; `docs/templates.md` lists them.
    fn values(&self) -> Values {
        let (site, platform) = (self.site, self.platform);
        let web_place = platform.web(site.web.server);
        let token = match &site.auth.token.signature {
            Signature::Hs256 { .. } => json!({
                "algorithm": "HS256", "app_id": site.auth.token.app_id, "audience": site.auth.token.audience,
                "secret": self.token_secret().reveal(), "key_server": "", "keys_url": "",
            }),
            Signature::Rs256 {
                key_server,
                keys_url,
            } => json!({
                "algorithm": "RS256", "app_id": site.auth.token.app_id, "audience": site.auth.token.audience,
                "secret": "", "key_server": key_server, "keys_url": keys_url,
            }),
        };
        let authority = self.public_name();
        let bridge_config = self.config_dir("videobridge");
        Values::default()
            .with("domain", &site.domain)
            .with("family", &platform.release.family())
            .with("guests", &site.auth.guests)
            .with("mode", &site.auth.mode)
            .with("hosts", &self.hosts)
            .with("brewery", &format!("jvbbrewery@{}", self.hosts.internal))
            .with("token", &token)
            .with("sql_hashed", &logins::values(self))
            .with("java", &platform.java)
            .with("run_dir", &"/run")
            .with("truststore", &json!({ "path": self.truststore(), "password": TRUSTSTORE_PASSWORD }))
            .with(
                "prosody",
                &json!({
                    "version": site.prosody.version.unwrap_or(platform.prosody.version),
                    "plugins": site.prosody.plugins.as_ref().unwrap_or(&platform.prosody.plugins),
                    "own_plugins": platform.prosody.own_plugins,
                    "data": platform.prosody.data,
                    "certs": platform.prosody.config.join("certs"),
                    "pidfile": platform.prosody.pidfile,
                    "logs": platform.prosody.logs,
                    "log_level": site.prosody.log_level,
                    "site_file": prosody::site_file(self),
                    "c2s_address": "127.0.0.1",
                    "c2s_port": site.prosody.c2s_port,
                    "http_port": site.prosody.http_port,
                }),
            )
            .with(
                "jicofo",
                &json!({
                    "home": platform.jicofo_home,
                    "config_dir": self.config_dir("jicofo"),
                    "user": platform.jicofo.owner.user,
                    "group": platform.jicofo.owner.group,
                    "log_dir": platform.jitsi_logs.join("jicofo"),
                    "rest_port": site.jicofo.rest_port,
                    "memory": format!("{}m", site.jicofo.memory),
                    "max_bridge_participants": site.jicofo.max_bridge_participants,
                    "password": self.secrets.focus_password.reveal(),
                    "auto_owner": false,
                }),
            )
            .with(
                "videobridge",
                &json!({
                    "home": platform.videobridge_home,
                    "config_dir": bridge_config,
                    "user": platform.videobridge.owner.user,
                    "group": platform.videobridge.owner.group,
                    "log_dir": platform.jitsi_logs.join("videobridge"),
                    "udp_port": site.videobridge.udp_port,
                    "rest_port": site.videobridge.rest_port,
                    "memory": format!("{}m", site.videobridge.memory),
                    "password": self.secrets.jvb_password.reveal(),
                    "nickname": self.secrets.jvb_nickname,
                    "public_addresses": site.videobridge.public_addresses,
                    "stun": site.videobridge.stun,
                    "require_valid_address": site.videobridge.require_valid_address,
                    "websockets": site.videobridge.websockets,
                    "rest_shutdown": site.videobridge.rest_shutdown,
                    "websocket_port": site.videobridge.websocket_port,
                    "websocket_domain": format!("{}:{}", site.domain, site.videobridge.websocket_port),
                    "server_id": "main",
                    "keystore": bridge_config.join("jvb.p12"),
                    "keystore_password": self.secrets.keystore_password.reveal(),
                }),
            )
            .with(
                "web",
                &json!({
                    "server": site.web.server,
                    "http_port": site.web.http_port,
                    "https_port": site.web.https_port,
                    "authority": authority,
                    "addresses": site.web.addresses,
                    "certificate": self.certs("crt"),
                    "key": self.certs("key"),
                    "root": self.web_root(),
                    "config_js": meet::config_js(self),
                    "interface_config_js": meet::interface_config_js(self),
                    "pages": platform.pages(),
                    "acme_webroot": platform.acme_webroot(),
                    "access_log": web_place.logs.join("jitsi-access.log"),
                    "error_log": web_place.logs.join("jitsi-error.log"),
                    "http2_directive": web_place.http2_directive,
                    // A socket rather than Caddy's usual port, which every local user may write to.
                    "admin": format!("unix/{}", platform.caddy_state.join("admin.sock")),
                    // Where Caddy keeps the certificates that it has issued by itself; empty when
                    // they come from somewhere else.
                    "issues_into": self.caddy_issues().map(ToString::to_string).unwrap_or_default(),
                    "email": site.admin_email.as_ref().map(|mail| mail.as_str().to_owned()).unwrap_or_default(),
                }),
            )
            .with("accounts", &accounts::values(self))
            .with(
                "meet",
                &json!({
                    "app_name": site.meet.app_name,
                    "extra": site.meet.config,
                    "interface_extra": site.meet.interface,
                    "support_url": site.admin_email.as_ref().map(|mail| format!("mailto:{}", mail.as_str())).unwrap_or_default(),
                }),
            )
    }

    /// The site's name, with the port unless it is the usual one.
    fn public_name(&self) -> String {
        match self.site.web.https_port {
            443 => self.site.domain.to_string(),
            port => format!("{}:{port}", self.site.domain),
        }
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
