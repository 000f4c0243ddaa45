//! `package list`: what the catalogue has.

use std::process::ExitCode;

use crate::cli::report::{FAILED, Failure, Report};
use crate::package::Catalogue;

pub(super) fn run(report: &mut Report) -> Result<ExitCode, Failure> {
    let catalogue = Catalogue::own().map_err(|error| Failure::new(FAILED, error.to_string()))?;
    if report.is_json() {
        let pieces: Vec<_> = catalogue
            .pieces
            .iter()
            .map(|piece| {
                serde_json::json!({
                    "name": piece.name,
                    "version": piece.releases.first().map(|release| &release.version),
                    "summary": piece.summary,
                })
            })
            .collect();
        report.json(&serde_json::json!({ "pieces": pieces }));
        return Ok(ExitCode::SUCCESS);
    }
    for piece in &catalogue.pieces {
        let version = piece
            .releases
            .first()
            .map_or("", |release| &release.version);
        report.data(&format!(
            "{:<24} {version:<24} {}",
            piece.name, piece.summary
        ));
    }
    Ok(ExitCode::SUCCESS)
}
