//! Real databases: an SQLite file, and MariaDB and PostgreSQL servers of the tests' own, each with a
//! role that may read the view and nothing else.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

use super::cases::{find, skip};
use super::people;

pub(crate) const READER_PASSWORD: &str = "it's a \\reader's\\ password";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    MariaDb,
    PostgreSql,
}

pub(crate) struct Database {
    pub(crate) kind: Kind,
    folder: PathBuf,
    port: u16,
    server: Option<Child>,
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("bound").port()
}

impl Database {
    /// With everybody of `people.rs` in it; nothing when its server is not on this machine.
    pub(crate) fn start(kind: Kind, place: &Path) -> Option<Self> {
        let folder = place.join("database");
        fs::create_dir_all(&folder).unwrap();
        let mut database = Database {
            kind,
            folder,
            port: free_port(),
            server: None,
        };
        database.prepare()?;
        database.go();
        let reader = match kind {
            Kind::Sqlite => String::new(),
            Kind::MariaDb => format!(
                "CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{}'; GRANT SELECT ON accounts.prosody_login TO reader@'127.0.0.1';",
                READER_PASSWORD.replace('\\', "\\\\").replace('\'', "''")
            ),
            Kind::PostgreSql => format!(
                "CREATE ROLE reader LOGIN PASSWORD '{}'; GRANT SELECT ON prosody_login TO reader;",
                READER_PASSWORD.replace('\'', "''")
            ),
        };
        database.run(&(people::sql() + &reader));
        Some(database)
    }

