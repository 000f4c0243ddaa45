//! The site file, read and checked: what the administrator wants.
//!
//! `file` reads the keys (by the room `reader`), `blank` writes what `init` gives. A [`Site`] that exists is consistent. Nothing here looks at the machine; whether
//! a certificate or a port is really there is asked later. To add a key: a field here, its line in
//! `file`, its place in `examples/full.toml` (a test says so) and a word in `docs/site-file.md`.

mod accounts;
mod blank;
mod file;
mod value;

use std::net::IpAddr;

use serde::Serialize;

use crate::name::{AbsPath, Domain, Email};

pub use crate::name::Engine;
pub use crate::reader::Problem;
pub use accounts::{Accounts, Database, Notify, Registration, Remote, Scram, Smtp, SmtpTls};
pub use blank::{Wishes, blank};
pub use file::{SiteError, keys, parse};

/// A whole site on one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The public name; also the XMPP domain.
    pub domain: Domain,
    /// Whom people may write to; shown by the web application as the support address.
    pub admin_email: Option<Email>,
    /// Paths that stay the administrator's, whatever the layout would put there.
    pub keep: Vec<AbsPath>,
    /// Where the site's certificate comes from.
    pub certificates: CertificateSource,
    /// The web server.
    pub web: Web,
    /// Who may open rooms.
    pub auth: Auth,
    /// The XMPP server.
    pub prosody: Prosody,
    /// The conference focus.
    pub jicofo: Jicofo,
    /// The media router.
    pub videobridge: Videobridge,
    /// The web application.
    pub meet: Meet,
    /// The account service, when the site has one.
    pub accounts: Option<Accounts>,
    /// Where packages come from.
    pub packages: Packages,
}

/// Where the site's certificate and key are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Made here; browsers will warn.
    SelfSigned,
    /// Where an ACME client leaves it; until it does, the one made here.
    Issued {
        /// Which client.
        by: AcmeClient,
        /// Its folder.
        home: AbsPath,
    },
    /// In two PEM files.
    Files {
        /// The chain, leaf first.
        certificate: AbsPath,
        /// The private key.
        key: AbsPath,
    },
}

/// A program that has certificates issued and renewed (RFC 8555), and its way to lay them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcmeClient {
    /// acme.sh: `DOMAIN_ecc/` or `DOMAIN/` with `fullchain.cer` and `DOMAIN.key`.
    AcmeSh,
    /// certbot: `live/DOMAIN/` with `fullchain.pem` and `privkey.pem`.
    Certbot,
    /// lego: `certificates/DOMAIN.crt` and `.key`.
    Lego,
    /// Caddy itself: `certificates/CA/DOMAIN/DOMAIN.crt` and `.key`.
    Caddy,
}

impl AcmeClient {
    /// Its name, as the site file has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcmeSh => "acme.sh",
            Self::Certbot => "certbot",
            Self::Lego => "lego",
            Self::Caddy => "caddy",
        }
    }

    /// Its folder, unless the site file names another.
    #[must_use]
    pub fn usual_home(self) -> AbsPath {
        AbsPath::fixed(match self {
            Self::AcmeSh => "/root/.acme.sh",
            Self::Certbot => "/etc/letsencrypt",
            Self::Lego => "/root/.lego",
            Self::Caddy => "/var/lib/caddy/.local/share/caddy",
        })
    }
}

/// Which web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WebServer {
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
}

impl WebServer {
    /// The word for it in the site file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }
}

/// The web server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Which program.
    pub server: WebServer,
    /// Port of the redirect to HTTPS and of ACME challenges.
    pub http_port: u16,
    /// Port of the site.
    pub https_port: u16,
    /// Addresses to listen on; empty means all, IPv4 and IPv6.
    pub addresses: Vec<IpAddr>,
    /// The web application's folder, when it is not at the platform's place.
    pub root: Option<AbsPath>,
}

/// Who may open rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// How they show who they are.
    pub mode: Mode,
    /// May people who do not come in once a room is open?
    pub guests: bool,
    /// The tokens that open rooms, in [`Mode::Token`].
    pub token: TokenAuth,
    /// How people sign in, in [`Mode::SqlHashed`].
    pub sql_hashed: SqlHashed,
}

/// How those who open rooms show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By a signed token.
    Token,
    /// By name and password of an account of the account service.
    SqlHashed,
}

impl Mode {
    /// The word for it in the site file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::SqlHashed => "sql_hashed",
        }
    }
}

