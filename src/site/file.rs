//! From TOML to [`Site`]: every key, its default and its check.
//!
//! Over 400 lines: one short function for each table of the site file.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::{
    AcmeClient, Auth, CertificateSource, Database, Engine, Jicofo, LogLevel, Mapping, Mechanism,
    Meet, Mode, Packages, Prosody, ProsodyVersion, Signature, Site, SqlHashed, TokenAuth,
    Videobridge, Web, WebServer,
};
use crate::name::{AbsPath, Domain, Email, NameError};
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
    let auth = auth(file.table("auth"));
    let prosody = prosody(file.table("prosody"));
    let jicofo = jicofo(file.table("jicofo"));
    let videobridge = videobridge(file.table("videobridge"));
    let meet = meet(file.table("meet"));
    let accounts = super::accounts::accounts(&file);
    let packages = packages(file.table("packages"));
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

fn auth(table: Table<'_>) -> Auth {
    let mode = table
        .choice(
            "mode",
            &[("token", Mode::Token), ("sql_hashed", Mode::SqlHashed)],
        )
        .unwrap_or(Mode::Token);
    let guests = table.flag("guests").unwrap_or(true);
    for (other, name) in [(Mode::Token, "token"), (Mode::SqlHashed, "sql_hashed")] {
        if mode != other && table.has(name) {
            table.object(
                name,
                format!("`[auth.{name}]` is for `mode = \"{name}\"` only"),
                format!("write `mode = \"{name}\"` under `[auth]`, or remove the table"),
            );
        }
    }
    let auth = Auth {
        mode,
        guests,
        token: token(table.table("token")),
        sql_hashed: sql_hashed(table.table("sql_hashed")),
    };
    table.finish();
    auth
}

fn sql_hashed(table: Table<'_>) -> SqlHashed {
    let mechanism = |text: &str| match text {
        "PLAIN" => Ok(Mechanism::Plain),
        "SCRAM-SHA-1" => Ok(Mechanism::ScramSha1),
        "SCRAM-SHA-256" => Ok(Mechanism::ScramSha256),
        _ => Err(NameError(
            "is none of \"PLAIN\", \"SCRAM-SHA-1\" and \"SCRAM-SHA-256\"".to_owned(),
        )),
    };
    let asked = table.texts("mechanisms", "PLAIN", mechanism);
    let mut mechanisms: Vec<Mechanism> = Vec::new();
    for one in asked.unwrap_or_else(|| vec![Mechanism::Plain]) {
        if !mechanisms.contains(&one) {
            mechanisms.push(one);
        }
    }
    let for_browsers = [Mechanism::Plain, Mechanism::ScramSha1];
    if !mechanisms.iter().any(|one| for_browsers.contains(one)) {
        table.object(
            "mechanisms",
            "Jitsi's web application signs in by PLAIN or SCRAM-SHA-1, and neither is offered",
            "add \"PLAIN\" to `mechanisms`",
        );
    }
    let scram_iterations = table
        .number("scram_iterations", 4096..=1_000_000, 10_000)
        .unwrap_or(10_000);
    table.finish();
    SqlHashed {
        mechanisms,
        scram_iterations,
    }
}

fn token(table: Table<'_>) -> TokenAuth {
    let app_id = table
        .text("app_id", "jitsi", short_text)
        .unwrap_or_else(|| "jitsi".to_owned());
    let audience = table
        .text("audience", "jitsi", short_text)
        .unwrap_or_else(|| "jitsi".to_owned());
    let rsa = table
        .choice("algorithm", &[("HS256", false), ("RS256", true)])
        .unwrap_or(false);
    let secret_file = table.text(
        "secret_file",
        "/etc/jitsi-install/token.secret",
        AbsPath::parse,
    );
    let key_server = table.text("key_server", "https://id.example.org/asap", url);
    let keys_url = table.text("keys_url", "https://id.example.org/jwks.json", url);
    if rsa && secret_file.is_some() {
        table.object(
            "secret_file",
            "RS256 has no shared secret",
            "remove `secret_file`, or write `algorithm = \"HS256\"`",
        );
    }
    if !rsa && (key_server.is_some() || keys_url.is_some()) {
        let key = if key_server.is_some() {
            "key_server"
        } else {
            "keys_url"
        };
        table.object(
            key,
            "HS256 has no public keys to fetch",
            "remove it, or write `algorithm = \"RS256\"`",
        );
    }
    let signature = match (rsa, key_server, keys_url) {
        (true, Some(key_server), Some(keys_url)) => Signature::Rs256 {
            key_server,
            keys_url,
        },
        (true, ..) => {
            table.object(
                "algorithm",
                "RS256 needs `key_server` and `keys_url`: with one of them alone Prosody leaves clients hanging",
                "add both under `[auth.token]`",
            );
            Signature::Hs256 { secret_file: None }
        }
        (false, ..) => Signature::Hs256 { secret_file },
    };
    table.finish();
    TokenAuth {
        app_id,
        audience,
        signature,
    }
}

