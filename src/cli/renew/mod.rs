//! `renew`: what a renewal hook calls. A new certificate is found, checked, and handed to everybody
//! who has a copy, one after the other; each hears of it once, and only if something is new.

mod handed;
mod quiet;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::report::{FAILED, Failure, Report};
use super::scene::{self, Places, Scene};
use super::{Global, apply::part, apply::recover};
use crate::apply::apply;
use crate::host::issued::{self, Issued};
use crate::host::{Machine, bridge, facts, secrets};
use crate::journal::Ledger;
use crate::name::{AbsPath, ServiceId};
use crate::plan::{Action, Plan};
use crate::resource::{Layout, Resource};
use crate::service::certificates::{Consumer, consumers};
use crate::service::{Context, TRUSTSTORE_PASSWORD};
use crate::site::CertificateSource;
use handed::{check, handed, take_in};
use quiet::{Way, may_restart};

/// How the titles of renewals begin, which are no generations of their own.
pub(super) const TITLE: &str = "renew ";

/// How long another run is waited for: hooks of several certificates come together.
const TURN: Duration = Duration::from_secs(300);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --cert and --cert-dir, the certificate is the one that the hook's caller names in the
environment (acme.sh: CERT_FULLCHAIN_PATH, CERT_KEY_PATH; certbot: RENEWED_LINEAGE; lego:
LEGO_CERT_PATH, LEGO_CERT_KEY_PATH), else the newest where the site file's source keeps its own.")]
pub(super) struct Args {
    /// The new chain in PEM
    #[arg(
        long,
        value_name = "FULLCHAIN",
        requires = "key",
        conflicts_with = "cert_dir"
    )]
    cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "KEY", requires = "cert")]
    key: Option<PathBuf>,
    /// The folder with the new chain and its key
    #[arg(long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// What to do about a Videobridge that carries meetings, and has to be restarted
    #[arg(long, value_name = "HOW", default_value = "wait")]
    bridge: Manner,
    /// Minutes that `--bridge drain` waits for the last meeting to end
    #[arg(long, value_name = "MINUTES", default_value_t = 120)]
    patience: u64,
    /// Show what would be handed to whom, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Manner {
    /// Leave it for a later run, unless the old certificate ends within a week: then drain
    Wait,
    /// Let it take no new meetings, and wait for the end of those that run
    Drain,
    /// Have it end by itself after the last meeting, and come back; wait for nothing. Takes
    /// `rest_shutdown` under `[videobridge]`
    Shutdown,
    /// Cut them
    Now,
}