/// How people sign in to Prosody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlHashed {
    /// What is offered; never empty, each once, and one of them is for browsers.
    pub mechanisms: Vec<Mechanism>,
    /// Iterations of SCRAM keys: those that new passwords get, and what unknown people are shown.
    pub scram_iterations: u32,
}

impl SqlHashed {
    /// The hashes of the SCRAM mechanisms that are offered, for which keys must be kept.
    #[must_use]
    pub fn scram(&self) -> Vec<&'static str> {
        let hash = |mechanism: &Mechanism| match mechanism {
            Mechanism::Plain => None,
            Mechanism::ScramSha1 => Some("SHA-1"),
            Mechanism::ScramSha256 => Some("SHA-256"),
        };
        self.mechanisms.iter().filter_map(hash).collect()
    }
}

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Mechanism {
    /// The password itself, inside TLS (RFC 4616); the account service is asked about it.
    #[serde(rename = "PLAIN")]
    Plain,
    /// RFC 5802; Jitsi's web application speaks it and prefers it.
    #[serde(rename = "SCRAM-SHA-1")]
    ScramSha1,
    /// RFC 7677; for other clients.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
}

/// How tokens are signed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAuth {
    /// Issuer that is accepted (`iss`), Prosody's `app_id`.
    pub app_id: String,
    /// Audience that is accepted (`aud`).
    pub audience: String,
    /// How they are signed.
    pub signature: Signature,
}

/// How tokens are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// With one secret on this machine.
    Hs256 {
        /// A file with the secret, when another program shares it; else one is generated.
        secret_file: Option<AbsPath>,
    },
    /// With a private key elsewhere; Prosody fetches public keys. Both addresses are needed: with
    /// one alone, Jitsi's plugin throws on an unknown key id and the client hangs.
    Rs256 {
        /// Serves `<sha256 of kid>.pem`.
        key_server: String,
        /// Serves all keys as a JWKS.
        keys_url: String,
    },
}

/// The generation of Prosody, whose configurations differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ProsodyVersion {
    /// 0.12.x
    #[serde(rename = "0.12")]
    V0_12,
    /// 13.0.x
    #[serde(rename = "13.0")]
    V13,
}

/// How much Prosody writes into its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What looks wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Prosody's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prosody {
    /// Version, when it is not the platform's own.
    pub version: Option<ProsodyVersion>,
    /// Port for Jicofo and the bridge, on loopback.
    pub c2s_port: u16,
    /// Port for BOSH and websocket behind the web server, on loopback.
    pub http_port: u16,
    /// Folder of Jitsi's Prosody plugins, when it is not at the platform's place.
    pub plugins: Option<AbsPath>,
    /// How much is logged.
    pub log_level: LogLevel,
}

/// Jicofo's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jicofo {
    /// Port of its REST interface, on loopback.
    pub rest_port: u16,
    /// Largest heap in MiB.
    pub memory: u32,
    /// How many participants one bridge is given at the most.
    pub max_bridge_participants: u32,
}

/// One address of this machine and the one it has outside a NAT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The address of a network card.
    pub local: IpAddr,
    /// The address by which the Internet reaches it.
    pub public: IpAddr,
}

/// The videobridge's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Videobridge {
    /// UDP port of all media.
    pub udp_port: u16,
    /// Port of its private REST interface, on loopback.
    pub rest_port: u16,
    /// Largest heap in MiB.
    pub memory: u32,
    /// Addresses outside a NAT.
    pub public_addresses: Vec<Mapping>,
    /// STUN servers, `host:port`, that tell the public address; none by default.
    pub stun: Vec<String>,
    /// Is a bridge without any public address unhealthy?
    pub require_valid_address: bool,
    /// Serve colibri websockets by TLS from the bridge itself, with its own keystore?
    pub websockets: bool,
    /// Port of those websockets.
    pub websocket_port: u16,
    /// May its private REST interface end it gracefully, after which it comes back by itself?
    pub rest_shutdown: bool,
}

/// Where packages come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// The set of Jitsi that is installed, by the version of upstream's metapackage; none leaves
    /// what is installed as it is.
    pub set: Option<String>,
}

/// The web application's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Meet {
    /// The name that pages show.
    pub app_name: String,
    /// More keys for `config.js`.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// More keys for `interface_config.js`.
    pub interface: serde_json::Map<String, serde_json::Value>,
}
