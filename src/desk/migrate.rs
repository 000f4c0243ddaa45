//! `migrate`: makes the tables, or brings them up to date. `serve` does the same at its start.

use std::process::ExitCode;

use serde_json::json;

use super::report::{Failure, Report};
use super::{Global, file, office};

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    let address = super::block_on(async {
        let store = office::store(&settings, secrets.database.as_ref()).await?;
        let address = store.address().to_owned();
        store.close().await;
        Ok(address)
    })?;
    if report.is_json() {
        report.json(&json!({ "database": address, "ok": true }));
    } else {
        report.note(&format!("the tables of `{address}` are up to date"));
    }
    Ok(ExitCode::SUCCESS)
}
