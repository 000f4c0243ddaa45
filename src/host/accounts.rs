//! What the doctor asks of the account service and of the database that Prosody reads: whether the
//! settings are right, whether a secret is the service's, and what Prosody's role may do.
//!
//! None of it changes anything, and no secret is an argument of a program.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use super::ask::{ask, ask_with};
use super::bosh::exchange_with;
use super::line::Line;
use super::process::find;
use crate::doctor::Reader;
use crate::name::{AbsPath, Engine};
use crate::secret::Secret;

/// What a role may do in MariaDB besides reading the view, by the server's own tables, which show
/// a role its own rights.
const IN_MARIADB: &str = "SELECT 1 FROM prosody_login WHERE 1 = 0;
SELECT CONCAT(privilege_type, ' on ', table_name) FROM information_schema.table_privileges
 WHERE NOT (table_schema = DATABASE() AND table_name = 'prosody_login' AND privilege_type = 'SELECT')
UNION ALL SELECT CONCAT(privilege_type, ' on ', table_name, '.', column_name) FROM information_schema.column_privileges
UNION ALL SELECT CONCAT(privilege_type, ' on all of ', table_schema) FROM information_schema.schema_privileges
UNION ALL SELECT CONCAT(privilege_type, ' on everything') FROM information_schema.user_privileges WHERE privilege_type <> 'USAGE';";

/// The same in PostgreSQL, with what it has as anybody and as a superuser.
const IN_POSTGRESQL: &str = "SELECT 1 FROM prosody_login WHERE 1 = 0;
SELECT word || ' on ' || c.relname
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) word
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(c.oid, word)
  AND NOT (c.relname = 'prosody_login' AND word = 'SELECT')
UNION ALL SELECT 'CREATE in ' || nspname FROM pg_namespace
 WHERE nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(oid, 'CREATE');";

/// What the service's own `check` finds.
pub(super) fn settings(program: &AbsPath, file: &AbsPath) -> Result<Vec<String>, String> {
    let args = ["check", "--json", "--config", file.as_str()];
    let said = ask(Path::new(program.as_str()), &args)?;
    let unclear = || {
        let last = said.err.lines().last().unwrap_or("it says nothing");
        format!("`{program} check`: {last}")
    };
    let value: Value = serde_json::from_str(&said.out).map_err(|_| unclear())?;
    let problems = value["problems"].as_array().ok_or_else(unclear)?;
    let one = |problem: &Value| {
        let what = problem["what"].as_str().unwrap_or_default();
        match problem["line"].as_u64() {
            Some(line) => format!("line {line}: {what}"),
            None => what.to_owned(),
        }
    };
    Ok(problems.iter().map(one).collect())
}

/// The status of the answer to a question without name and password.
pub(super) fn question(port: u16, secret: &Secret<String>) -> Result<u16, String> {
    let word = secret.reveal();
    if !word.chars().all(|c| c.is_ascii_graphic()) {
        return Err("the secret has something besides letters, digits and signs".to_owned());
    }
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let headers = format!("Host: {address}\r\nAuthorization: Bearer {word}\r\n");
    let line = "POST /prosody/password";
    exchange_with(&mut Line::dial(address)?, line, &headers, Some("{}"))
        .map(|(status, _)| status)
        .map_err(|why| format!("{why} at {address}"))
}

/// What Prosody's role may do besides reading its view.
pub(super) fn rights(reader: &Reader<'_>) -> Result<Vec<String>, String> {
    let user = format!("--user={}", reader.role);
    let (names, variable, args): (&[&str], &str, Vec<&str>) = match reader.engine {
        Engine::MariaDb => (
            &["mariadb", "mysql"],
            "MYSQL_PWD",
            vec!["--no-defaults", "--batch", "--skip-column-names", &user],
        ),
        Engine::PostgreSql => (
            &["psql"],
            "PGPASSWORD",
            vec!["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"],
        ),
    };
    let socket = format!("--socket={}", reader.socket);
    let more = match reader.engine {
        Engine::MariaDb => vec![
            socket.as_str(),
            "--execute",
            IN_MARIADB,
            "--",
            reader.database,
        ],
        Engine::PostgreSql => vec![
            "--set=ON_ERROR_STOP=1",
            "--host=127.0.0.1",
            "--no-password",
            "--username",
            reader.role,
            "--command",
            IN_POSTGRESQL,
            "--dbname",
            reader.database,
        ],
    };
    let client = names.iter().find_map(|name| find(name));
    let client = client.ok_or_else(|| format!("there is no program `{}`", names[0]))?;
    let variable = (variable, reader.password.reveal().as_str());
    let said = ask_with(&client, &[args, more].concat(), Some(variable))?;
    if said.is_success {
        return Ok(said.out.lines().map(str::to_owned).collect());
    }
    let words = said.err.lines().find(|line| !line.trim().is_empty());
    Err(words.unwrap_or("no answer").trim().to_owned())
}
