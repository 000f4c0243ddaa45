//! The doctor's eyes: files inside the root, and of a running machine its programs, sockets and
//! names. Every look ends within [`PATIENCE`] and reads no more than a set number of bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::ask::ask;
use super::line::{self, Line, PATIENCE};
use super::names::{self, Table};
use super::process::find;
use super::root::Root;
use super::{accounts, bosh, c2s};
use crate::doctor::{
    Admission, Listener, LogIn, Place, Probe, Process, Reader, Reception, Seen, Visit,
};
use crate::name::{AbsPath, Mode};
use crate::plan::{Found, State};
use crate::secret::Secret;

/// Bytes of a file below `/proc`.
const MOST: u64 = 1 << 20;

/// Bytes at the end of a log.
const TAIL: u64 = 4 << 20;

/// Parts of a second in which Linux counts for programs, whatever it does inside (`USER_HZ`).
const TICKS: i64 = 100;

/// Looks at a root, and at the machine when the root is running.
pub struct Examiner<'m> {
    root: &'m Root,
    is_running: bool,
    http_port: u16,
}

impl<'m> Examiner<'m> {
    /// `http_port` is that of Prosody.
    #[must_use]
    pub fn new(root: &'m Root, is_running: bool, http_port: u16) -> Self {
        Self {
            root,
            is_running,
            http_port,
        }
    }
}