    fn prepare(&self) -> Option<()> {
        let data = self.folder.join("data");
        match self.kind {
            Kind::Sqlite => {
                find("sqlite3").or_else(|| absent("sqlite3"))?;
            }
            Kind::MariaDb => {
                find("mariadbd").or_else(|| absent("mariadbd"))?;
                own(&self.folder, "mysql");
                let mut install = Command::new("mariadb-install-db");
                install.args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]);
                install.arg(format!("--datadir={}", data.display()));
                quiet(&mut install, "mysql");
            }
            Kind::PostgreSql => {
                postgresql("initdb").or_else(|| absent("initdb"))?;
                own(&self.folder, "postgres");
                let mut init = Command::new(postgresql("initdb")?);
                init.args(["-A", "scram-sha-256", "-U", "postgres", "-N", "-D"])
                    .arg(&data);
                let password = self.folder.join("password");
                fs::write(&password, "owner").unwrap();
                init.arg(format!("--pwfile={}", password.display()));
                quiet(&mut init, "postgres");
            }
        }
        Some(())
    }

    /// Starts the server, if it has one.
    pub(crate) fn go(&mut self) {
        let data = self.folder.join("data");
        let mut command = match self.kind {
            Kind::Sqlite => return,
            Kind::MariaDb => {
                let mut command = Command::new(find("mariadbd").unwrap());
                let at = |name: &str| self.folder.join(name).display().to_string();
                command.args([
                    "--no-defaults",
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                ]);
                command.args([
                    format!("--datadir={}", data.display()),
                    format!("--socket={}", at("s")),
                ]);
                command.args([
                    format!("--pid-file={}", at("pid")),
                    format!("--port={}", self.port),
                ]);
                as_user(&mut command, "mysql");
                command
            }
            Kind::PostgreSql => {
                let mut command = Command::new(postgresql("postgres").unwrap());
                command.arg("-D").arg(&data).arg("-k").arg(&self.folder);
                command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
                as_user(&mut command, "postgres");
                command
            }
        };
        let log = fs::File::create(self.folder.join("log")).unwrap();
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.server = Some(command.spawn().expect("a server"));
        let until = Instant::now() + Duration::from_secs(30);
        while !self.client("SELECT 1;").0 {
            assert!(
                Instant::now() < until,
                "{:?}: {}",
                self.kind,
                self.client("SELECT 1;").1
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        if self.kind == Kind::MariaDb {
            self.client("CREATE DATABASE IF NOT EXISTS accounts CHARACTER SET utf8mb4;");
        }
    }

    /// Ends the server; the connections that it has are cut.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::SIGINT); // PostgreSQL's fast way
        self.signal(Signal::SIGTERM);
        if let Some(mut server) = self.server.take() {
            server.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(server) = &self.server {
            let _ = kill(Pid::from_raw(server.id() as i32), signal);
        }
    }

    pub(crate) fn run(&self, sql: &str) {
        let (ok, said) = self.client(sql);
        assert!(ok, "{said}");
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("accounts.sqlite")
    }

    /// A client that locks the table for so many seconds.
    pub(crate) fn locker(&self, seconds: u32) -> Command {
        let mut shell = Command::new("sh");
        let sql = match self.kind {
            Kind::Sqlite => "BEGIN EXCLUSIVE;".to_owned(),
            Kind::MariaDb => format!("LOCK TABLES people WRITE; SELECT SLEEP({seconds});"),
            Kind::PostgreSql => format!("BEGIN; LOCK TABLE people; SELECT pg_sleep({seconds});"),
        };
        let command = self.command(&sql);
        let line: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        shell.env("PGPASSWORD", "owner").arg("-c");
        shell.arg(format!(
            "{{ echo \"{sql}\"; sleep {seconds}; }} | {}",
            line.join(" ")
        ));
        shell
    }

    fn client(&self, sql: &str) -> (bool, String) {
        let input = self.folder.join("input.sql");
        fs::write(&input, sql).unwrap();
        let mut command = self.command(sql);
        command
            .stdin(fs::File::open(&input).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = command.output().expect("a client");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    fn command(&self, sql: &str) -> Command {
        let port = self.port.to_string();
        match self.kind {
            Kind::Sqlite => {
                let mut command = Command::new("sqlite3");
                command.arg("-bail").arg(self.file());
                command
            }
            Kind::MariaDb => {
                let mut command = Command::new("mariadb");
                command
                    .args(["--no-defaults", "-uroot", "-S"])
                    .arg(self.folder.join("s"));
                if !sql.starts_with("CREATE DATABASE") && sql != "SELECT 1;" {
                    command.arg("accounts");
                }
                command
            }
            Kind::PostgreSql => {
                let mut command = Command::new("psql");
                command.args([
                    "-qX",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-h",
                    "127.0.0.1",
                    "-U",
                    "postgres",
                    "-p",
                    &port,
                ]);
                command.env("PGPASSWORD", "owner");
                command
            }
        }
    }

    /// `sql_hashed_database` in Prosody's configuration.
    pub(crate) fn settings(&self, password_file: &Path) -> String {
        let (driver, name) = match self.kind {
            Kind::Sqlite => {
                return format!(
                    "{{ driver = \"SQLite3\", database = \"{}\" }}",
                    self.file().display()
                );
            }
            Kind::MariaDb => ("MySQL", "accounts"),
            Kind::PostgreSql => ("PostgreSQL", "postgres"),
        };
        format!(
            "{{ driver = \"{driver}\", database = \"{name}\", host = \"127.0.0.1\", port = {}, username = \"reader\", password_file = \"{}\" }}",
            self.port,
            password_file.display()
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGKILL);
        if self.kind == Kind::PostgreSql {
            self.signal(Signal::SIGQUIT);
        }
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }
}

fn absent(program: &str) -> Option<PathBuf> {
    skip(&format!("{program} is not on this machine"));
    None
}

fn postgresql(program: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|entry| entry.path().join("bin").join(program))
        .collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop()
}

/// The servers refuse root.
fn as_user(command: &mut Command, name: &str) {
    if let (true, Ok(Some(user))) = (nix::unistd::geteuid().is_root(), User::from_name(name)) {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
}

fn own(folder: &Path, name: &str) {
    if let (true, Ok(Some(user))) = (nix::unistd::geteuid().is_root(), User::from_name(name)) {
        nix::unistd::chown(folder, Some(user.uid), Some(user.gid)).unwrap();
    }
}

fn quiet(command: &mut Command, user: &str) {
    as_user(command, user);
    let output = command
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
