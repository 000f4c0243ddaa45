//! Certificates, where each consumer can read them: the web server, Prosody, and the truststore
//! by which Jicofo and the bridge know Prosody.

use super::{Context, ServiceError, TRUSTSTORE_PASSWORD, Wants};
use crate::name::{Mode, Owner, ServiceId};
use crate::recipe::Recipe;
use crate::resource::{Content, File, How, Item, Resource};
use crate::site::WebServer;

/// The resources.
///
/// # Errors
/// None today; the signature is that of every service.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Certificates, None);
    let (site, platform) = (context.site, context.platform);
    let shown = context.certificate();
    let web = match site.web.server {
        WebServer::Nginx => ServiceId::Nginx,
        WebServer::Caddy => ServiceId::Caddy,
    };
    wants.add(Resource::dir(
        platform.jitsi_config.clone(),
        Owner::root(),
        0o755,
    ));
    wants.add(Resource::dir(
        platform.jitsi_config.join("certs"),
        Owner::root(),
        0o755,
    ));
    // Caddy shows what it has issued by itself; the copy is for the others to look at.
    let shows_copy = if context.caddy_issues().is_none() {
        vec![web]
    } else {
        Vec::new()
    };
    wants.waking(&shows_copy, How::Reload);
    wants.add(Resource::public_file(
        context.certs("crt"),
        shown.certificate.clone(),
    ));
    if context.facts.certificate.is_none() {
        // For people to trust until there is a certificate that every browser knows.
        wants.add(Resource::public_file(
            context.certs("ca.crt"),
            context.secrets.site_authority.certificate.clone(),
        ));
    }
    // nginx reads keys as root before it drops its rights; Caddy runs as its own user.
    let (owner, mode) = match site.web.server {
        WebServer::Nginx => (Owner::root(), 0o600),
        WebServer::Caddy => (
            Owner::new("root", &platform.caddy.account.owner.group),
            0o640,
        ),
    };
    wants.veiled_file(context.certs("key"), owner, mode, key(&shown.key));

    // Prosody reads certificates again when told to; Java reads its stores once.
    wants.waking(&[ServiceId::Prosody], How::Reload);
    let group = &platform.prosody.account.owner.group;
    let certs = platform.prosody.config.join("certs");
    wants.add(Resource::dir(
        certs.clone(),
        Owner::new("root", group),
        0o750,
    ));
    for (name, pair) in [
        (site.domain.as_str(), shown),
        (
            context.hosts.auth.as_str(),
            &context.secrets.auth_certificate,
        ),
    ] {
        wants.add(Resource::group_file(
            certs.join(&format!("{name}.crt")),
            group,
            pair.certificate.clone(),
        ));
        wants.veiled_file(
            certs.join(&format!("{name}.key")),
            Owner::new("root", group),
            0o640,
            key(&pair.key),
        );
    }

    wants.waking(&[ServiceId::Jicofo, ServiceId::Videobridge], How::Restart);
    wants.add(Resource::File(File {
        path: context.truststore(),
        owner: Owner::root(),
        mode: Mode(0o644),
        content: Content::Made(Recipe::Truststore {
            certificate: context.secrets.auth_certificate.certificate.clone(),
            alias: context
                .hosts
                .auth
                .as_str()
                .chars()
                .take(64)
                .collect::<String>()
                .trim_end_matches(['.', '-'])
                .to_owned(),
            password: TRUSTSTORE_PASSWORD.to_owned(),
        }),
        veiled: true,
    }));
    Ok(wants.items)
}

fn key(secret: &crate::secret::Secret<String>) -> Content {
    Content::Bytes(secret.reveal().as_bytes().to_vec())
}
