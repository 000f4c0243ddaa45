//! The root and what is asked inside it. Its first process ends when it is dropped, and with that
//! process everything that was started, mounted or opened.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// What a command inside said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn whole(&self) -> String {
        format!("exit {}\n{}\n{}", self.code, self.out, self.err)
    }
}

/// A machine in namespaces of its own.
pub(crate) struct Machine {
    starter: Child,
    /// Its first process, as this machine numbers it.
    first: String,
    /// Where its root is mounted, in its own namespace only.
    folder: tempfile::TempDir,
}

fn standins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins")
}

/// HOCON's own library, which Maven has put there (`tests/java/pom.xml`).
pub(crate) fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/java/config.jar")
}

/// The packages, built once in a run, in a folder that the next run uses again.
fn packages() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slackware-packages");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for packages");
        let output = Command::new("bash")
            .arg(standins().join("slackware/packages.sh"))
            .args([&standins(), &library()])
            .arg(&folder)
            .arg(env!("CARGO_BIN_EXE_jitsi-accounts"))
            .output()
            .expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "packages.sh failed: {said}");
        folder
    })
}

impl Machine {
    /// A bare system with a store of packages.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the root");
        let mut starter = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--net", "--uts", "--ipc"])
            .args(["--kill-child", "--propagation", "private", "bash"])
            .arg(standins().join("slackware/root.sh"))
            .arg(folder.path())
            .arg(standins())
            .arg(env!("CARGO_BIN_EXE_jitsi-install"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut line = String::new();
        let out = starter.stdout.take().expect("its output is ours");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "ready", "the root could not be made");
        let number = starter.id();
        let children = fs::read_to_string(format!("/proc/{number}/task/{number}/children"));
        let machine = Self {
            starter,
            first: children.expect("its child").trim().to_owned(),
            folder,
        };
        machine.bring(packages());
        // What is written for nginx 1.25 and later, which the SlackBuild has; this one may be older.
        let template = include_str!("../../templates/nginx/site.nginx")
            .replace("web.http2_directive", "false");
        machine.write("/etc/jitsi-install/templates/nginx/site.nginx", &template);
        machine
    }

    /// Puts the packages of a folder into its store.
    fn bring(&self, folder: &Path) {
        let store = self.root().join("var/cache/jitsi-install/packages");
        for entry in fs::read_dir(folder).expect("packages") {
            let file = entry.expect("a package").path();
            if file.is_file() {
                let name = file.file_name().expect("a name").to_owned();
                fs::copy(&file, store.join(name)).expect("a copy");
            }
        }
    }

    /// And those that a site with accounts wants.
    pub(crate) fn bring_accounts(&self) {
        self.bring(&packages().join("accounts"));
    }

    /// Its root, as seen from outside.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.first))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().expect("a folder")).expect("the folder is made");
        fs::write(place, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    pub(crate) fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).map_or(0, |found| found.permissions().mode() & 0o7777)
    }

    /// Runs a program inside, as root. Its output goes into files: what it leaves behind may hold
    /// them open.
    pub(crate) fn run(&self, command: &[&str]) -> Said {
        let said = || tempfile::NamedTempFile::new().expect("a file");
        let (out, err) = (said(), said());
        let status = Command::new("nsenter")
            .args(["--target", &self.first, "--mount", "--pid", "--net"])
            .args([
                "--uts",
                "--ipc",
                "--root",
                "env",
                "-i",
                "--chdir=/",
                "HOME=/root",
            ])
            .arg("PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
            .args(command)
            .stdin(Stdio::null())
            .stdout(out.reopen().expect("a file"))
            .stderr(err.reopen().expect("a file"))
            .status()
            .expect("nsenter runs");
        let text = |file: &tempfile::NamedTempFile| {
            let bytes = fs::read(file.path()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Said {
            code: status.code().unwrap_or(-1),
            out: text(&out),
            err: text(&err),
        }
    }

    pub(crate) fn sh(&self, line: &str) -> Said {
        self.run(&["bash", "-c", line])
    }

    pub(crate) fn installer(&self, arguments: &[&str]) -> Said {
        let mut command = vec!["jitsi-install"];
        command.extend(arguments);
        self.run(&command)
    }

    /// Pids of the four services by name, those that run.
    pub(crate) fn pids(
        &self,
        web: &'static str,
    ) -> std::collections::BTreeMap<&'static str, String> {
        let files = [
            ("prosody", "/var/lib/prosody/prosody.pid"),
            ("jicofo", "/run/jicofo.pid"),
            ("jitsi-videobridge", "/run/jitsi-videobridge.pid"),
            (
                web,
                if web == "nginx" {
                    "/run/nginx.pid"
                } else {
                    "/run/caddy.pid"
                },
            ),
        ];
        files
            .into_iter()
            .filter_map(|(name, file)| {
                let pid = self.read(file).trim().to_owned();
                let line = fs::read(self.path(&format!("/proc/{pid}/cmdline"))).ok()?;
                (!pid.is_empty() && !line.is_empty()).then_some((name, pid))
            })
            .collect()
    }

    /// The folder that must be empty once all is gone.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.close();
        let place = self.folder.path().display().to_string();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        mounts
            .lines()
            .filter(|line| line.contains(&place))
            .map(str::to_owned)
            .chain(
                fs::read_dir(self.folder.path())
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path().display().to_string()),
            )
            .collect()
    }

    fn close(&mut self) {
        if let Some(mut line) = self.starter.stdin.take() {
            let _ = line.flush();
        }
        let _ = self.starter.wait();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.close();
    }
}
