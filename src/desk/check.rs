//! `check`: are the settings right, and what they name?

use std::process::ExitCode;

use serde_json::json;

use super::delivery::Courier;
use super::report::{BAD_SETTINGS, Failure, Report};
use super::{Global, file, office};
use crate::account::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also ask the database, and greet the mail server
    #[arg(long)]
    connect: bool,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let path = &global.config;
    let found = file::found(path)?;
    if !report.is_json() {
        let settings = file::settings(path)?;
        look(&settings, args)?;
        let registration = serde_json::to_value(settings.registration.mode);
        report.note(&format!(
            "`{}` is in order: {}, registration {}",
            path.display(),
            settings.public_url,
            registration
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let problems: Vec<serde_json::Value> = match found {
        Err(problems) => problems
            .iter()
            .map(|one| json!({ "key": one.key, "line": one.line, "what": one.what, "hint": one.hint }))
            .collect(),
        Ok(settings) => look(&settings, args)
            .err()
            .map(|one| json!({ "key": null, "line": null, "what": one.what, "hint": one.hint }))
            .into_iter()
            .collect(),
    };
    let is_fine = problems.is_empty();
    report.json(
        &json!({ "config": path.display().to_string(), "ok": is_fine, "problems": problems }),
    );
    Ok(if is_fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BAD_SETTINGS)
    })
}

/// What the settings name: secrets, texts, the sender, and what answers on the network.
fn look(settings: &Settings, args: &Args) -> Result<(), Failure> {
    let secrets = file::secrets(settings)?;
    office::texts(settings)?;
    let courier = Courier::new(settings, &secrets);
    let courier = courier.map_err(|error| Failure::new(BAD_SETTINGS, error.to_string()))?;
    if !args.connect {
        return Ok(());
    }
    super::block_on(async move {
        let store = office::store(settings, secrets.database.as_ref()).await?;
        store.ping().await.map_err(office::failure)?;
        store.close().await;
        courier.greet().await.map_err(|error| {
            Failure::failed(error.to_string()).hint("look at `[mail]` in the settings")
        })
    })
}
