//! The one table of facts about the systems that we lay out for.
//!
//! A [`Platform`] says where things live, who runs them and what they are called; `debian` and
//! `slackware` fill it in, and no other room asks which family it is, except where the wording of
//! a file differs. Nothing here looks at the machine: the host room reads `os-release` and calls
//! [`recognise`]. To add a release: a variant of [`Release`], its line in [`recognise`], and the
//! fields that differ in its family's file; `tests/golden/` then wants its trees.

mod debian;
mod packages;
mod slackware;

use serde::Serialize;

pub use packages::Packages;

use crate::name::{AbsPath, Owner};
use crate::site::{ProsodyVersion, WebServer};

/// A system that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// Debian 12 (bookworm) and what descends from it.
    Debian12,
    /// Debian 13 (trixie) and what descends from it.
    Debian13,
    /// Slackware 15.0.
    Slackware15,
    /// Slackware -current.
    SlackwareCurrent,
}

impl Release {
    /// Every release, in the order of the documents.
    pub const ALL: [Self; 4] = [
        Self::Debian12,
        Self::Debian13,
        Self::Slackware15,
        Self::SlackwareCurrent,
    ];

    /// Its short name, as in `debian-12`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debian12 => "debian-12",
            Self::Debian13 => "debian-13",
            Self::Slackware15 => "slackware-15.0",
            Self::SlackwareCurrent => "slackware-current",
        }
    }

    /// Its family.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Debian12 | Self::Debian13 => Family::Debian,
            Self::Slackware15 | Self::SlackwareCurrent => Family::Slackware,
        }
    }

    /// All facts about it.
    #[must_use]
    pub fn platform(self) -> Platform {
        match self.family() {
            Family::Debian => debian::platform(self),
            Family::Slackware => slackware::platform(self),
        }
    }
}

/// A family of systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// systemd, apt.
    Debian,
    /// rc.d, pkgtools.
    Slackware,
}

impl Family {
    /// The release to take when only the family is known: its newest stable one.
    #[must_use]
    pub fn newest(self) -> Release {
        match self {
            Self::Debian => Release::Debian13,
            Self::Slackware => Release::Slackware15,
        }
    }
}

/// A user that a service runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User and group.
    pub owner: Owner,
    /// Its home folder, when the account is ours to make; else the service's package makes it.
    pub made_with_home: Option<AbsPath>,
}

/// Where Prosody lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProsodyPlace {
    /// The version that the system's own package has.
    pub version: ProsodyVersion,
    /// Folder of `prosody.cfg.lua`.
    pub config: AbsPath,
    /// Folder of data.
    pub data: AbsPath,
    /// Folder of logs.
    pub logs: AbsPath,
    /// The pid file.
    pub pidfile: AbsPath,
    /// Who runs it.
    pub account: Account,
    /// Jitsi's Prosody plugins.
    pub plugins: AbsPath,
    /// Our own Prosody plugins.
    pub own_plugins: AbsPath,
    /// Version of the Lua that runs it, as in `5.4`.
    pub lua: &'static str,
    /// Pure Lua modules that the system keeps where this Lua does not look: (name as `require`d,
    /// where the file is). They are linked into `lua_path`.
    pub stray_modules: Vec<(&'static str, AbsPath)>,
    /// Where this Lua looks for local modules.
    pub lua_path: AbsPath,
}

/// Where a web server lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPlace {
    /// The site's file; `None` for the folder means that it stands in `config` alone.
    pub site_dir: AbsPath,
    /// A folder of links to enabled sites, if the system has one.
    pub enabled_dir: Option<AbsPath>,
    /// Folder of logs.
    pub logs: AbsPath,
    /// Who serves: the owner of log files and reader of certificates.
    pub account: Account,
    /// Does its nginx want `http2 on;` (1.25.1 and later)?
    pub http2_directive: bool,
}

/// Where the account service lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPlace {
    /// The program.
    pub program: AbsPath,
    /// Folder of its settings and secrets.
    pub config: AbsPath,
    /// Folder of its data.
    pub state: AbsPath,
    /// Folder of its socket.
    pub run: AbsPath,
    /// Who runs it.
    pub account: Account,
    /// Folder of rules for logs that grow, where no journal has them.
    pub logrotate: AbsPath,
    /// MariaDB's service and socket.
    pub mariadb: (&'static str, AbsPath),
    /// PostgreSQL's service.
    pub postgresql: &'static str,
}

/// What starts services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Init {
    /// Units.
    Systemd,
    /// `/etc/rc.d/rc.NAME`.
    RcD,
}

