//! Jicofo, the conference focus: the only one who opens rooms.

use super::{Context, ServiceError, Wants};
use crate::name::{Owner, ServiceId};
use crate::resource::{How, Item, Probe, Resource};

/// The resources.
///
/// # Errors
/// When a template is wrong.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Jicofo, Some(How::Restart));
    let platform = context.platform;
    let owner = &platform.jicofo.owner;
    wants.packages(&platform.packages.jicofo, context);
    wants.account(&platform.jicofo);
    let config = context.config_dir("jicofo");
    wants.add(Resource::dir(
        config.clone(),
        Owner::new("root", &owner.group),
        0o750,
    ));
    wants.add(Resource::dir(
        platform.jitsi_logs.clone(),
        Owner::root(),
        0o755,
    ));
    wants.add(Resource::dir(
        platform.jitsi_logs.join("jicofo"),
        owner.clone(),
        0o750,
    ));
    wants.add(Resource::dir(
        platform.jicofo_state.clone(),
        owner.clone(),
        0o700,
    ));
    wants.add(Resource::group_file(
        config.join("jicofo.conf"),
        &owner.group,
        context.render("jicofo/jicofo.hocon")?,
    ));
    let logging = context.render("jicofo/logging.properties")?;
    wants.add(Resource::group_file(
        config.join("logging.properties"),
        &owner.group,
        logging,
    ));
    let settings = context.render("jicofo/config.sh")?;
    wants.add(Resource::group_file(
        config.join("config"),
        &owner.group,
        settings,
    ));
    if context.has_systemd() {
        let unit = context.render("jicofo/jicofo.ini")?;
        wants.add(Resource::public_file(
            platform.init_dir.join("jicofo.service"),
            unit,
        ));
    } else {
        wants.program(
            platform.init_dir.join("rc.jicofo"),
            include_str!("../../rc.d/rc.jicofo"),
        );
    }
    let port = context.site.jicofo.rest_port;
    wants.runs(
        "jicofo",
        vec![Probe::Http {
            port,
            path: "/about/health".to_owned(),
        }],
    );
    Ok(wants.items)
}
