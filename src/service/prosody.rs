//! Prosody: its configuration, the accounts of Jicofo and the bridge, and Lua modules that the
//! system keeps where Prosody's Lua does not look.

use super::{Context, ServiceError, Wants, logins};
use crate::name::{AbsPath, Owner, ServiceId};
use crate::recipe::Recipe;
use crate::resource::{Content, Dir, How, Item, Link, Probe, Resource};
use crate::secret::Secret;
use crate::site::Mode;

/// Prosody modules of our own.
const OWN_PLUGINS: &[(&str, &str)] = &[(
    "mod_guests_bring_no_token.lua",
    include_str!("../../prosody-plugins/mod_guests_bring_no_token.lua"),
)];

/// The file with this site's hosts.
#[must_use]
pub fn site_file(context: &Context<'_>) -> AbsPath {
    context
        .platform
        .prosody
        .config
        .join(&format!("conf.d/{}.cfg.lua", context.site.domain))
}

/// The resources.
///
/// # Errors
/// When a template is wrong.
pub fn items(context: &Context<'_>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Prosody, Some(How::Restart));
    let place = &context.platform.prosody;
    let packages = &context.platform.packages;
    wants.packages(&packages.prosody, context);
    wants.packages(&packages.plugins, context);
    wants.account(&place.account);
    let group = place.account.owner.group.clone();
    for dir in [&place.config, &place.config.join("conf.d")] {
        wants.add(Resource::Dir(Dir {
            path: dir.clone(),
            owner: Owner::new("root", &group),
            mode: crate::name::Mode(0o750),
            ours: false,
        }));
    }
    let global = place.config.join("prosody.cfg.lua");
    wants.add(Resource::group_file(
        global,
        &group,
        context.render("prosody/prosody.lua")?,
    ));
    wants.add(Resource::group_file(
        site_file(context),
        &group,
        context.render("prosody/host.lua")?,
    ));

    let for_logins = match context.site.auth.mode {
        Mode::Token => None,
        Mode::SqlHashed => Some(&logins::PLUGIN),
    };
    for (name, text) in OWN_PLUGINS.iter().chain(for_logins) {
        wants.add(Resource::public_file(
            place.own_plugins.join(name),
            (*text).to_owned(),
        ));
    }
    for (name, file) in &place.stray_modules {
        wants.add(Resource::Link(Link {
            path: place.lua_path.join(&format!("{name}.lua")),
            target: file.clone(),
        }));
    }
    accounts(context, &mut wants);
    logins::items(context, &mut wants);
    let ports = [
        context.site.prosody.c2s_port,
        context.site.prosody.http_port,
    ];
    let mut probes = ports
        .map(|port| Probe::Tcp(([127, 0, 0, 1], port).into()))
        .to_vec();
    // It lives on without a port that somebody else has.
    probes.push(Probe::Log {
        file: place.logs.join("prosody.err"),
        fatal: "Failed to open server port".to_owned(),
    });
    wants.runs("prosody", probes);
    Ok(wants.items)
}

/// The accounts are written as the files that Prosody would write, so that no password ever
/// stands in a process list and no server has to run.
fn accounts(context: &Context<'_>, wants: &mut Wants) {
    let place = &context.platform.prosody;
    let owner = &place.account.owner;
    let store = place.data.join(&context.hosts.auth.as_store_name());
    for dir in [place.data.clone(), place.logs.clone()] {
        wants.add(Resource::Dir(Dir {
            path: dir,
            owner: owner.clone(),
            mode: crate::name::Mode(0o750),
            ours: false,
        }));
    }
    for dir in [store.clone(), store.join("accounts"), store.join("roster")] {
        wants.add(Resource::dir(dir, owner.clone(), 0o750));
    }
    let record = |password: &Secret<String>| {
        Content::Made(Recipe::ProsodyAccount {
            password: password.clone(),
        })
    };
    let secrets = context.secrets;
    for (name, password) in [
        ("focus", &secrets.focus_password),
        ("jvb", &secrets.jvb_password),
    ] {
        let path = store.join(&format!("accounts/{name}.dat"));
        wants.veiled_file(path, owner.clone(), 0o640, record(password));
    }
    // The component focus.DOMAIN must see that focus@auth.DOMAIN is online. Prosody leaves this file
    // alone once it is there; if it were missing at the first start, Prosody would write one in which
    // the subscription is pending for ever.
    let roster = format!(
        "return {{\n\t[\"{}\"] = {{\n\t\t[\"groups\"] = {{}};\n\t\t[\"subscription\"] = \"from\";\n\t}};\n}};\n",
        context.hosts.focus
    );
    let path = store.join("roster/focus.dat");
    wants.veiled_file(
        path,
        owner.clone(),
        0o640,
        Content::Bytes(roster.into_bytes()),
    );
}
