//! `try`: a whole site in a throw-away folder, running where the programs for it are there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;

use super::report::{FAILED, Failure, Report};
use super::scene::{Places, Scene};
use super::{FamilyArg, Global, standin};
use crate::apply::apply;
use crate::host::process::{self, Interrupts, Order, Running};
use crate::host::{self, Machine, facts, secrets};
use crate::journal::Ledger;
use crate::name::{AbsPath, Owner};
use crate::plan::plan;
use crate::platform::{Family, Platform};
use crate::site::{self, Site, WebServer};
use crate::token::{Signer, Wish, link, mint};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of the site; browsers take every name below `localhost` for this machine
    #[arg(long, default_value = "meet.localhost")]
    domain: String,
    /// Which web server [default: nginx, or Caddy when only that is there]
    #[arg(long, value_name = "SERVER")]
    web: Option<Web>,
    /// The room that the printed link opens
    #[arg(long, default_value = "TryRoom")]
    room: String,
    /// Jitsi's Prosody plugins [default: the installed ones, else small stand-ins]
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// The Jitsi Meet web application [default: the installed one, else a small stand-in]
    #[arg(long, value_name = "DIR")]
    meet: Option<PathBuf>,
    /// Stage the site, and start nothing
    #[arg(long)]
    no_start: bool,
    /// Leave the folder when it is over
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Web {
    /// nginx
    Nginx,
    /// Caddy
    Caddy,
}

/// The throw-away folder, and who owns it.
struct Stage {
    folder: tempfile::TempDir,
    base: AbsPath,
    owner: Owner,
    run_as: Option<(u32, u32)>,
}

struct Ports {
    http: u16,
    https: u16,
    c2s: u16,
    bosh: u16,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let interrupts = Interrupts::hold().map_err(|error| Failure::new(FAILED, error.to_string()))?;
    let mut stage = stage()?;
    let mut machine =
        Machine::open(Path::new("/")).map_err(|error| Failure::io(Path::new("/"), &error))?;
    let platform = platform(global, &machine).below(&stage.base, &stage.owner);
    let (prosody, nginx, caddy) = (
        process::find("prosody"),
        process::find("nginx"),
        process::find("caddy"),
    );
    let web = match (args.web, &nginx, &caddy) {
        (Some(Web::Caddy), ..) | (None, None, Some(_)) => WebServer::Caddy,
        _ => WebServer::Nginx,
    };
    let ports = ports()?;
    let mut remarks = Vec::new();
    let site = site(args, web, &ports, &stage, &platform, &mut remarks)?;
    let places = Places::below(&stage.base);
    let scene = lay_out(site, platform, &mut machine, &places, report)?;
    describe(&scene, &stage, &remarks, report);

    let server = if web == WebServer::Nginx {
        nginx
    } else {
        caddy
    };
    let mut running = Vec::new();
    let mut url = None;
    match (args.no_start, prosody, server) {
        (false, Some(prosody), Some(server)) => {
            running = start(&scene, &stage, &ports, &prosody, &server)?;
            url = Some(open_link(&scene, args)?);
        }
        (false, prosody, _) => {
            let missing = if prosody.is_none() {
                "prosody"
            } else {
                web.as_str()
            };
            report.note(&format!("nothing was started: `{missing}` is not on this machine (`apt install prosody nginx`, or a SlackBuild)"));
        }
        (true, ..) => {}
    }
    if report.is_json() {
        let programs: Vec<_> = running
            .iter()
            .map(|program| serde_json::json!({ "name": program.name, "pid": program.pid() }))
            .collect();
        report.json(&serde_json::json!({
            "folder": stage.base,
            "domain": scene.site.domain,
            "url": url,
            "ports": { "http": ports.http, "https": ports.https, "c2s": ports.c2s, "bosh": ports.bosh },
            "running": programs,
        }));
    } else if let Some(url) = &url {
        let names: Vec<String> = running
            .iter()
            .map(|program| format!("{} (process {})", program.name, program.pid()))
            .collect();
        report.note(&format!("running: {}", names.join(", ")));
        report.note("open this; your browser will warn of the self-signed certificate:\n");
        report.data(url);
        report.note("");
    }
    if running.is_empty() && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Ok(end(stage, args.keep, report));
    }
    report.note(if args.keep {
        "Ctrl-C stops it; the folder stays"
    } else {
        "Ctrl-C stops everything and removes the folder"
    });
    let outcome = watch(&interrupts, &mut running);
    for program in running.iter_mut().rev() {
        program.stop();
    }
    drop(running);
    if outcome.is_err() {
        stage.folder.disable_cleanup(args.keep);
        return outcome;
    }
    Ok(end(stage, args.keep, report))
}

