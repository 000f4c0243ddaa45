//! `debian/`: built by dpkg-buildpackage around the program that these tests were built with, and
//! looked at by lintian, man and bash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cases::{self, Cases};
use super::root;
use super::shell::{done, told};

/// Programs that build and judge the package.
const PROGRAMS: &[&str] = &[
    "dpkg-buildpackage",
    "dh",
    "lintian",
    "python3",
    "man",
    "dpkg-deb",
    "strip",
];

/// What of the sources is no source.
const LEFT_OUT: [&str; 3] = ["./target", "./.git", "./tests/browser/node_modules"];

/// Can packages be built here?
pub(crate) fn is_open() -> bool {
    cases::are_here(PROGRAMS)
}

/// A package, and the folder that goes with it.
pub(crate) struct Built {
    place: tempfile::TempDir,
    pub(crate) deb: PathBuf,
    /// The account service's.
    pub(crate) accounts: PathBuf,
}

/// Builds the package from a copy of the tree; `version` is that of the changelog, or one more entry.
pub(crate) fn build(version: Option<&str>) -> Result<Built, String> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = place.path().join("jitsi-install");
    fs::create_dir(&copy).map_err(|error| error.to_string())?;
    let archive = place.path().join("sources.tar");
    let mut pack = Command::new("tar");
    pack.args(LEFT_OUT.map(|name| format!("--exclude={name}")));
    done(pack.arg("-C").arg(root()).arg("-cf").arg(&archive).arg("."))?;
    done(
        Command::new("tar")
            .arg("-C")
            .arg(&copy)
            .arg("-xf")
            .arg(&archive),
    )?;
    // as small as a program for packages is, which saves half of the time
    let stripped = |name: &str, built: &str| -> Result<PathBuf, String> {
        let program = place.path().join(name);
        let mut strip = Command::new("strip");
        done(strip.arg("-o").arg(&program).arg(built))?;
        Ok(program)
    };
    let program = stripped("program", env!("CARGO_BIN_EXE_jitsi-install"))?;
    let accounts = stripped("accounts", env!("CARGO_BIN_EXE_jitsi-accounts"))?;
    let mut options = "parallel=2".to_owned();
    if let Some(version) = version {
        let changelog = copy.join("debian/changelog");
        let older = fs::read_to_string(&changelog).map_err(|error| error.to_string())?;
        let entry = format!(
            "jitsi-install ({version}) unstable; urgency=medium\n\n  * The next one.\n\n \
             -- Somebody <somebody@example.org>  Mon, 23 Nov 2026 12:00:00 +0000\n\n"
        );
        fs::write(&changelog, entry + &older).map_err(|error| error.to_string())?;
        // the program says its own number, and only a release changes that
        options.push_str(" nocheck");
    }
    done(
        Command::new("dpkg-buildpackage")
            .args(["-us", "-uc", "-b", "-Ppkg.jitsi-install.nocargo"])
            .env("JITSI_INSTALL_BINARY", &program)
            .env("JITSI_ACCOUNTS_BINARY", &accounts)
            .env("DEB_BUILD_OPTIONS", options)
            .env("CARGO_NET_OFFLINE", "true")
            // These programs are large, and how well they are packed is not asked.
            .env("DPKG_DEB_COMPRESSOR_LEVEL", "1")
            .current_dir(&copy),
    )?;
    let named = |name: &str| starting_with(place.path(), name, ".deb");
    let (deb, accounts) = (named("jitsi-install_")?, named("jitsi-accounts_")?);
    Ok(Built {
        place,
        deb,
        accounts,
    })
}

/// The one file with such an ending.
fn ending_in(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    starting_with(folder, "", ending)
}

/// The one file with such a name.
fn starting_with(folder: &Path, start: &str, ending: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut found = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && name.ends_with(ending)
        });
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(format!("not one {ending} in {}", folder.display())),
    }
}

/// What is asked of a program's package.
struct Program {
    name: &'static str,
    /// Some of its man pages.
    pages: &'static [&'static str],
    /// The beginning of a verb, and the verb.
    verb: (&'static str, &'static str),
    /// At least so many files.
    files: usize,
}

const INSTALL: Program = Program {
    name: "jitsi-install",
    pages: &[
        "jitsi-install",
        "jitsi-install-renew",
        "jitsi-install-token-mint",
    ],
    verb: ("rol", "rollback"),
    files: 30,
};

const ACCOUNTS: Program = Program {
    name: "jitsi-accounts",
    pages: &[
        "jitsi-accounts",
        "jitsi-accounts-serve",
        "jitsi-accounts-users-add",
    ],
    verb: ("ser", "serve"),
    files: 15,
};

