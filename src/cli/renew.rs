//! `renew`: what a renewal hook calls. A new certificate is found, checked, and handed to everybody
//! who has a copy, one after the other; each hears of it once, and only if something is new.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::report::{FAILED, Failure, Report, USAGE};
use super::scene::{self, Places, Scene};
use super::{Global, apply::part, apply::recover};
use crate::apply::apply;
use crate::host::issued::{self, Issued};
use crate::host::{self, Machine, bridge, facts, secrets, stand};
use crate::journal::Ledger;
use crate::keystore::{self, Grade, KeyPair, Store};
use crate::name::{AbsPath, Mode, ServiceId};
use crate::plan::{Action, Plan, State};
use crate::resource::{Layout, Resource};
use crate::service::certificates::{Consumer, consumers};
use crate::service::{Context, TRUSTSTORE_PASSWORD};
use crate::site::CertificateSource;

/// How the titles of renewals begin, which are no generations of their own.
pub(super) const TITLE: &str = "renew ";

/// How long another run is waited for: hooks of several certificates come together.
const TURN: Duration = Duration::from_secs(300);

/// A certificate with fewer days left has no time to wait for a quiet hour.
const PRESSING_DAYS: i64 = 7;

/// A clock may be that much behind the issuer's.
const SKEW: i64 = 300;

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

/// How the bridge comes to its new certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is restarted.
    Restart,
    /// It is restarted, and takes no new meetings since it was drained.
    Drained,
    /// It ends by itself after the last meeting, and comes back.
    ByItself,
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
    if let Some(handed) = &handed {
        check(handed, report)?;
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
    if let Some(chosen) = &chosen {
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
    for consumer in consumers(&context) {
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

/// The certificate that the command line or the hook's environment names.
fn handed(args: &Args) -> Result<Option<Issued>, Failure> {
    let both = |cert: &str, key: &str| Some((stand::variable(cert)?, stand::variable(key)?));
    let (cert, key) = if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        (cert.clone(), key.clone())
    } else if let Some(folder) = &args.cert_dir {
        pair_in(folder)?
    } else if let Some(pair) = both("CERT_FULLCHAIN_PATH", "CERT_KEY_PATH") {
        pair
    } else if let Some(pair) = both("LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH") {
        pair
    } else if let Some(folder) = stand::variable("RENEWED_LINEAGE") {
        pair_in(&folder)?
    } else {
        return Ok(None);
    };
    let read = |path: &Path| stand::read(path).map_err(|error| Failure::io(path, &error));
    let whole = stand::whole(&cert).map_err(|error| Failure::io(&cert, &error))?;
    let at = AbsPath::parse(&whole.to_string_lossy())
        .map_err(|why| Failure::new(USAGE, format!("`{}` {why}", whole.display())))?;
    issued::from_pem(&at, read(&cert)?, read(&key)?)
        .map(Some)
        .map_err(|error| Failure::new(FAILED, error.what).hint(error.hint))
}

/// A chain and a key in one folder, under the names that ACME clients give them.
fn pair_in(folder: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let names = stand::list(folder);
    let has = |name: &str| names.iter().any(|other| other == name);
    let stems: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".key"))
        .collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for chain in ["fullchain.cer", "fullchain.pem"] {
        for key in ["privkey.pem", "key.pem"] {
            pairs.push((chain.to_owned(), key.to_owned()));
        }
        pairs.extend(
            stems
                .iter()
                .map(|stem| (chain.to_owned(), format!("{stem}.key"))),
        );
    }
    pairs.extend(
        stems
            .iter()
            .map(|stem| (format!("{stem}.crt"), format!("{stem}.key"))),
    );
    pairs
        .into_iter()
        .find(|(chain, key)| has(chain) && has(key))
        .map(|(chain, key)| (folder.join(chain), folder.join(key)))
        .ok_or_else(|| {
            Failure::new(
                FAILED,
                format!("`{}` holds no chain with its key", folder.display()),
            )
            .hint("fullchain.cer or fullchain.pem with privkey.pem, key.pem or NAME.key; NAME.crt with NAME.key; or name both files with `--cert` and `--key`")
        })
}

