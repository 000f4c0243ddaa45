//! `check`: is the site file right?

use std::process::ExitCode;

use super::report::{Failure, Report};
use super::{Global, scene};

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let path = scene::site_path(global);
    if report.is_json() {
        let text = scene::site_text(global)?;
        let parsed = crate::site::parse(&text);
        let set = parsed
            .as_ref()
            .ok()
            .and_then(|site| scene::check_set(global, site).err());
        let problems = parsed.err().map(|error| error.problems).unwrap_or_default();
        let mut list: Vec<serde_json::Value> = problems
            .iter()
            .map(|problem| serde_json::json!({ "key": problem.key, "line": problem.line, "what": problem.what, "hint": problem.hint }))
            .collect();
        list.extend(set.map(|failure| {
            serde_json::json!({ "key": "packages.set", "line": null, "what": failure.what, "hint": failure.hint })
        }));
        let is_fine = list.is_empty();
        report.json(&serde_json::json!({ "site": path.display().to_string(), "ok": is_fine, "problems": list }));
        return Ok(if is_fine {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(super::report::BAD_SITE)
        });
    }
    let site = scene::read_site(global)?;
    scene::check_set(global, &site)?;
    report.note(&format!(
        "`{}` is in order: a site for {}",
        path.display(),
        site.domain
    ));
    Ok(ExitCode::SUCCESS)
}
