//! What a machine can hold: a closed list of things that can be observed and undone.
//!
//! Composites are functions that return several of them. There is no "run this command": what
//! cannot be looked at and taken back is no resource. To add a kind: a variant, its [`Stage`], and
//! then the compiler names every place that has to know.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::name::{AbsPath, Engine, Mode, Owner, ServiceId};
use crate::recipe::{Recipe, hex};
use crate::secret::Secret;

/// One thing that a machine should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A package of the distribution.
    Package {
        /// Its name there.
        name: String,
        /// Upstream's version, when it has to be this one.
        version: Option<String>,
    },
    /// A system group.
    Group {
        /// Its name.
        name: String,
        /// Its number, when it comes back with one.
        id: Option<u32>,
    },
    /// A system user without a login.
    User {
        /// Its name.
        name: String,
        /// Its primary group.
        group: String,
        /// Its home folder.
        home: AbsPath,
        /// Its number and that of its group, when it comes back with them.
        ids: Option<(u32, u32)>,
    },
    /// A folder.
    Dir(Dir),
    /// A file with contents.
    File(File),
    /// A symbolic link.
    Link(Link),
    /// A service that runs and starts at boot.
    Service(Service),
    /// A database with its roles, in a server on this machine.
    Database(Database),
}

/// Which version of a package is installed, or should be. Two packagings of one version of
/// upstream's are equal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackageVersion {
    /// Upstream's part of it.
    pub upstream: String,
    /// The whole of it, as the package manager has it: which packaging is meant, if there is a
    /// choice. Empty when any will do.
    pub exact: String,
}

impl PartialEq for PackageVersion {
    fn eq(&self, other: &Self) -> bool {
        self.is_of(&other.upstream)
    }
}

impl Eq for PackageVersion {}

impl PackageVersion {
    /// Any packaging of a version of upstream's.
    #[must_use]
    pub fn any(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            exact: String::new(),
        }
    }

    /// Is it a packaging of this version? Slackware has `_` where upstream has `-`.
    #[must_use]
    pub fn is_of(&self, upstream: &str) -> bool {
        self.upstream.replace('-', "_") == upstream.replace('-', "_")
    }
}

/// A service. The books keep it, so that a rollback knows how it is awaited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Unit or rc script, without ending or prefix.
    pub name: String,
    /// Which of ours it is; also its place in the starting order.
    pub id: ServiceId,
    /// How one sees from outside that it is up.
    pub probes: Vec<Probe>,
}

/// A database, the role that owns it, and one that may read what Prosody asks for. Both roles
/// are of this machine alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// In which server.
    pub engine: Engine,
    /// Its name, and that of the role that owns it.
    pub name: String,
    /// That role's password; unknown for a database that goes.
    pub password: Option<Secret<String>>,
    /// The reader's password.
    pub reader_password: Option<Secret<String>>,
}

impl Database {
    /// The role that reads the view `prosody_login` and nothing else.
    #[must_use]
    pub fn reader(&self) -> String {
        format!("{}_reader", self.name)
    }
}

/// A look at a running service, on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// Something listens.
    Tcp(std::net::SocketAddr),
    /// A page answers with 200; another answer is a warning.
    Http {
        /// Its port.
        port: u16,
        /// Its path.
        path: String,
    },
    /// A log of errors and nothing else. What a start writes there is a warning; a line with
    /// `fatal` in it means that the service has not come up, whoever answers at its ports.
    Log {
        /// The log.
        file: AbsPath,
        /// Words of such a line.
        fatal: String,
    },
}

/// What a change asks of a service that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// To read its configuration again.
    Reload,
    /// To stop and start.
    Restart,
}

impl How {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Restart => "restart",
        }
    }
}

/// A service that must hear of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// Who.
    pub service: ServiceId,
    /// How.
    pub how: How,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dir {
    /// Where.
    pub path: AbsPath,
    /// Whose.
    pub owner: Owner,
    /// Permissions.
    pub mode: Mode,
    /// Is it ours alone? Else it is made when missing and otherwise left as it is.
    pub ours: bool,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: AbsPath,
    /// Whose.
    pub owner: Owner,
    /// Permissions.
    pub mode: Mode,
    /// What is in it.
    pub content: Content,
    /// May its lines be shown (with secret words veiled), or never?
    pub veiled: bool,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Whatever this makes.
    Made(Recipe),
    /// A file of others, a shell script, in which these lines are ours between two marker lines. A
    /// missing one is made.
    Block(String),
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where.
    pub path: AbsPath,
    /// To what, as the installed machine sees it.
    pub target: AbsPath,
}

