//! What the tests of rendered files share: the examples, fixed secrets, and the programs that prove.
//!
//! Nothing is asserted here about a rendered file. A program that is missing is a line `SKIPPED:`,
//! and a failure when `CHECK_STRICT` is 1.
#![allow(
    dead_code,
    reason = "shared by several test programs, each of which uses its part"
)]

pub mod browser;
pub mod java;
pub mod servers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jitsi_install::secret::{CertifiedKey, Secret, Secrets};

/// The folder of Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `examples/*.toml`: its name without ending, and its text; sorted.
pub fn examples() -> Vec<(String, String)> {
    let mut examples: Vec<(String, String)> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    examples.sort();
    assert!(examples.len() >= 4, "where are the examples?");
    examples
}

/// A certificate with its key that look like PEM and are none.
pub fn dummy_pair(name: &str) -> CertifiedKey {
    CertifiedKey {
        certificate: format!(
            "-----BEGIN CERTIFICATE-----\nnot a certificate of {name}\n-----END CERTIFICATE-----\n"
        ),
        key: Secret::new(format!(
            "-----BEGIN DUMMY KEY-----\nnot a key of {name}\n-----END DUMMY KEY-----\n"
        )),
    }
}

/// The same secrets at every run.
pub fn fixed_secrets() -> Secrets {
    let word = |name: &str| Secret::new(format!("fixed-{name}-for-tests-0123456789abcdef"));
    Secrets {
        focus_password: word("focus-password"),
        jvb_password: word("jvb-password"),
        token_secret: word("token-secret"),
        keystore_password: word("keystore-password"),
        accounts_key: word("accounts-key"),
        accounts_prosody_key: word("accounts-prosody-key"),
        accounts_database_password: word("accounts-database-password"),
        accounts_reader_password: word("accounts-reader-password"),
        jvb_nickname: "00000000-0000-4000-8000-000000000000".to_owned(),
        auth_certificate: dummy_pair("auth.meet.example.org"),
        site_authority: dummy_pair("meet.example.org, authority"),
        site_certificate: dummy_pair("meet.example.org, self-signed"),
    }
}

/// A web application of three pages, with includes of the kind that upstream's have.
pub fn small_pages() -> BTreeMap<String, String> {
    let page = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    BTreeMap::from([
        page(
            "index.html",
            "<html><head><!--#include virtual=\"title.html\" -->\n\
             <script><!--#include virtual=\"/config.js\" --></script>\n\
             <script><!--#include virtual=\"/interface_config.js\" --></script>\n</head></html>\n",
        ),
        page("title.html", "<title>Jitsi Meet</title>"),
        page(
            "static/close.html",
            "<!--#include virtual=\"/title.html\" -->\n<p>Thank you.</p>\n",
        ),
    ])
}

/// Looks for a program; when it is missing, says so, or fails under `CHECK_STRICT=1`.
pub fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("`{name}` is not here (install {package})"));
    }
    found
}

/// Says that something is not proved.
pub fn skip(why: &str) {
    println!("SKIPPED: {why}");
    let strict = std::env::var("CHECK_STRICT").is_ok_and(|value| value == "1");
    assert!(!strict, "{why}, and CHECK_STRICT is 1");
}

/// What a program said, both streams together.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs a program to its end, without input.
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a program that must succeed, and gives its standard output.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        said(&output)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A user without rights, when root runs the tests: validators are not root's.
pub fn nobody() -> Option<nix::unistd::User> {
    nix::unistd::geteuid()
        .is_root()
        .then(|| nix::unistd::User::from_name("nobody").unwrap())
        .flatten()
}

/// A command that runs without rights.
pub fn unprivileged(program: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    if let Some(user) = nobody() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}
