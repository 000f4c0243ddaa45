//! A running site: `jitsi-install try` as a child process, its ports and secrets, and its end.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::ClientConfig;
use serde_json::Value;

use super::mint::{Desk, claims_of};
use super::xmpp::{Bosh, Endpoint, Route, Websocket, Wire, trusting};

/// The name of every site here; nobody looks it up.
pub(crate) const DOMAIN: &str = "meet.test";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Nginx,
    Caddy,
}

impl Server {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Nginx => "nginx",
            Server::Caddy => "caddy",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Bosh,
    Websocket,
}

impl Transport {
    pub(crate) const ALL: [Transport; 2] = [Transport::Bosh, Transport::Websocket];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Transport::Bosh => "bosh",
            Transport::Websocket => "ws",
        }
    }
}

/// `try`, before it has said where its site is.
#[derive(Debug)]
pub(crate) struct Trial {
    child: Child,
    /// The folder of this trial alone: `try` stages its site inside.
    pub(crate) place: tempfile::TempDir,
}

impl Trial {
    /// Starts `try --json` with more arguments, with a `PATH` that may begin with a folder of ours.
    pub(crate) fn start(args: &[&str], first_on_path: Option<&Path>) -> Self {
        let place = public_folder();
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
        command
            .args(["try", "--json", "--domain", DOMAIN])
            .args(args);
        let own = std::env::var_os("JITSI_PROSODY_PLUGINS");
        if let Some(plugins) = own.filter(|_| !args.contains(&"--plugins")) {
            command.arg("--plugins").arg(plugins);
        }
        if let Some(first) = first_on_path {
            let others = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::env::split_paths(&others);
            let all = std::iter::once(first.to_owned()).chain(folders);
            command.env("PATH", std::env::join_paths(all).unwrap_or_default());
        }
        let stderr = File::create(place.path().join("stderr")).expect("the place can be written");
        let child = command
            .env("TMPDIR", place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        Trial { child, place }
    }

    /// The object that it prints, as soon as it is whole.
    pub(crate) fn said(&mut self) -> Result<Value, String> {
        let Some(stdout) = self.child.stdout.take() else {
            return Err("it was read before".to_owned());
        };
        let mut values = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(format!("not JSON: {error}; {}", self.stderr())),
            None => Err(format!("nothing on stdout; {}", self.stderr())),
        }
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.place.path().join("stderr")).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap_or(i32::MAX);
        // it may have ended already, which the one who waits will see
        let _ = kill(Pid::from_raw(pid), signal);
    }

    pub(crate) fn wait(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + Duration::from_secs(25);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// The folders that `try` has left.
    pub(crate) fn left_over(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.place.path()).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter(|path| path.is_dir()).collect()
    }

    /// Processes whose command line names this trial's folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let place = self.place.path().to_string_lossy().into_owned();
        let entries = fs::read_dir("/proc").into_iter().flatten();
        let lines = entries.filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
        lines
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&place))
            .collect()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        if self.wait().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A site that answers.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) trial: Trial,
    pub(crate) server: Server,
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) c2s: SocketAddr,
    pub(crate) bosh: SocketAddr,
    pub(crate) desk: Desk,
    pub(crate) focus_password: String,
    pub(crate) jvb_password: String,
    running: Vec<(String, u32)>,
    web_trust: Arc<ClientConfig>,
}

impl Site {
    pub(crate) fn start(server: Server) -> Self {
        Site::start_with(server, None)
    }

    pub(crate) fn start_with(server: Server, first_on_path: Option<&Path>) -> Self {
        let trial = Trial::start(&["--web", server.name()], first_on_path);
        Site::of(trial, server).unwrap_or_else(|error| panic!("no site: {error}"))
    }

