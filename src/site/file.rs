//! From TOML to [`Site`]: every key, its default and its check.

mod auth;
mod services;

use std::collections::BTreeSet;
use std::fmt;

use super::value::address;
use super::{AcmeClient, CertificateSource, Database, Engine, Mode, Site, Web, WebServer};
use crate::name::{AbsPath, Domain, Email};
use crate::reader::{Document, Problem, Table};

/// Everything that is wrong with a site file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteError {
    /// In the order of the lines; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SiteError {}

/// Reads a site file.
///
/// # Errors
/// All problems at once, each with its key, line and cure.
pub fn parse(text: &str) -> Result<Site, SiteError> {
    let (site, problems, _) = read(text);
    match site {
        Some(site) if problems.is_empty() => Ok(site),
        _ => Err(SiteError { problems }),
    }
}

/// The dotted path of every key that a site file may have.
#[must_use]
pub fn keys() -> BTreeSet<String> {
    let everything = "schema = 1\ndomain = \"a.example\"\n[[videobridge.public_addresses]]\n";
    let (_, _, asked) = read(everything);
    asked
        .into_iter()
        .map(|key| key.replace("[0]", ""))
        .collect()
}

fn read(text: &str) -> (Option<Site>, Vec<Problem>, BTreeSet<String>) {
    match Document::parse("the site file", text) {
        Err(problem) => (None, vec![problem], BTreeSet::new()),
        Ok(document) => {
            let site = site(document.root());
            let (problems, asked) = document.finish();
            (site, problems, asked)
        }
    }
}

fn site(file: Table<'_>) -> Option<Site> {
    let _ = file.number("schema", 1..=1, 1);
    if !file.has("schema") {
        file.object(
            "schema",
            "`schema` must be 1: it tells which keys this file may have",
            "begin the file with `schema = 1`",
        );
    }
    let domain = file.text("domain", "meet.example.org", Domain::parse);
    if !file.has("domain") {
        file.object(
            "domain",
            "a site needs its `domain`",
            "add `domain = \"meet.example.org\"` at the top",
        );
    }
    let admin_email = file.text("admin_email", "admin@example.org", Email::parse);
    let keep = file
        .texts(
            "keep",
            "/etc/jitsi/meet/meet.example.org-config.js",
            AbsPath::parse,
        )
        .unwrap_or_default();
    let certificates = certificates(file.table("certificates"));
    let web = web(file.table("web"));
    let auth = auth::auth(file.table("auth"));
    let prosody = services::prosody(file.table("prosody"));
    let jicofo = services::jicofo(file.table("jicofo"));
    let videobridge = services::videobridge(file.table("videobridge"));
    let meet = services::meet(file.table("meet"));
    let accounts = super::accounts::accounts(&file);
    let packages = services::packages(file.table("packages"));
    let site = domain.map(|domain| Site {
        domain,
        admin_email,
        keep,
        certificates,
        web,
        auth,
        prosody,
        jicofo,
        videobridge,
        meet,
        accounts,
        packages,
    });
    if let Some(site) = &site {
        if matches!(
            site.certificates,
            CertificateSource::Issued {
                by: AcmeClient::Caddy,
                ..
            }
        ) && site.web.server != WebServer::Caddy
        {
            file.table("certificates").object(
                "source",
                "`source = \"caddy\"` is for sites whose web server is Caddy",
                "add `server = \"caddy\"` under `[web]`, or name another source",
            );
        }
        one_port_each(&file, site);
        accounts_for_logins(&file, site);
    }
    file.finish();
    site
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    SelfSigned,
    Client(AcmeClient),
    Files,
}

