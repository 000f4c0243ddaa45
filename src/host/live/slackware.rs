//! Slackware: its accounts' numbers, and services by the scripts in `/etc/rc.d`. Packages are next
//! door, in [`pkgtools`](super::pkgtools).
//!
//! A script that is executable and named in `rc.local` (or in `rc.M` itself)
//! starts at boot; nothing watches over services but themselves.

use std::io::{Read, Seek};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Standing, last};
use crate::host::names::{self, Table};
use crate::host::root::Root;
use crate::name::AbsPath;
use crate::plan::{Found, State};
use crate::resource::How;

/// How long an rc script may take: those of ours wait at most 30 s for an orderly end, and Java
/// starts slowly.
const BOUND: Duration = Duration::from_secs(90);

/// How long a service that was told to stop may take after its script has returned.
const LEAVING: Duration = Duration::from_secs(30);

/// So many looks in a row, a quarter of a second and more apart, that find nothing running mean
/// that nobody will start it again: the keepers of our scripts wait two seconds.
const IDLE_LOOKS: u32 = 16;

/// Numbers that SlackBuilds.org gives to accounts; its packages hold files of theirs by number
/// where the name was not known yet (<https://slackbuilds.org/uid_gid.txt>).
const NUMBERS: &[(&str, u32)] = &[("prosody", 274), ("caddy", 398)];

/// Names by which nginx and its pid file are known: its script has no `status`.
const NGINX: (&str, &str) = ("nginx", "/run/nginx.pid");

/// Scripts that packages bring, as a rule not executable. All others are files of ours, which have
/// their mode from the layout.
const PACKAGED: &[&str] = &["prosody", NGINX.0, MARIADB.0, "postgresql"];

/// MariaDB likewise: Slackware's `rc.mysqld` names this file to it.
const MARIADB: (&str, &str) = ("mysqld", "/run/mysql/mysql.pid");

/// The number that an account should have, unless somebody has it already.
pub(super) fn number(name: &str) -> Option<u32> {
    let (_, number) = NUMBERS.iter().find(|(known, _)| *known == name)?;
    let user = names::by_number(Table::Passwd, *number);
    let group = names::by_number(Table::Group, *number);
    let is_free =
        user.is_none_or(|user| user.name == name) && group.is_none_or(|group| group.name == name);
    is_free.then_some(*number)
}

fn script(name: &str) -> String {
    format!("/etc/rc.d/rc.{name}")
}

/// Runs an rc script as at boot: with nothing of our environment, and for a bounded time. What it
/// says goes into a file, since a service that stays behind would hold a pipe open.
fn rc(name: &str, verb: &str) -> Result<(), String> {
    let script = script(name);
    let unable = |error: std::io::Error| format!("`{script}` could not be run: {error}");
    let mut said = tempfile::tempfile().map_err(unable)?;
    let mut child = Command::new(&script)
        .arg(verb)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
        )
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(said.try_clone().map_err(unable)?)
        .stderr(said.try_clone().map_err(unable)?)
        .process_group(0)
        .spawn()
        .map_err(unable)?;
    let until = Instant::now() + BOUND;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(unable)? {
            break status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "`{script} {verb}` did not end within {} s",
                BOUND.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    let _ = said.rewind();
    let _ = said.take(1 << 16).read_to_end(&mut bytes);
    let words = String::from_utf8_lossy(&bytes);
    Err(format!("`{script} {verb}` failed: {}", last(&words, 6)))
}

fn is_executable(name: &str) -> bool {
    std::fs::metadata(script(name)).is_ok_and(|found| found.is_file() && found.mode() & 0o100 != 0)
}

/// Does the system start it, or the administrator, or our block?
fn is_started_at_boot(root: &Root, name: &str) -> bool {
    ["/etc/rc.d/rc.M", "/etc/rc.d/rc.local"].iter().any(|file| {
        let bytes = root.read(&AbsPath::fixed(file)).unwrap_or_default();
        starts(&String::from_utf8_lossy(&bytes), &script(name))
    })
}

/// Has the text a line, no comment, that starts the script?
fn starts(text: &str, script: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(script).skip(1))
        .any(|rest| {
            let rest = rest.trim_start_matches(['"', '\'']);
            rest.strip_prefix([' ', '\t']).is_some_and(|rest| {
                rest.trim_start_matches([' ', '\t', '"', '\''])
                    .starts_with("start")
            })
        })
}

/// Is it running?
fn is_running(root: &Root, name: &str) -> bool {
    if name == NGINX.0 {
        return nginx(root);
    }
    if name == MARIADB.0 {
        return mariadb(root);
    }
    is_executable(name) && rc(name, "status").is_ok()
}

/// Is the process of the pid file one of MariaDB's?
fn mariadb(root: &Root) -> bool {
    let bytes = root.read(&AbsPath::fixed(MARIADB.1)).unwrap_or_default();
    let pid: Option<u32> = String::from_utf8_lossy(&bytes).trim().parse().ok();
    let name = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    name.is_some_and(|name| matches!(name.trim(), "mariadbd" | "mysqld"))
}

