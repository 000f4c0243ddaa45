//! The file of settings, `accounts.toml`: read once at the start. What may change without a
//! restart is a [`super::policy::Policy`], whose first values stand here.

mod file;

use serde::Deserialize;

use super::policy::Policy;
pub use crate::reader::Problem;

/// `accounts.toml`. Every key but `public_url` has a default. Paths are absolute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Always 1.
    pub schema: u32,
    /// Where people find the service, `https://meet.example.org/accounts`: links in mails, cookies
    /// and checks of `Origin` follow this, never a header. Its path is the prefix of every page.
    pub public_url: String,
    /// What the site calls itself on pages and in mails; the host of `public_url` when empty.
    pub site_name: String,
    /// Where "back to the meetings" leads; the root of the host of `public_url` when empty.
    pub meet_url: String,
    /// `unix:/run/jitsi-accounts/web.sock` or `127.0.0.1:8480`; a socket handed in by systemd
    /// under the name `web` comes first.
    pub listen: String,
    /// For the machine itself: health, readiness, metrics, and Prosody's question about a
    /// password. Loopback only.
    pub internal: String,
    /// Networks whose `X-Forwarded-For` is believed. A Unix socket is always believed.
    pub trusted_proxies: Vec<String>,
    /// `sqlite:/var/lib/jitsi-accounts/accounts.sqlite`, `mysql://user@host/name`,
    /// `postgres://user@host/name`; no password in it.
    pub database: String,
    /// File with the database's password.
    pub database_password_file: Option<String>,
    /// File with 32 or more random characters that seal what is stored and sign what is mailed.
    pub key_file: String,
    /// Folder with templates of mails and texts that come before the built-in ones.
    pub templates: Option<String>,
    /// Language of a visitor whose browser asks for none of ours.
    pub language: String,
    /// Who may sign up, and how; changeable in the console.
    pub registration: Policy,
    /// Rules for passwords.
    pub passwords: Passwords,
    /// How long a sign-in lasts.
    pub sessions: Sessions,
    /// How mail leaves.
    pub mail: Mail,
    /// Who is told that somebody waits.
    pub notify: Notify,
    /// Prosody's question about a password.
    pub prosody: Prosody,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: 1,
            public_url: String::new(),
            site_name: String::new(),
            meet_url: String::new(),
            listen: "127.0.0.1:8480".into(),
            internal: "127.0.0.1:8481".into(),
            trusted_proxies: vec!["127.0.0.0/8".into(), "::1/128".into()],
            database: "sqlite:/var/lib/jitsi-accounts/accounts.sqlite".into(),
            database_password_file: None,
            key_file: "/etc/jitsi-accounts/key".into(),
            templates: None,
            language: "en".into(),
            registration: Policy::default(),
            passwords: Passwords::default(),
            sessions: Sessions::default(),
            mail: Mail::default(),
            notify: Notify::default(),
            prosody: Prosody::default(),
        }
    }
}

impl Settings {
    /// Reads `accounts.toml`.
    ///
    /// # Errors
    /// All mistakes at once, each with its key, line and cure.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        file::parse(text)
    }

    /// The dotted path of every key that the file may have.
    #[must_use]
    pub fn keys() -> std::collections::BTreeSet<String> {
        file::keys()
    }
}

/// `[passwords]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    /// Fewest characters: 8 to 64.
    pub minimum: usize,
    /// SCRAM keys that are kept beside the hash, for Prosody: `SHA-1`, `SHA-256`.
    pub scram: Vec<String>,
    /// Iterations of those keys: 4096 to 1,000,000.
    pub scram_iterations: u32,
    /// Memory of one argon2id hash in KiB.
    pub argon2_memory: u32,
    /// Passes of one argon2id hash.
    pub argon2_passes: u32,
    /// Hashes at work at the same time; 0 is half the processors, at least one.
    pub concurrent: usize,
    /// Words that no password may consist of, besides the site's names.
    pub forbidden: Vec<String>,
    /// File with SHA-1 digests of breached passwords, sorted, a line each (`DIGEST` or
    /// `DIGEST:COUNT`): none of them may be chosen.
    pub breached_file: Option<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            minimum: 10,
            scram: Vec::new(),
            scram_iterations: 10_000,
            argon2_memory: 19 * 1024,
            argon2_passes: 2,
            concurrent: 0,
            forbidden: Vec::new(),
            breached_file: None,
        }
    }
}

/// `[sessions]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// Minutes without a click after which a session ends.
    pub idle_minutes: i64,
    /// Hours after which it ends in any case.
    pub absolute_hours: i64,
    /// Minutes during which a password typed counts for changes that ask for it again.
    pub fresh_minutes: i64,
    /// Whether administrators and approvers must have a second factor.
    pub staff_second_factor: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            idle_minutes: 120,
            absolute_hours: 24 * 7,
            fresh_minutes: 10,
            staff_second_factor: true,
        }
    }
}

/// `[mail]`: a server, or a folder that mails are written to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// Name or address of the SMTP server; empty: no mail leaves.
    pub host: String,
    /// Its port; 587, 465 or 25 by the kind of TLS when absent.
    pub port: Option<u16>,
    /// `required` (STARTTLS or nothing, the default), `implicit` (TLS from the start), `none`
    /// (plain; for a server on this machine).
    pub tls: String,
    /// File with further certificates that the server may be signed by, PEM.
    pub ca_file: Option<String>,
    /// User at the server.
    pub username: Option<String>,
    /// File with the password.
    pub password_file: Option<String>,
    /// Sender: `Meetings <no-reply@example.org>`.
    pub from: String,
    /// Instead of a server: a folder that gets a file `.eml` for each mail.
    pub folder: Option<String>,
}

/// `[notify]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Addresses that are told besides the approvers and administrators.
    pub addresses: Vec<String>,
    /// A URL that gets a JSON object by POST.
    pub webhook: Option<String>,
    /// File with a key that signs what the webhook gets (HMAC-SHA-256).
    pub webhook_key_file: Option<String>,
}

/// `[prosody]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prosody {
    /// File with the secret that Prosody shows; no file: Prosody is not answered.
    pub secret_file: Option<String>,
}
