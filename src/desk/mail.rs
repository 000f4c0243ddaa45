//! `mail test`: sends a mail now, past the outbox, and says what the server said.

use std::process::ExitCode;

use serde_json::json;

use super::delivery::Courier;
use super::report::{BAD_SETTINGS, Failure, Report, USAGE};
use super::{Global, file, office};
use crate::account::post::{self, Reader};
use crate::name::Email;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Send a mail now, and say what became of it
    Test {
        /// To whom
        address: String,
    },
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let Verb::Test { address } = verb;
    let to = Email::parse(address).map_err(|why| {
        let shown = crate::name::excerpt(address);
        Failure::new(USAGE, format!("`{shown}` {why}")).hint("write it as in `ann@example.org`")
    })?;
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    let courier = Courier::new(&settings, &secrets);
    let mut courier = courier.map_err(|error| Failure::new(BAD_SETTINGS, error.to_string()))?;
    let way = courier.way();
    super::block_on(async {
        let office = office::open(settings, &secrets).await?;
        let reader = Reader {
            address: to.as_str(),
            language: &office.settings.language,
        };
        let mail = post::test(&office, &reader);
        let sent = courier
            .mail(&mail, &office.world.id(), office.world.millis())
            .await;
        courier.rest().await;
        office.store.close().await;
        sent.map_err(|error| {
            Failure::failed(format!("no mail to `{}`: {error}", to.as_str()))
                .hint("look at `[mail]` in the settings, and at the log of the mail server")
        })
    })?;
    if report.is_json() {
        report.json(&json!({ "to": to.as_str(), "by": way, "ok": true }));
    } else {
        report.note(&format!("a mail to `{}` was taken by {way}", to.as_str()));
    }
    Ok(ExitCode::SUCCESS)
}
