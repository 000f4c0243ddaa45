//! Our own package for Slackware, by the script that a release runs, of archives in a release's form.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cases::Cases;
use super::deb::is_open;
use super::{root, shell::done};

/// Its time.
const TIME: &str = "1790000000";

/// The two programs, with files that their archives have beside what every one has.
const PROGRAMS: [(&str, &str, &str); 2] = [
    (
        "jitsi-install",
        env!("CARGO_BIN_EXE_jitsi-install"),
        "README.md CHANGELOG.md",
    ),
    (
        "jitsi-accounts",
        env!("CARGO_BIN_EXE_jitsi-accounts"),
        "docs/accounts.md",
    ),
];

/// Archives as `release` makes them, for both machines; the other's program is the same.
fn archives(folder: &Path, version: &str) -> Result<(), String> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (own, program, documents) in PROGRAMS {
        for machine in ["x86_64", "aarch64"] {
            let name = format!("{own}-{version}-{machine}");
            let script = format!(
                "mkdir -p {name}/sbin {name}/completions && strip -o {name}/sbin/{own} {program} && \
                 {program} --quiet man {name}/man && cd {name} && \
                 for shell in bash:{own}.bash zsh:_{own} fish:{own}.fish; do \
                 {program} completions ${{shell%:*}} > completions/${{shell#*:}}; done && \
                 for one in {documents} LICENSE-MIT LICENSE-APACHE; do cp {root}/$one .; done && cd .. && \
                 tar --sort=name --mtime=@{TIME} -cf - {name} | xz -1 > {folder}/{name}.tar.xz",
                root = root().display(),
                folder = folder.display(),
            );
            let mut command = Command::new("bash");
            done(command.args(["-ec", &script]).current_dir(place.path()))?;
        }
    }
    Ok(())
}

fn packed(folder: &Path, version: &str) -> Result<(), String> {
    let mut command = Command::new(root().join(".ci/own-package"));
    done(
        command
            .arg(env!("CARGO_BIN_EXE_jitsi-install"))
            .arg(folder)
            .arg(version)
            .env("SOURCE_DATE_EPOCH", TIME)
            .env("RELEASE_URL", "https://downloads.example.org/1"),
    )
    .map(drop)
}

#[test]
fn our_own_slackware_package() {
    if !is_open() {
        return;
    }
    let mut cases = Cases::new("our own package for Slackware");
    let version = env!("CARGO_PKG_VERSION");
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let machine = std::env::consts::ARCH;
    for folder in &folders {
        let done = archives(folder.path(), version).and_then(|()| packed(folder.path(), version));
        cases.must("the script of a release runs", done);
    }
    for (own, _, _) in PROGRAMS {
        of(
            &mut cases,
            &folders.each_ref().map(tempfile::TempDir::path),
            own,
            version,
            machine,
        );
    }
    cases.finish();
}

/// What became of one program.
fn of(cases: &mut Cases, folders: &[&Path; 2], own: &str, version: &str, machine: &str) {
    let name = format!("{own}-{version}-{machine}-1_ji.txz");
    let made = folders.map(|folder| fs::read(folder.join(&name)).ok());
    cases.holds("there is a package", made[0].is_some(), String::new);
    cases.holds(
        "it has the same bytes again",
        made[0] == made[1],
        String::new,
    );
    let folder = folders[0];
    let list = Command::new("tar")
        .arg("-tJf")
        .arg(folder.join(&name))
        .output();
    let list = list.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let list = list.unwrap_or_default();
    for path in [
        format!("usr/sbin/{own}"),
        format!("usr/man/man8/{own}-completions.8.gz"),
        format!("usr/share/bash-completion/completions/{own}"),
        "install/slack-desc".to_owned(),
        format!("usr/doc/{own}-{version}/LICENSE-MIT"),
    ] {
        let has = list.lines().any(|line| line == path);
        cases.holds(&path, has, || list.clone());
    }
    let verify = Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
        .args(["package", "verify", "--catalogue"])
        .arg(folder.join("catalogue.toml"))
        .arg(folder.join(&name))
        .output()
        .expect("it runs");
    cases.holds("it has no fault", verify.status.success(), || {
        String::from_utf8_lossy(&verify.stderr).into_owned()
    });
    let sbom = folder.join(name.replace(".txz", ".cdx.json"));
    cases.holds("its list lies beside it", sbom.is_file(), String::new);
    let recipe = folder.join("slackbuilds").join(own);
    let script = fs::read_to_string(recipe.join(format!("{own}.SlackBuild"))).unwrap_or_default();
    let info = fs::read_to_string(recipe.join(format!("{own}.info"))).unwrap_or_default();
    cases.holds(
        "the recipe has both machines",
        script.contains("aarch64"),
        || script.clone(),
    );
    let address = format!("https://downloads.example.org/1/{own}-{version}-x86_64.tar.xz");
    cases.holds("and where they lie", info.contains(&address), || {
        info.clone()
    });
    let checked = Command::new("shellcheck")
        .arg(recipe.join(format!("{own}.SlackBuild")))
        .output()
        .expect("shellcheck runs");
    cases.holds(
        "shellcheck has nothing to say",
        checked.status.success(),
        || String::from_utf8_lossy(&checked.stdout).into_owned(),
    );
}
