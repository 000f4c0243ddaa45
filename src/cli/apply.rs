//! `apply`: show, ask, change.

use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report, USAGE};
use super::scene::{self, Places, Scene};
use crate::apply::{Failed, Outcome, apply, go_on, keep_going, take_back, upgrade};
use crate::command::terminal;
use crate::host::live::Wanted;
use crate::host::{Machine, secrets};
use crate::journal::Ledger;
use crate::name::ServiceId;
use crate::plan::{Action, Applied, Plan, Waiting, plan, show};
use crate::resource::{Item, Layout, PackageVersion, Resource, Service};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show the diffs as `plan` does
    #[arg(long)]
    diff: bool,
    /// Only what this service wants: certificates, database, accounts, prosody, jicofo,
    /// videobridge, meet, nginx, caddy
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    only: Option<ServiceId>,
    /// Start, reload and restart nothing; the next plain `apply` does
    #[arg(long)]
    no_restart: bool,
    /// When a step fails, take back that step alone and do what does not need it
    #[arg(long)]
    keep_going: bool,
}

fn service(text: &str) -> Result<ServiceId, String> {
    ServiceId::ALL
        .into_iter()
        .find(|id| id.as_str() == text)
        .ok_or_else(|| {
            let names: Vec<&str> = ServiceId::ALL.iter().map(|id| id.as_str()).collect();
            format!(
                "there is no such service; choose one of {}",
                names.join(", ")
            )
        })
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let mut machine = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let reader = target.open()?;
    let mut books = places.locked_books(&reader, "apply")?;
    target.log(&reader, "apply", report)?;
    recover(&mut machine, &mut books, report)?;
    let mut scene = Scene::set(site, platform, &machine, &places)?;
    let plan = choose(scene.layout()?, args, &machine, &books)?;
    if !plan.changes() && plan.blocked().next().is_none() {
        // The books may still have to learn that everything is in order.
        let outcome = apply(&plan, "apply", &mut machine, &mut books, report)?;
        told(&plan, &outcome, report);
        return Ok(ExitCode::SUCCESS);
    }
    if !report.is_json() {
        super::plan::print(&plan, global, args.diff, report);
    }
    if plan.blocked().next().is_none() && !args.yes {
        match terminal::ask("Change this?") {
            Some(true) => {}
            Some(false) => return Err(Failure::new(FAILED, "nothing was changed, as you said")),
            None => {
                return Err(Failure::new(
                    USAGE,
                    "there is no terminal to ask on, and nothing was changed",
                )
                .hint("say yes beforehand: `jitsi-install apply --yes`"));
            }
        }
    }
    let missing = missing_packages(&plan);
    let mut plan = plan;
    if scene.kept.is_new && plan.blocked().next().is_none() {
        // Before the first step: what is laid out from a secret must never outlive it. The folder
        // of secrets may be new, so the plan is made again.
        secrets::save(machine.root(), &places.secrets(), &scene.kept.secrets)
            .map_err(|error| Failure::new(FAILED, error.to_string()).hint("nothing was changed"))?;
        if missing.is_empty() {
            plan = choose(scene.layout()?, args, &machine, &books)?;
        }
    }
    if !missing.is_empty() && plan.blocked().next().is_none() {
        let names: Vec<String> = missing.iter().map(|wanted| wanted.name.clone()).collect();
        report.packages(&names);
        machine.install(&missing).map_err(|error| {
            Failure::new(FAILED, error.to_string())
                .hint("mend the package manager, then run it again; nothing else was changed")
        })?;
        report.packages(&[]);
        // Packages bring files, pages and users of their own: everything is another now.
        let (site, platform) = (scene.site.clone(), scene.platform.clone());
        scene = Scene::set(site, platform, &machine, &places)?;
        plan = choose(scene.layout()?, args, &machine, &books)?;
    }
    let outcome = if plan.upgrades().next().is_some() {
        let begun = upgrade(&plan, &mut machine, &mut books, report)?;
        let number = begun.number;
        // The new packages have files and pages of their own.
        let second = Scene::set(scene.site, scene.platform, &machine, &places)
            .and_then(|scene| choose(scene.layout()?, args, &machine, &books));
        let keeps_going = args.keep_going;
        let done = second.and_then(|second| {
            plan = second;
            let books = &mut books;
            go_on(
                begun,
                &plan,
                "apply",
                keeps_going,
                &mut machine,
                books,
                report,
            )
            .map_err(Failure::from)
        });
        match done {
            Ok(outcome) => outcome,
            Err(failure) => {
                // It may have been taken back already.
                if books.unfinished()? == Some(number) {
                    take_back(number, &mut machine, &mut books, report)?;
                }
                return Err(failure);
            }
        }
    } else if args.keep_going {
        keep_going(&plan, "apply", &mut machine, &mut books, report)?
    } else {
        apply(&plan, "apply", &mut machine, &mut books, report)?
    };
    report.done();
    told(&plan, &outcome, report);
    if outcome.failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let lines = outcome
        .failures
        .iter()
        .map(|Failed { id, why }| format!("\n  {id}: {why}"));
    let what = format!("not everything could be done:{}", lines.collect::<String>());
    Err(Failure::new(FAILED, what)
        .hint("mend what is named, then run `jitsi-install apply` again: it does the rest"))
}

