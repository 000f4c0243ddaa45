//! `[accounts]`: the account service, from its keys to [`Accounts`]. The table's presence asks for it.
//!
//! What an administrator may change in the console (who may sign up, from where) has its first
//! value here; what was saved there goes before it.
//!
//! Over 400 lines: one table of the site file, each key with its check beside it.

use serde::Serialize;

use super::value::{host_and_port, short_text, url};
use crate::name::{AbsPath, Domain, Email, Engine, NameError};
use crate::reader::Table;

/// The account service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Where its pages stand on the site: `/accounts`. No slash at the end.
    pub path: String,
    /// What it calls the site; the site's domain when absent.
    pub site_name: Option<String>,
    /// Language of a visitor whose browser asks for none that it has.
    pub language: &'static str,
    /// Who may sign up.
    pub registration: Registration,
    /// Domains of addresses that may sign up; none: all.
    pub allowed_domains: Vec<String>,
    /// Domains of addresses that may not.
    pub blocked_domains: Vec<String>,
    /// Where the terms stand that must be accepted.
    pub terms_url: Option<String>,
    /// Is a reason asked for at sign-up?
    pub ask_reason: bool,
    /// Fewest characters of a password.
    pub password_minimum: u32,
    /// Must administrators and approvers have a second factor?
    pub staff_second_factor: bool,
    /// SCRAM keys that are kept beside each hash; absent: those that the site's way to sign in needs.
    pub scram: Option<Vec<Scram>>,
    /// Port for the machine itself, on loopback: health, metrics, Prosody's question.
    pub internal_port: u16,
    /// Where people are kept.
    pub database: Database,
    /// The server that mail leaves by; none: no mail leaves.
    pub smtp: Option<Smtp>,
    /// Who is told that somebody waits.
    pub notify: Notify,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            path: "/accounts".to_owned(),
            site_name: None,
            language: "en",
            registration: Registration::Approval,
            allowed_domains: Vec::new(),
            blocked_domains: Vec::new(),
            terms_url: None,
            ask_reason: true,
            password_minimum: 10,
            staff_second_factor: true,
            scram: None,
            internal_port: 8481,
            database: Database::Sqlite,
            smtp: None,
            notify: Notify::default(),
        }
    }
}

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Whoever confirms an address.
    Open,
    /// Whoever confirms an address and is approved.
    Approval,
    /// Who has an invitation.
    Invite,
    /// Nobody.
    Closed,
}

/// A SCRAM mechanism (RFC 5802, RFC 7677) whose keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Scram {
    /// SCRAM-SHA-1, which Jitsi's web application speaks.
    #[serde(rename = "SHA-1")]
    Sha1,
    /// SCRAM-SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
}

impl Scram {
    /// The word for it in the site file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// Where people are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a file of the service's own.
    Sqlite,
    /// In a server on this machine; database and roles are made by an apply.
    Local(Engine),
    /// In a server elsewhere; database and roles are made by whoever looks after it.
    Remote(Engine, Remote),
}

/// A database elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `host:port`.
    pub address: String,
    /// The database.
    pub name: String,
    /// The service's own role.
    pub user: String,
    /// File with its password.
    pub password_file: AbsPath,
    /// Prosody's role, which reads one view.
    pub reader: Option<String>,
    /// File with that one's password.
    pub reader_password_file: Option<AbsPath>,
    /// Is TLS asked for, with a certificate that is checked?
    pub tls: bool,
    /// Certificates that it may be signed by, PEM; the system's when absent.
    pub ca_file: Option<AbsPath>,
}

/// The kind of TLS of a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// STARTTLS, or nothing is sent.
    Required,
    /// TLS from the start.
    Implicit,
    /// None.
    None,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port, when it is not the usual one.
    pub port: Option<u16>,
    /// Its TLS.
    pub tls: SmtpTls,
    /// Certificates that it may be signed by, PEM; the system's when absent.
    pub ca_file: Option<AbsPath>,
    /// User and the file with the password.
    pub login: Option<(String, AbsPath)>,
    /// The sender; `no-reply@DOMAIN` when absent.
    pub from: Option<String>,
}

/// Who is told that somebody waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notify {
    /// Addresses, besides those of approvers and administrators.
    pub addresses: Vec<Email>,
    /// A URL that gets JSON by POST.
    pub webhook: Option<String>,
    /// File with the key that signs it.
    pub webhook_key_file: Option<AbsPath>,
}

