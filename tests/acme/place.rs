//! One site below one folder: a staged tree, and the servers that run on it.
//!
//! A tree's files name each other as they will stand on its machine. The servers are started on
//! copies of them in which those names begin with the tree; certificates, keys and challenges are
//! the tree's own. Where a hook calls `/usr/sbin/jitsi-install`, that one path is replaced by the
//! program under test, which is told of the tree by its environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use jitsi_install::host::process::{self, Nobody};
use jitsi_install::keystore::{self, Alias, KeyPair, Password};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) const DOMAIN: &str = "meet.test";

/// How long a server may take to show what it was told of.
const PATIENCE: Duration = Duration::from_secs(20);

/// nginx's.
const WORKERS: usize = 2;

pub(crate) struct Place {
    folder: tempfile::TempDir,
    nobody: Option<Nobody>,
    running: Vec<(String, Child)>,
    pub(crate) http: u16,
    pub(crate) https: u16,
    pub(crate) c2s: u16,
}

impl Place {
    /// A tree whose certificate comes from this source; nothing runs yet.
    pub(crate) fn new(source: &str, server: &str) -> Self {
        let [http, https, c2s, bosh] = process::free_ports().unwrap();
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            nobody: process::is_root().then(process::nobody).flatten(),
            running: Vec::new(),
            http,
            https,
            c2s,
        };
        for folder in ["bin", "home", "run/prosody", "tree/opt", "tree/etc"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        // By another process: what a test starts meanwhile would inherit it, open for writing, from ours.
        let mut copy = Command::new("cp");
        done(copy.args([
            Path::new(env!("CARGO_BIN_EXE_jitsi-install")),
            &place.program(),
        ]));
        // laid out for the versions that run here
        fs::copy("/etc/os-release", place.tree("etc/os-release")).unwrap();
        let standins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins");
        for (from, to) in [("meet", "meet"), ("prosody-plugins", "plugins")] {
            let mut copy = Command::new("cp");
            copy.arg("-R").arg(standins.join(from));
            done(copy.arg(place.tree(&format!("opt/{to}"))));
        }
        let site = format!(
            "schema = 1\ndomain = \"{DOMAIN}\"\n[certificates]\nsource = \"{source}\"\n\
             [web]\nserver = \"{server}\"\naddresses = [\"127.0.0.1\"]\nhttp_port = {http}\nhttps_port = {https}\nroot = \"/opt/meet\"\n\
             [prosody]\nc2s_port = {c2s}\nhttp_port = {bosh}\nplugins = \"/opt/plugins\"\n\
             [videobridge]\nwebsockets = true\n"
        );
        fs::write(place.path("site.toml"), site).unwrap();
        place.give();
        done(&mut place.ours("apply --yes --quiet"));
        place
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn tree(&self, below: &str) -> PathBuf {
        self.folder.path().join("tree").join(below)
    }

    fn program(&self) -> PathBuf {
        self.path("bin/jitsi-install")
    }

    pub(crate) fn read(&self, below: &str) -> String {
        let path = self.tree(below);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What root has put there is for everybody's use.
    pub(crate) fn give(&self) {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.folder.path(), open).unwrap();
        if let Some(nobody) = &self.nobody {
            let owner = format!("{}:{}", nobody.uid, nobody.gid);
            let mut chown = Command::new("chown");
            done(chown.args(["-R", &owner]).arg(self.folder.path()));
        }
    }

    /// A program without rights; what `jitsi-install` is told on command lines of hooks' callers
    /// comes from the environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        let found = super::cases::find(program).unwrap_or_else(|| PathBuf::from(program));
        let mut command = Command::new(found);
        command
            .stdin(Stdio::null())
            .current_dir(self.path("home"))
            .env("HOME", self.path("home"))
            .env("JITSI_INSTALL_ROOT", self.tree(""))
            .env("JITSI_INSTALL_SITE", self.path("site.toml"))
            .env("JITSI_INSTALL_FAMILY", "debian");
        if let Some(nobody) = &self.nobody {
            command.uid(nobody.uid).gid(nobody.gid);
        }
        command
    }

    pub(crate) fn ours(&self, arguments: &str) -> Command {
        let mut command = self.command(&self.program().to_string_lossy());
        command.args(arguments.split(' '));
        command
    }