    /// Waits for what `try` says.
    pub(crate) fn of(mut trial: Trial, server: Server) -> Result<Self, String> {
        let said = trial.said()?;
        let port = |name: &str| {
            let port = said["ports"][name]
                .as_u64()
                .and_then(|port| port.try_into().ok());
            port.map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)))
                .ok_or_else(|| format!("no port `{name}` in {said}"))
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let folder = PathBuf::from(text(&said["folder"]).ok_or("no folder")?);
        let url = text(&said["url"]).ok_or_else(|| format!("no address: {}", trial.stderr()))?;
        let secrets = fs::read_to_string(folder.join("etc/jitsi-install/secrets.toml"))
            .map_err(|error| format!("secrets: {error}"))?;
        let secrets: toml::Table = secrets.parse().map_err(|error| format!("{error}"))?;
        let secret = |name: &str| {
            let found = secrets.get(name).and_then(|value| value.as_str());
            found.map(str::to_owned).ok_or_else(|| format!("no {name}"))
        };
        let claims = token_in(&url).and_then(|token| claims_of(&token));
        // where people sign in there is no token
        let claims =
            claims.unwrap_or_else(|| serde_json::json!({ "iss": "jitsi", "aud": "jitsi" }));
        let running = said["running"].as_array().into_iter().flatten();
        let running = running.filter_map(|one| {
            let pid = one["pid"].as_u64()?.try_into().ok()?;
            Some((text(&one["name"])?, pid))
        });
        Ok(Site {
            http: port("http")?,
            https: port("https")?,
            c2s: port("c2s")?,
            bosh: port("bosh")?,
            desk: Desk {
                secret: secret("token_secret")?,
                issuer: text(&claims["iss"]).ok_or("no iss")?,
                audience: text(&claims["aud"]).ok_or("no aud")?,
                domain: DOMAIN.to_owned(),
            },
            focus_password: secret("focus_password")?,
            jvb_password: secret("jvb_password")?,
            running: running.collect(),
            web_trust: trust(&folder.join(format!("etc/prosody/certs/{DOMAIN}.crt")))?,
            trial,
            server,
            folder,
            url,
        })
    }

    pub(crate) fn pid(&self, program: &str) -> Option<u32> {
        let found = self.running.iter().find(|(name, _)| name == program);
        found.map(|(_, pid)| *pid)
    }

    /// The site as browsers reach it.
    pub(crate) fn web(&self) -> Endpoint {
        Endpoint::tls(self.https, DOMAIN, Arc::clone(&self.web_trust))
    }

    /// The trust of browsers, which Jicofo must not share.
    pub(crate) fn web_trust(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.web_trust)
    }

    /// The trust of Jicofo and the bridge: the private certificate for `auth.`.
    pub(crate) fn auth_trust(&self) -> Arc<ClientConfig> {
        let path = self
            .folder
            .join(format!("etc/prosody/certs/auth.{DOMAIN}.crt"));
        trust(&path).unwrap_or_else(|error| panic!("no trust: {error}"))
    }

    /// A browser's stream to an XMPP host, through the web server; not yet opened.
    pub(crate) fn visit(&self, visit: &Visit<'_>) -> Box<dyn Wire> {
        let name = match visit.transport {
            Transport::Bosh => "http-bind",
            Transport::Websocket => "xmpp-websocket",
        };
        let path = match visit.tenant {
            "" => format!("/{name}"),
            tenant => format!("/{tenant}/{name}"),
        };
        let mut route = Route::new(&self.web(), &path);
        for (key, value) in visit.query {
            route = route.query(key, value);
        }
        for (name, value) in visit.headers {
            route = route.header(name, value);
        }
        match visit.transport {
            Transport::Bosh => Box::new(Bosh::on(route, visit.host)),
            Transport::Websocket => Box::new(Websocket::on(route, visit.host)),
        }
    }

    /// What runs of this site: `try` itself, its servers, and their workers, which are found by
    /// their process group. A worker that was told to end is given a moment.
    pub(crate) fn still_running(&self) -> Vec<String> {
        let groups: Vec<u32> = self.running.iter().map(|(_, pid)| *pid).collect();
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let mut found = self.trial.processes();
            found.extend(members(&groups));
            if found.is_empty() || Instant::now() >= until {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ctrl-C, and what is left after it: nothing, in the best case.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.trial.signal(Signal::SIGINT);
        let mut wrong = Vec::new();
        match self.trial.wait().map(|status| status.code()) {
            Some(Some(0)) => {}
            Some(code) => wrong.push(format!("it ended with {code:?}: {}", self.trial.stderr())),
            None => wrong.push("it did not end".to_owned()),
        }
        let left = self.trial.left_over();
        wrong.extend(left.iter().map(|path| format!("left {}", path.display())));
        let alive = self.still_running();
        wrong.extend(alive.iter().map(|line| format!("still runs: {line}")));
        wrong
    }
}

/// The processes of these groups, as `/proc/PID/stat` shows them.
fn members(groups: &[u32]) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let stats = entries.filter_map(|entry| fs::read(entry.ok()?.path().join("stat")).ok());
    let stats = stats.map(|stat| String::from_utf8_lossy(&stat).into_owned());
    let of_group = |stat: &String| {
        // the name stands in brackets and may hold anything; then come state, parent, group
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest)?;
        rest.split_whitespace().nth(2)?.parse().ok()
    };
    stats
        .filter(|stat| of_group(stat).is_some_and(|group: u32| groups.contains(&group)))
        .collect()
}

/// How a browser comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) transport: Transport,
    pub(crate) host: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// A folder that the user who runs a trial's servers can enter.
pub(crate) fn public_folder() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("there is room for a folder");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    place
}

/// The token in a link's fragment.
pub(crate) fn token_in(url: &str) -> Option<String> {
    let (_, token) = url.split_once("#jwt=%22")?;
    Some(token.trim_end_matches("%22").to_owned())
}

fn trust(path: &Path) -> Result<Arc<ClientConfig>, String> {
    let pem = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    trusting(&[&pem])
}
