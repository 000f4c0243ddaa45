//! Accounts that the real Prosody wrote, by its `prosodyctl`: plain, SHA-1 and SHA-256, as files
//! and in its SQL storage, with awkward names and passwords.

use std::path::Path;
use std::process::Command;

use jitsi_install::account::import::{from_prosody, from_prosody_sql};
use jitsi_install::account::{Origin, State};
use jitsi_install::desk::accounts_folder;

use crate::office::{Desk, notes, options, sums};
use crate::skip;

const HOSTS: &[(&str, &str)] = &[
    ("meet.example.org", "authentication = \"internal_hashed\""),
    (
        "sha256.example.org",
        "authentication = \"internal_hashed\" password_hash = \"SHA-256\"",
    ),
    ("plain.example.org", "authentication = \"internal_plain\""),
    (
        "auth.meet.example.org",
        "authentication = \"internal_hashed\"",
    ),
    (
        "sql.example.org",
        "authentication = \"internal_hashed\" storage = \"sql\"",
    ),
    (
        "sql256.example.org",
        "authentication = \"internal_hashed\" password_hash = \"SHA-256\" storage = \"sql\"",
    ),
    (
        "sqlplain.example.org",
        "authentication = \"internal_plain\" storage = \"sql\"",
    ),
    (
        "recorder.sql.example.org",
        "authentication = \"internal_hashed\" storage = \"sql\"",
    ),
];

/// Name as registered, its canonical form, password.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("ann", "ann", "C0rrect-horse-7"),
    ("Ben.B+c_d-e", "ben.b+c_d-e", "with a blank, and \"quotes\""),
    ("Bób", "bób", "pässwörd ½ ﬁ"),
    ("名前", "名前", "\u{1f434} battery staple"),
    ("STRASSE", "strasse", "back\\slash 'n' ]] --"),
    ("x%25y", "x%25y", "a\u{a0}b no-break"),
    ("admin", "admin", "somebody's name there"),
    ("bill", "bill", "the-first-of-two"),
    ("bi11", "bi11", "looks-like-the-first"),
];

struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    /// `None` where there is no Prosody.
    fn new() -> Option<Self> {
        if Command::new("prosodyctl").arg("--help").output().is_err() {
            skip("accounts of Prosody", "prosodyctl is missing");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let mut text = format!(
            "run_as_root = true\npidfile = \"{path}/pid\"\ndata_path = \"{path}/data\"\nstorage = \"internal\"\n\
             log = {{ error = \"{path}/error.log\" }}\nsql = {{ driver = \"SQLite3\", database = \"{path}/prosody.sqlite\" }}\n"
        );
        for (host, lines) in HOSTS {
            text += &format!("VirtualHost \"{host}\"\n{lines}\n");
        }
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("prosody.cfg.lua"), text).unwrap();
        Some(Self { folder })
    }

    fn register(&self, name: &str, host: &str, password: &str) {
        let mut command = Command::new("prosodyctl");
        if jitsi_install_is_root() {
            command.arg("--root");
        }
        let config = self.folder.path().join("prosody.cfg.lua");
        let output = command
            .args([
                "--config",
                config.to_str().unwrap(),
                "register",
                name,
                host,
                password,
            ])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !said.contains("Error:"),
            "{name}@{host}: {said}"
        );
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn sql(&self) -> String {
        format!("sqlite:{}/prosody.sqlite", self.folder.path().display())
    }
}

fn jitsi_install_is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

fn files(path: &Path) -> impl Iterator<Item = jitsi_install::account::import::prosody::File> {
    accounts_folder::files(path).unwrap()
}