/// How one consumer fared.
struct Fate {
    name: String,
    state: &'static str,
    changed: Vec<String>,
    why: String,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let mut machine = target.open()?;
    let reader = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let known = places.known(&site, &platform);
    let handed = handed(args)?;
    if let Some(handed) = &handed
        && !issued::covers(&handed.leaf, &site.domain)
    {
        report.note(&format!(
            "`{}` is for {}, not for `{}`: nothing to do",
            handed.at,
            handed.leaf.names.join(", "),
            site.domain
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut checked = None;
    if let Some(handed) = &handed {
        check(handed, report)?;
        checked = Some(handed.leaf.fingerprint_sha256.clone());
    }
    // A look needs no turn; whoever writes waits for it.
    let mut books = if args.dry_run {
        places.books(&reader)
    } else {
        places.awaited_books(&reader, "renew", TURN)?
    };
    if books.applied()?.is_empty() {
        return Err(Failure::new(FAILED, "nothing is laid out here yet")
            .hint("run `jitsi-install apply` first"));
    }
    if !machine.root().exists(&places.secrets()) {
        let what = format!("`{}` is gone", places.secrets());
        return Err(Failure::new(FAILED, what).hint(
            "restore it from a copy, or run `jitsi-install apply`, which makes all secrets anew",
        ));
    }
    if !args.dry_run {
        target.log(&reader, "renew", report)?;
        recover(&mut machine, &mut books, report)?;
    }
    let refused = |error: facts::FactError| Failure::new(FAILED, error.what).hint(error.hint);
    let mut chosen = facts::chosen(machine.root(), &site, &known.taken_in).map_err(refused)?;
    if let Some(handed) = handed {
        if site.certificates == CertificateSource::SelfSigned {
            return Err(Failure::new(
                FAILED,
                "a certificate was handed in, and the site file says `source = \"self-signed\"`",
            )
            .hint("say under `[certificates]` where certificates come from, then run it again"));
        }
        chosen = take_in(
            handed,
            chosen,
            &known.taken_in,
            &machine,
            args.dry_run,
            report,
        )?;
    }
    if let Some(chosen) = &chosen
        && checked.as_ref() != Some(&chosen.leaf.fingerprint_sha256)
    {
        check(chosen, report)?;
    }
    let domain = site.domain.clone();
    let mut scene = Scene::set(site, platform, &machine, &places)?;
    if args.dry_run
        && let Some(chosen) = &chosen
    {
        // What would be taken in is not there to be found.
        scene.facts.certificate = Some(chosen.pair.clone());
    }
    if scene.kept.is_new && !args.dry_run {
        secrets::save(machine.root(), &places.secrets(), &scene.kept.secrets)
            .map_err(|error| Failure::new(FAILED, error.to_string()).hint("nothing was changed"))?;
    }
    let context = Context::new(
        &scene.site,
        &scene.platform,
        &scene.kept.secrets,
        &scene.facts,
    );
    let layout = scene.layout()?;
    let mut fates = Vec::new();
    let laid_out = books.applied()?;
    let is_laid_out = |path: &AbsPath| laid_out.contains_key(&format!("file {path}"));
    // What the site file asks for and no apply has laid out yet is left to that apply.
    let consumers = consumers(&context).into_iter();
    for consumer in consumers.filter(|one| one.paths.iter().any(is_laid_out)) {
        let mut plan = plan_for(&consumer, &layout, &machine, &books)?;
        let changed: Vec<String> = changes(&plan);
        let mut fate = Fate {
            name: consumer.name.clone(),
            state: "in order",
            changed,
            why: String::new(),
        };
        if fate.changed.is_empty() && plan.blocked().next().is_none() {
            fates.push(fate);
            continue;
        }
        if args.dry_run {
            fate.state = "would change";
            fates.push(fate);
            continue;
        }
        let port = scene.site.videobridge.rest_port;
        let password = if consumer.name == context.hosts.auth.as_str() {
            TRUSTSTORE_PASSWORD
        } else {
            scene.kept.secrets.keystore_password.reveal()
        };
        let outcome = match may_restart(&plan, args, port, password, report) {
            Err(why) => {
                fate.state = "postponed";
                fate.why = why;
                fates.push(fate);
                continue;
            }
            Ok(way) => {
                if way == Way::ByItself {
                    for step in &mut plan.steps {
                        step.wakes
                            .retain(|wake| wake.service != ServiceId::Videobridge);
                    }
                }
                let title = format!("{TITLE}{}", consumer.name);
                let outcome = apply(&plan, &title, &mut machine, &mut books, report);
                if way == Way::Drained && outcome.is_err() {
                    let _ = bridge::drain(port, false);
                }
                outcome
            }
        };
        match outcome {
            Ok(outcome) => {
                fate.state = "renewed";
                if let Some(number) = outcome.generation {
                    books.fold(number)?;
                }
            }
            Err(error) => {
                fate.state = "failed";
                fate.why = error.to_string();
            }
        }
        fates.push(fate);
    }
    report.done();
    tell(&fates, chosen.as_ref(), domain.as_str(), report)
}

/// What one consumer's copies want. Services are told, and neither started nor stopped.
fn plan_for(
    consumer: &Consumer,
    layout: &Layout,
    machine: &Machine,
    books: &dyn Ledger,
) -> Result<Plan, Failure> {
    let applied = books.applied()?;
    let known = applied.clone();
    let mut plan = part(layout, machine, applied, |item| match &item.resource {
        Resource::Service(service) => consumer.services.contains(&service.id),
        other => other
            .path()
            .is_some_and(|path| consumer.paths.contains(path)),
    });
    for step in &mut plan.steps {
        if matches!(step.thing, Some(Resource::Service(_))) && step.action != Action::Blocked {
            step.action = Action::Keep;
            // What an apply put off stays put off.
            if let (Some(mark), Some(known)) = (&mut step.mark, known.get(&step.id)) {
                mark.waits = known.waits;
            }
        }
    }
    Ok(plan)
}

fn changes(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .filter(|step| matches!(step.action, Action::Create | Action::Change))
        .filter_map(|step| step.path.as_ref().map(ToString::to_string))
        .collect()
}

fn tell(
    fates: &[Fate],
    chosen: Option<&Issued>,
    domain: &str,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    if report.is_json() {
        report.result(json!({
            "domain": domain,
            "certificate": chosen.map(|issued| json!({
                "path": issued.at,
                "names": issued.leaf.names,
                "key": issued.leaf.key_kind,
                "not_before": issued.leaf.validity.not_before,
                "not_after": issued.leaf.validity.not_after,
                "fingerprint_sha256": issued.leaf.fingerprint_sha256,
            })),
            "consumers": fates.iter().map(|fate| json!({
                "name": fate.name, "state": fate.state, "changed": fate.changed, "why": fate.why,
            })).collect::<Vec<_>>(),
        }));
    } else if fates.iter().all(|fate| fate.state == "in order") {
        report.note("everybody has the newest certificate: nothing to do");
    } else {
        for fate in fates {
            let files = match fate.changed.len() {
                0 => String::new(),
                1 => " (1 file)".to_owned(),
                count => format!(" ({count} files)"),
            };
            report.note(&format!("{}: {}{files}", fate.name, fate.state));
        }
    }
    for fate in fates.iter().filter(|fate| fate.state == "postponed") {
        report.warning(&format!("{} is postponed: {}", fate.name, fate.why));
    }
    let failed: Vec<String> = fates
        .iter()
        .filter(|fate| fate.state == "failed")
        .map(|fate| format!("{} has its old certificate: {}", fate.name, fate.why))
        .collect();
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(FAILED, failed.join("\n"))
        .hint("mend what is named and run `jitsi-install renew` again; the others have theirs"))
}