/// Reads the table; absent, its keys are asked for all the same.
pub(super) fn accounts(file: &Table<'_>) -> Option<Accounts> {
    let is_asked = file.has("accounts");
    let table = file.table("accounts");
    let usual = Accounts::default();
    let accounts = Accounts {
        path: table.text("path", "/accounts", path).unwrap_or(usual.path),
        site_name: table.text("site_name", "Meetings of Example", title),
        language: table
            .choice(
                "language",
                &["en", "de", "fr", "es", "nl"].map(|word| (word, word)),
            )
            .unwrap_or(usual.language),
        registration: table
            .choice(
                "registration",
                &[
                    ("approval", Registration::Approval),
                    ("open", Registration::Open),
                    ("invite", Registration::Invite),
                    ("closed", Registration::Closed),
                ],
            )
            .unwrap_or(usual.registration),
        allowed_domains: domains(&table, "allowed_domains"),
        blocked_domains: domains(&table, "blocked_domains"),
        terms_url: table.text("terms_url", "https://example.org/terms", url),
        ask_reason: table.flag("ask_reason").unwrap_or(usual.ask_reason),
        password_minimum: table
            .number("password_minimum", 8..=64, 10)
            .unwrap_or(usual.password_minimum),
        staff_second_factor: table
            .flag("staff_second_factor")
            .unwrap_or(usual.staff_second_factor),
        scram: table.texts("scram", "SHA-1", scram),
        internal_port: table
            .port("internal_port", 8481)
            .unwrap_or(usual.internal_port),
        database: database(&table),
        smtp: smtp(&table),
        notify: notify(table.table("notify")),
    };
    table.finish();
    is_asked.then_some(accounts)
}

fn domains(table: &Table<'_>, key: &str) -> Vec<String> {
    let domain = |text: &str| {
        Domain::parse(text.strip_prefix('.').unwrap_or(text))?;
        Ok(text.to_owned())
    };
    table.texts(key, "example.org", domain).unwrap_or_default()
}

fn database(accounts: &Table<'_>) -> Database {
    let engine = accounts
        .choice(
            "database",
            &[
                ("sqlite", None),
                ("mariadb", Some(Engine::MariaDb)),
                ("postgresql", Some(Engine::PostgreSql)),
            ],
        )
        .unwrap_or_default();
    let is_remote = accounts.has("remote_database");
    let table = accounts.table("remote_database");
    let address = table.text("address", "db.example.org:5432", host_and_port);
    let name = table.text("name", "jitsi_accounts", role);
    let user = table.text("user", "jitsi_accounts", role);
    let password_file = table.text(
        "password_file",
        "/etc/jitsi-install/database.password",
        AbsPath::parse,
    );
    let reader = table.text("reader", "jitsi_accounts_reader", role);
    let reader_password_file = table.text(
        "reader_password_file",
        "/etc/jitsi-install/reader.password",
        AbsPath::parse,
    );
    let tls = table.flag("tls").unwrap_or(true);
    let ca_file = table.text("ca_file", "/etc/ssl/certs/database.pem", AbsPath::parse);
    let database = match (is_remote, engine) {
        (false, None) => Database::Sqlite,
        (false, Some(engine)) => Database::Local(engine),
        (true, None) => {
            accounts.object(
                "remote_database",
                "`accounts.remote_database` is for MariaDB and PostgreSQL only",
                "add `database = \"postgresql\"` under `[accounts]`, or remove the table",
            );
            Database::Sqlite
        }
        (true, Some(engine)) => {
            for key in ["address", "password_file"] {
                if !table.has(key) {
                    table.object(
                        key,
                        format!("a database elsewhere needs `accounts.remote_database.{key}`"),
                        "add it under `[accounts.remote_database]`",
                    );
                }
            }
            if table.has("reader") != table.has("reader_password_file") {
                table.object(
                    "reader",
                    "`accounts.remote_database.reader` and `accounts.remote_database.reader_password_file` go together",
                    "add both under `[accounts.remote_database]`, or neither",
                );
            }
            match (address, password_file) {
                (Some(address), Some(password_file)) => Database::Remote(
                    engine,
                    Remote {
                        address,
                        name: name.unwrap_or_else(|| "jitsi_accounts".to_owned()),
                        user: user.unwrap_or_else(|| "jitsi_accounts".to_owned()),
                        password_file,
                        reader,
                        reader_password_file,
                        tls,
                        ca_file,
                    },
                ),
                _ => Database::Local(engine),
            }
        }
    };
    table.finish();
    database
}

