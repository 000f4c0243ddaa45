//! The doctor's active probes on a real Prosody: good on a site as it is laid out, bad on one whose
//! brewery somebody has opened.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jitsi_install::doctor::{Check, Subject, Verdict, examine};
use jitsi_install::host::probe::Examiner;
use jitsi_install::host::{Machine, facts, now, secrets};
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::package::Catalogue;
use jitsi_install::platform::Family;
use jitsi_install::service::{Context, Facts};
use jitsi_install::site::parse;

use super::cases::{Cases, are_here};
use super::site::{DOMAIN, Server, Site};

/// Examines a trial with the doctor's own library, as if it were the machine.
fn examined(site: &Site) -> Vec<Check> {
    let machine = Machine::open(Path::new("/")).expect("the machine");
    let base = AbsPath::parse(&site.folder.to_string_lossy()).expect("a path");
    let mut text = format!(
        "schema = 1\ndomain = \"{DOMAIN}\"\n[web]\nserver = \"{}\"\naddresses = [\"127.0.0.1\"]\nhttp_port = {}\nhttps_port = {}\n\
         [prosody]\nc2s_port = {}\nhttp_port = {}\n",
        site.server.name(),
        site.http.port(),
        site.https.port(),
        site.c2s.port(),
        site.bosh.port(),
    );
    if let Some(plugins) = plugin_folder(site) {
        text.push_str(&format!("plugins = \"{plugins}\"\n"));
    }
    let wanted = parse(&text).expect("a site");
    let release = facts::release(machine.root()).unwrap_or(Family::Debian.newest());
    let owner = Owner::new("nobody", "nogroup");
    let platform = release.platform().below(&base, &owner);
    let place = base.join("etc/jitsi-install/secrets.toml");
    let kept = secrets::load(machine.root(), &place, &wanted.domain, now()).expect("secrets");
    let none = Facts::default();
    let wants = layout(&wanted, &platform, &kept.secrets, &none).expect("a layout");
    let subject = Subject {
        context: &Context::new(&wanted, &platform, &kept.secrets, &none),
        layout: &wants,
        catalogue: Catalogue::own().map_err(|why| why.to_string()),
        drifted: Vec::new(),
        pending: Vec::new(),
        services: Vec::new(),
        now: now(),
    };
    examine(
        &subject,
        &Examiner::new(machine.root(), true, site.bosh.port()),
    )
}

/// The second of `plugin_paths`: Jitsi's plugins, or the stand-ins.
fn plugin_folder(site: &Site) -> Option<String> {
    let text = fs::read_to_string(site.folder.join("etc/prosody/prosody.cfg.lua")).ok()?;
    let line = text.lines().find(|line| line.starts_with("plugin_paths"))?;
    line.split('"').nth(3).map(str::to_owned)
}

/// What the first check with this id and word in its title says.
fn of<'c>(checks: &'c [Check], id: &str, word: &str) -> &'c Check {
    let found = checks
        .iter()
        .find(|one| one.id == id && one.title.contains(word));
    found.unwrap_or_else(|| panic!("no {id} about {word}"))
}

fn expect(cases: &mut Cases, checks: &[Check], verdict: Verdict, wanted: &[(&str, &str)]) {
    for (id, word) in wanted {
        let check = of(checks, id, word);
        cases.holds(&format!("{id} {word}"), check.verdict == verdict, || {
            format!("{check:?}")
        });
    }
}

/// Prosody on the configuration of a trial that is over, or nearly so.
struct Prosody(Child);

