//! The web application's own configuration, and its pages put together for a web server that
//! knows no server-side includes.

use std::collections::BTreeMap;

use super::{Context, ServiceError, Wants, pages};
use crate::name::{AbsPath, Owner, ServiceId};
use crate::resource::{Item, Resource};
use crate::site::WebServer;

/// Our `config.js`.
#[must_use]
pub fn config_js(context: &Context<'_>) -> AbsPath {
    context
        .config_dir("meet")
        .join(&format!("{}-config.js", context.site.domain))
}

/// Our `interface_config.js`.
#[must_use]
pub fn interface_config_js(context: &Context<'_>) -> AbsPath {
    context
        .config_dir("meet")
        .join(&format!("{}-interface_config.js", context.site.domain))
}

/// The resources, and remarks for the plan's reader.
///
/// # Errors
/// When a template is wrong or the pages include each other in a circle.
pub fn items(context: &Context<'_>, remarks: &mut Vec<String>) -> Result<Vec<Item>, ServiceError> {
    let mut wants = Wants::of(ServiceId::Meet, None);
    let platform = context.platform;
    wants.packages(&platform.packages.meet, context);
    wants.add(Resource::dir(
        context.config_dir("meet"),
        Owner::root(),
        0o755,
    ));
    let config = context.render("meet/config.js")?;
    let interface = context.render("meet/interface_config.js")?;
    wants.add(Resource::public_file(config_js(context), config.clone()));
    wants.add(Resource::public_file(
        interface_config_js(context),
        interface.clone(),
    ));
    wants.add(Resource::dir(
        platform.meet_state.clone(),
        Owner::root(),
        0o755,
    ));
    wants.add(Resource::dir(platform.acme_webroot(), Owner::root(), 0o755));
    if context.site.web.server == WebServer::Caddy {
        let root = platform.pages();
        wants.add(Resource::dir(root.clone(), Owner::root(), 0o755));
        if context.facts.pages.is_empty() {
            remarks.push(format!(
                "the web application is not at `{}` yet: its pages will be put together for Caddy by the next apply",
                context.web_root()
            ));
        }
        let virtuals = BTreeMap::from([
            ("/config.js".to_owned(), config),
            ("/interface_config.js".to_owned(), interface),
        ]);
        let made = pages::prerender(&context.facts.pages, &virtuals)?;
        remarks.extend(made.notes);
        let mut dirs = std::collections::BTreeSet::new();
        for (name, text) in made.pages {
            let Ok(path) = AbsPath::parse(&format!("{root}/{name}")) else {
                continue;
            };
            let mut parent = path.parent();
            while let Some(dir) = parent.filter(|dir| *dir != root) {
                parent = dir.parent();
                dirs.insert(dir);
            }
            wants.add(Resource::public_file(path, text));
        }
        for dir in dirs {
            wants.add(Resource::dir(dir, Owner::root(), 0o755));
        }
    }
    Ok(wants.items)
}