/// Refuses what nobody should be shown.
fn check(issued: &Issued, report: &mut Report) -> Result<(), Failure> {
    let now = host::now();
    let Issued { at, leaf, .. } = issued;
    if leaf.validity.not_after < now {
        return Err(Failure::new(
            FAILED,
            format!("`{at}` ended {} days ago", -leaf.validity.days_left(now)),
        )
        .hint("nothing was changed; have a new one issued"));
    }
    if leaf.validity.not_before > now + SKEW {
        return Err(Failure::new(FAILED, format!("`{at}` is not valid yet"))
            .hint("nothing was changed; is the clock of this machine right?"));
    }
    let pair = KeyPair::from_pem(
        issued.pair.certificate.as_bytes(),
        issued.pair.key.reveal().as_bytes(),
    );
    let findings = pair.map_or_else(|_| Vec::new(), |pair| pair.examine(now));
    if let Some(bad) = findings.iter().find(|one| one.grade == Grade::Bad) {
        return Err(Failure::new(FAILED, format!("`{at}`: {}", bad.what)).hint(
            bad.cure
                .unwrap_or("nothing was changed; have another issued"),
        ));
    }
    if issued.length < 2 && leaf.subject != leaf.issuer {
        report.warning(&format!(
            "`{at}` comes without its issuer's certificate: some clients will not trust it"
        ));
    }
    Ok(())
}

/// Keeps a certificate that is newer than what the site's source has, where `apply` finds it too.
fn take_in(
    handed: Issued,
    chosen: Option<Issued>,
    place: &facts::PairAt,
    machine: &Machine,
    is_dry: bool,
    report: &mut Report,
) -> Result<Option<Issued>, Failure> {
    if let Some(chosen) = chosen {
        if chosen.leaf.fingerprint_sha256 == handed.leaf.fingerprint_sha256 {
            return Ok(Some(chosen));
        }
        if chosen.leaf.validity.not_before >= handed.leaf.validity.not_before {
            report.warning(&format!(
                "`{}` was issued before `{}`, which stays",
                handed.at, chosen.at
            ));
            return Ok(Some(chosen));
        }
    }
    if !is_dry {
        let root = machine.root();
        let put = |path: &AbsPath, text: &str| {
            let state = State::File {
                bytes: text.as_bytes().to_vec(),
                mode: Mode(0o600),
                ids: None,
            };
            root.put(path, &state)
        };
        let kept = || -> std::io::Result<()> {
            if let Some(folder) = place.certificate.parent() {
                root.ensure_dir(&folder, Mode(0o700))?;
            }
            // A chain without its key would be an error ever after: it comes last.
            root.put(&place.certificate, &State::Absent)?;
            put(&place.key, handed.pair.key.reveal())?;
            put(&place.certificate, &handed.pair.certificate)
        };
        kept().map_err(|error| Failure::io(Path::new(place.certificate.as_str()), &error))?;
        report.note(&format!("took in `{}`", handed.at));
    }
    Ok(Some(handed))
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

/// May the bridge be restarted for this? Says how, or why the consumer has to wait.
fn may_restart(
    plan: &Plan,
    args: &Args,
    port: u16,
    password: &str,
    report: &mut Report,
) -> Result<Way, String> {
    let runs = plan.steps.iter().any(|step| {
        matches!(&step.thing, Some(Resource::Service(service)) if service.id == ServiceId::Videobridge)
            && matches!(step.before, State::Service { running: true, .. })
    });
    if !runs || args.bridge == Manner::Now {
        return Ok(Way::Restart);
    }
    let meetings = match bridge::conferences(port) {
        Some(0) => return Ok(Way::Restart),
        Some(count) => format!("{count} meetings run on the bridge"),
        None => "the bridge does not say whether meetings run".to_owned(),
    };
    if args.bridge == Manner::Wait && days_left(plan, password) >= PRESSING_DAYS {
        return Err(format!(
            "{meetings}: a later run restarts it when there are none, and drains it in the last {PRESSING_DAYS} days"
        ));
    }
    if args.bridge == Manner::Shutdown {
        bridge::shut_down(port).map_err(|why| format!("{meetings}, and it does not end: {why}"))?;
        report.note(&format!(
            "{meetings}: it takes no new ones, ends by itself after these, and comes back"
        ));
        return Ok(Way::ByItself);
    }
    bridge::drain(port, true)
        .map_err(|why| format!("{meetings}, and it cannot be drained: {why}"))?;
    report.note(&format!(
        "{meetings}: it takes no new ones, and the end of these is waited for"
    ));
    if bridge::await_quiet(port, Duration::from_secs(args.patience.saturating_mul(60))) {
        return Ok(Way::Drained);
    }
    let _ = bridge::drain(port, false);
    Err(format!(
        "{meetings}, and {} minutes were not enough for them",
        args.patience
    ))
}

/// Days that the certificates last which the bridge shows and trusts now; what cannot be told is
/// pressing.
fn days_left(plan: &Plan, password: &str) -> i64 {
    let ends = plan.steps.iter().filter_map(|step| match &step.before {
        State::File { bytes, .. } => {
            let store = Store::open(bytes, Some(password)).ok()?;
            let leaf = store.entries.first()?.chain.first()?;
            Some(
                keystore::describe(leaf)
                    .ok()?
                    .validity
                    .days_left(host::now()),
            )
        }
        _ => None,
    });
    ends.min().unwrap_or(0)
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