fn prosody(table: Table<'_>) -> Prosody {
    let prosody = Prosody {
        version: table.choice(
            "version",
            &[
                ("0.12", ProsodyVersion::V0_12),
                ("13.0", ProsodyVersion::V13),
            ],
        ),
        c2s_port: table.port("c2s_port", 5222).unwrap_or(5222),
        http_port: table.port("http_port", 5280).unwrap_or(5280),
        plugins: table.text(
            "plugins",
            "/usr/share/jitsi-meet/prosody-plugins",
            AbsPath::parse,
        ),
        log_level: table
            .choice(
                "log_level",
                &[
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                    ("warn", LogLevel::Warn),
                    ("error", LogLevel::Error),
                ],
            )
            .unwrap_or(LogLevel::Info),
    };
    table.finish();
    prosody
}

fn jicofo(table: Table<'_>) -> Jicofo {
    let jicofo = Jicofo {
        rest_port: table.port("rest_port", 8888).unwrap_or(8888),
        memory: table.number("memory", 128..=262_144, 1024).unwrap_or(1024),
        max_bridge_participants: table
            .number("max_bridge_participants", 2..=10_000, 80)
            .unwrap_or(80),
    };
    table.finish();
    jicofo
}

fn videobridge(table: Table<'_>) -> Videobridge {
    let mut public_addresses = Vec::new();
    let example = "[{ local = \"10.0.0.5\", public = \"198.51.100.7\" }]";
    for item in table.tables("public_addresses", example) {
        let local = item.text("local", "10.0.0.5", address);
        let public = item.text("public", "198.51.100.7", address);
        match (local, public) {
            (Some(local), Some(public)) if local.is_ipv4() != public.is_ipv4() => {
                item.object(
                    "public",
                    "`local` and `public` are of different IP versions",
                    "map IPv4 to IPv4 and IPv6 to IPv6",
                );
            }
            (Some(local), Some(public)) => public_addresses.push(Mapping { local, public }),
            _ => item.object(
                "local",
                "a public address needs `local` and `public`",
                format!("write `public_addresses = {example}`"),
            ),
        }
        item.finish();
    }
    let videobridge = Videobridge {
        udp_port: table.port("udp_port", 10_000).unwrap_or(10_000),
        rest_port: table.port("rest_port", 8080).unwrap_or(8080),
        memory: table.number("memory", 256..=262_144, 3072).unwrap_or(3072),
        public_addresses,
        stun: table
            .texts("stun", "stun.example.org:3478", host_and_port)
            .unwrap_or_default(),
        require_valid_address: table.flag("require_valid_address").unwrap_or(true),
        websockets: table.flag("websockets").unwrap_or(false),
        websocket_port: table.port("websocket_port", 8443).unwrap_or(8443),
        rest_shutdown: table.flag("rest_shutdown").unwrap_or(false),
    };
    table.finish();
    videobridge
}

fn meet(table: Table<'_>) -> Meet {
    let app_name = table
        .text("app_name", "Jitsi Meet", short_text)
        .unwrap_or_else(|| "Jitsi Meet".to_owned());
    let config = table.free("config");
    let interface = table.free("interface");
    for taken in ["hosts", "bosh", "websocket", "websocketKeepAliveUrl"] {
        if config.contains_key(taken) {
            table.object(
                "config",
                format!(
                    "`meet.config.{taken}` is written by jitsi-install and cannot be changed there"
                ),
                format!("remove `{taken}` from `[meet.config]`"),
            );
        }
    }
    table.finish();
    Meet {
        app_name,
        config,
        interface,
    }
}

fn packages(table: Table<'_>) -> Packages {
    let set = table.text("set", "2.0.11031", |text| {
        let is_version = text.split('.').count() == 3
            && text
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if is_version {
            Ok(text.to_owned())
        } else {
            Err(NameError(
                "a set has the version of upstream's package `jitsi-meet`, three numbers"
                    .to_owned(),
            ))
        }
    });
    table.finish();
    Packages { set }
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

fn address(text: &str) -> Result<IpAddr, NameError> {
    match text.parse::<IpAddr>() {
        Ok(ip) if ip.is_multicast() => Err(NameError("is a multicast address".to_owned())),
        Ok(ip) => Ok(ip),
        Err(_) => Err(NameError("is not an IP address".to_owned())),
    }
}

/// A text for people or programs that later rooms quote: any characters but control ones.
pub(super) fn short_text(text: &str) -> Result<String, NameError> {
    if text.trim().is_empty() {
        return Err(NameError("is empty".to_owned()));
    }
    if text.chars().count() > 200 {
        return Err(NameError("is longer than 200 characters".to_owned()));
    }
    if text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}'))
    {
        return Err(NameError("has a control character".to_owned()));
    }
    Ok(text.to_owned())
}

pub(super) fn host_and_port(text: &str) -> Result<String, NameError> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(NameError("has no port".to_owned()));
    };
    if port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err(NameError("has no valid port after the colon".to_owned()));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_err() {
        Domain::parse(host)?;
    }
    Ok(text.to_owned())
}

/// An `https://` address, or `http://` on this machine, with plain characters only.
pub(super) fn url(text: &str) -> Result<String, NameError> {
    let local = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let is_local = local.iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if !text.starts_with("https://") && !is_local {
        return Err(NameError(
            "is not an https:// address (http:// is for 127.0.0.1 only)".to_owned(),
        ));
    }
    if text.len() > 500 {
        return Err(NameError("is longer than 500 characters".to_owned()));
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@!&()*+,;=%[]".contains(c);
    match text.chars().find(|c| !fine(*c)) {
        Some(bad) => Err(NameError(format!(
            "has the character `{}`",
            bad.escape_debug()
        ))),
        None => Ok(text.trim_end_matches('/').to_owned()),
    }
}
