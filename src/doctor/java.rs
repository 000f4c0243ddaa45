//! Java, Jicofo and the bridge as they run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Probe, Question, Subject, running};
use crate::name::{AbsPath, ServiceId};

pub(super) const JICOFO_HEALTH: Question = Question::new("D-07", "Jicofo says that it is well");
pub(super) const BRIDGES: Question = Question::new("D-09", "Jicofo has a bridge");
pub(super) const JARS: Question = Question::new("D-17", "there is one version of each jar");
pub(super) const VERSION: Question = Question::new("D-18", "Java is 17 or 21");
pub(super) const BRIDGE_HEALTH: Question = Question::new("D-34", "the bridge says that it is well");
pub(super) const MEMORY: Question = Question::new("D-44", "the heaps fit into this machine");
pub(super) const LIMITS: Question = Question::new("D-45", "the bridge may open enough files");

/// Files and threads that a busy bridge takes.
const LEAST_LIMIT: u64 = 65_000;

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let site = subject.context.site;
    let jars = jars(subject, probe);
    if !probe.is_running() {
        let mut checks: Vec<Check> = [
            JICOFO_HEALTH,
            BRIDGES,
            VERSION,
            BRIDGE_HEALTH,
            MEMORY,
            LIMITS,
        ]
        .map(Question::asleep)
        .into();
        checks.push(jars);
        return checks;
    }
    let why = |name: &str| format!("the reason is in its log: {}", subject.words_of(name));
    let bridge = format!(
        "{}; with private addresses only, add `public_addresses` under `[videobridge]`, or set `require_valid_address = false` for a LAN",
        why("jitsi-videobridge2")
    );
    vec![
        health(JICOFO_HEALTH, probe, site.jicofo.rest_port, &why("jicofo")),
        bridges(subject, probe),
        jars,
        version(subject, probe),
        health(BRIDGE_HEALTH, probe, site.videobridge.rest_port, &bridge),
        memory(subject, probe),
        limits(subject, probe),
    ]
}

fn health(question: Question, probe: &dyn Probe, port: u16, cure: &str) -> Check {
    let place = format!("http://127.0.0.1:{port}/about/health");
    match probe.http(port, "/about/health", "localhost") {
        Ok((200, _)) => question.good(format!("{place} answers 200")),
        Ok((code, _)) => question.bad(format!("{place} answers {code}"), cure),
        Err(why) => question.bad(format!("{place}: {why}"), cure),
    }
}

fn bridges(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let port = subject.context.site.jicofo.rest_port;
    let stats = match probe.http(port, "/stats", "localhost") {
        Ok((200, body)) => serde_json::from_str::<serde_json::Value>(&body).ok(),
        Ok(_) | Err(_) => None,
    };
    let count = |name: &str| stats.as_ref()?.get("bridge_selector")?.get(name)?.as_u64();
    match (count("bridge_count"), count("operational_bridge_count")) {
        (Some(all), Some(well)) if well > 0 => BRIDGES.good(format!("{well} of {all} work")),
        (Some(all), Some(_)) => BRIDGES.bad(
            format!("{all} known, none works"),
            format!(
                "see whether the bridge logs in: {}",
                subject.words_of("jitsi-videobridge2")
            ),
        ),
        _ => BRIDGES.skipped("Jicofo's `/stats` does not say"),
    }
}

/// A jar's name without its version, and that version: from the first part that begins with a
/// digit on, without the names of systems that some jars come for.
fn artifact(jar: &str) -> Option<(&str, &str)> {
    let stem = jar.strip_suffix(".jar")?;
    let digit = |at: &usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let cut = stem.match_indices('-').map(|(at, _)| at).find(digit)?;
    let version = &stem[cut + 1..];
    let system = ["-linux", "-osx", "-windows", "-darwin", "-android"]
        .iter()
        .filter_map(|name| version.find(name))
        .min();
    Some((&stem[..cut], &version[..system.unwrap_or(version.len())]))
}

