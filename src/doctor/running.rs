//! The services as they run: whether they do, since when, and with which options.

use super::{APPLY, Check, Probe, Process, Question, Subject};
use crate::name::{AbsPath, ServiceId};
use crate::platform::Init;
use crate::resource::{Content, How, Resource};
use crate::service::TRUSTSTORE_PASSWORD;

pub(super) const OPTIONS: Question =
    Question::new("D-11", "Jicofo and the bridge run with that truststore");
pub(super) const FRESH: Question = Question::new(
    "D-13",
    "every service has read its files since they changed",
);
pub(super) const RUNS: Question = Question::new("D-51", "every service runs");
pub(super) const BOOT: Question = Question::new("D-52", "every service starts at boot");

/// The main class by which Jicofo is known.
pub(super) const JICOFO: &str = "org.jitsi.jicofo.Main";
/// The same of the bridge.
pub(super) const BRIDGE: &str = "org.jitsi.videobridge.MainKt";

/// Seconds by which a start and a change may be off: the kernel tells in whole seconds when it
/// booted.
const SLACK: i64 = 2;

/// By which the bridge says that another start would be in vain.
const CONFIGURATION_ERROR: i32 = 78;

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    if !probe.is_running() {
        return [OPTIONS, FRESH, RUNS, BOOT].map(Question::asleep).into();
    }
    let processes = probe.processes();
    vec![
        options(subject, &processes),
        fresh(subject, probe, &processes),
        runs(subject, probe),
        boot(subject, probe),
    ]
}

/// The processes of a service; a main class is an argument of its own.
pub(super) fn of(processes: &[Process], id: ServiceId) -> Vec<&Process> {
    // A program that only starts or watches over Java has the same words.
    let is_java = |one: &Process| {
        let program = one.arguments.first();
        program.is_some_and(|program| program == "java" || program.ends_with("/java"))
    };
    let has = |one: &Process, word: &str| {
        is_java(one) && one.arguments.iter().any(|argument| argument == word)
    };
    let is_it = |one: &&Process| match id {
        ServiceId::Accounts => one.name == "jitsi-accounts",
        ServiceId::Prosody => {
            one.name == "prosody" || one.arguments.iter().any(|word| word.ends_with("/prosody"))
        }
        ServiceId::Jicofo => has(one, JICOFO),
        ServiceId::Videobridge => has(one, BRIDGE),
        ServiceId::Nginx => one.name == "nginx",
        ServiceId::Caddy => one.name == "caddy",
        ServiceId::Certificates | ServiceId::Database | ServiceId::Meet => false,
    };
    processes.iter().filter(is_it).collect()
}

fn options(subject: &Subject<'_>, processes: &[Process]) -> Check {
    let context = subject.context;
    let truststore = context.truststore();
    let mut faults = Vec::new();
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for (id, class, unit, config) in [
        (ServiceId::Jicofo, JICOFO, "jicofo", "jicofo/jicofo.conf"),
        (
            ServiceId::Videobridge,
            BRIDGE,
            "jitsi-videobridge2",
            "videobridge/jvb.conf",
        ),
    ] {
        let config = context.platform.jitsi_config.join(config);
        for process in of(processes, id) {
            seen.push(format!("{unit} (process {})", process.pid));
            let before = process.arguments.iter().take_while(|word| *word != class);
            let before: Vec<&String> = before.collect();
            // Of several Java takes the last.
            let value = |name: &str| {
                let start = format!("-D{name}=");
                before
                    .iter()
                    .rev()
                    .find_map(|word| word.strip_prefix(&start))
            };
            let mut odd = Vec::new();
            for (name, wanted) in [
                ("javax.net.ssl.trustStore", truststore.as_str()),
                ("javax.net.ssl.trustStoreType", "PKCS12"),
                ("config.file", config.as_str()),
            ] {
                match value(name) {
                    Some(found) if found == wanted => {}
                    Some(found) => odd.push(format!("with `{name}={found}`, not `{wanted}`")),
                    None => odd.push(format!("without `{name}={wanted}`")),
                }
            }
            // It guards nothing, and is not shown all the same: who knows what stands there.
            if value("javax.net.ssl.trustStorePassword") != Some(TRUSTSTORE_PASSWORD) {
                odd.push("with another `javax.net.ssl.trustStorePassword`".to_owned());
            }
            if !odd.is_empty() {
                if wrong.last() != Some(&unit) {
                    wrong.push(unit);
                }
                faults.push(format!(
                    "`{unit}` (process {}) runs {}",
                    process.pid,
                    odd.join(", ")
                ));
            }
        }
    }
    if seen.is_empty() {
        return OPTIONS.skipped("neither Jicofo nor the bridge runs");
    }
    OPTIONS.faults(
        &faults,
        format!("`{truststore}`: {}", seen.join(", ")),
        &format!(
            "take options of your own out of its unit, `/etc/default` or `JAVA_SYS_PROPS`; {APPLY}; then {}",
            subject.restart_all(&wrong)
        ),
    )
}

