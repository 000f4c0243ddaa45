//! Users and groups of the root's own `passwd` and `group`, never of the machine that runs us.

use std::collections::BTreeMap;

use super::root::Root;
use crate::name::{AbsPath, Owner};

/// Names to numbers.
pub struct People {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
    may_give: bool,
}

impl People {
    /// Reads both files; a missing one has nobody in it but root.
    #[must_use]
    pub fn read(root: &Root) -> Self {
        let table = |path: &str| -> BTreeMap<String, u32> {
            let text = root.read(&AbsPath::fixed(path)).unwrap_or_default();
            let mut table: BTreeMap<String, u32> = String::from_utf8_lossy(&text)
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(':');
                    let name = fields.next()?;
                    Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
                })
                .collect();
            table.insert("root".to_owned(), 0);
            table
        };
        Self {
            users: table("/etc/passwd"),
            groups: table("/etc/group"),
            may_give: nix::unistd::geteuid().is_root(),
        }
    }

    /// The numbers of an owner; `None` when a name is unknown or only root could give files away.
    #[must_use]
    pub fn ids(&self, owner: &Owner) -> Option<(u32, u32)> {
        if !self.may_give {
            return None;
        }
        Some((
            *self.users.get(&owner.user)?,
            *self.groups.get(&owner.group)?,
        ))
    }
}
