//! A machine: a throw-away layer over a root file system, booted by systemd-nspawn without a
//! network, in namespaces and a control group of its own.
//!
//! All mounts stand in the container's own mount namespace, so nothing is left of them when it ends.
//! It ends orderly by [`Container::stop`], at once when it is dropped, and on its own when the thread that
//! booted it dies. Its files are looked at through `/proc/PID/root`.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::debs::Debs;
use super::rootfs::{FOLDER, Release, of, target};

/// Arguments: lower layer, place, name.
const BOOT: &str = r#"
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup || exit 9
mkdir -p "/sys/fs/cgroup/$3" && echo $$ > "/sys/fs/cgroup/$3/cgroup.procs" || exit 9
overlay() { mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/merged"; }
overlay "$1" "$2" || exit 9
exec systemd-nspawn --quiet --directory="$2/merged" --machine="$3" --boot --register=no --keep-unit \
  --private-network --console=pipe --link-journal=no --resolv-conf=off --timezone=off
"#;

/// Takes the control groups of a container away.
const SWEEP: &str = r#"
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup || exit 0
[ ! -d "/sys/fs/cgroup/$1" ] || find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} \;
"#;

/// A shell in a mount namespace of its own.
const APART: [&str; 6] = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];

/// What a command in a container said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Everything, for a failure's text.
    pub(crate) fn whole(&self) -> String {
        format!("exit code {}\n{}{}", self.code, self.out, self.err)
    }
}

#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) name: String,
    lower: PathBuf,
    place: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    nspawn: Child,
    /// systemd, as this machine numbers it.
    leader: Pid,
}

