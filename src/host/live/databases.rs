//! Databases in servers of this machine, by their own clients: as root in MariaDB, as `postgres` in
//! PostgreSQL, over the server's socket. SQL goes in by stdin and passwords by the environment of a
//! process of root's, so that no password is an argument.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Live, last};
use crate::host::process::find;
use crate::host::root::Root;
use crate::name::Engine;
use crate::plan::{Found, State};
use crate::resource::{Database, Resource, Service};
use crate::secret::Secret;

/// How long a server that was just started may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The view that Prosody reads.
const VIEW: &str = "prosody_login";

/// How a database stands. One whose server does not run is not there yet: the server is started
/// before it.
pub(super) fn look(live: &Live, root: &Root, wanted: &Database) -> Found {
    match exists(wanted) {
        Ok(false) => Found::State(State::Absent),
        Ok(true) => Found::State(State::Database {
            fits: fits(wanted, live.socket()),
        }),
        Err(why) if is_up(live, root, wanted.engine) => Found::Unknown(why),
        Err(_) => Found::State(State::Absent),
    }
}

fn is_up(live: &Live, root: &Root, engine: Engine) -> bool {
    let service = Resource::Service(Service {
        name: live.server(engine).to_owned(),
        id: crate::name::ServiceId::Database,
        probes: Vec::new(),
    });
    matches!(
        live.thing(root, &service),
        Some(Found::State(State::Service { running: true, .. }))
    )
}

impl Live {
    /// Drops a database with whoever is in it; a server that does not run is started for that.
    ///
    /// # Errors
    /// The server's last words.
    pub fn drop_database(&self, root: &Root, gone: &Database) -> Result<(), String> {
        let name = self.server(gone.engine);
        let ran = is_up(self, root, gone.engine);
        let set = |runs: bool| match self {
            Self::Debian(_) => super::debian::set(name, ran, runs),
            Self::Slackware(_) => super::slackware::set(root, name, ran, runs),
        };
        if !ran {
            set(true)?;
        }
        let until = Instant::now() + PATIENCE;
        while exists(gone).is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(250));
        }
        let done = remove(gone);
        if !ran {
            set(false)?;
        }
        done
    }

    /// The service that is a database server.
    pub(super) fn server(&self, engine: Engine) -> &'static str {
        match (self, engine) {
            (Self::Debian(_), Engine::MariaDb) => "mariadb",
            (Self::Slackware(_), Engine::MariaDb) => "mysqld",
            (_, Engine::PostgreSql) => "postgresql",
        }
    }

    /// MariaDB's socket, which a client without its files of options has to be told.
    fn socket(&self) -> &'static str {
        match self {
            Self::Debian(_) => "/run/mysqld/mysqld.sock",
            Self::Slackware(_) => "/run/mysql/mysql.sock",
        }
    }
}

fn exists(wanted: &Database) -> Result<bool, String> {
    let name = &wanted.name;
    let (sql, base) = match wanted.engine {
        Engine::MariaDb => (
            format!(
                "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{name}';"
            ),
            "mysql",
        ),
        Engine::PostgreSql => (
            format!("SELECT count(*) FROM pg_database WHERE datname = '{name}';"),
            "postgres",
        ),
    };
    Ok(administer(wanted.engine, base, &sql)?.trim() == "1")
}

/// Do both roles come in, and does the reader's see the view, as soon as the service has made it?
fn fits(wanted: &Database, socket: &str) -> bool {
    let comes_in = |role: &str, password: &Option<Secret<String>>, sql: &str| {
        password
            .as_ref()
            .is_none_or(|password| try_role(wanted, socket, role, password, sql))
    };
    let looks = match has_view(wanted) {
        true => "SELECT 1 FROM prosody_login WHERE 1 = 0;\n",
        false => "SELECT 1;\n",
    };
    comes_in(&wanted.name, &wanted.password, "SELECT 1;\n")
        && comes_in(&wanted.reader(), &wanted.reader_password, looks)
}

fn has_view(wanted: &Database) -> bool {
    let name = &wanted.name;
    let (schema, base) = match wanted.engine {
        Engine::MariaDb => (name.as_str(), "mysql"),
        Engine::PostgreSql => ("public", name.as_str()),
    };
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.views WHERE table_schema = '{schema}' AND table_name = '{VIEW}';"
    );
    administer(wanted.engine, base, &sql).is_ok_and(|said| said.trim() == "1")
}

