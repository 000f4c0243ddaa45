//! Programs on this machine: found, started, watched, stopped. Only what was started here is ever
//! stopped, by its own pid.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::Pid;

use super::names::{self, Table};
use crate::name::Owner;

/// How long a program may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(8);

/// Has the kernel take the settings of a file; says what it refused, as it does in containers.
#[must_use]
pub fn load_kernel_settings(file: &str) -> Option<String> {
    let sysctl = find("sysctl")?;
    let output = Command::new(sysctl)
        .args(["--quiet", "--load", file])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let words = String::from_utf8_lossy(&output.stderr)
        .trim()
        .replace('\n', "; ");
    (!output.status.success() || !words.is_empty())
        .then(|| format!("the kernel does not take all of `{file}` now ({words}); it is read again at the next boot"))
}

/// Looks for a program on the `PATH`, and where system programs are for those whose `PATH` leaves
/// that out.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A program in the folder of this one.
#[must_use]
pub fn beside(program: &str) -> Option<PathBuf> {
    let file = std::env::current_exe().ok()?.with_file_name(program);
    file.is_file().then_some(file)
}

/// Different TCP ports on loopback that are free now.
///
/// # Errors
/// What the system said.
pub fn free_ports<const COUNT: usize>() -> io::Result<[u16; COUNT]> {
    // All are held until the last is known, so that none comes twice.
    let held: Vec<TcpListener> = (0..COUNT)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<io::Result<_>>()?;
    let mut ports = [0; COUNT];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// A user without rights.
pub struct Nobody {
    /// The user's name.
    pub name: String,
    /// The name of its group.
    pub group: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// The user without rights that every system has, for programs that root starts for a trial.
#[must_use]
pub fn nobody() -> Option<Nobody> {
    let user = names::by_name(Table::Passwd, "nobody")?;
    let group = names::by_number(Table::Group, user.group?)?;
    Some(Nobody {
        name: user.name,
        group: group.name,
        uid: user.number,
        gid: group.number,
    })
}

/// Name of the user and group that run us.
#[must_use]
pub fn myself() -> Owner {
    let name = |table, number| {
        names::by_number(table, number).map_or_else(|| "me".to_owned(), |entry| entry.name)
    };
    Owner::new(
        &name(Table::Passwd, nix::unistd::geteuid().as_raw()),
        &name(Table::Group, nix::unistd::getegid().as_raw()),
    )
}

/// Are we root?
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// What to start.
pub struct Order<'a> {
    /// Name for messages.
    pub name: &'a str,
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub args: Vec<String>,
    /// Additions to its environment.
    pub env: Vec<(&'a str, String)>,
    /// User and group numbers to run as.
    pub run_as: Option<(u32, u32)>,
    /// Where its output goes.
    pub log: PathBuf,
}

/// A program that runs.
pub struct Running {
    /// Name for messages.
    pub name: String,
    child: Child,
    log: PathBuf,
    is_stopped: bool,
}

/// Starts a program in a process group of its own, so that Ctrl-C reaches us alone.
///
/// # Errors
/// What the system said.
pub fn start(order: Order<'_>) -> io::Result<Running> {
    let log = std::fs::File::create(&order.log)?;
    let mut command = Command::new(order.program);
    command
        .args(&order.args)
        .envs(order.env)
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some((user, group)) = order.run_as {
        command.uid(user).gid(group);
    }
    // A program starts with our mask, and one that leaves it alone, as Prosody does, would never be
    // told to end. A Ctrl-C in this very moment ends us at once.
    let held = SigSet::thread_get_mask()?;
    SigSet::empty().thread_set_mask()?;
    let child = command.spawn();
    held.thread_set_mask()?;
    Ok(Running {
        name: order.name.to_owned(),
        child: child?,
        log: order.log,
        is_stopped: false,
    })
}

/// Runs a program to its end, and gives what it says on stdout.
///
/// # Errors
/// Its last words, or what the system said.
pub fn answer(order: &Order<'_>) -> Result<String, String> {
    let mut command = Command::new(order.program);
    command
        .args(&order.args)
        .envs(order.env.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null());
    if let Some((user, group)) = order.run_as {
        command.uid(user).gid(group);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

impl Running {
    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it ended by itself?
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until something listens at `port` on loopback, or it ends, or patience does.
    pub fn listens(&mut self, port: u16, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while Instant::now() < until && !self.has_ended() {
            if TcpStream::connect_timeout(
                &SocketAddr::from(([127, 0, 0, 1], port)),
                Duration::from_millis(200),
            )
            .is_ok()
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The last lines of its output.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Asks it to end, and ends it when it does not. Then what it may have left behind: the workers
    /// of a server that was killed outlive it and keep its ports.
    pub fn stop(&mut self) {
        if self.is_stopped {
            return;
        }
        self.is_stopped = true;
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        if !self.has_ended() {
            let _ = kill(pid, Signal::SIGTERM);
            self.wait_for_end();
        }
        // The group was made for this program, and nobody else is in it.
        let _ = killpg(pid, Signal::SIGTERM);
    }

    fn wait_for_end(&mut self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Signals that end a trial, held back until somebody waits for them. [`start`] lets none of the
/// programs inherit this.
pub struct Interrupts(SigSet);

impl Interrupts {
    /// Begins to hold them back.
    ///
    /// # Errors
    /// What the system said.
    pub fn hold() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGCHLD,
        ] {
            set.add(signal);
        }
        set.thread_block()?;
        Ok(Self(set))
    }

    /// Waits for the next; true when it asks to end, false when a started program has ended.
    #[must_use]
    pub fn wait(&self) -> bool {
        !matches!(self.0.wait(), Ok(Signal::SIGCHLD))
    }
}
