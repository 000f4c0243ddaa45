//! Certificates, where each consumer can read them: the web server, Prosody, and the truststore
//! by which Jicofo and the bridge know Prosody.

use super::{Context, ServiceError, TRUSTSTORE_PASSWORD, Wants};
use crate::name::{AbsPath, Domain, Mode, Owner, ServiceId};
use crate::recipe::Recipe;
use crate::resource::{Content, File, How, Item, Resource};
use crate::site::{AcmeClient, CertificateSource, WebServer};

/// What the site's own certificate authority is called.
#[must_use]
pub fn authority_name(domain: &Domain) -> String {
    format!("Private CA of {domain}").chars().take(64).collect()
}

/// Is a certificate's issuer, in the form `CN=…`, the site's own authority?
#[must_use]
pub fn is_made_here(issuer: &str, domain: &Domain) -> bool {
    issuer == format!("CN={}", authority_name(domain))
}

/// Somebody who has copies of a certificate, and must hear of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// What to call it.
    pub name: String,
    /// The copies.
    pub paths: Vec<AbsPath>,
    /// The services that read them.
    pub services: Vec<ServiceId>,
}

/// Everybody who has copies of the site's certificate, and who has those of the private one: both
/// sides of that trust must change together.
#[must_use]
pub fn consumers(context: &Context<'_>) -> Vec<Consumer> {
    let (site, hosts) = (context.site, &context.hosts);
    let (web, name) = match site.web.server {
        WebServer::Nginx => (ServiceId::Nginx, "nginx"),
        WebServer::Caddy => (ServiceId::Caddy, "caddy"),
    };
    let certs = context.platform.prosody.config.join("certs");
    let both = |name: &str| {
        ["crt", "key"]
            .map(|ending| certs.join(&format!("{name}.{ending}")))
            .to_vec()
    };
    let mut all = vec![
        Consumer {
            name: name.to_owned(),
            paths: vec![context.certs("crt"), context.certs("key")],
            services: vec![web],
        },
        Consumer {
            name: "prosody".to_owned(),
            paths: both(site.domain.as_str()),
            services: vec![ServiceId::Prosody],
        },
    ];
    if site.videobridge.websockets {
        all.push(Consumer {
            name: "videobridge".to_owned(),
            paths: vec![super::videobridge::keystore(context)],
            services: vec![ServiceId::Videobridge],
        });
    }
    let mut private = both(hosts.auth.as_str());
    private.push(context.truststore());
    all.push(Consumer {
        name: hosts.auth.to_string(),
        paths: private,
        services: vec![
            ServiceId::Prosody,
            ServiceId::Jicofo,
            ServiceId::Videobridge,
        ],
    });
    all
}

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
    // For people to trust until there is a certificate that every browser knows.
    wants.waking(&[], How::Reload);
    wants.add(Resource::public_file(
        context.authority(),
        context.secrets.site_authority.certificate.clone(),
    ));
    wants.waking(&shows_copy, How::Reload);
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
    // A site that stands below a folder is nobody's to renew but its owner's.
    if context.platform.stage.is_none() {
        hooks(context, &mut wants);
    }
    Ok(wants.items)
}

/// What calls `renew`: the hook of the client that has certificates renewed, and a look every day
/// for those that nobody told us of. Caddy tells nobody, so it is looked at every hour.
fn hooks(context: &Context<'_>, wants: &mut Wants) {
    let source = &context.site.certificates;
    wants.waking(&[], How::Reload);
    match source {
        CertificateSource::Issued {
            by: AcmeClient::AcmeSh,
            home,
        } => wants.add(Resource::public_file(
            home.join("deploy/jitsi_install.sh"),
            include_str!("../../hooks/acme.sh").to_owned(),
        )),
        CertificateSource::Issued {
            by: AcmeClient::Certbot,
            home,
        } => wants.program(
            home.join("renewal-hooks/deploy/jitsi-install"),
            include_str!("../../hooks/certbot"),
        ),
        CertificateSource::SelfSigned
        | CertificateSource::Files { .. }
        | CertificateSource::Issued { .. } => {}
    }
    let is_hourly = context.caddy_issues().is_some();
    if context.has_systemd() {
        let folder = &context.platform.init_dir;
        let (timer, text) = (
            "jitsi-install-renew.timer",
            if is_hourly {
                include_str!("../../hooks/jitsi-install-renew-hourly.timer")
            } else {
                include_str!("../../hooks/jitsi-install-renew.timer")
            },
        );
        wants.add(Resource::public_file(
            folder.join("jitsi-install-renew.service"),
            include_str!("../../hooks/jitsi-install-renew.service").to_owned(),
        ));
        wants.waking(&[ServiceId::Certificates], How::Restart);
        wants.add(Resource::public_file(folder.join(timer), text.to_owned()));
        wants.runs(timer, Vec::new());
    } else {
        let often = if is_hourly { "hourly" } else { "daily" };
        wants.program(
            AbsPath::fixed("/etc").join(&format!("cron.{often}/jitsi-install-renew")),
            include_str!("../../hooks/cron"),
        );
    }
}

fn key(secret: &crate::secret::Secret<String>) -> Content {
    Content::Bytes(secret.reveal().as_bytes().to_vec())
}
