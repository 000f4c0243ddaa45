//! What the doctor is told of a machine, and by which trait; the host room implements it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::name::{AbsPath, Engine, Mode};
use crate::secret::Secret;

/// A file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Contents.
    pub bytes: Vec<u8>,
    /// Permissions.
    pub mode: Mode,
}

impl Seen {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A socket on which somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// Is it UDP?
    pub is_udp: bool,
    /// The program's name; `None` when the system does not tell.
    pub program: Option<String>,
}

/// How somebody without rights comes to Prosody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The XMPP host.
    pub host: String,
    /// The token in the address.
    pub token: Option<String>,
    /// Rooms to try, as `room@component`, one after the other; none are tried without a log-in.
    pub rooms: Vec<String>,
}

/// How a visitor fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reception {
    /// SASL mechanisms that were offered.
    pub mechanisms: Vec<String>,
    /// Did the log-in succeed? Else the XMPP condition.
    pub login: Option<Result<(), String>>,
    /// For each room tried the affiliation given, or the condition of the refusal.
    pub rooms: Vec<(String, Result<String, String>)>,
}

/// How a service account comes to Prosody: over c2s on loopback, with STARTTLS.
#[derive(Debug)]
pub struct LogIn<'a> {
    /// Prosody's port.
    pub port: u16,
    /// The XMPP host.
    pub host: String,
    /// The account's name.
    pub user: &'a str,
    /// Its password.
    pub password: &'a Secret<String>,
    /// The one certificate (PEM) that is trusted: whoever shows another hears no password.
    pub trusted: &'a str,
}

/// How a service account fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// The certificates (DER) that Prosody showed, its own first.
    pub certificates: Vec<Vec<u8>>,
    /// Did the log-in succeed? Else the XMPP condition. `None` when the certificate was not the
    /// trusted one.
    pub login: Option<Result<(), String>>,
}

/// Whose something is that stands at a path; a link is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Permissions.
    pub mode: Mode,
    /// Its user's name, or number when nobody has it.
    pub user: String,
    /// Its group's.
    pub group: String,
    /// Is it a socket?
    pub is_socket: bool,
}

/// Prosody's role in a database server of this machine.
#[derive(Debug)]
pub struct Reader<'a> {
    /// Which server.
    pub engine: Engine,
    /// MariaDB's socket.
    pub socket: &'a AbsPath,
    /// The database.
    pub database: &'a str,
    /// The role.
    pub role: &'a str,
    /// Its password.
    pub password: &'a Secret<String>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its program's name.
    pub name: String,
    /// Its command line. There may be secrets of others in it: none of it is shown but what a
    /// question asks for by name.
    pub arguments: Vec<String>,
    /// When it started, in seconds since 1970.
    pub started: Option<i64>,
}

/// How the doctor sees a machine. Every look ends by itself, within seconds.
pub trait Probe {
    /// Is it a running machine? Else only files are looked at.
    fn is_running(&self) -> bool;
    /// A file; `None` when it is not there.
    ///
    /// # Errors
    /// Why it could not be read.
    fn file(&self, path: &AbsPath) -> Result<Option<Seen>, String>;
    /// The last part of a log, and its permissions as far as its folder lets them count; `None` when
    /// it is not there.
    fn tail(&self, path: &AbsPath) -> Option<Seen>;
    /// Upstream's versions of the packages that are installed, by their names.
    fn packages(&self) -> BTreeMap<String, String>;
    /// Names in a folder, sorted.
    fn names(&self, path: &AbsPath) -> Vec<String>;
    /// What the kernel says below `/proc`.
    fn kernel(&self, path: &str) -> Option<String>;
    /// What `prosodyctl about` says.
    ///
    /// # Errors
    /// Why it said nothing.
    fn about(&self) -> Result<String, String>;
    /// Which of these modules the Lua that runs Prosody cannot load; its name comes first.
    ///
    /// # Errors
    /// Why it could not be asked.
    fn lacking(&self, modules: &[&str]) -> Result<(String, Vec<String>), String>;
    /// What `java -version` says.
    ///
    /// # Errors
    /// Why it said nothing.
    fn java(&self, java: &AbsPath) -> Result<String, String>;
    /// Who listens.
    ///
    /// # Errors
    /// Why that is not known.
    fn listeners(&self) -> Result<Vec<Listener>, String>;
    /// The addresses of a name.
    ///
    /// # Errors
    /// What the resolver said.
    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String>;
    /// When a file's contents last changed, in seconds since 1970.
    fn changed(&self, path: &AbsPath) -> Option<i64>;
    /// Everything that runs.
    fn processes(&self) -> Vec<Process>;
    /// The exit status with which a service last ended, if the system remembers one.
    fn last_exit(&self, service: &str) -> Option<i32>;
    /// A plain GET on loopback: status and body.
    ///
    /// # Errors
    /// Why there was no answer.
    fn http(&self, port: u16, path: &str, host: &str) -> Result<(u16, String), String>;
    /// A page of the site over TLS, by its name, from this machine: status and body. Whose the
    /// certificate is does not matter.
    ///
    /// # Errors
    /// Why there was no answer.
    fn page(&self, host: &str, address: SocketAddr, path: &str) -> Result<(u16, String), String>;
    /// The certificates (DER) that a TLS server shows, its own first.
    ///
    /// # Errors
    /// Why there was no TLS.
    fn certificates(&self, host: &str, address: SocketAddr) -> Result<Vec<Vec<u8>>, String>;
    /// A page of another machine; `None` when there is no program here that could fetch it.
    fn fetch(&self, url: &str) -> Option<Result<String, String>>;
    /// Comes to Prosody as a service account does.
    ///
    /// # Errors
    /// Why it did not come to a log-in.
    fn log_in(&self, order: &LogIn<'_>) -> Result<Admission, String>;
    /// Comes to Prosody by BOSH as anybody could.
    ///
    /// # Errors
    /// Why there was no answer.
    fn visit(&self, visit: &Visit) -> Result<Reception, String>;
    /// Whose something is on the running machine; `None` when nothing is there.
    fn place(&self, path: &AbsPath) -> Option<Place>;
    /// What the account service finds wrong with its settings.
    ///
    /// # Errors
    /// Why it could not be asked.
    fn settings(&self, program: &AbsPath, file: &AbsPath) -> Result<Vec<String>, String>;
    /// With which status the account service answers an empty question that shows this secret.
    ///
    /// # Errors
    /// Why there was no answer.
    fn question(&self, port: u16, secret: &Secret<String>) -> Result<u16, String>;
    /// What Prosody's role may do besides reading its view.
    ///
    /// # Errors
    /// Why it does not come in, or cannot read the view.
    fn rights(&self, reader: &Reader<'_>) -> Result<Vec<String>, String>;
}
