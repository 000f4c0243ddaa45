//! nginx: one site file, enabled the system's way.

use super::{Context, ServiceError, Wants};
use crate::name::{Mode, Owner, ServiceId};
use crate::resource::{Dir, How, Item, Link, Resource};

/// The resources.
///
/// # Errors
/// When the template is wrong.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Nginx, Some(How::Reload));
    let place = &context.platform.nginx;
    wants.packages(&context.platform.packages.nginx, context);
    let file = place
        .site_dir
        .join(&format!("{}.conf", context.site.domain));
    wants.add(Resource::public_file(
        file.clone(),
        context.render("nginx/site.nginx")?,
    ));
    if let Some(enabled) = &place.enabled_dir {
        let path = enabled.join(&format!("{}.conf", context.site.domain));
        wants.add(Resource::Link(Link { path, target: file }));
    }
    wants.add(Resource::Dir(Dir {
        path: place.logs.clone(),
        owner: Owner::new(&place.account.owner.user, "root"),
        mode: Mode(0o755),
        ours: false,
    }));
    wants.runs("nginx", vec![context.site_probe()]);
    Ok(wants.items)
}
