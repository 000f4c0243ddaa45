//! The real program on settings of its own, and a client that says every byte itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;

use crate::databases::Database;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_jitsi-accounts");
/// What nobody may ever see in a log.
pub const KEY: &str = "key-of-the-site-0123456789-0123456789";
pub const PROSODY: &str = "secret-of-prosody-0123456789";

/// A folder with settings, and perhaps the service that runs on them.
pub struct Site {
    pub folder: tempfile::TempDir,
    pub internal: u16,
    child: Option<Child>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Site {
    /// Settings on SQLite and a Unix socket, with more lines: first those before any table.
    pub fn new(top: &str, tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let internal = free_port();
        fs::create_dir(folder.path().join("mails")).unwrap();
        let usual = |key: &str, line: String| {
            if top.contains(key) {
                String::new()
            } else {
                line
            }
        };
        let mail = if tables.contains("[mail]") {
            String::new()
        } else {
            format!("[mail]\nfolder = \"{}\"\n", at("mails"))
        };
        let text = format!(
            "schema = 1\n{}{}internal = \"127.0.0.1:{internal}\"\n{}key_file = \"{}\"\n{top}\n\
             [prosody]\nsecret_file = \"{}\"\n{mail}{tables}\n",
            usual(
                "public_url",
                "public_url = \"https://meet.example.org/accounts\"\n".into()
            ),
            usual("listen", format!("listen = \"unix:{}\"\n", at("web.sock"))),
            usual(
                "database =",
                format!("database = \"sqlite:{}\"\n", at("accounts.sqlite"))
            ),
            at("key"),
            at("prosody"),
        );
        let site = Self {
            folder,
            internal,
            child: None,
        };
        site.put("accounts.toml", &text, 0o644);
        site.put("key", KEY, 0o600);
        site.put("prosody", PROSODY, 0o600);
        site
    }

    /// The same on a database, with more tables.
    pub fn on(database: &Database, tables: &str) -> Self {
        let top = format!("database = \"{}\"\n", database.url);
        let Some(password) = &database.password else {
            return Self::new(&top, tables);
        };
        let site = Self::new(&top, tables);
        let file = site.put("database", password.reveal(), 0o600);
        let old = fs::read_to_string(site.path("accounts.toml")).unwrap();
        let file = format!(
            "schema = 1\ndatabase_password_file = \"{}\"\n",
            file.display()
        );
        let new = old.replacen("schema = 1\n", &file, 1);
        site.put("accounts.toml", &new, 0o644);
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("JITSI_ACCOUNTS_CONFIG", self.path("accounts.toml"))
            .stdin(Stdio::null());
        command
    }

    /// Runs a verb to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// Runs a verb that must go well; what it gave.
    pub fn gives(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the service and waits until it is ready; its log goes to a file.
    pub fn serve(&mut self) {
        self.start();
        self.wait_ready();
    }

    pub fn start(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = self.command();
        command.args(["serve", "--log-level", "trace"]).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    pub fn wait_ready(&self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            if let Ok(answer) = self.try_internal("GET /readyz HTTP/1.1\r\n")
                && answer.status == 200
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never ready: {}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal by kill(1).
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("it does not end: {}", self.log());
    }

    /// Asks the pages.
    pub fn ask(&self, request: &str) -> Answer {
        ask(&self.path("web.sock"), request).unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"))
    }

    /// Sends a form as a browser does.
    pub fn post(&self, path: &str, form: &str, more: &str) -> Answer {
        self.ask(&posted(path, form, more))
    }

    pub fn internal(&self, request: &str) -> Answer {
        self.try_internal(request).unwrap()
    }

    pub fn try_internal(&self, request: &str) -> std::io::Result<Answer> {
        let stream = TcpStream::connect(("127.0.0.1", self.internal))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        talk(stream, request)
    }

    /// Whether a password is right, as Prosody asks.
    pub fn prosody(&self, name: &str, password: &str) -> Answer {
        self.question(&format!(
            "{{\"username\":\"{name}\",\"password\":\"{password}\"}}"
        ))
    }

    /// The same for a client at an address.
    pub fn prosody_from(&self, address: &str, name: &str, password: &str) -> Answer {
        self.question(&format!(
            "{{\"username\":\"{name}\",\"password\":\"{password}\",\"address\":\"{address}\"}}"
        ))
    }

    /// Prosody's question in any words.
    pub fn question(&self, body: &str) -> Answer {
        self.internal(&format!(
            "POST /prosody/password HTTP/1.1\r\nAuthorization: Bearer {PROSODY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Takes over an account with a password that was hashed elsewhere.
    pub fn person(&self, name: &str, password: &str) {
        let salt = "salt-of-a-list";
        let mut hash = [0; 32];
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), salt.as_bytes(), 1000, &mut hash);
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        let list = format!(
            "login,email,password\n{name},{name}@example.org,pbkdf2_sha256$1000${salt}${hash}\n"
        );
        let list = self.put("list.csv", &list, 0o600);
        let said = self.gives(&["import", "csv", list.to_str().unwrap()]);
        assert!(said.contains("1 looked at, 1 taken over"), "{said}");
    }

    /// Signs in; the cookies.
    pub fn sign_in(&self, name: &str, password: &str) -> (u16, String) {
        let answer = self.post(
            "/accounts/sign-in",
            &format!("name={name}&password={password}"),
            "",
        );
        let cookies: Vec<&str> = answer
            .head
            .lines()
            .filter_map(|line| line.strip_prefix("set-cookie: "))
            .filter_map(|line| line.split(';').next())
            .collect();
        (answer.status, cookies.join("; "))
    }

    /// Every mail in the folder.
    pub fn mails(&self) -> Vec<String> {
        let mut names: Vec<PathBuf> = fs::read_dir(self.path("mails"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        names.sort();
        names
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            return;
        }
        // What was written down can be restored, unless the test took the database or its key away.
        let export = self.run(&["export"]);
        if export.status.success() {
            let file = self.folder.path().join("at-the-end");
            fs::write(&file, export.stdout).unwrap();
            self.gives(&["restore", "--dry-run", file.to_str().unwrap()]);
        }
    }
}

/// Asks at a Unix socket.
pub fn ask(socket: &Path, request: &str) -> std::io::Result<Answer> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    talk(stream, request)
}

/// A form as a browser sends it.
pub fn posted(path: &str, form: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nOrigin: https://meet.example.org\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{more}Content-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// Says a request and reads one answer; the connection is then closed.
pub fn talk(mut stream: impl Read + Write, request: &str) -> std::io::Result<Answer> {
    let request = if request.contains("\r\n\r\n") {
        request.replacen(
            "\r\n",
            "\r\nHost: meet.example.org\r\nConnection: close\r\n",
            1,
        )
    } else {
        format!("{request}Host: meet.example.org\r\nConnection: close\r\n\r\n")
    };
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    answer(&bytes).ok_or_else(|| std::io::Error::other("no answer"))
}

pub fn answer(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        head: head.replace("\r\n", "\n"),
        body: body.to_owned(),
    })
}

pub fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// Waits until something is so.
pub fn until(seconds: u64, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(seconds),
            "not within {seconds} s: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kilobytes that a process holds in memory.
pub fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Looks for a program; when it is missing, says so, or fails under `CHECK_STRICT=1`.
pub fn has(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        skip(&format!("`{program}` is not here (install {package})"));
    }
    found
}

pub fn skip(why: &str) {
    println!("SKIPPED: {why}");
    let strict = std::env::var("CHECK_STRICT").is_ok_and(|value| value == "1");
    assert!(!strict, "{why}, and CHECK_STRICT is 1");
}

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