/// Takes back what a killed run left behind.
pub(super) fn recover(
    machine: &mut Machine,
    books: &mut dyn Ledger,
    report: &mut Report,
) -> Result<(), Failure> {
    machine
        .tidy()
        .map_err(|error| Failure::new(FAILED, format!("what a killed run left behind: {error}")))?;
    while let Some(number) = books.unfinished()? {
        report.note(&format!(
            "generation {number} was never finished: taking it back"
        ));
        let count = take_back(number, machine, books, report)?;
        report.note(&format!("took back {count} steps"));
    }
    // A renewal that was cut short after its last step.
    for generation in books.generations()? {
        if generation.title.starts_with(super::renew::TITLE) {
            books.fold(generation.number)?;
        }
    }
    Ok(())
}

/// The plan that the options ask for.
fn choose(
    layout: Layout,
    args: &Args,
    machine: &Machine,
    books: &dyn Ledger,
) -> Result<Plan, Failure> {
    let applied = books.applied()?;
    let mut plan = match args.only {
        Some(only) => part(&layout, machine, applied, |item| {
            item.service == only || is_shared(&item.resource)
        }),
        None => plan(&layout, &machine.glance(), &applied),
    };
    if args.only.is_some() {
        plan.refuse_upgrades("a set of Jitsi moves as a whole: leave out `--only`");
    } else if args.no_restart {
        plan.refuse_upgrades(
            "what runs would lose the files that it runs with: leave out `--no-restart`",
        );
    }
    Ok(if args.no_restart {
        plan.put_off()
    } else {
        plan
    })
}

/// The plan for some of the items, while the books keep the rest.
pub(super) fn part(
    layout: &Layout,
    machine: &Machine,
    applied: Applied,
    is_meant: impl Fn(&Item) -> bool,
) -> Plan {
    let (meant, others): (Vec<&Item>, Vec<&Item>) =
        layout.items.iter().partition(|item| is_meant(item));
    let items: Vec<Item> = meant.into_iter().cloned().collect();
    let services: Vec<Service> = others
        .into_iter()
        .filter_map(|item| match &item.resource {
            Resource::Service(service) => Some(service.clone()),
            _ => None,
        })
        .collect();
    let mine: std::collections::BTreeSet<String> =
        items.iter().map(|item| item.resource.id()).collect();
    let (looked_at, elsewhere) = applied.into_iter().partition(|(id, _)| mine.contains(id));
    let part = Layout {
        items,
        kept: layout.kept.clone(),
        remarks: layout.remarks.clone(),
        veiled: layout.veiled.clone(),
    };
    let mut plan = plan(&part, &machine.glance(), &looked_at);
    plan.elsewhere = elsewhere;
    plan.note_elsewhere(&services);
    plan
}

/// Folders come along with any service, since its files stand in them; so do the lines that start
/// all services at boot.
fn is_shared(resource: &Resource) -> bool {
    matches!(resource, Resource::Dir(_)) || resource.kind() == "block"
}

fn told(plan: &Plan, outcome: &Outcome, report: &mut Report) {
    let Outcome {
        generation,
        taken,
        failures,
    } = outcome;
    let waiting = plan.waiting();
    if report.is_json() {
        let mut value = show::json(plan);
        value["generation"] = serde_json::json!(generation);
        value["taken"] = serde_json::json!(taken);
        value["waiting"] = waiting
            .iter()
            .map(|one| serde_json::json!({ "service": one.service, "how": one.how }))
            .collect();
        value["failures"] = failures
            .iter()
            .map(|one| serde_json::json!({ "id": one.id, "why": one.why }))
            .collect();
        report.result(value);
        return;
    }
    if *taken == 0 && failures.is_empty() {
        report.note("everything is in order: nothing had to be changed");
    } else if let Some(number) = generation {
        report.note(&format!(
            "generation {number}: {taken} steps taken; `jitsi-install rollback` takes them back"
        ));
    }
    for Waiting { service, how } in &waiting {
        report.note(&match how {
            Some(how) => format!(
                "{service}: runs with its old configuration, {} is put off",
                how.as_str()
            ),
            None => format!("{service}: was not started"),
        });
    }
    if !waiting.is_empty() {
        report.hint("`jitsi-install apply` starts and restarts what is put off");
    }
}

/// Packages that the plan would install.
fn missing_packages(plan: &Plan) -> Vec<Wanted> {
    plan.steps
        .iter()
        .filter(|step| step.action == Action::Create)
        .filter_map(|step| match &step.thing {
            Some(Resource::Package { name, version }) => Some(Wanted {
                name: name.clone(),
                version: version.as_deref().map(PackageVersion::any),
            }),
            _ => None,
        })
        .collect()
}