fn fresh(subject: &Subject<'_>, probe: &dyn Probe, processes: &[Process]) -> Check {
    // Prosody itself writes there.
    let data = format!("{}/", subject.context.platform.prosody.data);
    let (mut faults, mut stale, mut count) = (Vec::new(), Vec::new(), 0);
    for (id, name) in subject.units() {
        // A reload is seen by nginx's new workers alone; what others show of their certificates is
        // asked of them.
        let started = of(processes, id).iter().filter_map(|one| one.started).max();
        let Some(started) = started else {
            continue;
        };
        count += 1;
        let newer: Vec<&AbsPath> = subject
            .layout
            .items
            .iter()
            .filter(|item| {
                item.wakes.iter().any(|wake| {
                    wake.service == id && (wake.how == How::Restart || id == ServiceId::Nginx)
                })
            })
            .filter_map(|item| match &item.resource {
                Resource::File(file) if !matches!(file.content, Content::Block(_)) => {
                    Some(&file.path)
                }
                _ => None,
            })
            .filter(|path| !path.as_str().starts_with(&data))
            .filter(|path| {
                probe
                    .changed(path)
                    .is_some_and(|changed| changed > started + SLACK && changed <= subject.now)
            })
            .collect();
        if let Some(first) = newer.first() {
            let more = match newer.len() {
                1 => String::new(),
                count => format!(" and {} more files", count - 1),
            };
            faults.push(format!(
                "`{name}` runs since before `{first}`{more} changed"
            ));
            stale.push(name);
        }
    }
    if count == 0 {
        return FRESH.skipped("none of the services runs, or the kernel does not tell since when");
    }
    FRESH.faults(
        &faults,
        format!("{count} services started after their files had changed"),
        &subject.restart_all(&stale),
    )
}

fn runs(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if subject.services.is_empty() {
        return RUNS.skipped("the system does not tell");
    }
    let down: Vec<&str> = subject
        .services
        .iter()
        .filter(|one| !one.runs)
        .map(|one| one.name.as_str())
        .collect();
    let faults: Vec<String> = down
        .iter()
        .map(|name| match probe.last_exit(name) {
            Some(CONFIGURATION_ERROR) => format!(
                "`{name}` does not run: it ended with {CONFIGURATION_ERROR}, so its configuration is wrong"
            ),
            Some(code) if code != 0 => format!("`{name}` does not run: it ended with {code}"),
            _ => format!("`{name}` does not run"),
        })
        .collect();
    let cures: Vec<String> = down
        .iter()
        .map(|name| {
            format!(
                "{} says why; {}",
                subject.words_of(name),
                subject.start(name)
            )
        })
        .collect();
    RUNS.faults(
        &faults,
        subject
            .services
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        &cures.join("; "),
    )
}

fn boot(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if subject.services.is_empty() {
        return BOOT.skipped("the system does not tell");
    }
    let mut faults: Vec<String> = subject
        .services
        .iter()
        .filter(|one| !one.at_boot)
        .map(|one| format!("`{}` does not start at boot", one.name))
        .collect();
    let platform = subject.context.platform;
    if platform.init == Init::RcD {
        let file = platform.init_dir.join("rc.local");
        let text = super::text_of(probe, &file).unwrap_or_default();
        let place = |name: &str| {
            let script = format!("{} start", platform.init_dir.join(&format!("rc.{name}")));
            let mut lines = text.lines();
            lines.position(|line| !line.trim_start().starts_with('#') && line.contains(&script))
        };
        for late in ["jicofo", "jitsi-videobridge"] {
            if let (Some(prosody), Some(other)) = (place("prosody"), place(late))
                && other < prosody
            {
                faults.push(format!("`{file}` starts `{late}` before `prosody`"));
            }
        }
    }
    BOOT.faults(
        &faults,
        format!("{} services", subject.services.len()),
        APPLY,
    )
}
