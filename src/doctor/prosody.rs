//! Prosody itself: its Lua, its version, its modules, and what its log says.

use super::hosts::Config;
use super::line::shown;
use super::{APPLY, Check, Probe, Question, Subject};
use crate::name::AbsPath;
use crate::site::{LogLevel, ProsodyVersion};

pub(super) const MODULES_OF_LUA: Question =
    Question::new("D-01", "Prosody's Lua finds what token log-in needs");
pub(super) const VERSION: Question =
    Question::new("D-02", "Prosody is of the generation it is configured for");
pub(super) const LOG: Question = Question::new("D-05", "Prosody's log has no error");
pub(super) const PLUGINS: Question = Question::new("D-05", "every Prosody module is there");

/// What Jitsi's token module and Prosody's TLS load.
const NEEDED: [&str; 7] = [
    "basexx",
    "inspect",
    "cjson.safe",
    "openssl.pkey",
    "openssl.hmac",
    "openssl.digest",
    "ssl",
];

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    vec![
        modules_of_lua(subject, probe),
        version(subject, probe),
        log(subject, probe),
        match Config::read(subject, probe) {
            Ok(config) => plugins(subject, probe, &config),
            Err(why) => PLUGINS.bad(why, APPLY),
        },
    ]
}

fn modules_of_lua(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return MODULES_OF_LUA.asleep();
    }
    match probe.lacking(&NEEDED) {
        Err(why) => MODULES_OF_LUA.skipped(why),
        Ok((lua, lacking)) if lacking.is_empty() => {
            MODULES_OF_LUA.good(format!("`{lua}` loads {}", NEEDED.join(", ")))
        }
        Ok((lua, lacking)) => MODULES_OF_LUA.bad(
            format!("`{lua}` cannot load {}", lacking.join(", ")),
            format!(
                "{}; then `jitsi-install apply`, which links what Lua would not find",
                subject.install(&subject.context.platform.packages.prosody)
            ),
        ),
    }
}

fn version(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return VERSION.asleep();
    }
    let about = match probe.about() {
        Ok(about) => about,
        Err(why) => return VERSION.skipped(why),
    };
    let context = subject.context;
    let wanted = context
        .site
        .prosody
        .version
        .unwrap_or(context.platform.prosody.version);
    let wanted = match wanted {
        ProsodyVersion::V0_12 => "0.12",
        ProsodyVersion::V13 => "13.0",
    };
    let found = about
        .lines()
        // Before it may stand `Prosody was unable to find …`.
        .filter_map(|line| line.strip_prefix("Prosody "))
        .map(str::trim)
        .find(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    let Some(found) = found else {
        return VERSION.skipped("`prosodyctl about` names no version");
    };
    if found == wanted || found.starts_with(&format!("{wanted}.")) {
        return VERSION.good(format!("Prosody {found}, configured for {wanted}"));
    }
    VERSION.bad(
        format!("Prosody {found} is installed, and the configuration is for {wanted}"),
        "write `version = \"0.12\"` or `\"13.0\"` under `[prosody]` in the site file, then `jitsi-install apply`",
    )
}

fn log(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return LOG.asleep();
    }
    let logs = &subject.context.platform.prosody.logs;
    let is_short = subject.context.site.prosody.log_level == LogLevel::Error;
    let place = logs.join(if is_short {
        "prosody.err"
    } else {
        "prosody.log"
    });
    let Some(seen) = probe.tail(&place) else {
        return LOG.skipped(format!("`{place}` is not there"));
    };
    let text = seen.text();
    let since = text.rfind("Hello and welcome to Prosody");
    let errors: Vec<&str> = text[since.unwrap_or(0)..]
        .lines()
        .filter(|line| line.contains("\terror\t"))
        .collect();
    let is_fatal = |line: &&&str| {
        ["Unable to load module", "Error initializing module"]
            .iter()
            .any(|word| line.contains(word))
    };
    let what = |line: &str, count: usize| format!("`{place}`, {count} lines: {}", shown(line));
    let fatal: Vec<&&str> = errors.iter().filter(is_fatal).collect();
    match (fatal.last(), errors.last()) {
        (Some(line), _) if since.is_some() => LOG.bad(
            what(line, fatal.len()),
            format!(
                "install what is missing, then {}",
                subject.restart("prosody")
            ),
        ),
        (_, Some(line)) => LOG.warn(
            what(line, errors.len()),
            format!("look at it: `tail {place}`"),
        ),
        (_, None) => LOG.good(format!("`{place}` has none since the last start")),
    }
}

fn plugins(subject: &Subject<'_>, probe: &dyn Probe, config: &Config) -> Check {
    if !probe.is_running() {
        return PLUGINS.asleep();
    }
    let source = probe.about().ok().and_then(|about| {
        let line = about
            .lines()
            .find_map(|line| line.strip_prefix("Source directory:"))?;
        AbsPath::parse(line.trim()).ok()
    });
    let Some(source) = source else {
        return PLUGINS.skipped("`prosodyctl about` names no source directory");
    };
    let mut folders: Vec<AbsPath> = config
        .global()
        .all("plugin_paths")
        .iter()
        .filter_map(|path| AbsPath::parse(path).ok())
        .collect();
    folders.push(source.join("modules"));
    let names: Vec<Vec<String>> = folders.iter().map(|folder| probe.names(folder)).collect();
    // As Prosody looks: `mod_muc.lua`, `mod_muc/`, or `muc/mod_muc.lua`.
    let is_there = |module: &str| {
        let file = format!("mod_{module}.lua");
        let forms = [file.clone(), format!("mod_{module}")];
        folders.iter().zip(&names).any(|(folder, names)| {
            forms.iter().any(|form| names.contains(form))
                || (names.iter().any(|name| name == module)
                    && probe.names(&folder.join(module)).contains(&file))
        })
    };
    let missing: Vec<String> = config
        .sections
        .iter()
        .flat_map(|section| {
            let own = Some(&section.module).filter(|module| !module.is_empty());
            let login = section
                .one("authentication")
                .map(|way| format!("auth_{way}"));
            let all = section.all("modules_enabled").iter().chain(own).cloned();
            all.chain(login)
                .map(|module| (section.name.clone(), module))
        })
        .filter(|(_, module)| !is_there(module))
        .map(|(host, module)| match host.as_str() {
            "" => format!("`{module}`"),
            host => format!("`{module}` of {host}"),
        })
        .collect();
    PLUGINS.faults(
        &missing
            .iter()
            .map(|one| format!("there is no file for {one}"))
            .collect::<Vec<_>>(),
        format!("every module is in {} folders", folders.len()),
        &format!(
            "Jitsi's come with a package: {}; or name their folder: `plugins` under `[prosody]`",
            subject.reinstall(&subject.context.platform.packages.plugins)
        ),
    )
}
