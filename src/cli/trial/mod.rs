//! `try`: a whole site in a throw-away folder, running where the programs for it are there.

mod accounts;
mod stage;
mod start;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::report::{FAILED, Failure, Report, USAGE};
use super::scene::{Places, Scene};
use super::{FamilyArg, Global, standin, token};
use crate::apply::apply;
use crate::host::process::{self, Interrupts, Running};
use crate::host::{self, Machine, facts, secrets};
use crate::journal::Ledger;
use crate::name::AbsPath;
use crate::plan::plan;
use crate::platform::{Family, Platform};
use crate::site::{Mode, Site, WebServer};
use crate::token::{Signer, Wish, link, mint, room_name};
use stage::{Ports, Stage};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of the site; browsers take every name below `localhost` for this machine
    #[arg(long, default_value = "meet.localhost")]
    domain: String,
    /// Which web server [default: nginx, or Caddy when only that is there]
    #[arg(long, value_name = "SERVER")]
    web: Option<Web>,
    /// Who opens rooms: whoever has a token, or whoever signs in with an account
    #[arg(long, value_name = "MODE", default_value = "token")]
    auth: Auth,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Tokens
    Token,
    /// Accounts of the account service
    #[value(name = "sql_hashed")]
    SqlHashed,
}

impl Auth {
    fn mode(self) -> Mode {
        match self {
            Self::Token => Mode::Token,
            Self::SqlHashed => Mode::SqlHashed,
        }
    }
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    room_name(&args.room).map_err(|error| Failure::new(USAGE, error.to_string()))?;
    let interrupts = Interrupts::hold().map_err(|error| Failure::new(FAILED, error.to_string()))?;
    let mut stage = Stage::new()?;
    let outcome = site_in(&mut stage, &interrupts, global, args, report);
    stage.end(args.keep, report);
    outcome
}

fn site_in(
    stage: &mut Stage,
    interrupts: &Interrupts,
    global: &Global,
    args: &Args,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let root = Path::new("/");
    let mut machine = Machine::open(root).map_err(|error| Failure::io(root, &error))?;
    let platform = platform(global, &machine).below(&stage.base, &stage.owner);
    let (nginx, caddy) = (process::find("nginx"), process::find("caddy"));
    let web = match (args.web, &nginx, &caddy) {
        (Some(Web::Caddy), ..) | (None, None, Some(_)) => WebServer::Caddy,
        _ => WebServer::Nginx,
    };
    let ports = Ports::free()?;
    let mut remarks = Vec::new();
    let accounts = accounts::program();
    let site = stage::site(
        args,
        web,
        &ports,
        stage,
        &platform,
        accounts.is_some(),
        &mut remarks,
    )?;
    let scene = lay_out(site, platform, &mut machine, stage)?;
    describe(&scene, stage, &remarks, report);

    let server = if web == WebServer::Nginx {
        nginx
    } else {
        caddy
    };
    let mut running = Vec::new();
    let (mut url, mut people) = (None, None);
    match (args.no_start, process::find("prosody"), server) {
        (false, Some(prosody), Some(server)) => {
            if let Some(program) = &accounts {
                let (program, trial) = accounts::start(&scene, stage, &ports, program)?;
                running.push(program);
                people = Some(trial);
            }
            running.extend(start::start(&scene, stage, &ports, &prosody, &server)?);
            url = Some(open_link(&scene, args)?);
        }
        (false, prosody, _) => {
            let missing = if prosody.is_none() {
                "prosody"
            } else {
                web.as_str()
            };
            report.note(&format!(
                "nothing was started: `{missing}` is not on this machine (on Debian: `apt install prosody nginx`)"
            ));
        }
        (true, ..) => {}
    }
    let told = Told {
        url: url.as_deref(),
        accounts: people.as_ref(),
    };
    tell(&scene, stage, &ports, &running, &told, report);
    if running.is_empty() && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Ok(ExitCode::SUCCESS);
    }
    report.note(if args.keep {
        "Ctrl-C ends this; the folder stays"
    } else {
        "Ctrl-C stops everything and removes the folder"
    });
    let outcome = watch(interrupts, &mut running);
    // The web server first, so that nobody is sent to a Prosody that is gone.
    for program in running.iter_mut().rev() {
        program.stop();
    }
    outcome
}

