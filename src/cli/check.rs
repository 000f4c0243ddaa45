//! `check`: is the site file right?

use std::process::ExitCode;

use super::report::{Failure, Report};
use super::{Global, scene};

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let path = scene::site_path(global);
    if report.is_json() {
        let text = scene::site_text(global)?;
        let problems = crate::site::parse(&text)
            .err()
            .map(|error| error.problems)
            .unwrap_or_default();
        let list: Vec<serde_json::Value> = problems
            .iter()
            .map(|problem| serde_json::json!({ "key": problem.key, "line": problem.line, "what": problem.what, "hint": problem.hint }))
            .collect();
        let is_fine = list.is_empty();
        report.json(&serde_json::json!({ "site": path.display().to_string(), "ok": is_fine, "problems": list }));
        return Ok(if is_fine {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(super::report::BAD_SITE)
        });
    }
    let site = scene::read_site(global)?;
    report.note(&format!(
        "`{}` is in order: a site for {}",
        path.display(),
        site.domain
    ));
    Ok(ExitCode::SUCCESS)
}