fn jars(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let platform = subject.context.platform;
    let folders: [AbsPath; 2] =
        [&platform.jicofo_home, &platform.videobridge_home].map(|home| home.join("lib"));
    let (mut faults, mut count) = (Vec::new(), 0);
    for folder in &folders {
        let names = probe.names(folder);
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, version) in names.iter().filter_map(|name| artifact(name)) {
            count += 1;
            versions.entry(name).or_default().insert(version);
        }
        for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
            let all: Vec<&str> = versions.iter().copied().collect();
            faults.push(format!("`{folder}` has {name} {}", all.join(" and ")));
        }
    }
    if count == 0 {
        return JARS.skipped(format!(
            "`{}` and `{}` have no jars with a version in the name",
            folders[0], folders[1]
        ));
    }
    JARS.faults(
        &faults,
        format!("{count} jars"),
        &format!(
            "remove the old jars, or the folder and then {}",
            subject.reinstall(&packages(subject))
        ),
    )
}

/// Jicofo's and the bridge's packages.
fn packages<'a>(subject: &Subject<'a>) -> [&'a str; 2] {
    let packages = &subject.context.platform.packages;
    [&packages.jicofo, &packages.videobridge].map(|all| all.last().copied().unwrap_or_default())
}

fn version(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let java = &subject.context.platform.java;
    let said = match probe.java(java) {
        Ok(said) => said,
        Err(why) => return VERSION.skipped(why),
    };
    let number = said.split('"').nth(1).unwrap_or_default();
    match number.split('.').next() {
        Some("17" | "21") => VERSION.good(format!("`{java}` is {number}")),
        _ => VERSION.bad(
            format!(
                "`{java}` is `{}`",
                super::line::shown(said.lines().next().unwrap_or_default())
            ),
            format!(
                "{}; {}",
                subject.install(&subject.context.platform.packages.jicofo[..1]),
                subject.choose_java()
            ),
        ),
    }
}

fn memory(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let site = subject.context.site;
    let all = probe.kernel("meminfo").and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    let Some(all) = all.map(|kib| kib / 1024) else {
        return MEMORY.skipped("the kernel does not tell");
    };
    let heaps = u64::from(site.jicofo.memory) + u64::from(site.videobridge.memory);
    let words = format!("heaps of {heaps} MiB, {all} MiB of memory");
    if heaps + 1024 <= all {
        return MEMORY.good(words);
    }
    MEMORY.warn(
        words,
        "lower `memory` under `[jicofo]` and `[videobridge]` so that 1 GiB is left for the rest",
    )
}

fn limits(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let processes = probe.processes();
    let bridge = running::of(&processes, ServiceId::Videobridge);
    let text = bridge
        .first()
        .and_then(|one| probe.kernel(&format!("{}/limits", one.pid)));
    let Some(text) = text else {
        return LIMITS.skipped("the bridge does not run");
    };
    let soft = |name: &str| -> Option<u64> {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        match value.split_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    };
    let mut faults = Vec::new();
    for name in ["Max open files", "Max processes"] {
        match soft(name) {
            Some(limit) if limit < LEAST_LIMIT => {
                faults.push(format!("{}: {limit}", name.to_lowercase()));
            }
            Some(_) | None => {}
        }
    }
    if faults.is_empty() {
        return LIMITS.good(format!("at least {LEAST_LIMIT} files and processes"));
    }
    LIMITS.warn(
        faults.join("; "),
        format!(
            "its own way to start sets {LEAST_LIMIT}: {}",
            subject.restart("jitsi-videobridge2")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_is_a_name_and_a_version() {
        assert_eq!(
            artifact("a-b-1.2-SNAPSHOT.jar"),
            Some(("a-b", "1.2-SNAPSHOT"))
        );
        assert_eq!(
            artifact("netty-4.1.Final-linux-x86_64.jar"),
            Some(("netty", "4.1.Final"))
        );
        assert_eq!(
            artifact("bcprov-jdk18on-1.7.jar"),
            Some(("bcprov-jdk18on", "1.7"))
        );
        assert_eq!(artifact("jicofo.jar"), None);
    }
}