#[test]
fn our_own_debian_package() {
    if !is_open() {
        return;
    }
    let mut cases = Cases::new("our own Debian package");
    let Some(built) = cases.must("it is built", build(None)) else {
        return cases.finish();
    };
    let changes = ending_in(built.place.path(), ".changes");
    if let Some(changes) = cases.must("there is one list of changes", changes) {
        is_what_lintian_wants(&mut cases, &changes);
    }
    for (deb, program) in [(&built.deb, INSTALL), (&built.accounts, ACCOUNTS)] {
        let tree = built.place.path().join(program.name);
        let mut unpack = Command::new("dpkg-deb");
        let unpacked = done(unpack.arg("-x").arg(deb).arg(&tree));
        cases.must("it can be unpacked", unpacked);
        pages_can_be_read(&mut cases, &tree, &program);
        words_are_completed(&mut cases, &tree, &program);
        apply_owns_other_paths(&mut cases, deb, &program);
    }
    let bytes = |built: &Built| [fs::read(&built.deb).ok(), fs::read(&built.accounts).ok()];
    let again = build(None).map(|again| bytes(&again));
    cases.holds(
        "built again they are the same",
        again == Ok(bytes(&built)),
        String::new,
    );
    cases.finish();
}

fn is_what_lintian_wants(cases: &mut Cases, changes: &Path) {
    // The program of the tests is not linked statically, so that the override has nothing to do.
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error,warning", "--allow-root"]);
    cases.must("lintian has nothing against it", done(lintian.arg(changes)));
}

fn pages_can_be_read(cases: &mut Cases, tree: &Path, program: &Program) {
    let pages = tree.join("usr/share/man/man8");
    let names: Vec<String> = fs::read_dir(&pages)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let has = |name: &str| names.iter().any(|one| one == &format!("{name}.8.gz"));
    for name in program.pages {
        cases.holds(&format!("{name}(8) is there"), has(name), || {
            format!("{names:?}")
        });
    }
    for name in &names {
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(pages.join(name));
        man.env("MANWIDTH", "80")
            .env("MANPAGER", "cat")
            .env("LC_ALL", "C.UTF-8");
        let Some(output) = cases.must(name, done(&mut man)) else {
            continue;
        };
        let (shown, said) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8_lossy(&shown);
        cases.holds(name, shown.contains("SYNOPSIS") && said.is_empty(), || {
            format!("{said}{shown}")
        });
    }
}

fn words_are_completed(cases: &mut Cases, tree: &Path, program: &Program) {
    let (name, (typed, verb)) = (program.name, program.verb);
    let file = tree
        .join("usr/share/bash-completion/completions")
        .join(name);
    let line = format!(
        ". \"$1\"; set -- $(complete -p {name})\n\
         while [ \"$1\" != -F ]; do shift; done\n\
         COMP_WORDS=({name} {typed}) COMP_CWORD=1\n\
         \"$2\" {name} {typed} {name}; echo \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new("bash");
    let said = told(bash.args(["--norc", "-c", &line, "bash"]).arg(&file));
    if let Some(said) = cases.must("bash reads the completions", said) {
        cases.same("bash completes a verb", said.trim(), verb);
    }
    for (shell, place) in [
        ("zsh", format!("usr/share/zsh/vendor-completions/_{name}")),
        (
            "fish",
            format!("usr/share/fish/vendor_completions.d/{name}.fish"),
        ),
    ] {
        let file = tree.join(&place);
        let text = fs::read_to_string(&file).unwrap_or_default();
        cases.holds(shell, text.contains(verb), || format!("{place}: {text}"));
        if cases::find(shell).is_some() {
            let parsed = done(Command::new(shell).arg("-n").arg(&file));
            cases.must(&format!("{shell} reads its completions"), parsed);
        }
    }
}

/// What `apply` writes, in every example and on every Debian, is no path of the package.
fn apply_owns_other_paths(cases: &mut Cases, deb: &Path, program: &Program) {
    let listed = told(
        Command::new("sh")
            .args(["-c", "dpkg-deb --fsys-tarfile \"$1\" | tar -t", "sh"])
            .arg(deb),
    );
    let Some(listed) = cases.must("its files can be listed", listed) else {
        return;
    };
    let ours: Vec<&str> = listed
        .lines()
        .filter(|path| !path.ends_with('/'))
        .map(|path| path.trim_start_matches('.'))
        .collect();
    cases.holds("there are files", ours.len() > program.files, || {
        listed.clone()
    });
    let outside = ours.iter().find(|path| !path.starts_with("/usr/"));
    cases.same("everything is below /usr", outside, None);
    for example in fs::read_dir(root().join("tests/golden"))
        .into_iter()
        .flatten()
        .flatten()
    {
        for release in ["debian-12", "debian-13"] {
            let laid_out = example.path().join(release);
            let twice = ours
                .iter()
                .find(|path| laid_out.join(path.trim_start_matches('/')).exists());
            let name = laid_out.display().to_string();
            cases.holds(&name, laid_out.is_dir(), || "it is missing".to_owned());
            cases.same(&name, twice, None);
        }
    }
}
