//! How people sign in to Prosody with accounts of the account service (`mode = "sql_hashed"`): our own
//! module, where it finds the service and the database, and the secrets that it shows there.

use serde_json::{Value, json};

use super::accounts::{self, DATABASE, READER};
use super::{Context, Wants};
use crate::name::{AbsPath, Owner};
use crate::platform::Family;
use crate::resource::Content;
use crate::secret::Secret;
use crate::site::{Database, Engine, Mode};

/// The module.
pub(super) const PLUGIN: (&str, &str) = (
    "mod_auth_sql_hashed.lua",
    include_str!("../../prosody-plugins/mod_auth_sql_hashed.lua"),
);

/// The file with what Prosody shows to the account service; for Prosody alone.
#[must_use]
pub fn key_file(context: &Context<'_>) -> AbsPath {
    context.platform.prosody.config.join("accounts.key")
}

/// The file with the password of Prosody's role; for Prosody alone.
#[must_use]
pub fn password_file(context: &Context<'_>) -> AbsPath {
    context.platform.prosody.config.join("accounts.password")
}

/// The password of Prosody's role, when accounts are in a database server that it may ask.
fn password<'a>(context: &'a Context<'_>) -> Option<&'a Secret<String>> {
    match &context.site.accounts.as_ref()?.database {
        Database::Sqlite => None,
        Database::Local(_) => Some(&context.secrets.accounts_reader_password),
        Database::Remote(..) => context.facts.accounts.reader_password.as_ref(),
    }
}

/// The driver of the database, and the files with secrets.
pub(super) fn items(context: &Context<'_>, wants: &mut Wants) {
    let (Mode::SqlHashed, Some(accounts)) = (context.site.auth.mode, &context.site.accounts) else {
        return;
    };
    let packages = &context.platform.packages;
    let driver = match &accounts.database {
        Database::Sqlite => &packages.dbi_sqlite,
        Database::Local(Engine::MariaDb) | Database::Remote(Engine::MariaDb, _) => {
            &packages.dbi_mariadb
        }
        Database::Local(Engine::PostgreSql) | Database::Remote(Engine::PostgreSql, _) => {
            &packages.dbi_postgresql
        }
    };
    wants.packages(driver, context);
    let owner = Owner::new("root", &context.platform.prosody.account.owner.group);
    let line =
        |secret: &Secret<String>| Content::Bytes(format!("{}\n", secret.reveal()).into_bytes());
    let key = line(&context.secrets.accounts_prosody_key);
    wants.veiled_file(key_file(context), owner.clone(), 0o640, key);
    if let Some(password) = password(context) {
        wants.veiled_file(password_file(context), owner, 0o640, line(password));
    }
}

/// The values `sql_hashed.…` of templates.
pub(super) fn values(context: &Context<'_>) -> Value {
    let site = context.site;
    let port = site
        .accounts
        .as_ref()
        .map_or(0, |accounts| accounts.internal_port);
    let mut values = json!({
        "mechanisms": site.auth.sql_hashed.mechanisms,
        "scram_iterations": site.auth.sql_hashed.scram_iterations,
        "service": format!("http://127.0.0.1:{port}/prosody/password"),
        "secret_file": key_file(context),
        "driver": "", "database": "", "host": "", "port": 0, "username": "", "password_file": "", "authorities": "",
    });
    let database = site.accounts.as_ref().map(|accounts| &accounts.database);
    let more = match database {
        None => json!({}),
        Some(Database::Sqlite) => json!({
            "driver": "SQLite3", "database": accounts::sqlite_file(context),
        }),
        Some(Database::Local(engine)) => json!({
            "driver": driver(*engine), "database": DATABASE, "host": local(context, *engine), "username": READER,
            "password_file": password_file(context),
        }),
        // A server elsewhere has a role for Prosody when whoever looks after it made one. LuaDBI has no
        // TLS for MariaDB.
        Some(Database::Remote(Engine::MariaDb, remote)) if remote.tls => json!({}),
        Some(Database::Remote(engine, remote)) => {
            match (&remote.reader, remote.address.rsplit_once(':')) {
                (Some(reader), Some((host, port))) => json!({
                    "driver": driver(*engine), "database": remote.name, "username": reader,
                    "host": host.trim_matches(['[', ']']), "port": port.parse::<u16>().unwrap_or_default(),
                    "password_file": password_file(context),
                    "authorities": if remote.tls { authorities(context, remote.ca_file.as_ref()) } else { String::new() },
                }),
                _ => json!({}),
            }
        }
    };
    if let (Some(values), Value::Object(more)) = (values.as_object_mut(), more) {
        values.extend(more);
    }
    values
}

fn driver(engine: Engine) -> &'static str {
    match engine {
        Engine::MariaDb => "MySQL",
        Engine::PostgreSql => "PostgreSQL",
    }
}

/// Where the system's server listens. MariaDB's socket, since Slackware's has no port; a driver takes
/// what begins with a slash for a socket.
fn local<'c>(context: &'c Context<'_>, engine: Engine) -> &'c str {
    match engine {
        Engine::MariaDb => context.platform.accounts.mariadb.1.as_str(),
        Engine::PostgreSql => "127.0.0.1",
    }
}

fn authorities(context: &Context<'_>, named: Option<&AbsPath>) -> String {
    match (named, context.platform.release.family()) {
        (Some(file), _) => file.to_string(),
        // both systems keep them there
        (None, Family::Debian | Family::Slackware) => {
            "/etc/ssl/certs/ca-certificates.crt".to_owned()
        }
    }
}
