//! Tests that were written for SQLite, run on the servers too. A test's house asks for
//! [`fresh`], which gives a database of the kind that the test was called for. Whatever was done
//! in it, at its end an export of it can be restored.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use jitsi_install::account::store::{Kind, Store};
use jitsi_install::secret::Secret;

use super::{Database, Server};

thread_local! {
    static KIND: Cell<Kind> = const { Cell::new(Kind::Sqlite) };
}

/// An empty database of the kind that this test runs on: SQLite, unless it was called by [`on`].
pub fn fresh() -> Lived {
    Lived {
        database: Database::fresh(KIND.get()).expect("its server runs: `on` has asked for it"),
        has_foreign_rows: AtomicBool::new(false),
    }
}

/// A database in which something happened. It is looked at when its test is over.
pub struct Lived {
    database: Database,
    has_foreign_rows: AtomicBool,
}

impl Lived {
    /// What the test writes past the acts is nothing that they let in: it is not looked at.
    pub fn gets_foreign_rows(&self) {
        self.has_foreign_rows.store(true, Ordering::Relaxed);
    }
}

impl Deref for Lived {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Drop for Lived {
    fn drop(&mut self) {
        if !*self.has_foreign_rows.get_mut() {
            comes_back(&self.database.url, self.database.password.as_ref());
        }
    }
}

/// Whatever a test did in a database, an export of it can be restored. Nothing is asked when the
/// test has failed already.
pub fn comes_back(url: &str, password: Option<&Secret<String>>) {
    if std::thread::panicking() {
        return;
    }
    // A thread of its own: most tests end within a runtime, where none may wait for another.
    let look = || {
        let mut out = Vec::new();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let store = Store::connect(url, password).await.unwrap();
            store.export(&mut out).await.unwrap();
        });
        Store::check_export(&mut &out[..])
    };
    let checked = std::thread::scope(|scope| scope.spawn(look).join().unwrap());
    assert!(
        checked.is_ok(),
        "its export cannot be restored: {checked:?}"
    );
}

/// Whether nobody else uses this test's database: SQLite's file.
pub fn is_alone() -> bool {
    KIND.get() == Kind::Sqlite
}

/// Runs a test with databases of a kind; not at all where its server is not installed.
pub fn on(kind: Kind, test: fn()) {
    if Server::shared(kind).is_some() {
        KIND.set(kind);
        test();
    }
}

#[allow(
    unused_macros,
    reason = "for those who run tests of SQLite's elsewhere"
)]
/// Makes a test `mariadb::NAME` and a test `postgres::NAME` of every test `ROOM::NAME`.
macro_rules! elsewhere {
    ($($room:ident: $($test:ident)*;)*) => {
        /// What runs elsewhere, too.
        pub const ELSEWHERE: &[&str] = &[$($(stringify!($test)),*),*];

        mod mariadb {
            $($(#[test]
            fn $test() {
                let kind = jitsi_install::account::store::Kind::MySql;
                crate::databases::elsewhere::on(kind, crate::$room::$test);
            })*)*
        }

        mod postgres {
            $($(#[test]
            fn $test() {
                let kind = jitsi_install::account::store::Kind::Postgres;
                crate::databases::elsewhere::on(kind, crate::$room::$test);
            })*)*
        }
    };
}

#[allow(unused_imports, reason = "the same")]
pub(crate) use elsewhere;

/// Names in a folder of sources every test that is not in a list: a new one must not be forgotten.
pub fn forgotten(folder: &str, listed: &[&str]) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for piece in text.split("#[tokio::test]\n").skip(1) {
            let name = piece.trim_start().trim_start_matches("pub async fn ");
            let name = name.split('(').next().unwrap();
            if !listed.contains(&name) {
                missing.push(name.to_owned());
            }
        }
    }
    missing
}
