//! Jitsi Videobridge: media, and when asked its own websockets over TLS with a keystore.

use super::{Context, ServiceError, Wants};
use crate::name::{AbsPath, Owner, ServiceId};
use crate::recipe::Recipe;
use crate::resource::{Content, How, Item, Probe, Resource};

/// Name of the key in the bridge's keystore.
const ALIAS: &str = "jvb";

/// The store that the bridge shows on its own websockets.
pub(super) fn keystore(context: &Context<'_>) -> AbsPath {
    context.config_dir("videobridge").join("jvb.p12")
}

/// The resources.
///
/// # Errors
/// When a template is wrong.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Videobridge, Some(How::Restart));
    let platform = context.platform;
    let owner = &platform.videobridge.owner;
    wants.packages(&platform.packages.videobridge, context);
    wants.account(&platform.videobridge);
    let config = context.config_dir("videobridge");
    let group = &owner.group;
    wants.add(Resource::dir(
        config.clone(),
        Owner::new("root", group),
        0o750,
    ));
    wants.add(Resource::dir(
        platform.jitsi_logs.join("videobridge"),
        owner.clone(),
        0o750,
    ));
    wants.add(Resource::dir(
        platform.videobridge_state.clone(),
        owner.clone(),
        0o700,
    ));
    wants.add(Resource::group_file(
        config.join("jvb.conf"),
        group,
        context.render("videobridge/jvb.hocon")?,
    ));
    let logging = context.render("videobridge/logging.properties")?;
    wants.add(Resource::group_file(
        config.join("logging.properties"),
        group,
        logging,
    ));
    if context.site.videobridge.websockets {
        let recipe = Recipe::Keystore {
            pair: context.certificate().clone(),
            alias: ALIAS.to_owned(),
            password: context.secrets.keystore_password.clone(),
        };
        wants.veiled_file(
            keystore(context),
            Owner::new("root", group),
            0o640,
            Content::Made(recipe),
        );
    }
    let buffers = platform.sysctl_dir.join("20-jvb-udp-buffers.conf");
    wants.add(Resource::public_file(
        buffers,
        context.render("videobridge/sysctl.properties")?,
    ));
    let settings = context.render("videobridge/config.sh")?;
    wants.add(Resource::group_file(config.join("config"), group, settings));
    let name = if context.has_systemd() {
        let unit = context.render("videobridge/jitsi-videobridge2.ini")?;
        wants.add(Resource::public_file(
            platform.init_dir.join("jitsi-videobridge2.service"),
            unit,
        ));
        "jitsi-videobridge2"
    } else {
        let script = include_str!("../../rc.d/rc.jitsi-videobridge");
        wants.program(platform.init_dir.join("rc.jitsi-videobridge"), script);
        "jitsi-videobridge"
    };
    let port = context.site.videobridge.rest_port;
    wants.runs(
        name,
        vec![Probe::Http {
            port,
            path: "/about/health".to_owned(),
        }],
    );
    Ok(wants.items)
}
