//! How the programs are linked: as packages carry them, they need nothing of the machine. The last step
//! alone is taken here, with the flags of `cargo dist-build`, on the library that these tests are built
//! of: a whole build of its own takes minutes and changes nothing about that. `./release` looks at the
//! programs that it hands out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cases::{self, Cases};
use super::root;
use super::shell::{done, told};

/// Programs that link and look.
const PROGRAMS: &[&str] = &["rustc", "readelf", "chroot", "unshare"];

/// The flags that `cargo dist-build` gives to the compiler.
fn flags() -> Result<Vec<String>, String> {
    let file = fs::read_to_string(root().join(".cargo/config.toml"));
    let file: toml::Value =
        toml::from_str(&file.map_err(|error| error.to_string())?).map_err(|e| e.to_string())?;
    let words = file["alias"]["dist-build"].as_array().ok_or("no alias")?;
    let flags = words.iter().filter_map(toml::Value::as_str);
    let mut flags = flags.filter_map(|word| word.strip_prefix("build.rustflags="));
    let flags: toml::Value = toml::from_str(&format!("all = {}", flags.next().ok_or("no flags")?))
        .map_err(|error| error.to_string())?;
    let all = flags["all"].as_array().into_iter().flatten();
    Ok(all
        .filter_map(|flag| flag.as_str().map(str::to_owned))
        .collect())
}

/// Both programs, in a folder of their own, of the newest library that has both in it.
fn linked_statically(folder: &Path) -> Result<(), String> {
    let built = Path::new(env!("CARGO_BIN_EXE_jitsi-install"));
    let built = built.with_file_name("deps");
    let mut libraries: Vec<PathBuf> = fs::read_dir(&built)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libjitsi_install-") && name.ends_with(".rlib")
        })
        .collect();
    libraries.sort_by_key(|path| fs::metadata(path).and_then(|found| found.modified()).ok());
    let mut said = Err(format!("no library in {}", built.display()));
    for library in libraries.iter().rev() {
        said = link(library, &built, folder);
        if said.is_ok() {
            break;
        }
    }
    said
}

fn link(library: &Path, others: &Path, folder: &Path) -> Result<(), String> {
    let flags = flags()?;
    for name in ["jitsi-install", "jitsi-accounts"] {
        let mut link = Command::new("rustc");
        link.args(["--edition", "2024", "--crate-type", "bin", "--crate-name"])
            .arg(name.replace('-', "_"))
            .arg("--extern")
            .arg(format!("jitsi_install={}", library.display()))
            .arg("-L")
            .arg(format!("dependency={}", others.display()))
            .args(&flags)
            .arg("-o")
            .arg(folder.join(name))
            .arg(root().join(format!("src/bin/{name}.rs")));
        done(&mut link)?;
    }
    Ok(())
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
    let folder = tempfile::tempdir().expect("a folder");
    if cases
        .must("they are linked", linked_statically(folder.path()))
        .is_some()
    {
        let folder = folder.path();
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
    // By another process: what a test starts meanwhile would inherit it, open for writing, from ours.
    done(Command::new("cp").args([program, &there]))?;
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
