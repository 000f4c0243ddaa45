//! Prosody on free ports with `mod_auth_sql_hashed`, in a folder of its own.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

use super::cases::{find, skip};
use super::databases::{READER_PASSWORD, free_port};
use super::standin_service::SECRET;
use super::xmpp::{Bosh, C2s, Client, Endpoint, Login, Refusal, Route, Websocket, Wire};

pub(crate) const DOMAIN: &str = "meet.test";

/// How a client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Bosh,
    Websocket,
    C2s,
}

pub(crate) struct Prosody {
    pub(crate) folder: PathBuf,
    child: Child,
    pub(crate) c2s: SocketAddr,
    http: SocketAddr,
}

/// A folder that every user can enter.
pub(crate) fn folder() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("there is room for a folder");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
    place
}

pub(crate) fn is_here() -> bool {
    let programs = ["prosody", "setpriv"];
    let missing = programs.into_iter().find(|program| find(program).is_none());
    let dbi = Command::new("lua5.4")
        .args([
            "-e",
            "require'DBI'; require'dbd.sqlite3'; require'dbd.mysql'; require'dbd.postgresql'",
        ])
        .output();
    match missing {
        Some(program) => skip(&format!("{program} is not on this machine")),
        None if !dbi.is_ok_and(|output| output.status.success()) => {
            skip("LuaDBI is not here (install lua-dbi-sqlite3 lua-dbi-mysql lua-dbi-postgresql)")
        }
        None => true,
    }
}

impl Prosody {
    /// Waits until it listens. `options` are lines of the host's configuration.
    pub(crate) fn start(folder: &Path, options: &str) -> Self {
        Prosody::start_in_groups(folder, options, &[])
    }

    /// As a user who is in these groups too.
    pub(crate) fn start_in_groups(folder: &Path, options: &str, groups: &[u32]) -> Self {
        let home = folder.join("prosody");
        fs::create_dir_all(home.join("certs")).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
        write(&home.join("secret"), SECRET);
        write(&home.join("reader"), READER_PASSWORD);
        let [c2s, http] = [free_port(), free_port()];
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("prosody-plugins");
        let at = home.display();
        let config = format!(
            r#"
plugin_paths = {{ "{plugins}" }}
data_path = "{at}"
pidfile = "{at}/pid"
log = {{ debug = "{at}/log" }}
modules_enabled = {{ "roster"; "saslauth"; "disco"; "ping"; "bosh"; "websocket" }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
s2s_ports = {{ }}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
http_default_host = "{DOMAIN}"
consider_bosh_secure = true
consider_websocket_secure = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
VirtualHost "{DOMAIN}"
  authentication = "sql_hashed"
  sql_hashed_secret_file = "{at}/secret"
  {options}
VirtualHost "guest.{DOMAIN}"
  authentication = "anonymous"
"#,
            plugins = plugins.display()
        );
        write(&home.join("prosody.cfg.lua"), &config);
        let user = User::from_name("prosody")
            .unwrap()
            .expect("Prosody's package makes it");
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        let groups = match groups.join(",") {
            none if none.is_empty() => "--clear-groups".to_owned(),
            some => format!("--groups={some}"),
        };
        let other = std::env::var("JITSI_PROSODY").unwrap_or_default();
        let mut words: Vec<String> = other.split_whitespace().map(str::to_owned).collect();
        words.extend([
            "setpriv".to_owned(),
            format!("--reuid={}", user.uid),
            format!("--regid={}", user.gid),
        ]);
        words.extend([
            groups,
            "prosody".to_owned(),
            "-F".to_owned(),
            "--config".to_owned(),
        ]);
        let output = fs::File::create(home.join("output")).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .arg(home.join("prosody.cfg.lua"))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("Prosody starts");
        let prosody = Prosody {
            folder: home,
            child,
            c2s: ([127, 0, 0, 1], c2s).into(),
            http: ([127, 0, 0, 1], http).into(),
        };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(prosody.c2s).is_err() || TcpStream::connect(prosody.http).is_err()
        {
            assert!(Instant::now() < until, "{}", prosody.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        prosody
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> i32 {
        let pid = fs::read_to_string(self.folder.join("pid")).ok();
        pid.and_then(|pid| pid.trim().parse().ok())
            .unwrap_or(self.child.id() as i32)
    }

    pub(crate) fn log(&self) -> String {
        let read = |name: &str| fs::read(self.folder.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("output"), read("log")].concat()).into_owned()
    }

    /// Lines of the log of a level, `error` or `warn`, that speak of accounts.
    pub(crate) fn says(&self, words: &str) -> Vec<String> {
        let log = self.log();
        let of_levels = |line: &&str| {
            ["\terror\t", "\twarn\t", "\tinfo\t"]
                .iter()
                .any(|level| line.contains(level))
        };
        let lines = log
            .lines()
            .filter(of_levels)
            .filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    }

    pub(crate) fn visit(&self, way: Way, host: &str) -> Box<dyn Wire> {
        self.visit_from(way, host, "")
    }

    /// From an address that the web server names.
    pub(crate) fn visit_from(&self, way: Way, host: &str, address: &str) -> Box<dyn Wire> {
        let endpoint = Endpoint::plain(self.http, DOMAIN);
        let on = |path: &str| {
            let route = Route::new(&endpoint, path);
            match address {
                "" => route,
                address => route.header("X-Forwarded-For", address),
            }
        };
        match way {
            Way::Bosh => Box::new(Bosh::on(on("/http-bind"), host)),
            Way::Websocket => Box::new(Websocket::on(on("/xmpp-websocket"), host)),
            Way::C2s => Box::new(C2s::new(self.c2s, host, None)),
        }
    }

    /// Signs in; `Ok` or what was said.
    pub(crate) fn sign_in(&self, way: Way, login: &Login) -> Result<String, Refusal> {
        self.visit(way, DOMAIN).login(login)
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGKILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}
