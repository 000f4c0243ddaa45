//! What the machine itself shows: Prosody's own check, its log, who listens where.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::cases::Cases;
use super::site::Site;

/// Right after the start.
pub(crate) fn fresh(site: &Site, cases: &mut Cases) {
    check_config(site, cases);
    let words = complaints(site);
    cases.same("Prosody starts without complaint", words, Vec::new());
    let listens = |program: &str| {
        let pid = site.pid(program).ok_or("it does not run")?;
        listening(pid).map_err(|error| error.to_string())
    };
    let set = |all: [SocketAddr; 2]| Ok::<_, String>(BTreeSet::from(all));
    cases.same(
        "Prosody listens on these only",
        listens("prosody"),
        set([site.c2s, site.bosh]),
    );
    let web = site.server.name();
    cases.same(
        "the web server listens on these only",
        listens(web),
        set([site.http, site.https]),
    );
}

/// After everybody has been there.
pub(crate) fn used(site: &Site, cases: &mut Cases) {
    let tracebacks = lines(site, "var/log/prosody", |line| line.contains("raceback"));
    cases.same("no plugin stumbled", tracebacks, Vec::new());
    let shows = |place: &str| lines(site, place, |line| line.contains("eyJ"));
    let web = [
        shows(&format!("var/log/{}", site.server.name())),
        shows("log"),
    ];
    cases.same(
        "the web server's logs know no token",
        web.concat(),
        Vec::new(),
    );
    let prosody = shows("var/log/prosody");
    cases.same("Prosody's logs know no token", prosody, Vec::new());
}

/// `prosodyctl check config`: clean, and without a warning.
fn check_config(site: &Site, cases: &mut Cases) {
    let config = site.folder.join("etc/prosody/prosody.cfg.lua");
    let mut command = Command::new("prosodyctl");
    command
        .arg("--config")
        .arg(&config)
        .args(["check", "config"]);
    // as the user who runs the site: prosodyctl would become `prosody`, who may not look in here
    if let Ok(owner) = fs::metadata(&site.folder)
        && jitsi_install::host::process::is_root()
    {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let Some(output) = cases.must("prosodyctl runs", command.output()) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // the banner about lua-unbound is no finding
    let warned = text
        .lines()
        .any(|line| line.contains("warn") || line.contains("rror"));
    let clean = output.status.success() && !warned;
    cases.holds("prosodyctl check config is clean", clean, || {
        text.into_owned()
    });
}

/// Warnings and errors in Prosody's logs.
fn complaints(site: &Site) -> Vec<String> {
    let of_logs = |line: &str| line.contains("\terror\t") || line.contains("\twarn\t");
    lines(site, "var/log/prosody", of_logs)
}

fn lines(site: &Site, place: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut folders = vec![site.folder.join(place)];
    let mut found = Vec::new();
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten();
            folders.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
            continue;
        }
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let some = text.lines().filter(|line| wanted(line));
        found.extend(some.map(|line| format!("{}: {line}", path.display())));
    }
    found.sort();
    found
}

/// The TCP sockets on which a process listens.
fn listening(pid: u32) -> std::io::Result<BTreeSet<SocketAddr>> {
    let mut own = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let target = fs::read_link(entry?.path()).unwrap_or_default();
        let target = target.to_string_lossy().into_owned();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        own.extend(inode.map(str::to_owned));
    }
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let path = format!("/proc/{pid}/net/{table}");
        if !Path::new(&path).exists() {
            continue;
        }
        let text = fs::read_to_string(path)?;
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // sl local remote state … inode; state 0A listens
            let [_, local, _, "0A", ..] = fields[..] else {
                continue;
            };
            if fields.get(9).is_some_and(|inode| own.contains(*inode)) {
                found.insert(address(local));
            }
        }
    }
    Ok(found)
}

/// `0100007F:1F90`, words of the machine's own byte order; what is not IPv4 becomes `[::]`.
fn address(hex: &str) -> SocketAddr {
    let (host, port) = hex.split_once(':').unwrap_or_default();
    let port = u16::from_str_radix(port, 16).unwrap_or(0);
    match u32::from_str_radix(host, 16) {
        Ok(word) if host.len() == 8 => SocketAddr::from((word.to_ne_bytes(), port)),
        _ => SocketAddr::from(([0_u16; 8], port)),
    }
}