fn smtp(accounts: &Table<'_>) -> Option<Smtp> {
    let is_asked = accounts.has("smtp");
    let table = accounts.table("smtp");
    let host = table.text("host", "mail.example.org", mail_host);
    let port = table.port("port", 587);
    let tls = table
        .choice(
            "tls",
            &[
                ("required", SmtpTls::Required),
                ("implicit", SmtpTls::Implicit),
                ("none", SmtpTls::None),
            ],
        )
        .unwrap_or(SmtpTls::Required);
    let ca_file = table.text("ca_file", "/etc/ssl/certs/mail.pem", AbsPath::parse);
    let username = table.text("username", "meet@example.org", short_text);
    let password_file = table.text(
        "password_file",
        "/etc/jitsi-install/smtp.password",
        AbsPath::parse,
    );
    let from = table.text("from", "Meetings <no-reply@example.org>", sender);
    if is_asked && !table.has("host") {
        table.object(
            "host",
            "`[accounts.smtp]` needs the `accounts.smtp.host` that mail leaves by",
            "add `host = \"mail.example.org\"`, or remove the table",
        );
    }
    if table.has("username") != table.has("password_file") {
        table.object(
            "username",
            "`accounts.smtp.username` and `accounts.smtp.password_file` go together",
            "add both under `[accounts.smtp]`, or neither",
        );
    }
    if tls == SmtpTls::None && table.has("username") {
        table.object(
            "tls",
            "without TLS the password would be read by everybody on the way",
            "write `tls = \"required\"`, or remove `username` and `password_file`",
        );
    }
    table.finish();
    Some(Smtp {
        host: host?,
        port,
        tls,
        ca_file,
        login: username.zip(password_file),
        from,
    })
}

fn notify(table: Table<'_>) -> Notify {
    let notify = Notify {
        addresses: table
            .texts("addresses", "staff@example.org", Email::parse)
            .unwrap_or_default(),
        webhook: table.text("webhook", "https://chat.example.org/hook", url),
        webhook_key_file: table.text(
            "webhook_key_file",
            "/etc/jitsi-install/webhook.key",
            AbsPath::parse,
        ),
    };
    if notify.webhook_key_file.is_some() && notify.webhook.is_none() && !table.has("webhook") {
        table.object(
            "webhook_key_file",
            "`accounts.notify.webhook_key_file` signs what a webhook gets, and there is none",
            "add `webhook` under `[accounts.notify]`, or remove the key",
        );
    }
    table.finish();
    notify
}

/// Names that the web application and Prosody have on the site.
const TAKEN: &[&str] = &[
    "_unlock",
    "config.js",
    "css",
    "fonts",
    "http-bind",
    "images",
    "lang",
    "libs",
    "sounds",
    "static",
    "xmpp-websocket",
];

/// One part of plain characters, so that it is no room of anybody's and every server reads it.
fn path(text: &str) -> Result<String, NameError> {
    let refuse = |why: &str| Err(NameError(why.to_owned()));
    let Some(name) = text.strip_prefix('/') else {
        return refuse("does not begin with `/`");
    };
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 60 || !name.chars().all(fine) || name.starts_with('-') {
        return refuse("is not one name out of lower-case letters, digits and hyphens");
    }
    if TAKEN.contains(&name) {
        return refuse("is a path of the web application's own");
    }
    Ok(text.to_owned())
}

fn scram(text: &str) -> Result<Scram, NameError> {
    match text {
        "SHA-1" => Ok(Scram::Sha1),
        "SHA-256" => Ok(Scram::Sha256),
        _ => Err(NameError("is neither \"SHA-1\" nor \"SHA-256\"".to_owned())),
    }
}

/// A database or role: a name that needs no quotes in SQL, and in a URL neither.
fn role(text: &str) -> Result<String, NameError> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let first = text.chars().next();
    if text.len() > 32 || !text.chars().all(fine) || !first.is_some_and(|c| c.is_ascii_lowercase())
    {
        return Err(NameError(
            "is not a name of at most 32 lower-case letters, digits and underscores that begins with a letter"
                .to_owned(),
        ));
    }
    Ok(text.to_owned())
}

/// The service shows it in every page's title.
fn title(text: &str) -> Result<String, NameError> {
    if text.chars().count() > 100 {
        return Err(NameError("is longer than 100 characters".to_owned()));
    }
    short_text(text)
}

fn mail_host(text: &str) -> Result<String, NameError> {
    if text != "localhost" && text.parse::<std::net::IpAddr>().is_err() {
        Domain::parse(text)?;
    }
    Ok(text.to_owned())
}

/// `Name <address>`, or the address alone.
fn sender(text: &str) -> Result<String, NameError> {
    let text = short_text(text)?;
    match text.split_once('<') {
        None => {
            Email::parse(&text)?;
        }
        Some((name, rest)) => {
            let address = rest
                .strip_suffix('>')
                .ok_or_else(|| NameError("has a `<` and no `>` at the end".to_owned()))?;
            Email::parse(address)?;
            if name.contains(['"', ',', ';', ':', '@', '>', '\\', '(', ')', '[', ']']) {
                return Err(NameError(
                    "has a character before the `<` that does not belong there".to_owned(),
                ));
            }
        }
    }
    Ok(text)
}