    /// What `renew` says, without an environment of a hook.
    #[track_caller]
    pub(crate) fn renew(&self) -> String {
        done(&mut self.ours("renew"))
    }

    /// Has a hook that was laid out call the program under test.
    #[track_caller]
    pub(crate) fn redirect(&self, hook: &str) {
        let text = self.read(hook);
        assert_eq!(text.matches("/usr/sbin/jitsi-install").count(), 1, "{text}");
        let program = self.program().to_string_lossy().into_owned();
        let text = text.replace("/usr/sbin/jitsi-install", &program);
        fs::write(self.tree(hook), text).unwrap();
    }

    pub(crate) fn start(&mut self, name: &str, mut command: Command) {
        let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.running.push((name.to_owned(), child));
    }

    /// Waits until somebody listens.
    #[track_caller]
    pub(crate) fn listens(&mut self, name: &str, port: u16) {
        let until = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < until && self.runs(name),
                "{name} does not listen: {}",
                self.log(name)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn log(&self, name: &str) -> String {
        let log = fs::read(self.path(&format!("{name}.log"))).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Does the very process run that was started here?
    pub(crate) fn runs(&mut self, name: &str) -> bool {
        let found = self.running.iter_mut().find(|(other, _)| other == name);
        found.is_some_and(|(_, child)| matches!(child.try_wait(), Ok(None)))
    }

    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let found = self.running.iter().find(|(other, _)| other == name);
        if let Some((_, child)) = found {
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
            // it may have ended, which whoever asks for it will see
            let _ = kill(pid, signal);
        }
    }

    /// A copy of a file of the tree in which paths begin with the tree.
    pub(crate) fn here(&self, file: &str) -> PathBuf {
        let mut text = self.read(file);
        let run = self.path("run").to_string_lossy().into_owned();
        let tree = self.tree("").to_string_lossy().into_owned();
        for begin in ["\"", " ", "unix/"] {
            for folder in ["etc", "opt", "usr", "var"] {
                let (from, to) = (
                    format!("{begin}/{folder}/"),
                    format!("{begin}{tree}{folder}/"),
                );
                text = text.replace(&from, &to);
            }
            text = text.replace(&format!("{begin}/run/"), &format!("{begin}{run}/"));
        }
        // Prosody's main file includes the site's
        if let Some(start) = text.find("Include \"") {
            let path = text[start + 9..]
                .split('"')
                .next()
                .unwrap_or_default()
                .to_owned();
            let inner = path.strip_prefix(&tree).unwrap_or_default().to_owned();
            let copy = self.here(&inner);
            text = text.replace(&path, &copy.to_string_lossy());
        }
        let copy = self.path("run").join(Path::new(file).file_name().unwrap());
        fs::write(&copy, text).unwrap();
        copy
    }

    pub(crate) fn start_prosody(&mut self) {
        let mut command = self.command("prosody");
        let lua = self.tree("usr/local/share/lua/5.4/?.lua;;");
        command.arg("-F").arg("--config");
        command.arg(self.here("etc/prosody/prosody.cfg.lua"));
        command.env("LUA_PATH_5_4", lua);
        self.start("prosody", command);
        self.listens("prosody", self.c2s);
    }

    pub(crate) fn start_nginx(&mut self) {
        let site = self.here(&format!("etc/nginx/sites-available/{DOMAIN}.conf"));
        let run = self.path("run").to_string_lossy().into_owned();
        let temps: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {run}/{kind};\n"))
            .concat();
        let text = format!(
            "daemon off;\npid {run}/nginx.pid;\nerror_log {run}/nginx.err;\nworker_processes {WORKERS};\n\
             events {{ worker_connections 1024; }}\nhttp {{\n{temps}include {};\n}}\n",
            site.display()
        );
        fs::write(self.path("run/nginx.conf"), text).unwrap();
        self.start("nginx", self.nginx(&[]));
        self.listens("nginx", self.https);
    }

    fn nginx(&self, more: &[&str]) -> Command {
        let mut command = self.command("nginx");
        command.arg("-e").arg(self.path("run/nginx.err"));
        command.arg("-p").arg(self.path("run"));
        command
            .arg("-c")
            .arg(self.path("run/nginx.conf"))
            .args(more);
        command
    }

    /// As `systemctl reload nginx` does.
    pub(crate) fn reload_nginx(&self) {
        done(&mut self.nginx(&["-s", "reload"]));
    }

    /// Waits until those that worked before the reload take nobody any more.
    #[track_caller]
    pub(crate) fn new_workers(&self) {
        let master = fs::read_to_string(self.path("run/nginx.pid")).unwrap();
        let children = format!("/proc/{0}/task/{0}/children", master.trim());
        let until = Instant::now() + PATIENCE;
        loop {
            let list = fs::read_to_string(&children).unwrap();
            let titles = list.split_whitespace().map(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).into_owned()
            });
            let (old, new): (Vec<_>, Vec<_>) =
                titles.partition(|title| title.contains("is shutting down"));
            if new.len() == WORKERS && !old.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{old:?} {new:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As `systemctl reload prosody` does.
    pub(crate) fn reload_prosody(&self) {
        self.signal("prosody", Signal::SIGHUP);
    }

    /// The fingerprint of the certificate that all copies of the site's have; panics when they
    /// differ or do not fit their keys.
    #[track_caller]
    pub(crate) fn laid_out(&self) -> String {
        let secrets: toml::Table = self.read("etc/jitsi-install/secrets.toml").parse().unwrap();
        let password = secrets["keystore_password"].as_str().unwrap();
        let pairs = ["etc/jitsi/certs", "etc/prosody/certs"].map(|folder| {
            let read = |ending: &str| self.read(&format!("{folder}/{DOMAIN}.{ending}"));
            KeyPair::from_pem(read("crt").as_bytes(), read("key").as_bytes()).unwrap()
        });
        assert_eq!(pairs[0].fingerprint(), pairs[1].fingerprint());
        let store = fs::read(self.tree("etc/jitsi/videobridge/jvb.p12")).unwrap();
        let (alias, password) = (Alias::parse("jvb"), Password::parse(password));
        let same = keystore::pkcs12_holds(&store, &pairs[0], &alias.unwrap(), &password.unwrap());
        assert!(same, "the bridge's keystore has another certificate");
        fingerprint(pairs[0].leaf())
    }

    /// The fingerprint of the certificate that a server shows to `openssl s_client`.
    pub(crate) fn shown(&self, port: u16, more: &[&str]) -> String {
        let mut command = self.command("timeout");
        command.args(["10", "openssl", "s_client", "-servername", DOMAIN]);
        command
            .args(["-connect", &format!("127.0.0.1:{port}")])
            .args(more);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match pem_rfc(&said) {
            Some(der) => fingerprint(&der),
            None => format!("nothing: {}", text(&output)),
        }
    }

    /// Waits until the web server and Prosody show this one.
    #[track_caller]
    pub(crate) fn everybody_shows(&self, wanted: &str) {
        let xmpp = ["-starttls", "xmpp", "-xmpphost", DOMAIN];
        for (who, port, more) in [
            ("web", self.https, &xmpp[..0]),
            ("Prosody", self.c2s, &xmpp),
        ] {
            let until = Instant::now() + PATIENCE;
            loop {
                let shown = self.shown(port, more);
                if shown == wanted {
                    break;
                }
                assert!(Instant::now() < until, "{who} shows {shown}, not {wanted}");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let names: Vec<String> = self.running.iter().map(|(name, _)| name.clone()).collect();
        for name in names.iter().rev() {
            self.signal(name, Signal::SIGTERM);
        }
        for (_, child) in &mut self.running {
            let until = Instant::now() + Duration::from_secs(5);
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The first certificate in a text, as DER.
fn pem_rfc(text: &str) -> Option<Vec<u8>> {
    use rustls::pki_types::pem::PemObject;
    let found = rustls::pki_types::CertificateDer::from_pem_slice(text.as_bytes());
    found.ok().map(|der| der.to_vec())
}

/// The fingerprint of the first certificate of a chain in PEM.
#[track_caller]
pub(crate) fn fingerprint_of(chain: &str) -> String {
    fingerprint(&pem_rfc(chain).unwrap())
}

fn fingerprint(der: &[u8]) -> String {
    let der = rustls::pki_types::CertificateDer::from(der.to_vec());
    keystore::describe(&der).unwrap().fingerprint_sha256
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs it to its end; it must succeed. Gives all that it said.
#[track_caller]
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        text(&output)
    );
    text(&output)
}
