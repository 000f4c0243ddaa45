//! Tables that are moved forward, and those that are not ours to move.

use jitsi_install::account::store::migrate::{MIGRATIONS, Migration};
use jitsi_install::account::store::{Error, Kind, Store};

use crate::databases::Database;
use crate::rooms::{add, everywhere, person};

/// Two steps that a later version may have.
const LATER: [Migration; 2] = [
    Migration {
        number: 2,
        name: "pronouns",
        text: "ALTER TABLE accounts ADD COLUMN pronouns VARCHAR(40);\nUPDATE accounts SET pronouns = 'they' WHERE pronouns IS NULL;\nCREATE INDEX accounts_pronouns ON accounts (pronouns);\n",
    },
    Migration {
        number: 3,
        name: "rooms",
        text: "-- Rooms.\nCREATE TABLE rooms (\n    name VARCHAR(100) NOT NULL,\n    PRIMARY KEY (name)\n) WITHOUT ROWID;\n",
    },
];

fn known(until: usize) -> Vec<Migration> {
    MIGRATIONS
        .iter()
        .chain(&LATER)
        .take(until)
        .copied()
        .collect()
}

#[test]
fn an_older_database_is_moved_forward_with_its_people() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        let newer = MIGRATIONS.len() + LATER.len();
        store.migrate(&known(newer)).await.unwrap();
        store.migrate(&known(newer)).await.unwrap();
        let rows = database.administer("SELECT pronouns FROM accounts WHERE login = 'ann'");
        assert_eq!(rows.trim(), "they");
        assert_eq!(
            database.administer("SELECT COUNT(*) FROM rooms").trim(),
            "0"
        );
        // This version does not know what the later one did.
        let error = Store::connect(&database.url, database.password.as_ref())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Tables { why, .. } if why.contains("newer version") && why.contains("pronouns")),
            "{error}"
        );
        assert!(error.to_string().contains("hint: "), "{error}");
    });
}

#[test]
fn another_text_under_the_same_number_is_refused() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let other = Migration {
            text: "CREATE TABLE accounts (id BIGINT);\n",
            ..MIGRATIONS[0]
        };
        let error = store.migrate(&[other]).await.unwrap_err();
        assert!(
            matches!(&error, Error::Tables { why, .. } if why.contains("another text")),
            "{error}"
        );
    });
}

#[test]
fn a_step_that_fails_says_so_and_can_be_taken_again() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("ann")]).await;
        // The table that the third statement makes is there already.
        database.administer("CREATE TABLE wall (a BIGINT)");
        let text = "ALTER TABLE accounts ADD COLUMN hat VARCHAR(40);\nUPDATE accounts SET hat = 'red';\nCREATE TABLE wall (\n    a BIGINT\n);\nCREATE INDEX accounts_hat ON accounts (hat);\n";
        let mut steps = known(MIGRATIONS.len());
        steps.push(Migration {
            number: steps.len() as i64 + 1,
            name: "hats",
            text,
        });
        let error = store.migrate(&steps).await.unwrap_err();
        assert!(
            matches!(&error, Error::Tables { why, .. } if why.contains("(hats)")),
            "{error:?}"
        );
        if database.kind != Kind::MySql {
            // All of it was taken back: this version goes on.
            drop(database.connect().await);
            assert_eq!(
                database
                    .administer("SELECT COUNT(*) FROM migrations")
                    .trim(),
                MIGRATIONS.len().to_string()
            );
            database.administer("DROP TABLE wall");
        }
        // MariaDB cannot take DDL back. It was about to make the table when it failed, and goes on
        // there, since the table may be its own.
        store.migrate(&steps).await.unwrap();
        assert_eq!(
            database.administer("SELECT hat FROM accounts").trim(),
            "red"
        );
        assert_eq!(database.administer("SELECT COUNT(*) FROM wall").trim(), "0");
        store.migrate(&steps).await.unwrap();
    });
}

#[test]
fn a_database_that_does_not_fit_is_told_so() {
    let sqlite = Database::fresh(Kind::Sqlite).unwrap();
    crate::rooms::runtime().block_on(async {
        std::fs::write(
            &sqlite.name,
            "this is a text and no database, long enough to have a head of its own; ".repeat(20),
        )
        .unwrap();
        let error = Store::connect(&sqlite.url, None).await.unwrap_err();
        assert!(matches!(error, Error::Down { .. }), "{error:?}");
        assert!(error.to_string().contains(&sqlite.url), "{error}");
        let error = Store::connect("sqlite:/no/such/folder/accounts.sqlite", None)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Down { .. }), "{error:?}");
        if let Some(mariadb) = Database::fresh(Kind::MySql) {
            mariadb.administer(&format!(
                "ALTER DATABASE {} CHARACTER SET latin1",
                mariadb.name
            ));
            let error = Store::connect(&mariadb.url, mariadb.password.as_ref())
                .await
                .unwrap_err();
            assert!(
                matches!(&error, Error::Unfit { why, .. } if why.contains("latin1")),
                "{error:?}"
            );
        }
        for kind in [Kind::MySql, Kind::Postgres] {
            let Some(database) = Database::fresh(kind) else {
                continue;
            };
            let wrong = jitsi_install::secret::Secret::new("wrong-hunter2".to_owned());
            let error = Store::connect(&database.url, Some(&wrong))
                .await
                .unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(error.to_string().contains(&database.url), "{error}");
        }
    });
}

#[test]
fn the_file_of_sqlite_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let sqlite = Database::fresh(Kind::Sqlite).unwrap();
    crate::rooms::runtime().block_on(async {
        let store = sqlite.connect().await;
        add(&store, &[person("ann")]).await;
        for suffix in ["", "-wal", "-shm"] {
            let mode = std::fs::metadata(format!("{}{suffix}", sqlite.name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o137, 0, "{suffix} {mode:o}");
        }
    });
}
