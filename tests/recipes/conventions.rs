//! The conventions of SlackBuilds.org's template for 15.0, and shells' own judgement.

use std::process::Command;

use jitsi_install::package::PackagePath;
use jitsi_install::package::catalogue::is_of_slackware;
use jitsi_install::package::recipe::{Form, Recipe};

use super::{catalogue, has, lay, recipes, run};

fn text<'a>(files: &'a Recipe, path: &str) -> &'a str {
    &files[&PackagePath::parse(path).unwrap()].1
}

/// Each in this order, at the beginning of a line.
const TEMPLATE: &[&str] = &[
    "#!/bin/bash",
    "cd \"$(dirname \"$0\")\" || exit 1",
    "CWD=$(pwd)",
    "PRGNAM=",
    "VERSION=${VERSION:-",
    "BUILD=${BUILD:-1}",
    "TAG=${TAG:-_SBo}",
    "PKGTYPE=${PKGTYPE:-tgz}",
    "if [ -n \"${PRINT_PACKAGE_NAME}\" ]; then",
    "TMP=${TMP:-/tmp/SBo}",
    "PKG=$TMP/package-$PRGNAM",
    "OUTPUT=${OUTPUT:-/tmp}",
    "set -e",
    "echo \"$SHA256  $SOURCES/$FILE\" | sha256sum --check",
    "rm -rf \"$PKG\"",
    "mkdir -p \"$TMP\" \"$PKG\" \"$OUTPUT\"",
    "cd \"$TMP\"",
    "rm -rf \"$PRGNAM-$VERSION\"",
    "chown -R root:root .",
    "find -L . \\",
    "mkdir -p \"$PKG$DOC\"",
    "cat \"$CWD/$PRGNAM.SlackBuild\" > \"$PKG$DOC/$PRGNAM.SlackBuild\"",
    "mkdir -p \"$PKG/install\"",
    "cat \"$CWD/slack-desc\" > \"$PKG/install/slack-desc\"",
    "cd \"$PKG\"",
    "/sbin/makepkg -l y -c n \"$OUTPUT/$PACKAGE\"",
];

#[test]
fn scripts_follow_the_template() {
    for (name, files) in recipes(Form::SlackBuild) {
        let script = text(&files, &format!("{name}.SlackBuild"));
        let mut lines = script.lines();
        for wanted in TEMPLATE {
            assert!(
                lines.any(|line| line.starts_with(wanted)),
                "{name}: no `{wanted}`, or too early"
            );
        }
        assert!(lines.next().is_none(), "{name}: something after makepkg");
        assert!(
            !script.contains("\n\n\n") && !script.contains('\t'),
            "{name}"
        );
        let has_doinst = files.keys().any(|path| path.as_str() == "doinst.sh");
        assert_eq!(has_doinst, script.contains("install/doinst.sh"), "{name}");
        let piece = catalogue();
        let piece = piece.piece(&name).unwrap();
        let is_noarch = script.contains("\nARCH=noarch\n");
        assert_eq!(is_noarch, !piece.style.is_for_one_machine(), "{name}");
        assert_eq!(
            script.contains("strip --strip-unneeded"),
            piece.style.compiles(),
            "{name}"
        );
        for path in &piece.config {
            let line = format!("{path}.new\n");
            assert!(
                script.contains(&format!("mv \"$PKG\"/{path} \"$PKG\"/{line}")),
                "{name}: {path}"
            );
            assert!(text(&files, "doinst.sh").contains(&line), "{name}: {path}");
        }
    }
}

#[test]
fn info_has_its_fields() {
    const KEYS: [&str; 10] = [
        "PRGNAM",
        "VERSION",
        "HOMEPAGE",
        "DOWNLOAD",
        "MD5SUM",
        "DOWNLOAD_x86_64",
        "MD5SUM_x86_64",
        "REQUIRES",
        "MAINTAINER",
        "EMAIL",
    ];
    let all = recipes(Form::SlackBuild);
    for (name, files) in &all {
        let info = text(files, &format!("{name}.info"));
        let fields: Vec<(&str, &str)> = info
            .lines()
            .map(|line| {
                let (key, value) = line
                    .split_once('=')
                    .unwrap_or_else(|| panic!("{name}: {line}"));
                let bare = value
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'));
                (key, bare.unwrap_or_else(|| panic!("{name}: {line}")))
            })
            .collect();
        let keys: Vec<_> = fields.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, KEYS, "{name}");
        let field = |key: &str| fields.iter().find(|(own, _)| *own == key).unwrap().1;
        assert_eq!(field("PRGNAM"), name);
        assert!(
            field("DOWNLOAD").starts_with("https://") || field("DOWNLOAD") == "UNSUPPORTED",
            "{name}"
        );
        for needed in field("REQUIRES").split_whitespace() {
            assert!(
                all.contains_key(needed) && !is_of_slackware(needed),
                "{name}: {needed}"
            );
        }
    }
}

#[test]
fn descriptions_fit_the_ruler() {
    for (name, files) in recipes(Form::SlackBuild) {
        let desc = text(&files, "slack-desc");
        let ruler = desc
            .lines()
            .find(|line| line.contains("handy-ruler"))
            .unwrap();
        assert_eq!(
            ruler.find('|'),
            Some(name.len()),
            "{name}: the ruler begins below the colon"
        );
        assert_eq!(ruler.len(), name.len() + 72, "{name}: {ruler}");
        let lines: Vec<_> = desc
            .lines()
            .filter(|line| line.starts_with(&format!("{name}:")))
            .collect();
        assert_eq!(lines.len(), 11, "{name}");
        assert!(lines[0].starts_with(&format!("{name}: {name} (")), "{name}");
        for line in lines {
            assert!(line.chars().count() <= ruler.len(), "{name}: {line}");
            assert!(
                line == format!("{name}:") || line.starts_with(&format!("{name}: ")),
                "{line}"
            );
        }
        // A description that was cut would end in the middle of a word.
        assert!(desc.contains("Homepage: https://"), "{name}");
        let readme = text(&files, "README");
        assert!(
            readme.lines().all(|line| line.chars().count() <= 80),
            "{name}"
        );
    }
}

#[test]
fn shells_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut bash = Vec::new();
    let mut sh = Vec::new();
    for (form, place) in [(Form::SlackBuild, "slackware"), (Form::Debian, "debian")] {
        for (name, files) in recipes(form) {
            let own = folder.path().join(place).join(&name);
            lay(&own, &files);
            for path in files.keys().map(PackagePath::as_str) {
                if path.ends_with(".SlackBuild") || path == "debian/build" {
                    bash.push(own.join(path));
                } else if path == "doinst.sh" {
                    sh.push(own.join(path));
                } else if path.starts_with("rc.") {
                    let first = std::fs::read_to_string(own.join(path)).unwrap();
                    let list = if first.starts_with("#!/bin/bash\n") {
                        &mut bash
                    } else {
                        &mut sh
                    };
                    list.push(own.join(path));
                }
            }
        }
    }
    assert!(bash.len() > 40 && sh.len() > 5);
    for script in &bash {
        run(Command::new("bash").arg("-n").arg(script));
    }
    if has("shellcheck", "recipes by shellcheck") {
        run(Command::new("shellcheck").args(["-s", "bash"]).args(&bash));
        run(Command::new("shellcheck").args(["-s", "sh"]).args(&sh));
    }
}