fn try_role(
    wanted: &Database,
    socket: &str,
    role: &str,
    password: &Secret<String>,
    sql: &str,
) -> bool {
    let (user, socket) = (format!("--user={role}"), format!("--socket={socket}"));
    let (client, variable, args) = match wanted.engine {
        Engine::MariaDb => (
            mariadb(),
            "MYSQL_PWD",
            ["--no-defaults", &socket, &user, &wanted.name],
        ),
        Engine::PostgreSql => {
            let user = ["--host=127.0.0.1", "--no-psqlrc"];
            (
                Ok("psql".to_owned()),
                "PGPASSWORD",
                [user[0], user[1], role, &wanted.name],
            )
        }
    };
    let Ok(client) = client else { return false };
    let mut command = Command::new(client);
    match wanted.engine {
        Engine::MariaDb => command.args(args),
        Engine::PostgreSql => command.args(&args[..2]).args([
            // Else it goes on after an error, and ends well.
            "--set=ON_ERROR_STOP=1",
            "--no-password",
            "--username",
            args[2],
            "--dbname",
            args[3],
        ]),
    };
    command.env(variable, password.reveal());
    speak(command, sql).is_ok()
}

/// Makes database and roles, or mends them. A server that was just started may take a moment.
pub(super) fn make(wanted: &Database) -> Result<(), String> {
    // The books have no passwords: on the way back roles that were mended stay so.
    let (Some(password), Some(reader)) = (&wanted.password, &wanted.reader_password) else {
        return Ok(());
    };
    let until = Instant::now() + PATIENCE;
    while let Err(why) = exists(wanted) {
        if Instant::now() > until {
            return Err(why);
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    let (password, reader) = (literal(password)?, literal(reader)?);
    let (name, role) = (&wanted.name, wanted.reader());
    match wanted.engine {
        Engine::MariaDb => {
            // In a grant on a whole database `_` stands for any character. A right on a view that
            // is not there yet can only be given together with the right to make it.
            let pattern = name.replace('_', "\\_");
            let sql = format!(
                "CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n\
                 CREATE USER IF NOT EXISTS '{name}'@'localhost' IDENTIFIED BY '{password}';\n\
                 ALTER USER '{name}'@'localhost' IDENTIFIED BY '{password}';\n\
                 GRANT ALL PRIVILEGES ON `{pattern}`.* TO '{name}'@'localhost';\n\
                 CREATE USER IF NOT EXISTS '{role}'@'localhost' IDENTIFIED BY '{reader}';\n\
                 ALTER USER '{role}'@'localhost' IDENTIFIED BY '{reader}';\n\
                 REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{role}'@'localhost';\n\
                 GRANT SELECT, CREATE ON `{name}`.`{VIEW}` TO '{role}'@'localhost';\n\
                 REVOKE CREATE ON `{name}`.`{VIEW}` FROM '{role}'@'localhost';\n"
            );
            administer(wanted.engine, "mysql", &sql).map(drop)
        }
        Engine::PostgreSql => {
            let roles = format!(
                "SET log_statement = 'none';\nSET log_min_duration_statement = -1;\nSET log_min_error_statement = 'panic';\n\
                 SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n\
                 SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec\n\
                 ALTER ROLE {name} LOGIN PASSWORD '{password}';\n\
                 ALTER ROLE {role} LOGIN PASSWORD '{reader}';\n\
                 SELECT 'CREATE DATABASE {name} OWNER {name} ENCODING ''UTF8'' TEMPLATE template0' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec\n\
                 REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n\
                 GRANT CONNECT ON DATABASE {name} TO {role};\n"
            );
            administer(wanted.engine, "postgres", &roles)?;
            // A view that is made anew loses its rights; the trigger gives them again.
            let rights = format!(
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n\
                 GRANT USAGE, CREATE ON SCHEMA public TO {name};\n\
                 REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};\n\
                 GRANT USAGE ON SCHEMA public TO {role};\n\
                 CREATE OR REPLACE FUNCTION public.{VIEW}_is_read() RETURNS event_trigger LANGUAGE plpgsql AS $$\n\
                 BEGIN\n\
                   IF to_regclass('public.{VIEW}') IS NOT NULL THEN\n\
                     GRANT SELECT ON public.{VIEW} TO {role};\n\
                   END IF;\n\
                 END $$;\n\
                 DROP EVENT TRIGGER IF EXISTS {VIEW}_is_read;\n\
                 CREATE EVENT TRIGGER {VIEW}_is_read ON ddl_command_end WHEN TAG IN ('CREATE VIEW')\n\
                   EXECUTE FUNCTION public.{VIEW}_is_read();\n\
                 DO $$ BEGIN\n\
                   IF to_regclass('public.{VIEW}') IS NOT NULL THEN\n\
                     GRANT SELECT ON public.{VIEW} TO {role};\n\
                   END IF;\n\
                 END $$;\n"
            );
            administer(wanted.engine, name, &rights).map(drop)
        }
    }
}

/// Drops a database that nobody has come into yet; one with people in it stays.
pub(super) fn drop_empty(gone: &Database) -> Result<(), String> {
    if exists(gone)? && people(gone)? == 0 {
        remove(gone)?;
    }
    Ok(())
}

/// How many accounts are in it.
fn people(database: &Database) -> Result<u64, String> {
    let name = &database.name;
    let (there, count, base) = match database.engine {
        Engine::MariaDb => (
            format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{name}' AND table_name = 'accounts';"),
            format!("SELECT COUNT(*) FROM `{name}`.accounts;"),
            "mysql",
        ),
        Engine::PostgreSql => (
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'accounts';".to_owned(),
            "SELECT count(*) FROM public.accounts;".to_owned(),
            name.as_str(),
        ),
    };
    if administer(database.engine, base, &there)?.trim() != "1" {
        return Ok(0);
    }
    let said = administer(database.engine, base, &count)?;
    said.trim()
        .parse()
        .map_err(|_| format!("`{}` is no number of accounts", last(&said, 1)))
}

/// Drops database and roles with whoever is in there.
fn remove(gone: &Database) -> Result<(), String> {
    let (name, role) = (&gone.name, gone.reader());
    let (sql, base) = match gone.engine {
        Engine::MariaDb => (
            format!(
                "DROP DATABASE IF EXISTS `{name}`;\nDROP USER IF EXISTS '{role}'@'localhost';\nDROP USER IF EXISTS '{name}'@'localhost';\n"
            ),
            "mysql",
        ),
        Engine::PostgreSql => (
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';\n\
                 DROP DATABASE IF EXISTS {name};\nDROP ROLE IF EXISTS {role};\nDROP ROLE IF EXISTS {name};\n"
            ),
            "postgres",
        ),
    };
    administer(gone.engine, base, &sql).map(drop)
}