#[tokio::test]
async fn a_folder_of_real_accounts() {
    let Some(server) = Server::new() else { return };
    for host in [
        "meet.example.org",
        "sha256.example.org",
        "plain.example.org",
    ] {
        for (name, _, password) in PEOPLE {
            server.register(name, host, password);
        }
    }
    server.register("focus", "auth.meet.example.org", "a-service");
    server.register("jvb", "meet.example.org", "a-service");
    for host in [
        "meet.example.org",
        "sha256.example.org",
        "plain.example.org",
    ] {
        let desk = Desk::new(&["SHA-1"]).await;
        let mut options = options(true);
        options.host = Some(host.into());
        let quiet = &mut |_: &_| ();
        let tried = from_prosody(&desk.office, files(&server.data()), &options, quiet)
            .await
            .unwrap();
        assert_eq!(sums(&tried), (9, 0, 0, 0), "{tried:#?}");
        assert!(desk.entries().await.is_empty(), "a dry run writes nothing");
        options.dry_run = false;
        let done = from_prosody(&desk.office, files(&server.data()), &options, quiet)
            .await
            .unwrap();
        assert_eq!(sums(&done), sums(&tried));
        assert_eq!(
            notes(&done.changed),
            ["bill: looks like the name of another account"]
        );
        assert_eq!(desk.entries().await.len(), 10, "one each and one for all");
        for (_, login, password) in PEOPLE {
            let account = desk.account(login).await;
            assert_eq!(
                (account.state, account.origin),
                (State::Active, Origin::Prosody)
            );
            desk.keeps_password(login, password).await;
        }
        let before = desk.entries().await;
        let again = from_prosody(&desk.office, files(&server.data()), &options, quiet)
            .await
            .unwrap();
        assert_eq!(sums(&again), (0, 9, 0, 0));
        assert_eq!(desk.entries().await, before, "a second run writes nothing");
        for (_, login, password) in PEOPLE {
            assert!(desk.signs_in(login, password).await);
        }
    }
    // All at once: the second and third of each name are told, and services stay where they are.
    let desk = Desk::new(&[]).await;
    let data = server.data();
    let done = from_prosody(&desk.office, files(&data), &options(false), &mut |_| ())
        .await
        .unwrap();
    assert_eq!((done.taken, done.refused.count), (9, 18));
    assert!(
        notes(&done.refused)[0].contains("comes to the name `"),
        "{done:#?}"
    );
    let alone = notes(&done.left_alone);
    assert_eq!(
        alone[0],
        "focus: `auth.meet.example.org` is a host of services"
    );
    assert_eq!(alone[1], "jvb: is the name of a service");
    // One folder of accounts by itself.
    let desk = Desk::new(&[]).await;
    let one = data.join("meet%2eexample%2eorg/accounts");
    let done = from_prosody(&desk.office, files(&one), &options(false), &mut |_| ())
        .await
        .unwrap();
    assert_eq!(done.taken, 9);
}

#[tokio::test]
async fn the_sql_storage_of_real_accounts() {
    let Some(server) = Server::new() else { return };
    for host in [
        "sql.example.org",
        "sql256.example.org",
        "sqlplain.example.org",
    ] {
        for (name, _, password) in PEOPLE {
            server.register(name, host, password);
        }
    }
    server.register("recorder", "recorder.sql.example.org", "a-service");
    for host in [
        "sql.example.org",
        "sql256.example.org",
        "sqlplain.example.org",
    ] {
        let desk = Desk::new(&["SHA-1", "SHA-256"]).await;
        let mut options = options(false);
        options.host = Some(host.into());
        let quiet = &mut |_: &_| ();
        let url = server.sql();
        let done = from_prosody_sql(&desk.office, &url, None, &options, quiet)
            .await
            .unwrap();
        assert_eq!(sums(&done), (9, 0, 0, 0), "{done:#?}");
        for (_, login, password) in PEOPLE {
            desk.keeps_password(login, password).await;
        }
        let again = from_prosody_sql(&desk.office, &url, None, &options, quiet)
            .await
            .unwrap();
        assert_eq!(sums(&again), (0, 9, 0, 0));
    }
    let desk = Desk::new(&[]).await;
    let done = from_prosody_sql(
        &desk.office,
        &server.sql(),
        None,
        &options(false),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert_eq!(
        (done.taken, done.refused.count, done.left_alone.count),
        (9, 18, 1)
    );
    // What is no such database says so.
    for url in [
        format!("sqlite:{}/nothing.sqlite", server.folder.path().display()),
        format!("sqlite:{}", desk.path("accounts.sqlite").display()),
        "oracle://x/y".to_owned(),
    ] {
        let failed = from_prosody_sql(&desk.office, &url, None, &options(true), &mut |_| ()).await;
        println!("{}", failed.unwrap_err());
    }
}
