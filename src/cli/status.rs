//! `status`: is everything in place, and does it run?

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report};
use super::scene::{self, Places, Scene};
use crate::journal::Ledger;
use crate::plan::{Action, Reason, State, plan};
use crate::resource::Resource;

pub(super) fn run(global: &Global, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let machine = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let scene = Scene::set(site, platform, &machine, &places)?;
    let books = places.books(&machine);
    let (generations, unfinished) = (books.generations()?, books.unfinished()?);
    let plan = plan(&scene.layout()?, &machine.glance(), &books.applied()?);
    let count = |reason: Reason| {
        let differs = |action: Action| !matches!(action, Action::Keep | Action::Machine);
        plan.steps
            .iter()
            .filter(|step| differs(step.action) && step.reason == reason && step.kind != "service")
            .count()
    };
    let (asked, drifted) = (
        count(Reason::Asked) + count(Reason::Foreign),
        count(Reason::Drifted),
    );
    let blocked: Vec<String> = plan
        .blocked()
        .map(|step| format!("{}: {}", step.id, step.remark))
        .collect();
    let mut services = Vec::new();
    for step in &plan.steps {
        let (Some(Resource::Service(service)), State::Service { enabled, running }) =
            (&step.thing, &step.before)
        else {
            continue;
        };
        let trouble = if *running {
            let mut trouble = machine.look_in(service);
            let waits = *enabled && step.action == Action::Change;
            trouble.extend(waits.then(|| step.remark.clone()));
            trouble
        } else {
            vec!["it does not run".to_owned()]
        };
        services.push((service.name.clone(), *enabled, *running, trouble));
    }
    let is_well = asked + drifted == 0
        && blocked.is_empty()
        && unfinished.is_none()
        && services
            .iter()
            .all(|(_, enabled, _, trouble)| *enabled && trouble.is_empty());
    let last = generations.last();
    if report.is_json() {
        let services: Vec<_> = services
            .iter()
            .map(|(name, enabled, running, trouble)| {
                serde_json::json!({ "name": name, "enabled": enabled, "running": running, "trouble": trouble })
            })
            .collect();
        report.json(&serde_json::json!({
            "ok": is_well, "generation": last, "unfinished": unfinished, "asked": asked, "drifted": drifted,
            "blocked": blocked, "services": services,
        }));
    } else {
        let paint = report.paint();
        let sign = |good: bool| {
            if good {
                paint.paint(32, "ok ")
            } else {
                paint.paint(31, "bad")
            }
        };
        let mut text = match last {
            Some(last) => format!(
                "{}  generation {}, {}\n",
                sign(true),
                last.number,
                last.title
            ),
            None => format!("{}  nothing was applied yet\n", sign(false)),
        };
        if let Some(number) = unfinished {
            text.push_str(&format!(
                "{}  generation {number} was never finished\n",
                sign(false)
            ));
        }
        let pending = format!("{asked} asked, {drifted} drifted");
        text.push_str(&format!(
            "{}  changes pending: {pending}\n",
            sign(asked + drifted == 0)
        ));
        for line in &blocked {
            text.push_str(&format!("{}  {line}\n", sign(false)));
        }
        for (name, enabled, _, trouble) in &services {
            let mut words = if *enabled {
                Vec::new()
            } else {
                vec!["it does not start at boot".to_owned()]
            };
            words.extend(trouble.iter().cloned());
            let what = if words.is_empty() {
                "runs".to_owned()
            } else {
                words.join("; ")
            };
            text.push_str(&format!("{}  {name}: {what}\n", sign(words.is_empty())));
        }
        report.data(&text);
    }
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}