/// Waits for Ctrl-C; a program that ends before it is a failure.
fn watch(interrupts: &Interrupts, running: &mut [Running]) -> Result<ExitCode, Failure> {
    loop {
        if interrupts.wait() {
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(program) = running
            .iter_mut()
            .find_map(|program| program.has_ended().then_some(program))
        {
            return Err(Failure::new(
                FAILED,
                format!(
                    "{} has ended; its last words:\n{}",
                    program.name,
                    program.last_words()
                ),
            ));
        }
    }
}

fn end(mut stage: Stage, keep: bool, report: &mut Report) -> ExitCode {
    if keep {
        stage.folder.disable_cleanup(true);
        report.note(&format!("left `{}`", stage.base));
    } else {
        let base = stage.base.clone();
        match stage.folder.close() {
            Ok(()) => report.note(&format!("removed `{base}`")),
            Err(error) => report.warning(&format!("`{base}` could not be removed: {error}")),
        }
    }
    ExitCode::SUCCESS
}

fn stage() -> Result<Stage, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("jitsi-install-try.")
        .tempdir()
        .map_err(|error| {
            Failure::io(&std::env::temp_dir(), &error)
                .hint("name a folder with room: `TMPDIR=/var/tmp jitsi-install try`")
        })?;
    let base = folder
        .path()
        .canonicalize()
        .map_err(|error| Failure::io(folder.path(), &error))?;
    let base = AbsPath::parse(&base.to_string_lossy()).map_err(|why| {
        Failure::new(FAILED, format!("the folder `{}` {why}", base.display()))
            .hint("choose another with `TMPDIR`")
    })?;
    let (mut owner, mut run_as) = (process::myself(), None);
    if process::is_root()
        && let Some(nobody) = process::nobody()
    {
        // Prosody refuses to run as root, and a trial needs no rights.
        let group = nix_group(nobody.gid.as_raw());
        owner = (nobody.name.clone(), group);
        run_as = Some((nobody.uid.as_raw(), nobody.gid.as_raw()));
        std::os::unix::fs::chown(
            folder.path(),
            Some(nobody.uid.as_raw()),
            Some(nobody.gid.as_raw()),
        )
        .map_err(|error| Failure::io(folder.path(), &error))?;
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))
        .map_err(|error| Failure::io(folder.path(), &error))?;
    Ok(Stage {
        folder,
        base,
        owner: Owner::new(&owner.0, &owner.1),
        run_as,
    })
}

fn nix_group(number: u32) -> String {
    nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(number))
        .ok()
        .flatten()
        .map_or_else(|| "nogroup".to_owned(), |group| group.name)
}

fn platform(global: &Global, machine: &Machine) -> Platform {
    let asked = global.family.map(|family| match family {
        FamilyArg::Debian => Family::Debian,
        FamilyArg::Slackware => Family::Slackware,
    });
    let found = facts::release(machine.root());
    match (asked, found) {
        (Some(family), Some(release)) if release.family() == family => release,
        (Some(family), _) => family.newest(),
        (None, Some(release)) => release,
        (None, None) => Family::Debian.newest(),
    }
    .platform()
}

