//! docs/accounts-database.md is true: its statements make a database that the service can use,
//! and a role that reads one view.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jitsi_install::account::store::{Kind, Store};
use jitsi_install::secret::Secret;

use crate::databases::Server;
use crate::rooms::{add, person, runtime};

/// The block of statements with this head.
fn block(head: &str) -> String {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/accounts-database.md"
    ))
    .unwrap();
    let block = text.split_once(&format!("```sql {head}\n")).unwrap().1;
    block
        .split_once("```")
        .unwrap()
        .0
        .replace("192.0.2.%", "127.0.0.1")
}

#[test]
fn the_statements_of_the_page_make_a_database_and_a_reader() {
    for (kind, name, scheme) in [
        (Kind::MySql, "mariadb", "mysql"),
        (Kind::Postgres, "postgresql", "postgres"),
    ] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        // CREATE DATABASE stands alone in PostgreSQL.
        for statement in block(name).lines() {
            server.administer("", statement);
        }
        let url = format!(
            "{scheme}://jitsi_accounts@127.0.0.1:{}/jitsi_accounts",
            server.port
        );
        runtime().block_on(async {
            let store = Store::connect(&url, Some(&Secret::new("PASSWORD".to_owned())))
                .await
                .unwrap();
            add(&store, &[person("ann")]).await;
        });
        server.administer("jitsi_accounts", &block(&format!("{name} reader")));
        let read = |statement: &str| {
            catch_unwind(AssertUnwindSafe(|| {
                server.ask_as(
                    "jitsi_accounts_reader",
                    "OTHER-PASSWORD",
                    "jitsi_accounts",
                    statement,
                )
            }))
        };
        assert_eq!(
            read("SELECT username FROM prosody_login WHERE enabled = 1")
                .unwrap()
                .trim(),
            "ann"
        );
        for forbidden in [
            "SELECT email FROM accounts",
            "SELECT * FROM sessions",
            "SELECT * FROM audit",
            "UPDATE prosody_login SET password = ''",
            "DELETE FROM accounts",
            "CREATE TABLE mine (a BIGINT)",
        ] {
            // Since PostgreSQL 15 nobody may make tables in `public`; before, everybody might.
            let is_old = forbidden.starts_with("CREATE")
                && kind == Kind::Postgres
                && !server
                    .administer("", "SHOW server_version")
                    .starts_with(['1']);
            assert!(is_old || read(forbidden).is_err(), "{forbidden} on {name}");
        }
        server.stop();
    }
}