/// The fixed order in which things are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Packages.
    Packages,
    /// Groups, then users.
    People,
    /// Folders, outer before inner.
    Directories,
    /// Files and links.
    Files,
    /// Database servers.
    Servers,
    /// Databases in them.
    Databases,
    /// Services.
    Services,
}

impl Resource {
    /// A configuration file: 0644 root.
    #[must_use]
    pub fn public_file(path: AbsPath, text: String) -> Self {
        Self::File(File {
            path,
            owner: Owner::root(),
            mode: Mode(0o644),
            content: Content::Bytes(text.into_bytes()),
            veiled: false,
        })
    }

    /// A file that only root and one group may read: 0640 root:GROUP.
    #[must_use]
    pub fn group_file(path: AbsPath, group: &str, text: String) -> Self {
        Self::File(File {
            path,
            owner: Owner::new("root", group),
            mode: Mode(0o640),
            content: Content::Bytes(text.into_bytes()),
            veiled: false,
        })
    }

    /// A folder of our own.
    #[must_use]
    pub fn dir(path: AbsPath, owner: Owner, mode: u32) -> Self {
        Self::Dir(Dir {
            path,
            owner,
            mode: Mode(mode),
            ours: true,
        })
    }

    /// Its stage.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Package { .. } => Stage::Packages,
            Self::Group { .. } | Self::User { .. } => Stage::People,
            Self::Dir(_) => Stage::Directories,
            Self::File(_) | Self::Link(_) => Stage::Files,
            Self::Service(service) if service.id == ServiceId::Database => Stage::Servers,
            Self::Database(_) => Stage::Databases,
            Self::Service(_) => Stage::Services,
        }
    }

    /// The kind and name by which it is known in plans and books, as `file /etc/x`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// Its kind in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Package { .. } => "package",
            Self::Group { .. } => "group",
            Self::User { .. } => "user",
            Self::Dir(_) => "dir",
            // Another kind in the books, since it goes in another way.
            Self::File(file) if matches!(file.content, Content::Block(_)) => "block",
            Self::File(_) => "file",
            Self::Link(_) => "link",
            Self::Service(_) => "service",
            Self::Database(_) => "database",
        }
    }

    /// Its name within its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Package { name, .. } | Self::Group { name, .. } | Self::User { name, .. } => name,
            Self::Service(service) => &service.name,
            Self::Database(database) => &database.name,
            Self::Dir(dir) => dir.path.as_str(),
            Self::File(file) => file.path.as_str(),
            Self::Link(link) => link.path.as_str(),
        }
    }

    /// Its path, when it has one.
    #[must_use]
    pub fn path(&self) -> Option<&AbsPath> {
        match self {
            Self::Dir(dir) => Some(&dir.path),
            Self::File(file) => Some(&file.path),
            Self::Link(link) => Some(&link.path),
            Self::Package { .. }
            | Self::Group { .. }
            | Self::User { .. }
            | Self::Service(_)
            | Self::Database(_) => None,
        }
    }
}

impl Content {
    /// A digest of what is wanted: of the bytes, or of what they would be made from.
    #[must_use]
    pub fn digest(&self) -> String {
        match self {
            Self::Bytes(bytes) => digest(bytes),
            Self::Made(recipe) => format!("made:{}", recipe.fingerprint()),
            Self::Block(text) => format!("block:{}", digest(text.as_bytes())),
        }
    }
}

/// SHA-256 of bytes in hex.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A resource and the service that wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Who wants it.
    pub service: ServiceId,
    /// What.
    pub resource: Resource,
    /// Which services must hear of a change.
    pub wakes: Vec<Wake>,
}

/// What a machine should hold.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Sorted by stage, then kind and name.
    pub items: Vec<Item>,
    /// Paths that are left to the administrator.
    pub kept: Vec<AbsPath>,
    /// What the plan's reader should know.
    pub remarks: Vec<String>,
    /// Words that must never be shown.
    pub veiled: Vec<Secret<String>>,
}