impl Prosody {
    fn start(site: &Site) -> Option<Self> {
        let owner = fs::metadata(&site.folder).ok()?;
        let mut command = Command::new("prosody");
        command
            .arg("-F")
            .arg("--config")
            .arg(site.folder.join("etc/prosody/prosody.cfg.lua"))
            .env(
                "LUA_PATH_5_4",
                format!("{}/usr/local/share/lua/5.4/?.lua;;", site.folder.display()),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if jitsi_install::host::process::is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let child = command.spawn().ok()?;
        let until = Instant::now() + Duration::from_secs(15);
        while Instant::now() < until {
            if std::net::TcpStream::connect(site.bosh).is_ok() {
                return Some(Self(child));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ACTIVE: [(&str, &str); 4] = [
    ("D-06", "way to log in"),
    ("D-19", "forged"),
    ("D-20", "forged"),
    ("D-21", "anonymous"),
];

#[test]
fn a_laid_out_site_is_closed() {
    if !are_here(&["prosody", "nginx"]) {
        return;
    }
    let site = Site::start(Server::Nginx);
    let mut cases = Cases::new("the doctor on a closed site");
    let checks = examined(&site);
    expect(&mut cases, &checks, Verdict::Good, &ACTIVE);
    expect(
        &mut cases,
        &checks,
        Verdict::Good,
        &[
            ("D-05", "every Prosody module"),
            ("D-05", "log"),
            ("D-06", "passwords"),
            ("D-06", "can log in"),
            ("D-10", "shows"),
            ("D-12", "shows"),
            ("D-31", ""),
            ("D-47", ""),
            ("D-07", "component"),
            ("D-08", ""),
            ("D-10", ""),
            ("D-11", ""),
            ("D-19", "configuration"),
            ("D-20", "configuration"),
            ("D-21", "configuration"),
            ("D-22", ""),
            ("D-26", ""),
            ("D-30", ""),
            ("D-46", ""),
            ("D-48", ""),
            ("D-54", ""),
        ],
    );
    let page = of(&checks, "D-25", "");
    cases.holds("D-25", page.verdict != Verdict::Bad, || format!("{page:?}"));
    let certificate = of(&checks, "D-13", "same");
    cases.holds("D-13", certificate.verdict == Verdict::Good, || {
        format!("{certificate:?}")
    });
    // Nobody started Jicofo and the bridge here.
    expect(
        &mut cases,
        &checks,
        Verdict::Bad,
        &[("D-34", ""), ("D-28", "")],
    );
    cases.finish();
}

#[test]
fn an_opened_brewery_is_found() {
    if !are_here(&["prosody", "nginx"]) {
        return;
    }
    // Staged and not started: what runs is our own Prosody, on an edited file.
    let site = Site::start(Server::Nginx);
    let mut cases = Cases::new("the doctor on an opened site");
    let host = site
        .folder
        .join(format!("etc/prosody/conf.d/{DOMAIN}.cfg.lua"));
    let text = fs::read_to_string(&host).expect("the hosts");
    let (before, brewery) = text.split_once("-- The brewery").expect("the brewery");
    let opened = brewery
        .replacen("restrict_room_creation = true", "", 1)
        .replacen("; \"muc_filter_access\"", "", 1);
    let opened = format!(
        "{}-- The brewery{opened}",
        before.replacen("\"jitsi-anonymous\"", "\"anonymous\"", 1)
    );
    fs::write(&host, opened).expect("written");
    let pid = site.pid("prosody").expect("a pid");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a small number"));
    let place = site.folder.clone();
    // `try` ends when its Prosody does, and takes the folder along: a copy stays.
    let copy = super::site::public_folder();
    let status = Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", place.display()))
        .arg(copy.path())
        .status();
    cases.holds(
        "the folder is copied",
        status.is_ok_and(|done| done.success()),
        String::new,
    );
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is ours");
    let until = Instant::now() + Duration::from_secs(20);
    while place.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    let back = Command::new("cp")
        .arg("-a")
        .arg(copy.path())
        .arg(&place)
        .status();
    cases.holds(
        "and stands where it stood",
        back.is_ok_and(|done| done.success()),
        String::new,
    );
    let prosody = Prosody::start(&site);
    cases.holds("Prosody starts again", prosody.is_some(), String::new);
    let checks = examined(&site);
    expect(
        &mut cases,
        &checks,
        Verdict::Bad,
        &[
            ("D-21", "anonymous"),
            ("D-21", "configuration"),
            ("D-20", "forged"),
            ("D-20", "configuration"),
        ],
    );
    let check = of(&checks, "D-21", "anonymous");
    let named = check
        .evidence
        .contains(&format!("jvbbrewery@internal.auth.{DOMAIN}"));
    cases.holds("the brewery is named", named, || format!("{check:?}"));
    cases.holds(
        "no secret is shown",
        !checks
            .iter()
            .any(|one| one.evidence.contains(&site.focus_password)),
        String::new,
    );
    drop(prosody);
    let _ = fs::remove_dir_all(&place);
    cases.finish();
}
