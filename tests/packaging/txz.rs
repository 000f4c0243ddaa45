//! Our own package for Slackware, by the script that a release runs, of archives in a release's form.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cases::Cases;
use super::deb::is_open;
use super::{root, shell::done};

/// Its time.
const TIME: &str = "1790000000";

/// Archives as `release` makes them, for both machines; the other's program is the same.
fn archives(folder: &Path, version: &str) -> Result<(), String> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = env!("CARGO_BIN_EXE_jitsi-install");
    for machine in ["x86_64", "aarch64"] {
        let name = format!("jitsi-install-{version}-{machine}");
        let script = format!(
            "mkdir -p {name}/sbin {name}/completions && strip -o {name}/sbin/jitsi-install {program} && \
             {program} --quiet man {name}/man && cd {name} && \
             for shell in bash:jitsi-install.bash zsh:_jitsi-install fish:jitsi-install.fish; do \
             {program} completions ${{shell%:*}} > completions/${{shell#*:}}; done && \
             cp {root}/README.md {root}/CHANGELOG.md {root}/LICENSE-* . && cd .. && \
             tar --sort=name --mtime=@{TIME} -cf - {name} | xz -1 > {folder}/{name}.tar.xz",
            root = root().display(),
            folder = folder.display(),
        );
        let mut command = Command::new("bash");
        done(command.args(["-ec", &script]).current_dir(place.path()))?;
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
    let name = format!("jitsi-install-{version}-{machine}-1_ji.txz");
    let made: Vec<Option<Vec<u8>>> = folders
        .iter()
        .map(|folder| {
            let done =
                archives(folder.path(), version).and_then(|()| packed(folder.path(), version));
            cases.must("the script of a release runs", done)?;
            fs::read(folder.path().join(&name)).ok()
        })
        .collect();
    cases.holds("there is a package", made[0].is_some(), String::new);
    cases.holds(
        "it has the same bytes again",
        made[0] == made[1],
        String::new,
    );
    let folder = folders[0].path();
    let list = Command::new("tar")
        .arg("-tJf")
        .arg(folder.join(&name))
        .output();
    let list = list.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let list = list.unwrap_or_default();
    let doc = format!("usr/doc/jitsi-install-{version}/README.md");
    for path in [
        "usr/sbin/jitsi-install",
        "usr/man/man8/jitsi-install-apply.8.gz",
        "usr/share/bash-completion/completions/jitsi-install",
        "install/slack-desc",
        doc.as_str(),
    ] {
        let has = list.lines().any(|line| line == path);
        cases.holds(path, has, || list.clone());
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
    let recipe = folder.join("slackbuilds/jitsi-install");
    let script = fs::read_to_string(recipe.join("jitsi-install.SlackBuild")).unwrap_or_default();
    let info = fs::read_to_string(recipe.join("jitsi-install.info")).unwrap_or_default();
    cases.holds(
        "the recipe has both machines",
        script.contains("aarch64"),
        || script.clone(),
    );
    let address = format!("https://downloads.example.org/1/jitsi-install-{version}-x86_64.tar.xz");
    cases.holds("and where they lie", info.contains(&address), || {
        info.clone()
    });
    let checked = Command::new("shellcheck")
        .arg(recipe.join("jitsi-install.SlackBuild"))
        .output()
        .expect("shellcheck runs");
    cases.holds(
        "shellcheck has nothing to say",
        checked.status.success(),
        || String::from_utf8_lossy(&checked.stdout).into_owned(),
    );
    cases.finish();
}