impl Probe for Examiner<'_> {
    fn is_running(&self) -> bool {
        self.is_running
    }

    fn file(&self, path: &AbsPath) -> Result<Option<Seen>, String> {
        match self.root.look(path) {
            Found::State(State::File { bytes, mode, .. }) => Ok(Some(Seen { bytes, mode })),
            Found::State(State::Absent) => Ok(None),
            Found::State(State::Link { .. }) => match self.root.tail(path, MOST) {
                Ok((bytes, mode)) => Ok(Some(Seen { bytes, mode })),
                Err(error) => Err(error.to_string()),
            },
            Found::State(_) => Err("it is no file".to_owned()),
            Found::Unknown(why) => Err(why),
        }
    }

    fn tail(&self, path: &AbsPath) -> Option<Seen> {
        let (bytes, mut mode) = self.root.tail(path, TAIL).ok()?;
        if let Some(folder) = path.parent()
            && let Found::State(State::Dir { mode: outer, .. }) = self.root.look(&folder)
            && outer.0 & 0o001 == 0
        {
            mode.0 &= 0o770;
        }
        Some(Seen { bytes, mode })
    }

    fn packages(&self) -> BTreeMap<String, String> {
        if !self.is_running {
            return BTreeMap::new();
        }
        let installed = super::live::installed(self.root).into_iter();
        installed
            .map(|(name, version)| (name, version.upstream))
            .collect()
    }

    fn names(&self, path: &AbsPath) -> Vec<String> {
        self.root.list(path)
    }

    fn kernel(&self, path: &str) -> Option<String> {
        proc(Path::new(path))
    }

    fn about(&self) -> Result<String, String> {
        let program = here("prosodyctl")?;
        ask(&program, &["about"]).map(|said| said.out)
    }

    fn lacking(&self, modules: &[&str]) -> Result<(String, Vec<String>), String> {
        let lua = interpreter(&here("prosodyctl")?)?;
        // `require` by names of ours, which need no quoting.
        let names: Vec<String> = modules.iter().map(|name| format!("'{name}'")).collect();
        let script = format!(
            "for _, name in ipairs {{ {} }} do if not pcall(require, name) then print('lacks ' .. name) end end print('done')",
            names.join(", ")
        );
        let said = ask(&lua, &["-e", &script])?.out;
        if !said.contains("done") {
            return Err(format!("`{}` did not go on to the end", lua.display()));
        }
        let lacks = said.lines().filter_map(|line| line.strip_prefix("lacks "));
        Ok((
            lua.display().to_string(),
            lacks.map(str::to_owned).collect(),
        ))
    }

    fn java(&self, java: &AbsPath) -> Result<String, String> {
        // It says so on stderr.
        ask(Path::new(java.as_str()), &["-version"]).map(|said| said.err)
    }

    fn listeners(&self) -> Result<Vec<Listener>, String> {
        let mut found = Vec::new();
        let programs = programs();
        for (table, state, is_udp) in [
            ("net/tcp", "0A", false),
            ("net/tcp6", "0A", false),
            ("net/udp", "07", true),
            ("net/udp6", "07", true),
        ] {
            let text = proc(Path::new(table));
            if table == "net/tcp" && text.is_none() {
                return Err("the kernel does not tell who listens".to_owned());
            }
            for line in text.unwrap_or_default().lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let (Some(local), Some(inode)) = (fields.get(1), fields.get(9)) else {
                    continue;
                };
                if fields.get(3) == Some(&state)
                    && let Some(address) = address(local)
                {
                    found.push(Listener {
                        address,
                        is_udp,
                        program: programs.get(*inode).cloned(),
                    });
                }
            }
        }
        Ok(found)
    }

    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        // The resolver has no time limit of its own; who waits for it in vain leaves it behind.
        let (tell, hear) = mpsc::channel();
        let name = name.to_owned();
        std::thread::spawn(move || tell.send(names::addresses(&name)));
        match hear.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs())),
        }
    }

    fn changed(&self, path: &AbsPath) -> Option<i64> {
        self.root.changed(path)
    }

    fn processes(&self) -> Vec<Process> {
        let booted = proc(Path::new("stat")).and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
            line.trim().parse::<i64>().ok()
        });
        let one = |pid: u32| {
            let line = proc(Path::new(&format!("{pid}/cmdline")))?;
            let stat = proc(Path::new(&format!("{pid}/stat")))?;
            // PID (NAME) STATE …; the 22nd field is when it started.
            let (front, rest) = stat.rsplit_once(')')?;
            let ticks: Option<i64> = rest
                .split_whitespace()
                .nth(19)
                .and_then(|field| field.parse().ok());
            Some(Process {
                pid,
                name: front.split_once('(')?.1.to_owned(),
                arguments: line
                    .trim_end_matches('\0')
                    .split('\0')
                    .map(str::to_owned)
                    .collect(),
                started: booted
                    .zip(ticks)
                    .map(|(booted, ticks)| booted + ticks / TICKS),
            })
        };
        processes().into_iter().filter_map(one).collect()
    }

    fn last_exit(&self, service: &str) -> Option<i32> {
        let kept = AbsPath::parse(&format!("/run/{service}.exit")).ok()?;
        if let Ok(bytes) = self.root.read(&kept) {
            return String::from_utf8_lossy(&bytes).trim().parse().ok();
        }
        let unit = format!("{service}.service");
        let said = ask(
            &find("systemctl")?,
            &["show", "--property=ExecMainStatus", "--value", "--", &unit],
        );
        said.ok()?.out.trim().parse().ok()
    }

    fn http(&self, port: u16, path: &str, host: &str) -> Result<(u16, String), String> {
        bosh::request(port, &format!("GET {path}"), host, None)
    }

    fn page(&self, host: &str, address: SocketAddr, path: &str) -> Result<(u16, String), String> {
        let (mut line, _) = line::secure(Line::dial(reachable(address))?, host)?;
        let authority = match address.port() {
            443 => host.to_owned(),
            port => format!("{host}:{port}"),
        };
        bosh::exchange(&mut line, &format!("GET {path}"), &authority, None)
    }

    fn certificates(&self, host: &str, address: SocketAddr) -> Result<Vec<Vec<u8>>, String> {
        let line = Line::dial(reachable(address))?;
        line::secure(line, host).map(|(_, certificates)| certificates)
    }

    fn fetch(&self, url: &str) -> Option<Result<String, String>> {
        let curl = find("curl")?;
        let limit = PATIENCE.as_secs().to_string();
        let args = [
            "-q",
            "-fsS",
            "-m",
            &limit,
            "--proto",
            "=http,https",
            "--",
            url,
        ];
        Some(ask(&curl, &args).and_then(|said| {
            if said.is_success {
                return Ok(said.out);
            }
            Err(said.err.lines().last().unwrap_or("no answer").to_owned())
        }))
    }

    fn log_in(&self, order: &LogIn<'_>) -> Result<Admission, String> {
        c2s::log_in(order)
    }

    fn visit(&self, visit: &Visit) -> Result<Reception, String> {
        bosh::visit(self.http_port, visit)
    }

    fn place(&self, path: &AbsPath) -> Option<Place> {
        let found = std::fs::symlink_metadata(path.as_str()).ok()?;
        let name = |table, number: u32| {
            let entry = names::by_number(table, number);
            entry.map_or_else(|| number.to_string(), |entry| entry.name)
        };
        Some(Place {
            mode: Mode(found.mode() & 0o7777),
            user: name(Table::Passwd, found.uid()),
            group: name(Table::Group, found.gid()),
            is_socket: found.file_type().is_socket(),
        })
    }

    fn settings(&self, program: &AbsPath, file: &AbsPath) -> Result<Vec<String>, String> {
        accounts::settings(program, file)
    }

    fn question(&self, port: u16, secret: &Secret<String>) -> Result<u16, String> {
        accounts::question(port, secret)
    }

    fn rights(&self, reader: &Reader<'_>) -> Result<Vec<String>, String> {
        accounts::rights(reader)
    }
}

