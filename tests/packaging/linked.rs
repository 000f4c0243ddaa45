//! How the program is linked: as packages carry it, it needs nothing of the machine. Built with the
//! same flags, without the optimisation that takes minutes and changes nothing about that.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::cases::{self, Cases};
use super::root;
use super::shell::{done, told};

/// Programs that build and look.
const PROGRAMS: &[&str] = &["cargo", "readelf", "chroot", "unshare"];

/// Built once, and afterwards only what changed; two minutes the first time.
fn linked_statically() -> Result<PathBuf, String> {
    let target = super::rootfs::target().join("static");
    let alias = fs::read_to_string(root().join(".cargo/config.toml"));
    let alias: toml::Value =
        toml::from_str(&alias.map_err(|error| error.to_string())?).map_err(|e| e.to_string())?;
    let words = alias["alias"]["dist-build"].as_array().ok_or("no alias")?;
    let words: Vec<&str> = words.iter().filter_map(toml::Value::as_str).collect();
    // the alias itself, but for its profile
    let mut build = Command::new("cargo");
    build.arg(words[0]);
    for pair in words[1..].chunks(2) {
        if pair[0] != "--profile" {
            build.args(pair);
        }
    }
    build
        .args(["--quiet", "--locked", "--bins"])
        .args(["--config", "profile.dev.debug=false"])
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(root());
    done(&mut build)?;
    let machine = told(Command::new("rustc").arg("-vV"))?;
    let machine = machine.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(target
        .join(machine.ok_or("rustc names no machine")?)
        .join("debug"))
}

#[test]
fn the_program_needs_nothing_of_the_machine() {
    if !cases::are_here(PROGRAMS) {
        return;
    }
    let mut cases = Cases::new("how the program is linked");
    let judge = |file: &PathBuf| {
        let mut judge = Command::new(root().join(".ci/c-library"));
        judge.arg(file).output().map_err(|error| error.to_string())
    };
    if let Some(folder) = cases.must("they are built", linked_statically()) {
        let accounts = folder.join("jitsi-accounts");
        if let Some(said) = cases.must("it is looked at", judge(&accounts)) {
            let words = String::from_utf8_lossy(&said.stdout).into_owned();
            let free = said.status.success() && words.ends_with("needs no library\n");
            cases.holds("the account service needs no library", free, || words);
        }
        let said = alone(&accounts, &[&["--version"], &["serve", "--help"]]);
        if let Some(said) = cases.must("the account service starts alone", said) {
            let own = concat!("jitsi-accounts ", env!("CARGO_PKG_VERSION"), "\n");
            cases.same("its version", said[0].as_str(), own);
        }
        let program = folder.join("jitsi-install");
        if let Some(said) = cases.must("it is looked at", judge(&program)) {
            let words = String::from_utf8_lossy(&said.stdout).into_owned();
            let free = said.status.success() && words.ends_with("needs no library\n");
            cases.holds("it needs no library", free, || words);
        }
        starts_alone(&mut cases, &program);
    }
    // The program of these tests is linked in the plain way, by a newer system than the oldest one.
    let plain = PathBuf::from(env!("CARGO_BIN_EXE_jitsi-install"));
    let oldest = |version: &str| {
        Command::new(root().join(".ci/c-library"))
            .env("C_LIBRARY", version)
            .arg(&plain)
            .output()
            .map_err(|error| error.to_string())
    };
    if let Some(said) = cases.must("it is looked at", oldest("2.17")) {
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        let caught = said.status.code() == Some(1) && words.contains("is newer than 2.17");
        cases.holds("linked plainly it is caught", caught, || words);
    }
    if let Some(said) = cases.must("it is looked at", oldest("99.1")) {
        cases.holds("and not by chance", said.status.success(), || {
            format!("{said:?}")
        });
    }
    if let Some(said) = cases.must("it is looked at", judge(&root().join("release"))) {
        cases.same("what is no program is refused", said.status.code(), Some(1));
    }
    cases.finish();
}

/// What a program says in a root with nothing in it but itself.
fn alone(program: &PathBuf, lines: &[&[&str]]) -> Result<Vec<String>, String> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let there = place.path().join("program");
    fs::copy(program, &there).map_err(|error| error.to_string())?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&there, mode).map_err(|error| error.to_string())?;
    let mut said = Vec::new();
    for args in lines {
        let mut chroot = Command::new("unshare");
        chroot.args(["--user", "--map-root-user", "chroot"]);
        said.push(told(chroot.arg(place.path()).arg("/program").args(*args))?);
    }
    Ok(said)
}

fn starts_alone(cases: &mut Cases, program: &PathBuf) {
    let lines: [&[&str]; 3] = [&["--version"], &["package", "list"], &["init", "--help"]];
    let Some(said) = cases.must("it starts alone", alone(program, &lines)) else {
        return;
    };
    let own = concat!("jitsi-install ", env!("CARGO_PKG_VERSION"), "\n");
    cases.same("its version", said[0].as_str(), own);
    cases.holds("its catalogue", said[1].contains("jicofo"), || {
        said[1].clone()
    });
}