fn ports() -> Result<Ports, Failure> {
    let mut taken = Vec::new();
    let mut port = || loop {
        let port = process::free_port()
            .map_err(|error| Failure::new(FAILED, format!("no free port: {error}")))?;
        if !taken.contains(&port) {
            taken.push(port);
            return Ok::<u16, Failure>(port);
        }
    };
    Ok(Ports {
        http: port()?,
        https: port()?,
        c2s: port()?,
        bosh: port()?,
    })
}

/// The site file of a trial, which is a site file like any other.
fn site(
    args: &Args,
    web: WebServer,
    ports: &Ports,
    stage: &Stage,
    platform: &Platform,
    remarks: &mut Vec<String>,
) -> Result<Site, Failure> {
    let given = |path: &Path| -> Result<AbsPath, Failure> {
        let whole = path
            .canonicalize()
            .map_err(|error| Failure::io(path, &error))?;
        AbsPath::parse(&whole.to_string_lossy())
            .map_err(|why| Failure::new(FAILED, format!("`{}` {why}", path.display())))
    };
    let written = |name: &str, files: &[(&str, &[u8])]| -> Result<AbsPath, Failure> {
        let folder = stage.base.join(name);
        for (file, bytes) in files {
            let path = PathBuf::from(folder.join(file).as_str());
            let parent = path.parent().unwrap_or(Path::new("/"));
            std::fs::create_dir_all(parent).map_err(|error| Failure::io(parent, &error))?;
            std::fs::write(&path, bytes).map_err(|error| Failure::io(&path, &error))?;
        }
        Ok(folder)
    };
    let installed = |path: &AbsPath, file: &str| {
        Path::new(path.join(file).as_str())
            .is_file()
            .then(|| path.clone())
    };
    let plugins = match (
        &args.plugins,
        installed(&platform.prosody.plugins, "mod_auth_token.lua"),
    ) {
        (Some(path), _) => given(path)?,
        (None, Some(path)) => path,
        (None, None) => {
            remarks.push("Jitsi's Prosody plugins are not on this machine: small stand-ins of the same names take their place".to_owned());
            written("standins/prosody-plugins", standin::PROSODY_PLUGINS)?
        }
    };
    let meet = match (&args.meet, installed(&platform.meet_home, "index.html")) {
        (Some(path), _) => given(path)?,
        (None, Some(path)) => path,
        (None, None) => {
            remarks.push("the Jitsi Meet web application is not on this machine: a stand-in page shows how far signalling works".to_owned());
            written("standins/meet", standin::MEET)?
        }
    };
    let text = format!(
        "schema = 1\ndomain = \"{}\"\n[web]\nserver = \"{}\"\naddresses = [\"127.0.0.1\"]\nhttp_port = {}\nhttps_port = {}\nroot = \"{meet}\"\n\
         [prosody]\nc2s_port = {}\nhttp_port = {}\nplugins = \"{plugins}\"\n[videobridge]\nwebsockets = true\n",
        args.domain.escape_default(),
        web.as_str(),
        ports.http,
        ports.https,
        ports.c2s,
        ports.bosh
    );
    // The trial's version of Prosody is the one that will run, whatever the family.
    site::parse(&text).map_err(|error| {
        Failure::new(
            super::report::USAGE,
            format!("this cannot be tried: {error}"),
        )
    })
}

fn lay_out(
    site: Site,
    platform: Platform,
    machine: &mut Machine,
    places: &Places,
    report: &mut Report,
) -> Result<Scene, Failure> {
    let scene = Scene::set(site, platform, machine, places)?;
    let reader =
        Machine::open(Path::new("/")).map_err(|error| Failure::io(Path::new("/"), &error))?;
    let mut books = places.locked_books(&reader, "try")?;
    secrets::save(machine.root(), &places.secrets(), &scene.kept.secrets)
        .map_err(|error| Failure::new(FAILED, error.to_string()))?;
    let plan = plan(&scene.layout()?, machine, &books.applied()?);
    let mut silent = Silent;
    apply(&plan, "try", machine, &mut books, &mut silent)?;
    report.done();
    Ok(scene)
}