fn certificates(table: Table<'_>) -> CertificateSource {
    let source = table
        .choice(
            "source",
            &[
                ("self-signed", Source::SelfSigned),
                ("acme.sh", Source::Client(AcmeClient::AcmeSh)),
                ("certbot", Source::Client(AcmeClient::Certbot)),
                ("lego", Source::Client(AcmeClient::Lego)),
                ("caddy", Source::Client(AcmeClient::Caddy)),
                ("files", Source::Files),
            ],
        )
        .unwrap_or(Source::SelfSigned);
    let home = table.text("home", "/root/.acme.sh", AbsPath::parse);
    let certificate = table.text("certificate", "/etc/ssl/meet/fullchain.pem", AbsPath::parse);
    let key = table.text("key", "/etc/ssl/meet/key.pem", AbsPath::parse);
    if !matches!(source, Source::Client(_)) && home.is_some() {
        table.object(
            "home",
            "`certificates.home` is only for acme.sh, certbot, lego and caddy",
            "add `source = \"acme.sh\"` (or another of them), or remove `home`",
        );
    }
    if source != Source::Files && (certificate.is_some() || key.is_some()) {
        let key = if certificate.is_some() {
            "certificate"
        } else {
            "key"
        };
        table.object(
            key,
            "`certificates.certificate` and `certificates.key` are only for your own files",
            "add `source = \"files\"`, or remove them",
        );
    }
    let chosen = match (source, certificate, key) {
        (Source::Client(by), ..) => CertificateSource::Issued {
            by,
            home: home.unwrap_or_else(|| by.usual_home()),
        },
        (Source::Files, Some(certificate), Some(key)) => {
            CertificateSource::Files { certificate, key }
        }
        (Source::Files, ..) => {
            table.object(
                "source",
                "`source = \"files\"` needs `certificate` and `key`",
                "add both under `[certificates]`",
            );
            CertificateSource::SelfSigned
        }
        (Source::SelfSigned, ..) => CertificateSource::SelfSigned,
    };
    table.finish();
    chosen
}

fn web(table: Table<'_>) -> Web {
    let web = Web {
        server: table
            .choice(
                "server",
                &[("nginx", WebServer::Nginx), ("caddy", WebServer::Caddy)],
            )
            .unwrap_or(WebServer::Nginx),
        http_port: table.port("http_port", 80).unwrap_or(80),
        https_port: table.port("https_port", 443).unwrap_or(443),
        addresses: table
            .texts("addresses", "192.0.2.7", address)
            .unwrap_or_default(),
        root: table.text("root", "/usr/share/jitsi-meet", AbsPath::parse),
    };
    table.finish();
    web
}

/// People who sign in need the account service, and SCRAM needs a database that Prosody can ask.
fn accounts_for_logins(file: &Table<'_>, site: &Site) {
    if site.auth.mode != Mode::SqlHashed {
        return;
    }
    let Some(accounts) = &site.accounts else {
        file.table("auth").object(
            "mode",
            "`mode = \"sql_hashed\"` lets in people with an account, and there is no account service",
            "add a table `[accounts]`, which may be empty, or write `mode = \"token\"`",
        );
        return;
    };
    let Database::Remote(engine, remote) = &accounts.database else {
        return;
    };
    let why = match (engine, &remote.reader) {
        (Engine::MariaDb, _) if remote.tls => {
            "Prosody has no TLS to a MariaDB elsewhere, and SCRAM is checked by keys that it reads there"
        }
        (_, None) => {
            "SCRAM is checked by keys that Prosody reads in the database, and it has no role there"
        }
        (_, Some(_)) => return,
    };
    if !site.auth.sql_hashed.scram().is_empty() {
        file.table("auth").table("sql_hashed").object(
            "mechanisms",
            why,
            "write `mechanisms = [\"PLAIN\"]`, or give it one: `reader` and `reader_password_file` under `[accounts.remote_database]`",
        );
    }
}

/// Two services cannot have one port; the check names the one that the file sets.
fn one_port_each(file: &Table<'_>, site: &Site) {
    let bridge = site.videobridge.websockets.then_some((
        "videobridge",
        "websocket_port",
        site.videobridge.websocket_port,
    ));
    let accounts = site
        .accounts
        .as_ref()
        .map(|accounts| ("accounts", "internal_port", accounts.internal_port));
    let tcp = [
        ("web", "http_port", site.web.http_port),
        ("web", "https_port", site.web.https_port),
        ("prosody", "c2s_port", site.prosody.c2s_port),
        ("prosody", "http_port", site.prosody.http_port),
        ("jicofo", "rest_port", site.jicofo.rest_port),
        ("videobridge", "rest_port", site.videobridge.rest_port),
    ];
    let mut taken: Vec<(&str, &str, u16)> = Vec::new();
    for one in tcp.into_iter().chain(bridge).chain(accounts) {
        if let Some(other) = taken.iter().find(|other| other.2 == one.2) {
            let (guilty, innocent) = if file.table(one.0).has(one.1) {
                (one, *other)
            } else {
                (*other, one)
            };
            let (table, key, port) = guilty;
            file.table(table).object(
                key,
                format!(
                    "`{table}.{key}` and `{}.{}` are both {port}",
                    innocent.0, innocent.1
                ),
                format!("give `{key}` another port under `[{table}]`"),
            );
        }
        taken.push(one);
    }
}
