//! `doctor`: what is wrong on this machine, and how to mend it.

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report};
use super::scene::{self, Places, Scene};
use crate::doctor::{Check, Standing, Subject, Verdict, examine};
use crate::host::probe::Examiner;
use crate::host::{self, workshop};
use crate::journal::Ledger;
use crate::plan::{Action, Observe, Plan, Reason, State, Step, plan};
use crate::resource::Resource;
use crate::service::Context;

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let machine = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let scene = Scene::set(site, platform, &machine, &places)?;
    let applied = places.books(&machine).applied()?;
    if applied.is_empty() {
        return Err(Failure::new(
            FAILED,
            "nothing was applied here yet, so there is nothing to examine",
        )
        .hint("`jitsi-install plan` shows what would be done, `jitsi-install apply` does it"));
    }
    let layout = scene.layout()?;
    let plan = plan(&layout, &machine, &applied);
    let context = Context::new(
        &scene.site,
        &scene.platform,
        &scene.kept.secrets,
        &scene.facts,
    );
    let subject = Subject {
        context: &context,
        layout: &layout,
        catalogue: workshop::catalogue(machine.root()).map_err(|why| why.to_string()),
        drifted: differing(&plan, true),
        pending: differing(&plan, false),
        services: standings(&plan),
        now: host::now(),
    };
    let probe = Examiner::new(
        machine.root(),
        machine.is_live(),
        scene.site.prosody.http_port,
    );
    let checks = examine(&subject, &probe);
    show(&checks, report);
    let is_well = checks.iter().all(|check| check.verdict != Verdict::Bad);
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Ids of what differs: because somebody changed it, or for other reasons.
fn differing(plan: &Plan, drifted: bool) -> Vec<String> {
    plan.steps
        .iter()
        .filter(|step| !matches!(step.action, Action::Keep | Action::Machine))
        .filter(|step| (step.reason == Reason::Drifted) == drifted)
        .map(|step| step.id.clone())
        .collect()
}

/// The services as the plan found them; none of a tree.
fn standings(plan: &Plan) -> Vec<Standing> {
    let of = |step: &Step| match (&step.thing, &step.before) {
        (Some(Resource::Service(service)), before) => {
            let (at_boot, runs) = match before {
                State::Service { enabled, running } => (*enabled, *running),
                _ => (false, false),
            };
            Some(Standing {
                name: service.name.clone(),
                runs,
                at_boot,
            })
        }
        _ => None,
    };
    plan.steps.iter().filter_map(of).collect()
}

fn show(checks: &[Check], report: &mut Report) {
    let count = |verdict: Verdict| checks.iter().filter(|one| one.verdict == verdict).count();
    if report.is_json() {
        report.json(&serde_json::json!({
            "ok": count(Verdict::Bad) == 0,
            "checks": checks,
        }));
        return;
    }
    let paint = report.paint();
    let mut text = String::new();
    for check in checks {
        let (color, verdict) = match check.verdict {
            Verdict::Good => (32, "ok  "),
            Verdict::Warn => (33, "warn"),
            Verdict::Bad => (31, "bad "),
            Verdict::Skipped => (2, "skip"),
        };
        text.push_str(&format!(
            "{}  {}  {}: {}\n",
            paint.paint(color, verdict),
            check.id,
            check.title,
            check.evidence
        ));
        if !check.cure.is_empty() {
            text.push_str(&format!("  {}: {}\n", paint.paint(36, "hint"), check.cure));
        }
    }
    report.data(&text);
    report.note(&format!(
        "{} in order, {} to look at, {} wrong, {} skipped",
        count(Verdict::Good),
        count(Verdict::Warn),
        count(Verdict::Bad),
        count(Verdict::Skipped)
    ));
}
