//! Caddy: the whole Caddyfile, and on Slackware an rc script, since the one that comes with the
//! SlackBuild asks for functions that Slackware does not have.

use super::{Context, ServiceError, Wants};
use crate::name::{Mode, ServiceId};
use crate::resource::{Dir, How, Item, Resource};

/// The resources.
///
/// # Errors
/// When the template is wrong.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Caddy, Some(How::Reload));
    let platform = context.platform;
    let place = &platform.caddy;
    wants.packages(&platform.packages.caddy, context);
    wants.account(&place.account);
    let text = context.render("caddy/Caddyfile.caddyfile")?;
    wants.add(Resource::public_file(
        place.site_dir.join("Caddyfile"),
        text,
    ));
    wants.add(Resource::Dir(Dir {
        path: place.logs.clone(),
        owner: place.account.owner.clone(),
        mode: Mode(0o750),
        ours: false,
    }));
    wants.add(Resource::Dir(Dir {
        path: platform.caddy_state.clone(),
        owner: place.account.owner.clone(),
        mode: Mode(0o750),
        ours: false,
    }));
    if context.is_slackware() {
        wants.program(
            platform.init_dir.join("rc.caddy"),
            include_str!("../../rc.d/rc.caddy"),
        );
    }
    wants.runs("caddy", vec![context.site_probe()]);
    Ok(wants.items)
}