/// A password as it stands between quotes: those that we make have nothing that could end them.
fn literal(password: &Secret<String>) -> Result<&str, String> {
    let word = password.reveal();
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(
            "a password of its roles has something besides letters and digits: remove it from the file of secrets, and a new one is made"
                .to_owned(),
        );
    }
    Ok(word)
}

fn mariadb() -> Result<String, String> {
    ["mariadb", "mysql"]
        .into_iter()
        .find(|name| find(name).is_some())
        .map(str::to_owned)
        .ok_or_else(|| "there is no program `mariadb`".to_owned())
}

/// Runs SQL with all rights.
fn administer(engine: Engine, base: &str, sql: &str) -> Result<String, String> {
    let command = match engine {
        Engine::MariaDb => {
            let mut command = Command::new(mariadb()?);
            // Root's own file of options stays: it may have a password for him.
            command.args(["--protocol=socket", "--batch", "--skip-column-names", base]);
            command
        }
        Engine::PostgreSql => {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "psql", "--no-psqlrc", "--quiet"]);
            command.args(["--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
            command.args(["--dbname", base]);
            command
        }
    };
    speak(command, sql)
}

/// Runs a client with SQL on its stdin. What it says never quotes a password: the statements are
/// not shown, and the server names the error alone.
fn speak(mut command: Command, sql: &str) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let unable = |error: std::io::Error| format!("`{program}` could not be run: {error}");
    let mut child = command
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unable)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why by itself.
        let _ = stdin.write_all(sql.as_bytes());
    }
    let output = child.wait_with_output().map_err(unable)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    // PostgreSQL repeats the line that it stumbled over.
    let reasons: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("FATAL") || line.contains("error"))
        .collect();
    let reasons = if reasons.is_empty() {
        last(&words, 2)
    } else {
        reasons.join("; ")
    };
    Err(format!("the database server refuses: {reasons}"))
}