/// The pid file may be left over, and its number anybody's by now; a dead process whose parent
/// has not looked has no command line.
fn nginx(root: &Root) -> bool {
    let bytes = root.read(&AbsPath::fixed(NGINX.1)).unwrap_or_default();
    let pid: Option<u32> = String::from_utf8_lossy(&bytes).trim().parse().ok();
    pid.is_some_and(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with(b"nginx: master"))
    })
}

/// How a service is.
pub(super) fn look(root: &Root, name: &str) -> Found {
    Found::State(State::Service {
        enabled: is_executable(name) && is_started_at_boot(root, name),
        running: is_running(root, name),
    })
}

/// Makes a service be so. Its line in `rc.local` is a resource of its own; here it is only asked
/// for.
pub(super) fn set(root: &Root, name: &str, enabled: bool, running: bool) -> Result<(), String> {
    if enabled || running {
        executable(name, true)?;
    }
    match (is_running(root, name), running) {
        (false, true) => start(root, name)?,
        (true, false) => stop(root, name)?,
        _ => {}
    }
    if !enabled {
        return executable(name, running);
    }
    if is_started_at_boot(root, name) {
        return Ok(());
    }
    Err(format!(
        "nothing starts it at boot: put `{} start` into `/etc/rc.d/rc.local`, or take that file out of `keep`",
        script(name)
    ))
}

/// Sets or takes the executable bit of a package's script. One that is a link, as that of Prosody to `prosodyctl`, is
/// a program for people too and stays as it is.
fn executable(name: &str, wanted: bool) -> Result<(), String> {
    let path = script(name);
    if !PACKAGED.contains(&name) {
        return Ok(());
    }
    let Ok(found) = std::fs::symlink_metadata(&path) else {
        return if wanted {
            Err(format!("there is no `{path}`"))
        } else {
            Ok(())
        };
    };
    if found.is_symlink() || wanted == is_executable(name) {
        return Ok(());
    }
    let mode = found.mode() & 0o7777;
    let mode = if wanted {
        mode | (mode & 0o444) >> 2
    } else {
        mode & !0o111
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| format!("`{path}`: {error}"))
}

fn start(root: &Root, name: &str) -> Result<(), String> {
    if name == NGINX.0 {
        // Its script takes any pid file for a running server.
        let _ = root.put(&AbsPath::fixed(NGINX.1), &State::Absent);
    }
    rc(name, "start").map_err(|why| {
        let lines = last_lines(root, name);
        format!("{why}\n{lines}")
    })
}

/// Stops it and waits until it is gone: a script may return before.
fn stop(root: &Root, name: &str) -> Result<(), String> {
    rc(name, "stop")?;
    let until = Instant::now() + LEAVING;
    while is_running(root, name) {
        if Instant::now() > until {
            return Err(format!("it did not end within {} s", LEAVING.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Tells a service of a change, if it should run, and says whether it should. `restart` of a script is not used: nginx's does
/// not wait for the old one to end.
pub(super) fn wake(root: &Root, name: &str, how: How) -> Result<bool, String> {
    match (is_running(root, name), how) {
        (true, How::Reload) => rc(name, "reload")?,
        (true, How::Restart) => {
            stop(root, name)?;
            start(root, name)?;
        }
        // One that has failed may live with what is there now.
        (false, _) if is_executable(name) && is_started_at_boot(root, name) => start(root, name)?,
        (false, _) => return Ok(false),
    }
    Ok(true)
}

/// How a service stands on its way up; `idle` counts looks that found nothing running.
pub(super) fn standing(root: &Root, name: &str, idle: &mut u32) -> Standing {
    if is_running(root, name) {
        *idle = 0;
        return Standing::Up;
    }
    *idle += 1;
    let word = "not running".to_owned();
    if *idle > IDLE_LOOKS {
        Standing::Down(word)
    } else {
        Standing::Coming(word)
    }
}

/// The end of the log that was written last.
pub(super) fn last_lines(root: &Root, name: &str) -> String {
    let folder = match name {
        "jicofo" => "/var/log/jitsi/jicofo".to_owned(),
        "jitsi-videobridge" => "/var/log/jitsi/videobridge".to_owned(),
        name => format!("/var/log/{name}"),
    };
    let files = root.list(&AbsPath::fixed(&folder));
    let written = |file: &PathBuf| Path::metadata(file).and_then(|found| found.modified()).ok();
    let newest = files
        .iter()
        // What people asked for is not why a server does not start.
        .filter(|file| {
            (file.ends_with(".log") && !file.contains("access")) || file.ends_with(".err")
        })
        .map(|file| Path::new(&folder).join(file))
        .max_by_key(written);
    let bytes = newest.and_then(|file| {
        let file = AbsPath::parse(&file.to_string_lossy()).ok()?;
        root.read(&file).ok()
    });
    last(&String::from_utf8_lossy(&bytes.unwrap_or_default()), 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_starts_a_script() {
        let nginx = "/etc/rc.d/rc.nginx";
        assert!(starts(
            "if x; then\n  /etc/rc.d/rc.nginx start\nfi\n",
            nginx
        ));
        assert!(starts("sh \"/etc/rc.d/rc.nginx\" start", nginx));
        assert!(!starts("# /etc/rc.d/rc.nginx start\n", nginx));
        assert!(!starts("[ -x /etc/rc.d/rc.nginx ]\n", nginx));
        assert!(!starts("/etc/rc.d/rc.nginx-old start\n", nginx));
    }
}