/// An address that can be called: whoever listens everywhere listens on loopback, too.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    }
}

fn here(program: &str) -> Result<PathBuf, String> {
    find(program).ok_or_else(|| format!("`{program}` is not on this machine"))
}

/// A file below `/proc`.
fn proc(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(Path::new("/proc").join(path)).ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn processes() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Which program has which socket, by the socket's inode.
fn programs() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for pid in processes() {
        let Some(name) = proc(Path::new(&format!("{pid}/comm"))) else {
            continue;
        };
        let entries = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        for target in entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()) {
            let target = target.to_string_lossy();
            let inode = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'));
            if let Some(inode) = inode {
                found.insert(inode.to_owned(), name.trim().to_owned());
            }
        }
    }
    found
}

/// `0100007F:1F90` or its IPv6 form: words of the machine's own byte order.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<u32> = (0..host.len() / 8)
        .filter_map(|at| u32::from_str_radix(host.get(at * 8..at * 8 + 8)?, 16).ok())
        .collect();
    let ip = match words.as_slice() {
        [word] => IpAddr::from(word.to_ne_bytes()),
        [_, _, _, _] => {
            let mut bytes = [0; 16];
            for (place, word) in bytes.chunks_exact_mut(4).zip(&words) {
                place.copy_from_slice(&word.to_ne_bytes());
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::from((ip, port)))
}

/// The program in a script's first line.
fn interpreter(script: &Path) -> Result<PathBuf, String> {
    let odd = || format!("`{}` does not say which Lua runs it", script.display());
    let mut head = [0; 256];
    let mut file = std::fs::File::open(script).map_err(|_| odd())?;
    let count = file.read(&mut head).map_err(|_| odd())?;
    let text = String::from_utf8_lossy(&head[..count]).into_owned();
    let line = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#!"))
        .ok_or_else(odd)?;
    let mut words = line
        .split_whitespace()
        .filter(|word| !word.starts_with('-'));
    let first = words.next().ok_or_else(odd)?;
    if first.ends_with("/env") {
        return here(words.next().ok_or_else(odd)?);
    }
    Ok(PathBuf::from(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_kernel() {
        let v4 = format!("{:08X}:1F90", u32::from_ne_bytes([127, 0, 0, 1]));
        assert_eq!(address(&v4), Some(([127, 0, 0, 1], 8080).into()));
        let v6 = format!("{}:0050", "0".repeat(32));
        assert_eq!(
            address(&v6).map(|found| found.to_string()).as_deref(),
            Some("[::]:80")
        );
        assert_eq!(address("odd"), None);
    }
}
