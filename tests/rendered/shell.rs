//! Shell: the rc scripts, and the settings that they and systemd read, by `shellcheck`, the shells
//! themselves, and by what a shell has in its variables afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use jitsi_install::platform::Family;

use crate::proving::{program, root, run};
use crate::stage::{Stage, stages};

fn own_scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = fs::read_dir(root().join("rc.d"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 3);
    scripts
}

/// `/etc/jitsi/*/config` of every stage.
fn settings() -> Vec<PathBuf> {
    stages()
        .iter()
        .flat_map(|stage| stage.ending("/config"))
        .collect()
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let Some(shellcheck) = program("shellcheck", "shellcheck") else {
        return;
    };
    run(Command::new(&shellcheck).args(own_scripts()));
    if settings().is_empty() {
        return;
    }
    // SC2034: who reads the settings stands elsewhere.
    let check = |shell: &str| {
        run(Command::new(&shellcheck)
            .args(["-s", shell, "-e", "SC2034"])
            .args(settings()));
    };
    check("sh");
    check("bash");
}

#[test]
fn shells_can_read_every_script() {
    for script in own_scripts() {
        run(Command::new("bash").arg("-n").arg(script));
    }
    for settings in settings() {
        for shell in ["sh", "bash"] {
            run(Command::new(shell).arg("-n").arg(&settings));
        }
    }
    for stage in stages()
        .iter()
        .filter(|stage| stage.platform.release.family() == Family::Slackware)
    {
        for (name, mode) in stage.files().map(|file| (file.path.file_name(), file.mode)) {
            let is_program = name.starts_with("rc.");
            assert_eq!(is_program, mode.0 & 0o111 != 0, "{}: {name}", stage.name);
        }
    }
}

/// What `env -i sh -c '. FILE'` sets.
fn sourced(stage: &Stage, service: &str) -> BTreeMap<String, String> {
    let file = stage
        .platform
        .jitsi_config
        .join(&format!("{service}/config"));
    let said = run(Command::new("sh")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .args([
            "-c",
            "set -a; . \"$1\"; set +a; exec env -0",
            "sh",
            file.as_str(),
        ]));
    said.split('\0')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn a_shell_would_see_these_values() {
    for stage in stages() {
        let (jicofo, bridge) = (sourced(stage, "jicofo"), sourced(stage, "videobridge"));
        assert_eq!(
            jicofo["JICOFO_MAX_MEMORY"],
            format!("{}m", stage.site.jicofo.memory)
        );
        let memory = format!("{}m", stage.site.videobridge.memory);
        assert_eq!(bridge["VIDEOBRIDGE_MAX_MEMORY"], memory);
        if stage.platform.release.family() == Family::Slackware {
            for (name, seen, home) in [
                ("JICOFO", &jicofo, &stage.platform.jicofo_home),
                ("VIDEOBRIDGE", &bridge, &stage.platform.videobridge_home),
            ] {
                assert_eq!(seen["JAVA"], stage.platform.java.as_str());
                assert_eq!(seen[&format!("{name}_HOME")], home.as_str());
                let store = stage.platform.jitsi_config.join("truststore.p12");
                assert_eq!(seen[&format!("{name}_TRUSTSTORE")], store.as_str());
            }
        }
    }
}