impl Container {
    /// Boots a machine that has this program, a folder of packages and nothing else.
    pub(crate) fn boot(release: Release, use_for: &str, debs: &Debs) -> Result<Self, String> {
        let lower = of(release)?;
        forget_the_dead();
        let name = format!("ji-{}-{use_for}-{}", release.name(), std::process::id());
        let place = target().join("booted").join(&name);
        for folder in ["upper", "work", "merged"] {
            let folder = place.join(folder);
            fs::create_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&folder, open).map_err(|error| error.to_string())?;
        }
        let mut machine = Self {
            name,
            lower,
            place,
            running: None,
        };
        machine.start()?;
        machine.put(
            "/usr/local/sbin/jitsi-install",
            &fs::read(env!("CARGO_BIN_EXE_jitsi-install")).map_err(|error| error.to_string())?,
            0o755,
        )?;
        for (name, bytes) in &debs.files {
            machine.put(&format!("{FOLDER}/{name}"), bytes, 0o644)?;
        }
        machine.index(&debs.index)?;
        Ok(machine)
    }

    /// What apt is told of packages of ours, beside Debian's.
    pub(crate) fn index(&self, more: &str) -> Result<(), String> {
        let debians = self.lower.join(FOLDER.trim_start_matches('/'));
        let debians = fs::read_to_string(debians.join("Packages"));
        let all = debians.map_err(|error| error.to_string())? + more;
        self.put(&format!("{FOLDER}/Packages"), all.as_bytes(), 0o644)?;
        let said = self.run(&["apt-get", "-q", "update"]);
        match said.code {
            0 => Ok(()),
            _ => Err(said.whole()),
        }
    }

    /// Boots it, again if it was stopped.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        let log = File::create(self.place.join("console")).map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        // When the thread that starts it dies, nspawn is told to end, and powers the machine off.
        let mut nspawn = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .args(APART)
            .arg(BOOT)
            .arg("sh")
            .args([&self.lower, &self.place])
            .arg(&self.name)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("setpriv: {error}"))?;
        let until = Instant::now() + Duration::from_secs(30);
        let leader = loop {
            if let Some(leader) = systemd_below(nspawn.id()) {
                break leader;
            }
            let is_over = nspawn.try_wait().is_ok_and(|ended| ended.is_some());
            if is_over || Instant::now() > until {
                let _ = nspawn.kill();
                let _ = nspawn.wait();
                return Err(format!("it does not boot:\n{}", self.console()));
            }
            pause();
        };
        self.running = Some(Running { nspawn, leader });
        // `--wait` would race with dbus
        let until = Instant::now() + Duration::from_secs(60);
        while !matches!(self.state().as_str(), "running" | "degraded") {
            if Instant::now() > until {
                return Err(format!("it is {}:\n{}", self.state(), self.console()));
            }
            pause();
        }
        Ok(())
    }

    /// In systemd's own word.
    pub(crate) fn state(&self) -> String {
        let said = self.run(&["systemctl", "is-system-running"]);
        said.out.trim().to_owned()
    }

    /// What it wrote on its console.
    fn console(&self) -> String {
        let text = fs::read(self.place.join("console")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Runs a command inside, for five minutes at the most.
    pub(crate) fn run(&self, command: &[&str]) -> Said {
        self.run_below(&[], command)
    }

    /// The same, with a program of this machine that looks over its shoulder.
    pub(crate) fn run_below(&self, above: &[&str], command: &[&str]) -> Said {
        let Some(running) = &self.running else {
            return Said {
                code: -1,
                out: String::new(),
                err: "the machine is off".to_owned(),
            };
        };
        let output = Command::new("timeout")
            .args(["--kill-after=5", "300"])
            .args(above)
            .arg("nsenter")
            .args(["--target", &running.leader.to_string()])
            .args(["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"])
            .args([
                "env",
                "-i",
                "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            ])
            .args(["HOME=/root", "TERM=dumb", "LC_ALL=C.UTF-8"])
            .args(command)
            .stdin(Stdio::null())
            .output();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output {
            Ok(output) => Said {
                code: output.status.code().unwrap_or(-1),
                out: text(&output.stdout),
                err: text(&output.stderr),
            },
            Err(error) => Said {
                code: -1,
                out: String::new(),
                err: error.to_string(),
            },
        }
    }

    /// Runs a line of shell.
    pub(crate) fn sh(&self, line: &str) -> Said {
        self.run(&["bash", "-c", line])
    }

    /// Its root, as this machine sees it while it runs.
    pub(crate) fn root(&self) -> PathBuf {
        let leader = self.running.as_ref().map_or(0, |one| one.leader.as_raw());
        PathBuf::from(format!("/proc/{leader}/root"))
    }

    /// A place inside, as this machine sees it. No link of the container's is followed by this.
    fn inside(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8], mode: u32) -> Result<(), String> {
        let place = self.inside(path);
        let put = || {
            fs::create_dir_all(place.parent().unwrap_or(&place))?;
            fs::write(&place, bytes)?;
            fs::set_permissions(&place, fs::Permissions::from_mode(mode))
        };
        put().map_err(|error| format!("{path}: {error}"))
    }

    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
        let bytes = fs::read(self.inside(path)).map_err(|error| format!("{path}: {error}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn remove(&self, path: &str) -> Result<(), String> {
        fs::remove_file(self.inside(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Powers it off; what it has written stays.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        let nspawn = i32::try_from(running.nspawn.id()).unwrap_or(i32::MAX);
        let _ = kill(Pid::from_raw(nspawn), Signal::SIGTERM);
        let until = Instant::now() + Duration::from_secs(45);
        while Instant::now() < until {
            if running.nspawn.try_wait().is_ok_and(|ended| ended.is_some()) {
                sweep(&self.name);
                return Ok(());
            }
            pause();
        }
        end(running);
        sweep(&self.name);
        Err(format!("it does not power off:\n{}", self.console()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            end(running);
            sweep(&self.name);
        }
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// Without its systemd no process of a container lives on; nspawn alone would leave them behind.
fn end(mut running: Running) {
    let _ = kill(running.leader, Signal::SIGKILL);
    let _ = running.nspawn.wait();
}

/// The systemd that this nspawn has started.
fn systemd_below(parent: u32) -> Option<Pid> {
    let parent = parent.to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let stats =
        entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    for stat in stats {
        // PID (NAME) STATE PARENT …
        let Some((front, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        if rest.split_whitespace().nth(1) == Some(&parent) {
            let (pid, name) = front.split_once(" (")?;
            if name == "systemd" {
                return Some(Pid::from_raw(pid.parse().ok()?));
            }
        }
    }
    None
}

/// Removes what test runs have left that were killed; their machines ended with them.
fn forget_the_dead() {
    let entries = fs::read_dir(target().join("booted")).into_iter().flatten();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.rsplit('-').next().unwrap_or_default();
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            sweep(&name);
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the control groups of a machine that is off.
fn sweep(name: &str) {
    let mut sweep = Command::new(APART[0]);
    sweep.args(&APART[1..]).args([SWEEP, "sh", name]);
    let _ = sweep.stderr(Stdio::null()).status();
}

fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

/// What is left of a container on this machine.
pub(crate) fn left_over(name: &str) -> Vec<String> {
    let mut left = Vec::new();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    left.extend(
        mounts
            .lines()
            .filter(|line| line.contains(name))
            .map(str::to_owned),
    );
    let places = [
        target().join("booted").join(name),
        Path::new("/sys/fs/cgroup").join(name),
        Path::new("/sys/fs/cgroup/unified").join(name),
    ];
    left.extend(
        places
            .iter()
            .filter(|place| place.exists())
            .map(|place| place.display().to_string()),
    );
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(name) {
            left.push(line);
        }
    }
    left
}
