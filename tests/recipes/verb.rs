//! `package recipe` as it is typed.

use std::path::Path;
use std::process::{Command, Output};

fn recipe(arguments: &[&str], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
    command
        .args(["--root", "/", "package", "recipe"])
        .args(arguments)
        .arg("--out")
        .arg(out);
    command.env_remove("JITSI_INSTALL_CATALOGUE");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn it_writes_and_never_replaces_what_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let first = recipe(&["luasec"], out);
    assert!(first.status.success(), "{}", said(&first));
    assert!(
        said(&first).contains("luasec.SlackBuild"),
        "{}",
        said(&first)
    );
    let again = recipe(&["lua-sec"], out);
    assert!(
        again.status.success() && said(&again).contains("as it was"),
        "{}",
        said(&again)
    );

    let readme = out.join("luasec/README");
    std::fs::write(&readme, "mine\n").unwrap();
    // Of several recipes none is written when one would replace something.
    let refused = recipe(&["all"], out);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("luasec/README") && said(&refused).contains("--force"));
    assert!(!out.join("jicofo").exists());
    assert_eq!(std::fs::read_to_string(&readme).unwrap(), "mine\n");
    let forced = recipe(&["luasec", "--force"], out);
    assert!(forced.status.success() && std::fs::read_to_string(&readme).unwrap() != "mine\n");
}

#[test]
fn a_link_in_the_place_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    std::fs::write(&other, "theirs\n").unwrap();
    let own = folder.path().join("out/luasec");
    std::fs::create_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(&other, own.join("README")).unwrap();
    let out = folder.path().join("out");
    assert_eq!(recipe(&["luasec"], &out).status.code(), Some(1));
    assert!(recipe(&["luasec", "--force"], &out).status.success());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "theirs\n");
}

#[test]
fn json_and_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let output = recipe(
        &[
            "prosody",
            "--format",
            "debian",
            "--release",
            "13.0.6",
            "--json",
        ],
        folder.path(),
    );
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["recipes"][0]["version"], "13.0.6", "{told}");
    let changelog =
        std::fs::read_to_string(folder.path().join("prosody/debian/changelog")).unwrap();
    assert!(changelog.starts_with("prosody (13.0.6-1)"), "{changelog}");
    for (arguments, code, part) in [
        (&["nothing"][..], 64, "there is no piece `nothing`"),
        (
            &["prosody", "--release", "1"],
            64,
            "choose one of 0.12.6, 13.0.6",
        ),
        (&["all", "--release", "1"], 64, "--release is for one piece"),
        (&["lua", "--format", "debian"], 1, "Debian has this itself"),
    ] {
        let output = recipe(arguments, folder.path());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(part), "{}", said(&output));
    }
}
