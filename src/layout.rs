//! Every service called once: what the machine should hold, in the order in which it is made.
//!
//! [`layout`] is pure. It adds the folders that files need and refuses two wants for one place.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{Mode, Owner};
use crate::platform::Platform;
use crate::resource::{Dir, Item, Layout, Resource};
use crate::secret::{Secret, Secrets};
use crate::service::{
    Context, Facts, ServiceError, accounts, boot, certificates, jicofo, meet, prosody, videobridge,
    web_items,
};
use crate::site::Site;

/// Why there is no layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A service could not be laid out.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Two services want different things in one place.
    #[error("`{0}` is wanted twice, differently")]
    Twice(String),
}

/// Calls every service.
///
/// # Errors
/// When a template is wrong, or two services want one place.
pub fn layout(
    site: &Site,
    platform: &Platform,
    secrets: &Secrets,
    facts: &Facts,
) -> Result<Layout, LayoutError> {
    let context = Context::new(site, platform, secrets, facts);
    let mut remarks = Vec::new();
    for name in facts.templates.keys() {
        remarks.push(format!("template `{name}` is the administrator's own"));
    }
    let mut items = certificates::items(&context)?;
    items.extend(accounts::items(&context, &mut remarks)?);
    items.extend(prosody::items(&context)?);
    items.extend(jicofo::items(&context)?);
    items.extend(videobridge::items(&context)?);
    items.extend(meet::items(&context, &mut remarks)?);
    items.extend(web_items(&context)?);
    items.extend(boot::items(&context));
    if let Some(stage) = &platform.stage {
        for item in &mut items {
            give_to(&mut item.resource, &stage.owner);
        }
    }
    let mut veiled: Vec<Secret<String>> = secrets
        .words()
        .into_iter()
        .map(|word| Secret::new(word.to_owned()))
        .collect();
    veiled.push(context.token_secret().clone());
    veiled.extend(facts.accounts.all().cloned());
    let items = arranged(items)?;
    for path in &site.keep {
        if !items.iter().any(|item| item.resource.path() == Some(path)) {
            remarks.push(format!(
                "`keep` names `{path}`, where this site puts nothing"
            ));
        }
    }
    Ok(Layout {
        items,
        kept: site.keep.clone(),
        remarks,
        veiled,
    })
}

fn give_to(resource: &mut Resource, new: &Owner) {
    match resource {
        Resource::Dir(Dir { owner, .. }) => owner.clone_from(new),
        Resource::File(file) => file.owner.clone_from(new),
        Resource::Package { .. }
        | Resource::Group { .. }
        | Resource::User { .. }
        | Resource::Link(_)
        | Resource::Service(_)
        | Resource::Database(_) => {}
    }
}

/// Sorts, adds parent folders, and drops a want that is said twice in the same words.
fn arranged(items: Vec<Item>) -> Result<Vec<Item>, LayoutError> {
    let mut by_key: BTreeMap<_, Item> = BTreeMap::new();
    let (mut parents, mut seen) = (Vec::new(), BTreeSet::new());
    for item in items {
        let mut parent = item.resource.path().and_then(crate::name::AbsPath::parent);
        // Above a folder that is known already, all are.
        while let Some(dir) = parent.filter(|dir| seen.insert(dir.clone())) {
            parent = dir.parent();
            parents.push(Item {
                service: item.service,
                wakes: Vec::new(),
                resource: Resource::Dir(Dir {
                    path: dir,
                    owner: Owner::root(),
                    mode: Mode(0o755),
                    ours: false,
                }),
            });
        }
        let key = key(&item.resource);
        match by_key.get(&key) {
            Some(other) if other.resource != item.resource => {
                return Err(LayoutError::Twice(item.resource.id()));
            }
            Some(_) => {}
            None => {
                by_key.insert(key, item);
            }
        }
    }
    for item in parents {
        by_key.entry(key(&item.resource)).or_insert(item);
    }
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for item in by_key.values() {
        if let Some(path) = item.resource.path()
            && places.insert(path.as_str(), item.resource.kind()).is_some()
        {
            return Err(LayoutError::Twice(path.to_string()));
        }
    }
    Ok(by_key.into_values().collect())
}

/// Groups come before users; a folder before what is in it, since its path is shorter.
fn key(resource: &Resource) -> (crate::resource::Stage, &'static str, String) {
    // Services in the order in which they start.
    let name = match resource {
        Resource::Service(service) => format!("{:02} {}", service.id as u8, service.name),
        _ => resource.name().to_owned(),
    };
    (resource.stage(), resource.kind(), name)
}
