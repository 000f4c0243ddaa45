//! The web servers' files by the web servers; `proving/servers.rs` says what `nginx -t` is given.

use std::path::Path;

use jitsi_install::site::WebServer;

use crate::proving::servers::{Nginx, caddy_objection};
use crate::stage::{Stage, stages};

fn served_by(server: WebServer) -> impl Iterator<Item = &'static Stage> {
    stages()
        .iter()
        .filter(move |stage| stage.site.web.server == server)
}

#[test]
fn nginx_takes_every_site() {
    let Some(nginx) = Nginx::find() else { return };
    for stage in served_by(WebServer::Nginx) {
        let site = stage.one(&format!("/{}.conf", stage.site.domain));
        let folder = stage.base.join("proof/nginx");
        let objection = nginx.objection(&site, Path::new(folder.as_str()));
        assert_eq!(objection, None, "{}", stage.name);
    }
}

#[test]
fn caddy_takes_every_site() {
    for stage in served_by(WebServer::Caddy) {
        let home = Path::new(stage.platform.caddy_state.as_str());
        let objection = caddy_objection(&stage.one("/Caddyfile"), home);
        assert_eq!(objection, None, "{}", stage.name);
    }
}
