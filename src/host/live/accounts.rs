//! Users and groups, made and taken away by the system's own programs.

use std::time::{Duration, Instant};

use super::{Live, run, slackware};
use crate::host::names::{self, Table};
use crate::host::root::Root;
use crate::name::AbsPath;
use crate::plan::{Found, State};

/// How long the last process of a user who goes may take to end.
const LEAVING: Duration = Duration::from_secs(5);

impl Live {
    /// With its former number, as long as that is free: files that come back have it too.
    pub(super) fn add_group(&self, name: &str, id: Option<u32>) -> Result<(), String> {
        let is_free = |id: &u32| nix::unistd::Group::from_gid((*id).into()) == Ok(None);
        let id = id.filter(is_free).map(|id| id.to_string());
        let number = id.or_else(|| self.number(name));
        let mut args = vec!["--system"];
        if let Some(number) = &number {
            args.extend(["--gid", number]);
        }
        args.extend(["--", name]);
        run("groupadd", &args).map(drop)
    }

    pub(super) fn add_user(
        &self,
        root: &Root,
        name: &str,
        group: &str,
        home: &AbsPath,
        ids: Option<(u32, u32)>,
    ) -> Result<(), String> {
        // Taking back a removal meets users whose group went with them.
        if names::by_name(Table::Group, group).is_none() {
            self.add_group(group, ids.map(|(_, group)| group))?;
        }
        let shell = match self {
            Self::Debian(_) => "/usr/sbin/nologin",
            Self::Slackware(_) => "/bin/false",
        };
        let is_free = |id: &u32| names::by_number(Table::Passwd, *id).is_none();
        let id = ids.map(|(user, _)| user).filter(is_free);
        let id = id.map(|id| id.to_string());
        let number = id
            .or_else(|| self.number(name))
            .or_else(|| former_number(root, home));
        let mut args = vec!["--system", "--no-create-home", "--shell", shell];
        if let Some(number) = &number {
            args.extend(["--uid", number]);
        }
        args.extend(["--gid", group, "--home-dir", home.as_str(), "--", name]);
        run("useradd", &args).map(drop)
    }

    /// The number that an account must have, because packages hold files of its own by number.
    fn number(&self, name: &str) -> Option<String> {
        match self {
            Self::Debian(_) => None,
            Self::Slackware(_) => slackware::number(name).map(|number| number.to_string()),
        }
    }
}

/// The number to which a home still belongs that has lost its user: it and everything else of his
/// is his again, if nobody else has the number by now.
fn former_number(root: &Root, home: &AbsPath) -> Option<String> {
    let Found::State(State::Dir { ids, .. }) = root.look(home) else {
        return None;
    };
    let (number, _) = ids.filter(|(number, _)| *number != 0)?;
    let holder = nix::unistd::User::from_uid(number.into()).ok()?;
    holder.is_none().then(|| number.to_string())
}

/// Removes a user. A service that has said good-bye may take a moment more to be gone.
pub(super) fn remove_user(name: &str) -> Result<(), String> {
    let until = Instant::now() + LEAVING;
    loop {
        match run("userdel", &["--", name]) {
            Err(why) if why.contains("used by process") && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            done => return done.map(drop),
        }
    }
}
