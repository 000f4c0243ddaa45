//! Real databases for tests: SQLite's file in a folder of its own, MariaDB and PostgreSQL started
//! here on a free port of loopback, as a user without rights, and ended with the test program,
//! however that ends. Other tests take this in with `#[path = "../databases/mod.rs"]`.
//!
//! A server that is not installed is a line `SKIPPED:`, and a failure when `CHECK_STRICT` is 1.
//!
//! Over 400 lines: what differs between the servers stands side by side.
#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses its part"
)]

pub mod elsewhere;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jitsi_install::account::store::{Kind, Store};
use jitsi_install::secret::Secret;

/// The kinds, in the order in which tests run.
pub const KINDS: [Kind; 3] = [Kind::Sqlite, Kind::MySql, Kind::Postgres];

/// An empty database, and how to reach it.
pub struct Database {
    pub kind: Kind,
    /// As it stands in the file of settings.
    pub url: String,
    /// The password that belongs to it; SQLite has none.
    pub password: Option<Secret<String>>,
    /// Its name on the server; SQLite's file.
    pub name: String,
    folder: Option<tempfile::TempDir>,
}

impl Database {
    /// A new one of a kind; `None` where its server is not installed.
    pub fn fresh(kind: Kind) -> Option<Self> {
        if kind == Kind::Sqlite {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("accounts.sqlite");
            return Some(Self {
                kind,
                url: format!("sqlite:{}", file.display()),
                password: None,
                name: file.display().to_string(),
                folder: Some(folder),
            });
        }
        Some(Server::shared(kind)?.database())
    }

    /// Opens it; the tables are made.
    pub async fn connect(&self) -> Store {
        Store::connect(&self.url, self.password.as_ref())
            .await
            .unwrap()
    }

    /// Runs statements as the server's own administrator, in this database.
    pub fn administer(&self, statements: &str) -> String {
        match self.kind {
            Kind::Sqlite => {
                let sqlite = program("sqlite3").expect("`sqlite3` is not here (install sqlite3)");
                let patient = ["-cmd", ".timeout 10000"];
                said(
                    Command::new(sqlite)
                        .args(patient)
                        .arg(&self.name)
                        .arg(statements),
                )
            }
            kind => Server::shared(kind)
                .unwrap()
                .administer(&self.name, statements),
        }
    }
}

/// The kinds whose shared server was started.
static STARTED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// A running server of this test program.
pub struct Server {
    pub kind: Kind,
    pub port: u16,
    folder: PathBuf,
    child: Mutex<Option<Child>>,
    made: AtomicU32,
    /// Ends the server and removes its folder when this program is gone: it reads our end of a pipe.
    _keeper: Child,
}