/// A trial's steps are too quick to be worth a bar.
struct Silent;

impl crate::apply::Progress for Silent {
    fn step(&mut self, _: usize, _: usize, _: &crate::plan::Step) {}
    fn back(&mut self, _: &AbsPath) {}
}

fn describe(scene: &Scene, stage: &Stage, remarks: &[String], report: &mut Report) {
    let base = &stage.base;
    let domain = &scene.site.domain;
    let web = match scene.site.web.server {
        WebServer::Nginx => scene
            .platform
            .nginx
            .site_dir
            .join(&format!("{domain}.conf")),
        WebServer::Caddy => scene.platform.caddy.site_dir.join("Caddyfile"),
    };
    report.note(&format!(
        "a whole site for {domain}, laid out for {}, stands in\n  {base}",
        scene.platform.release.as_str()
    ));
    report.note("look at");
    for (what, path) in [
        (
            "everything, with modes and owners",
            base.join("var/lib/jitsi-install/manifest"),
        ),
        (
            "Prosody's hosts",
            scene
                .platform
                .prosody
                .config
                .join(&format!("conf.d/{domain}.cfg.lua")),
        ),
        (
            "Jicofo",
            scene.platform.jitsi_config.join("jicofo/jicofo.conf"),
        ),
        (
            "Videobridge, and its keystore beside",
            scene.platform.jitsi_config.join("videobridge/jvb.conf"),
        ),
        (
            "the web application",
            scene
                .platform
                .jitsi_config
                .join(&format!("meet/{domain}-config.js")),
        ),
        ("the web server", web),
    ] {
        report.note(&format!("  {path}  ({what})"));
    }
    for remark in remarks {
        report.note(&format!("note: {remark}"));
    }
}

fn start(
    scene: &Scene,
    stage: &Stage,
    ports: &Ports,
    prosody: &Path,
    server: &Path,
) -> Result<Vec<Running>, Failure> {
    let base = &stage.base;
    let logs = PathBuf::from(base.join("log").as_str());
    std::fs::create_dir_all(&logs).map_err(|error| Failure::io(&logs, &error))?;
    let lua = format!("{}/?.lua;;", scene.platform.prosody.lua_path);
    let orders = vec![
        (
            ports.bosh,
            Order {
                name: "prosody",
                program: prosody,
                args: vec![
                    "-F".to_owned(),
                    "--config".to_owned(),
                    scene
                        .platform
                        .prosody
                        .config
                        .join("prosody.cfg.lua")
                        .to_string(),
                ],
                env: vec![("LUA_PATH_5_4", lua)],
                run_as: stage.run_as,
                log: logs.join("prosody.out"),
            },
        ),
        (ports.https, web_order(scene, stage, server, &logs)?),
    ];
    own_everything(stage)?;
    let mut running: Vec<Running> = Vec::new();
    for (port, order) in orders {
        let name = order.name.to_owned();
        let mut program = process::start(order).map_err(|error| {
            Failure::new(FAILED, format!("{name} could not be started: {error}"))
        })?;
        if !program.listens(port, Duration::from_secs(20)) {
            let words = program.last_words();
            return Err(Failure::new(
                FAILED,
                format!("{name} did not come up; its last words:\n{words}"),
            )
            .hint("look closer: `jitsi-install try --no-start --keep`"));
        }
        running.push(program);
    }
    Ok(running)
}