/// All facts about one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Which system.
    pub release: Release,
    /// What starts services.
    pub init: Init,
    /// Prosody.
    pub prosody: ProsodyPlace,
    /// nginx.
    pub nginx: WebPlace,
    /// Caddy.
    pub caddy: WebPlace,
    /// The account service.
    pub accounts: AccountsPlace,
    /// Jicofo's user.
    pub jicofo: Account,
    /// The bridge's user.
    pub videobridge: Account,
    /// What Jicofo leaves behind when it dies: heap dumps. Its unit or rc script names it too.
    pub jicofo_state: AbsPath,
    /// The same of the bridge.
    pub videobridge_state: AbsPath,
    /// Jicofo's jars.
    pub jicofo_home: AbsPath,
    /// The bridge's jars.
    pub videobridge_home: AbsPath,
    /// The web application.
    pub meet_home: AbsPath,
    /// Folder of all Jitsi configuration.
    pub jitsi_config: AbsPath,
    /// Folder of Jicofo's and the bridge's logs.
    pub jitsi_logs: AbsPath,
    /// Folder of what we make for the web application (pre-rendered pages, ACME answers).
    pub meet_state: AbsPath,
    /// The `java` program.
    pub java: AbsPath,
    /// systemd's units, or the rc scripts.
    pub init_dir: AbsPath,
    /// Caddy's own folder, with the socket by which it is reloaded.
    pub caddy_state: AbsPath,
    /// Kernel settings read at boot.
    pub sysctl_dir: AbsPath,
    /// Packages, by what needs them.
    pub packages: Packages,
    /// Set for a site that stands whole below a folder; see [`Platform::below`].
    pub stage: Option<Stage>,
}

/// A folder that holds a whole site, all of it owned by one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The folder.
    pub base: AbsPath,
    /// Who owns everything in it and runs every service.
    pub owner: Owner,
}

impl Platform {
    /// The place of the chosen web server.
    #[must_use]
    pub fn web(&self, server: WebServer) -> &WebPlace {
        match server {
            WebServer::Nginx => &self.nginx,
            WebServer::Caddy => &self.caddy,
        }
    }

    /// Where acme.sh and others leave answers to HTTP challenges.
    #[must_use]
    pub fn acme_webroot(&self) -> AbsPath {
        self.meet_state.join("acme")
    }

    /// Where pages with their includes resolved stand.
    #[must_use]
    pub fn pages(&self) -> AbsPath {
        self.meet_state.join("pages")
    }

    /// The same system with everything that we write below `base` and owned by `owner`: a site
    /// that runs from a folder without being root. Programs stay where they are.
    #[must_use]
    pub fn below(mut self, base: &AbsPath, owner: &Owner) -> Self {
        let moved = |path: &AbsPath| base.join(path.relative());
        for path in [
            &mut self.prosody.config,
            &mut self.prosody.data,
            &mut self.prosody.logs,
            &mut self.prosody.lua_path,
            &mut self.prosody.own_plugins,
            &mut self.nginx.site_dir,
            &mut self.nginx.logs,
            &mut self.caddy.site_dir,
            &mut self.caddy.logs,
            &mut self.jitsi_config,
            &mut self.jitsi_logs,
            &mut self.meet_state,
            &mut self.init_dir,
            &mut self.caddy_state,
            &mut self.jicofo_state,
            &mut self.videobridge_state,
            &mut self.sysctl_dir,
            &mut self.accounts.config,
            &mut self.accounts.state,
            &mut self.accounts.run,
            &mut self.accounts.logrotate,
        ] {
            *path = moved(path);
        }
        self.prosody.pidfile = self.prosody.data.join("prosody.pid");
        self.nginx.enabled_dir = self.nginx.enabled_dir.as_ref().map(moved);
        self.caddy.enabled_dir = self.caddy.enabled_dir.as_ref().map(moved);
        for account in [
            &mut self.prosody.account,
            &mut self.nginx.account,
            &mut self.caddy.account,
            &mut self.jicofo,
            &mut self.videobridge,
            &mut self.accounts.account,
        ] {
            account.owner = owner.clone();
            account.made_with_home = None;
        }
        self.stage = Some(Stage {
            base: base.clone(),
            owner: owner.clone(),
        });
        self
    }
}

/// Which release the files of a root speak of: the text of `/etc/os-release` and of
/// `/etc/slackware-version`. `None` when it is none that we know.
#[must_use]
pub fn recognise(os_release: Option<&str>, slackware_version: Option<&str>) -> Option<Release> {
    let field = |name: &str| -> String {
        os_release
            .unwrap_or_default()
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_ascii_lowercase())
            .unwrap_or_default()
    };
    let (id, like) = (field("ID"), field("ID_LIKE"));
    let (version, codename) = (field("VERSION_ID"), field("VERSION_CODENAME"));
    if slackware_version.is_some() || id == "slackware" {
        let current = codename == "current"
            || slackware_version.is_some_and(|text| text.trim_end().ends_with('+'));
        return Some(if current {
            Release::SlackwareCurrent
        } else {
            Release::Slackware15
        });
    }
    let debian_codename = field("DEBIAN_CODENAME");
    let name = if debian_codename.is_empty() {
        codename
    } else {
        debian_codename
    };
    match (id.as_str(), name.as_str(), version.as_str()) {
        ("debian", _, "12") | (_, "bookworm", _) => Some(Release::Debian12),
        ("debian", _, "13") | (_, "trixie", _) => Some(Release::Debian13),
        // Ubuntu 24.04 has Prosody 0.12, later ones 13: as Debian 12 and 13 have.
        ("ubuntu", _, version) => Some(if version < "25" {
            Release::Debian12
        } else {
            Release::Debian13
        }),
        ("debian", ..) => Some(Release::Debian13),
        _ if like.split(' ').any(|word| word == "debian") => Some(Release::Debian13),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