impl Server {
    /// The server of a kind that all tests of this program share; tests that stop it start one of
    /// their own.
    pub fn shared(kind: Kind) -> Option<&'static Self> {
        static MARIADB: OnceLock<Option<Server>> = OnceLock::new();
        static POSTGRES: OnceLock<Option<Server>> = OnceLock::new();
        match kind {
            Kind::Sqlite => None,
            Kind::MySql => MARIADB.get_or_init(|| Self::noted(kind)).as_ref(),
            Kind::Postgres => POSTGRES.get_or_init(|| Self::noted(kind)).as_ref(),
        }
    }

    fn noted(kind: Kind) -> Option<Self> {
        let server = Self::start(kind);
        STARTED.lock().unwrap().push(kind.name());
        server
    }

    /// The shared server, when it was started.
    pub fn running(kind: Kind) -> Option<&'static Self> {
        STARTED
            .lock()
            .unwrap()
            .contains(&kind.name())
            .then(|| Self::shared(kind))
            .flatten()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().as_ref().map_or(0, Child::id)
    }

    /// Makes a server with a folder of its own and starts it.
    pub fn start(kind: Kind) -> Option<Self> {
        let needed: &[(&str, &str)] = match kind {
            Kind::Sqlite => return None,
            Kind::MySql => &[
                ("mariadbd", "mariadb-server"),
                ("mariadb-install-db", "mariadb-server"),
                ("mariadb", "mariadb-client"),
            ],
            Kind::Postgres => &[
                ("postgres", "postgresql"),
                ("initdb", "postgresql"),
                ("psql", "postgresql-client"),
            ],
        };
        for (name, package) in needed {
            if program(name).is_none() {
                println!("SKIPPED: `{name}` is not here (install {package})");
                let strict = std::env::var("CHECK_STRICT").is_ok_and(|value| value == "1");
                assert!(!strict, "`{name}` is missing, and CHECK_STRICT is 1");
                return None;
            }
        }
        let folder = tempfile::Builder::new()
            .prefix("db-")
            .tempdir()
            .unwrap()
            .keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((user, group)) = nobody() {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        let keeper = Command::new("sh")
            .args([
                "-c",
                "cat >/dev/null; kill -9 $(cat \"$1.pid\"); sleep 1; rm -rf \"$1\" \"$1.pid\"",
                "keeper",
            ])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self {
            kind,
            port: free_port(),
            folder,
            child: Mutex::new(None),
            made: AtomicU32::new(0),
            _keeper: keeper,
        };
        server.initialise();
        server.resume();
        Some(server)
    }

    /// Where its files are, and its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn socket(&self) -> String {
        self.folder.join("s.sock").display().to_string()
    }

    fn initialise(&self) {
        match self.kind {
            Kind::Sqlite => {}
            Kind::MySql => {
                said(unprivileged("mariadb-install-db").args([
                    "--no-defaults",
                    &format!("--datadir={}", self.data()),
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]));
            }
            Kind::Postgres => {
                let word = self.folder.join("word");
                fs::write(&word, "administrator\n").unwrap();
                fs::set_permissions(&word, fs::Permissions::from_mode(0o644)).unwrap();
                said(unprivileged("initdb").args([
                    "-D",
                    &self.data(),
                    "-U",
                    "postgres",
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "--auth-local=trust",
                    "--auth-host=scram-sha-256",
                    &format!("--pwfile={}", word.display()),
                ]));
            }
        }
    }

    /// Starts it (again) on its data, and waits until it answers.
    pub fn resume(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let mut child = self.command().spawn().unwrap();
            fs::write(self.folder.with_extension("pid"), child.id().to_string()).unwrap();
            while child.try_wait().unwrap().is_none() {
                if self.answers() {
                    *self.child.lock().unwrap() = Some(child);
                    return;
                }
                if Instant::now() > until {
                    let _ = child.kill();
                }
                sleep(Duration::from_millis(30));
            }
            // After a kill, what is left of the old one may hold its files for a moment.
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "the server does not start:\n{log}");
            sleep(Duration::from_millis(200));
        }
    }

    fn command(&self) -> Command {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        let mut command = match self.kind {
            Kind::Sqlite => unreachable!("SQLite has no server"),
            Kind::MySql => {
                let mut command = unprivileged("mariadbd");
                command.args([
                    "--no-defaults",
                    &format!("--datadir={}", self.data()),
                    &format!("--socket={}", self.socket()),
                    &format!("--pid-file={}/pid", self.folder.display()),
                    // At its start a server clears the folder for temporary tables, whosever they are.
                    &format!("--tmpdir={}", self.folder.display()),
                    "--bind-address=127.0.0.1",
                    &format!("--port={}", self.port),
                ]);
                command
            }
            Kind::Postgres => {
                let mut command = unprivileged("postgres");
                command.args([
                    "-D",
                    &self.data(),
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &self.port.to_string(),
                    "-k",
                    &self.folder.display().to_string(),
                ]);
                command
            }
        };
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .current_dir("/");
        command
    }

    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && output(&mut self.client("", "SELECT 1")).status.success()
    }

    /// Ends it as an administrator does.
    pub fn stop(&self) {
        self.end("-INT");
    }

    /// Ends it as a power cut does.
    pub fn kill(&self) {
        self.end("-KILL");
    }

    fn end(&self, signal: &str) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let signal = match (self.kind, signal) {
                (Kind::MySql, "-INT") => "-TERM",
                (_, other) => other,
            };
            said(Command::new("kill").args([signal, &child.id().to_string()]));
            child.wait().unwrap();
        }
    }

    /// Runs statements as the server's administrator; what they answer, without heads.
    pub fn administer(&self, database: &str, statements: &str) -> String {
        said(&mut self.client(database, statements))
    }

    fn client(&self, database: &str, statements: &str) -> Command {
        if self.kind == Kind::MySql {
            let mut command = Command::new(program("mariadb").unwrap());
            command.args(["--no-defaults", "-uroot", "-N", "-B", "-S", &self.socket()]);
            command.args(["-e", statements, database]);
            return command;
        }
        let mut command = Command::new(program("psql").unwrap());
        let port = self.port.to_string();
        let folder = self.folder.display().to_string();
        let database = if database.is_empty() {
            "postgres"
        } else {
            database
        };
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            &folder,
        ]);
        command.args([
            "-p", &port, "-U", "postgres", "-d", database, "-c", statements,
        ]);
        command
    }

    /// Runs statements as a user of the server, by loopback.
    pub fn ask_as(&self, user: &str, password: &str, database: &str, statements: &str) -> String {
        let (port, mut command) = (self.port.to_string(), self.client(database, ""));
        if self.kind == Kind::MySql {
            command = Command::new(program("mariadb").unwrap());
            command.env("MYSQL_PWD", password);
            command.args(["--no-defaults", "-N", "-B", "-h", "127.0.0.1", "-P", &port]);
            command.args(["-u", user, "-e", statements, database]);
        } else {
            command.env("PGPASSWORD", password);
            command.args([
                "-h",
                "127.0.0.1",
                "-U",
                user,
                "-d",
                database,
                "-c",
                statements,
            ]);
        }
        said(&mut command)
    }

    /// An empty database with a user and a password of its own.
    pub fn database(&self) -> Database {
        let name = format!("accounts{}", self.made.fetch_add(1, Ordering::Relaxed));
        let word = "p@ss/word? #1";
        if self.kind == Kind::MySql {
            self.administer(
                "",
                &format!(
                    "CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; \
                     CREATE USER {name}@localhost IDENTIFIED BY '{word}'; \
                     CREATE USER {name}@127.0.0.1 IDENTIFIED BY '{word}'; \
                     GRANT ALL ON {name}.* TO {name}@localhost; \
                     GRANT ALL ON {name}.* TO {name}@127.0.0.1"
                ),
            );
        } else {
            self.administer("", &format!("CREATE ROLE {name} LOGIN PASSWORD '{word}'"));
            self.administer("", &format!("CREATE DATABASE {name} OWNER {name}"));
        }
        let scheme = if self.kind == Kind::MySql {
            "mysql"
        } else {
            "postgres"
        };
        Database {
            kind: self.kind,
            url: format!("{scheme}://{name}@127.0.0.1:{}/{name}", self.port),
            password: Some(Secret::new(word.to_owned())),
            name,
            folder: None,
        }
    }
}

/// A program of the path, or of where servers are.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// User and group without rights, when root runs the tests: servers refuse root.
fn nobody() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    users.lines().find_map(|line| {
        let parts: Vec<&str> = line.split(':').collect();
        (parts[0] == "nobody").then(|| (parts[2].parse().unwrap(), parts[3].parse().unwrap()))
    })
}

fn unprivileged(name: &str) -> Command {
    let mut command = Command::new(program(name).unwrap());
    command.current_dir("/");
    if let Some((user, group)) = nobody() {
        command.uid(user).gid(group);
    }
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a program that must succeed; its standard output.
fn said(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