fn web_order<'a>(
    scene: &Scene,
    stage: &Stage,
    server: &'a Path,
    logs: &Path,
) -> Result<Order<'a>, Failure> {
    let base = &stage.base;
    let order = Order {
        name: scene.site.web.server.as_str(),
        program: server,
        args: Vec::new(),
        env: Vec::new(),
        run_as: stage.run_as,
        log: logs.join("web.out"),
    };
    match scene.site.web.server {
        WebServer::Nginx => {
            let types = ["/etc/nginx/mime.types", "/etc/nginx/conf/mime.types"]
                .into_iter()
                .find(|path| Path::new(path).is_file());
            let include = types
                .map(|path| format!("  include {path};\n"))
                .unwrap_or_default();
            let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .iter()
                .map(|kind| format!("  {kind}_temp_path {base}/run/{kind};\n"))
                .collect();
            let site = scene
                .platform
                .nginx
                .site_dir
                .join(&format!("{}.conf", scene.site.domain));
            let text = format!(
                "daemon off;\npid {base}/run/nginx.pid;\nerror_log {base}/log/nginx.err;\nworker_processes 1;\n\
                 events {{ worker_connections 256; }}\nhttp {{\n{include}{temp}  include {site};\n}}\n"
            );
            let run = PathBuf::from(base.join("run").as_str());
            std::fs::create_dir_all(&run).map_err(|error| Failure::io(&run, &error))?;
            let conf = run.join("nginx.conf");
            std::fs::write(&conf, text).map_err(|error| Failure::io(&conf, &error))?;
            let args = [
                "-p",
                &base.join("run").to_string(),
                "-e",
                &base.join("log/nginx.err").to_string(),
                "-c",
                &conf.to_string_lossy(),
            ]
            .map(str::to_owned)
            .to_vec();
            Ok(Order { args, ..order })
        }
        WebServer::Caddy => {
            let file = scene.platform.caddy.site_dir.join("Caddyfile");
            let args = ["run", "--config", file.as_str(), "--adapter", "caddyfile"]
                .map(str::to_owned)
                .to_vec();
            let home = scene.platform.caddy_state.to_string();
            let env = vec![
                ("HOME", home.clone()),
                ("XDG_DATA_HOME", home.clone()),
                ("XDG_CONFIG_HOME", home),
            ];
            Ok(Order { args, env, ..order })
        }
    }
}

/// As root: what was written beside the engine goes to the user who runs it, too.
fn own_everything(stage: &Stage) -> Result<(), Failure> {
    let Some((user, group)) = stage.run_as else {
        return Ok(());
    };
    let mut folders = vec![
        PathBuf::from(stage.base.join("standins").as_str()),
        PathBuf::from(stage.base.join("run").as_str()),
        PathBuf::from(stage.base.join("log").as_str()),
    ];
    while let Some(path) = folders.pop() {
        if !path.exists() {
            continue;
        }
        std::os::unix::fs::lchown(&path, Some(user), Some(group))
            .map_err(|error| Failure::io(&path, &error))?;
        if path.is_dir() && !path.is_symlink() {
            let entries = std::fs::read_dir(&path).map_err(|error| Failure::io(&path, &error))?;
            folders.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
    }
    Ok(())
}

fn open_link(scene: &Scene, args: &Args) -> Result<String, Failure> {
    let wish = Wish {
        issuer: scene.site.auth.token.app_id.clone(),
        audience: scene.site.auth.token.audience.clone(),
        subject: scene.site.domain.to_string(),
        room: args.room.clone(),
        name: Some("Moderator".to_owned()),
        email: None,
        avatar: None,
        id: None,
        moderator: true,
        life: 8 * 3600,
    };
    let signer = Signer::Hs256(scene.kept.secrets.token_secret.clone());
    let token = mint(&wish, &signer, host::now())
        .map_err(|error| Failure::new(super::report::USAGE, error.to_string()))?;
    let room = crate::token::room_name(&args.room)
        .map_err(|error| Failure::new(super::report::USAGE, error.to_string()))?;
    Ok(link(&super::token::authority(&scene.site), &room, &token))
}
