//! A site with the real Django and django-registration-redux: every kind of hash, states, roles,
//! groups and dates, and names and addresses that do not fit.

use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;

use jitsi_install::account::import::{Report, from_django};
use jitsi_install::account::store::Kind;
use jitsi_install::account::{Origin, Role, State};
use jitsi_install::secret::Secret;
use serde::Deserialize;

use crate::databases::Database;
use crate::office::{Desk, notes, options, sums};
use crate::skip;

#[derive(Deserialize)]
pub struct Person {
    name: String,
    password: Option<String>,
    hasher: String,
}

/// Lets Django make and fill a database; `None` where it is missing.
fn fill(arguments: &[&str]) -> Option<Vec<Person>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/django/bin/python");
    if !python.exists() {
        skip(
            "accounts of Django",
            "target/django is missing; ./check makes it",
        );
        return None;
    }
    let output = Command::new(python)
        .arg(root.join("tests/imports/django_site.py"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

#[tokio::test]
async fn a_site_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("db.sqlite3");
    let Some(people) = fill(&["sqlite3", file.to_str().unwrap()]) else {
        return;
    };
    taken_over(&format!("sqlite:{}", file.display()), None, &people).await;
}

#[tokio::test]
async fn a_site_on_mariadb() {
    a_site_on(Kind::MySql, "mysql").await;
}

#[tokio::test]
async fn a_site_on_postgresql() {
    a_site_on(Kind::Postgres, "postgresql").await;
}

async fn a_site_on(kind: Kind, engine: &str) {
    let Some(database) = Database::fresh(kind) else {
        return;
    };
    let url = sqlx::any::AnyConnectOptions::from_str(&database.url).unwrap();
    let url = url.database_url;
    let password = database.password.as_ref().map(|p| p.reveal().clone());
    let Some(people) = fill(&[
        engine,
        url.path().trim_matches('/'),
        url.host_str().unwrap(),
        &url.port().unwrap().to_string(),
        url.username(),
        &password.unwrap_or_default(),
    ]) else {
        return;
    };
    taken_over(&database.url, database.password.as_ref(), &people).await;
}

/// Imports it dry, wet and again, and asks for everybody.
async fn taken_over(url: &str, password: Option<&Secret<String>>, people: &[Person]) {
    let desk = Desk::new(&["SHA-1", "SHA-256"]).await;
    let import = async |dry_run| -> Report {
        let options = options(dry_run);
        from_django(&desk.office, url, password, &options, &mut |_| ())
            .await
            .unwrap()
    };
    let tried = import(true).await;
    assert!(desk.entries().await.is_empty());
    let done = import(false).await;
    assert_eq!(sums(&done), sums(&tried));
    assert_eq!(done.seen, people.len() as u64);
    // Four of MD5 and one without a password; `Twin` and `odd@example.org` are not taken.
    assert_eq!(sums(&done), (people.len() as u64 - 2, 0, 2, 5), "{done:#?}");
    let refused = notes(&done.refused);
    assert!(
        refused[0].starts_with("Twin: comes to the name `twin`, and so does auth_user:"),
        "{refused:?}"
    );
    assert_eq!(
        refused[1],
        "odd@example.org: the name has a character that a name may not have"
    );
    assert_eq!(notes(&done.renamed), ["Chief: is `chief` here"]);
    let changed = notes(&done.changed);
    assert!(
        changed.iter().any(|note| note
            .starts_with("twin: without its e-mail address `chief@example.ORG`: auth_user:")),
        "{changed:?}"
    );
    assert!(
        changed.contains(
            &"mail: without its e-mail address `not an address`: it has no `@`".to_owned()
        ),
        "{changed:?}"
    );

    let chief = desk.account("chief").await;
    assert_eq!(
        (chief.role, chief.state, chief.origin),
        (Role::Admin, State::Active, Origin::Django)
    );
    assert_eq!(chief.email.as_deref(), Some("Chief@Example.org"));
    assert_eq!(chief.display_name, "Ann Smith");
    assert_eq!((chief.created, chief.last_seen), (1_704_164_645, None));
    let groups = desk.office.store.groups_of(&chief.id).await.unwrap();
    assert_eq!(
        groups
            .iter()
            .map(|group| group.name.as_str())
            .collect::<Vec<_>>(),
        ["Choir é"]
    );
    let helper = desk.account("helper").await;
    assert_eq!(
        (helper.role, helper.last_seen),
        (Role::Approver, Some(1_704_164_645))
    );
    for (name, state) in [
        ("unconfirmed", State::Unconfirmed),
        ("waiting", State::Pending),
        ("member", State::Active),
        ("barred", State::Suspended),
        ("switched-off", State::Suspended),
    ] {
        assert_eq!(desk.account(name).await.state, state, "{name}");
    }
    let entries = desk.entries().await;
    assert!(entries.iter().any(|entry| {
        entry.starts_with("cli:root import.taken chief from auth_user:")
            && entry.ends_with(", as admin")
    }));

    for person in people {
        let login = person.name.to_lowercase();
        // Hashes are the same whatever the database; all of them are asked for once.
        let asked = url.starts_with("sqlite:") || !person.name.ends_with(['1', '2', '3']);
        if person.name == "Twin" || person.name.contains('@') || !asked {
            continue;
        }
        match (&person.password, person.hasher.as_str()) {
            (Some(password), "md5") => assert!(!desk.signs_in(&login, password).await),
            (None, _) => assert!(!desk.signs_in(&login, "").await),
            // bcrypt looks at the first 72 bytes only; the first sign-in ends that.
            (Some(password), "bcrypt") if password.len() > 72 => {
                assert!(desk.signs_in(&login, password).await);
                assert!(!desk.signs_in(&login, &password[..100]).await);
            }
            (Some(password), _) => desk.keeps_password(&login, password).await,
        }
    }
    assert_eq!(
        sums(&import(false).await),
        (0, people.len() as u64 - 2, 2, 0)
    );
}