/// Waits for Ctrl-C; a program that ends before it is a failure.
fn watch(interrupts: &Interrupts, running: &mut [Running]) -> Result<ExitCode, Failure> {
    loop {
        let ended = running
            .iter_mut()
            .find_map(|program| program.has_ended().then_some(program));
        if let Some(program) = ended {
            return Err(Failure::new(
                FAILED,
                format!(
                    "{} has ended; its last words:\n{}",
                    program.name,
                    program.last_words()
                ),
            ));
        }
        if interrupts.wait() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn platform(global: &Global, machine: &Machine) -> Platform {
    let asked = global.family.map(|family| match family {
        FamilyArg::Debian => Family::Debian,
        FamilyArg::Slackware => Family::Slackware,
    });
    match (asked, facts::release(machine.root())) {
        (Some(family), Some(release)) if release.family() == family => release,
        (Some(family), _) => family.newest(),
        (None, Some(release)) => release,
        (None, None) => Family::Debian.newest(),
    }
    .platform()
}

/// The same engine as `apply`, with its own places below the folder.
fn lay_out(
    site: Site,
    platform: Platform,
    machine: &mut Machine,
    stage: &Stage,
) -> Result<Scene, Failure> {
    let places = Places::below(&stage.base);
    let scene = Scene::set(site, platform, machine, &places)?;
    let reader =
        Machine::open(Path::new("/")).map_err(|error| Failure::io(Path::new("/"), &error))?;
    let mut books = places.locked_books(&reader, "try")?;
    secrets::save(machine.root(), &places.secrets(), &scene.kept.secrets)
        .map_err(|error| Failure::new(FAILED, error.to_string()))?;
    let plan = plan(&scene.layout()?, machine, &books.applied()?);
    apply(&plan, "try", machine, &mut books, &mut Silent)?;
    Ok(scene)
}

/// A trial's steps are too quick to be worth a bar.
struct Silent;

impl crate::apply::Progress for Silent {
    fn step(&mut self, _: usize, _: usize, _: &crate::plan::Step) {}
    fn kept(&mut self, _: &AbsPath, _: &AbsPath) {}
    fn back(&mut self, _: &str) {}
    fn service(&mut self, _: &str, _: &str) {}
    fn warn(&mut self, _: &str) {}
}

fn describe(scene: &Scene, stage: &Stage, remarks: &[String], report: &mut Report) {
    let (site, platform) = (&scene.site, &scene.platform);
    let domain = &site.domain;
    let web = match site.web.server {
        WebServer::Nginx => platform.nginx.site_dir.join(&format!("{domain}.conf")),
        WebServer::Caddy => platform.caddy.site_dir.join("Caddyfile"),
    };
    report.note(&format!(
        "a whole site for {domain}, laid out for {}, stands in\n  {}",
        platform.release.as_str(),
        stage.base
    ));
    report.note("look at");
    let jitsi = &platform.jitsi_config;
    for (what, path) in [
        (
            "everything, with modes and owners",
            Places::below(&stage.base).state.join("manifest"),
        ),
        (
            "Prosody's hosts",
            platform
                .prosody
                .config
                .join(&format!("conf.d/{domain}.cfg.lua")),
        ),
        ("Jicofo", jitsi.join("jicofo/jicofo.conf")),
        (
            "Videobridge; its keystore stands beside",
            jitsi.join("videobridge/jvb.conf"),
        ),
        (
            "the web application",
            jitsi.join(&format!("meet/{domain}-config.js")),
        ),
        ("the web server", web),
    ] {
        report.note(&format!("  {path}  ({what})"));
    }
    for remark in remarks {
        report.note(&format!("note: {remark}"));
    }
}

/// What a trial ends with.
struct Told<'a> {
    /// The meeting.
    url: Option<&'a str>,
    /// The account service.
    accounts: Option<&'a accounts::Trial>,
}

fn tell(
    scene: &Scene,
    stage: &Stage,
    ports: &Ports,
    running: &[Running],
    told: &Told<'_>,
    report: &mut Report,
) {
    let url = told.url;
    if report.is_json() {
        let programs: Vec<_> = running
            .iter()
            .map(|program| serde_json::json!({ "name": program.name, "pid": program.pid() }))
            .collect();
        report.json(&serde_json::json!({
            "folder": stage.base,
            "domain": scene.site.domain,
            "url": url,
            "accounts": told.accounts.map(|trial| serde_json::json!({
                "url": trial.url, "admin": trial.name, "link": trial.link, "mails": trial.mails,
            })),
            "ports": { "http": ports.http, "https": ports.https, "c2s": ports.c2s, "bosh": ports.bosh },
            "running": programs,
        }));
    } else if let Some(url) = url {
        let names: Vec<String> = running
            .iter()
            .map(|program| format!("{} (process {})", program.name, program.pid()))
            .collect();
        report.note(&format!("running: {}", names.join(", ")));
        report.note("open this; your browser will warn of the self-signed certificate:\n");
        report.data(url);
        report.note("");
        if let Some(trial) = told.accounts {
            report.note(&format!(
                "accounts: {} (sign up there; mails come into {})",
                trial.url, trial.mails
            ));
            report.note(&format!(
                "`{}` approves: the password is chosen once, at\n",
                trial.name
            ));
            report.data(&trial.link);
            report.note("");
        }
    }
}

/// The room, with a token where rooms want one.
fn open_link(scene: &Scene, args: &Args) -> Result<String, Failure> {
    let authority = token::authority(&scene.site);
    if scene.site.auth.mode == Mode::SqlHashed {
        return Ok(format!("https://{authority}/{}", args.room));
    }
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
    let usage = |error: crate::token::TokenError| Failure::new(USAGE, error.to_string());
    let signer = Signer::Hs256(scene.kept.secrets.token_secret.clone());
    let minted = mint(&wish, &signer, host::now()).map_err(usage)?;
    let room = room_name(&args.room).map_err(usage)?;
    Ok(link(&token::authority(&scene.site), &room, &minted))
}
