//! The values of all templates, in one list.

use serde_json::json;

use super::{Context, TRUSTSTORE_PASSWORD, accounts, logins, meet, prosody};
use crate::render::Values;
use crate::site::Signature;

impl Context<'_> {
    /// The values that every template may use; `docs/templates.md` lists them.
    pub(super) fn values(&self) -> Values {
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
    pub(super) fn public_name(&self) -> String {
        match self.site.web.https_port {
            443 => self.site.domain.to_string(),
            port => format!("{}:{port}", self.site.domain),
        }
    }
}
