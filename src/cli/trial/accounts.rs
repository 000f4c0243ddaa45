//! The account service of a trial: on SQLite, with an administrator and mails in a folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::report::{FAILED, Failure};
use super::super::scene::Scene;
use super::stage::{Ports, Stage};
use crate::host::process::{self, Order, Running};
use crate::host::stand;
use crate::name::AbsPath;

/// The administrator's name.
const NAME: &str = "ann";

/// What the trial has of it.
pub(super) struct Trial {
    /// Where its pages are.
    pub(super) url: String,
    /// The administrator's name.
    pub(super) name: &'static str,
    /// The one-time link that sets the administrator's password.
    pub(super) link: String,
    /// The folder with mails.
    pub(super) mails: AbsPath,
}

/// The program: beside this one, else wherever programs are.
pub(super) fn program() -> Option<PathBuf> {
    process::beside("jitsi-accounts").or_else(|| process::find("jitsi-accounts"))
}

/// What the trial's site file says of it.
pub(super) fn table(ports: &Ports) -> String {
    format!(
        "[accounts]\ninternal_port = {}\nstaff_second_factor = false\n",
        ports.accounts
    )
}

/// Starts it, and has it make the administrator.
pub(super) fn start(
    scene: &Scene,
    stage: &Stage,
    ports: &Ports,
    program: &Path,
) -> Result<(Running, Trial), Failure> {
    let place = &scene.platform.accounts;
    let (mails, logs) = (stage.base.join("mails"), stage.base.join("log"));
    for folder in [&mails, &logs, &place.run] {
        let folder = Path::new(folder.as_str());
        stand::make_dirs(folder).map_err(|error| Failure::io(folder, &error))?;
    }
    stage.give_everything()?;
    let settings = place.config.join("accounts.toml");
    let order = |verb: &[&str], log: &str| Order {
        name: "jitsi-accounts",
        program,
        args: verb
            .iter()
            .copied()
            .chain(["--config", settings.as_str()])
            .map(str::to_owned)
            .collect(),
        env: Vec::new(),
        run_as: stage.run_as,
        log: PathBuf::from(logs.join(log).as_str()),
    };
    let unable = |error: std::io::Error| {
        Failure::new(
            FAILED,
            format!("jitsi-accounts could not be started: {error}"),
        )
    };
    let mut running = process::start(order(&["serve"], "accounts.out")).map_err(unable)?;
    if !running.listens(ports.accounts, Duration::from_secs(20)) {
        let words = running.last_words();
        return Err(Failure::new(
            FAILED,
            format!("jitsi-accounts did not come up; its last words:\n{words}"),
        )
        .hint("look closer: `jitsi-install try --no-start --keep`"));
    }
    let verb = ["users", "add", NAME, "--admin", "--json"];
    let said = process::answer(&order(&verb, "accounts.out")).map_err(|why| {
        Failure::new(
            FAILED,
            format!("jitsi-accounts made no administrator: {why}"),
        )
    })?;
    let link = serde_json::from_str::<serde_json::Value>(&said)
        .ok()
        .and_then(|said| said["link"].as_str().map(str::to_owned))
        .ok_or_else(|| Failure::new(FAILED, "jitsi-accounts gave no link for the administrator"))?;
    let authority = super::super::token::authority(&scene.site);
    let path = scene
        .site
        .accounts
        .as_ref()
        .map(|accounts| accounts.path.as_str());
    let trial = Trial {
        url: format!("https://{authority}{}", path.unwrap_or_default()),
        name: NAME,
        link,
        mails,
    };
    Ok((running, trial))
}
