//! Recipes: what `package recipe` writes is what `slackbuilds/` has, keeps the conventions of
//! SlackBuilds.org, carries no text of a catalogue into a shell, and builds.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test --test recipes`, then read the diff.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test looks at the disk itself, and says what it skips"
)]

mod built;
mod conventions;
mod hostile;
mod verb;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use jitsi_install::package::recipe::{self, Form, Recipe};
use jitsi_install::package::{Catalogue, Piece, Release};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn catalogue() -> Catalogue {
    Catalogue::own().expect("the own catalogue")
}

/// Every recipe of a form.
fn recipes(form: Form) -> BTreeMap<String, Recipe> {
    let catalogue = catalogue();
    let fits = |piece: &&Piece| form == Form::SlackBuild || !piece.slackware_only;
    // This program's own releases stand in no catalogue of its own.
    let pieces = catalogue.pieces.iter().filter(fits);
    let pieces = pieces.filter(|piece| !piece.releases.is_empty());
    pieces
        .map(|piece| {
            let release: &Release = piece.newest().expect("a release");
            let files = recipe::write(piece, release, form).expect("a recipe");
            (piece.name.clone(), files)
        })
        .collect()
}

/// Is there a program? Says so when not; a failure when nothing may be skipped.
fn has(program: &str, what: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(
            std::env::var("CHECK_STRICT").as_deref() != Ok("1"),
            "no `{program}`, and CHECK_STRICT=1"
        );
        println!("SKIPPED: {what}: no `{program}`");
    }
    found
}

/// A command that must succeed; what it said.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

/// Puts a recipe on the disk.
fn lay(folder: &Path, files: &Recipe) {
    for (path, (mode, text)) in files {
        let place = folder.join(path.as_str());
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("folders");
        std::fs::write(&place, text).expect("a file");
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(*mode)).expect("a mode");
    }
}

#[test]
fn slackbuilds_has_what_the_verb_writes() {
    let folder = root().join("slackbuilds");
    let all = recipes(Form::SlackBuild);
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        for (name, files) in &all {
            let own = folder.join(name);
            let _ = std::fs::remove_dir_all(&own);
            lay(&own, files);
        }
    }
    for (name, files) in &all {
        for (path, (mode, text)) in files {
            let place = folder.join(name).join(path.as_str());
            let found = std::fs::read_to_string(&place).unwrap_or_default();
            assert!(
                found == *text,
                "{} is another; UPDATE_GOLDEN=1",
                place.display()
            );
            let found = std::fs::metadata(&place).expect("it is there");
            let executable = found.permissions().mode() & 0o111 != 0;
            assert_eq!(executable, mode & 0o111 != 0, "{}", place.display());
        }
        let there = std::fs::read_dir(folder.join(name))
            .expect("its folder")
            .count();
        assert_eq!(
            there,
            files.len(),
            "something else is in slackbuilds/{name}"
        );
    }
    for entry in std::fs::read_dir(&folder).expect("slackbuilds") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_known =
            all.contains_key(&name) || ["README.md", "catalogue.toml"].contains(&name.as_str());
        assert!(is_known, "slackbuilds/{name} belongs to no piece");
    }
}
