//! The people: who they are, in which state their accounts stand, and every act that changes them.
//!
//! The state machine, names, passwords and readers of foreign formats are pure; [`store`] has the
//! only SQL, [`act`] has one file per thing that a person or an administrator does, each written
//! to the audit trail. Time and chance come from a [`World`]. To add an act: a file in `act`, its
//! line in the audit's list of words, its page in the room `web` or its verb in `desk`.

pub mod act;
pub mod audit;
pub mod import;
pub mod login;
pub mod password;
pub mod policy;
pub mod post;
pub mod seal;
pub mod settings;
pub mod state;
pub mod store;
pub mod text;
pub mod totp;
pub mod world;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use state::{Event, State};
pub use world::World;

/// Everything that an act needs, shared by the pages and the command line.
#[derive(Clone)]
pub struct Office {
    /// The database.
    pub store: store::Store,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// Hashes and checks passwords, a bounded number at a time.
    pub hasher: password::Hasher,
    /// What is sealed in the database, and links that are signed.
    pub seal: seal::Seal,
    /// The file of settings.
    pub settings: Arc<settings::Settings>,
    /// Texts of all languages.
    pub texts: Arc<text::Texts>,
    /// Who may sign up, as it was last read; [`act::settings::policy`] gives it.
    pub policy: Arc<policy::Kept>,
}

/// The key of an account: 31 characters of time and chance, never reused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Their own account.
    Member,
    /// And approve or reject those who wait.
    Approver,
    /// And everything else.
    Admin,
}

/// Where an account came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody signed up.
    Signup,
    /// An administrator made it.
    Admin,
    /// Prosody's own accounts.
    Prosody,
    /// A Django database.
    Django,
    /// A list.
    Csv,
    /// An LDIF file.
    Ldif,
}

/// An account as it stands in the database, secrets of sign-in aside (see [`store::Credentials`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its key.
    pub id: AccountId,
    /// The canonical name: what is typed at sign-in, and the localpart in XMPP.
    pub login: login::Login,
    /// The confirmed (or, in [`State::Unconfirmed`], claimed) address; imported accounts may lack one.
    pub email: Option<String>,
    /// The name that others see.
    pub display_name: String,
    /// Where it stands.
    pub state: State,
    /// What its owner may do.
    pub role: Role,
    /// The language of pages and mails (`en`, `de`, …).
    pub language: String,
    /// Where it came from.
    pub origin: Origin,
    /// What was written at sign-up for those who approve.
    pub reason: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds: when the state last changed.
    pub state_since: i64,
    /// Unix seconds of the last sign-in.
    pub last_seen: Option<i64>,
    /// Whether a second factor is set up.
    pub has_totp: bool,
}

/// Who does an act, and from where: for the audit trail and for limits.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The account, when signed in.
    pub account: Option<AccountId>,
    /// Their name at that time; `cli:USER` for the command line, `timer` for the service itself.
    pub name: String,
    /// The address of the client, correct behind trusted proxies only.
    pub address: Option<std::net::IpAddr>,
    /// The client's `User-Agent`, cut to 200 characters.
    pub agent: String,
}
