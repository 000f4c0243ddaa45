//! What the tests share: a chosen clock, chance, and accounts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jitsi_install::account::login::Login;
use jitsi_install::account::password::Keys;
use jitsi_install::account::store::{Kind, NewAccount, Store};
use jitsi_install::account::{AccountId, Origin, Role, State, World};
use jitsi_install::secret::Secret;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::databases::{Database, KINDS};

/// When tests begin, Unix seconds.
pub const NOW: i64 = 1_800_000_000;

/// A clock that stands until it is moved, and chance that counts.
pub struct Toy {
    pub millis: AtomicI64,
    next: AtomicU64,
}

impl Toy {
    pub fn world() -> Arc<dyn World> {
        Arc::new(Self {
            millis: AtomicI64::new(NOW * 1000),
            next: AtomicU64::new(1),
        })
    }
}

impl World for Toy {
    fn millis(&self) -> i64 {
        self.millis.fetch_add(1, Ordering::Relaxed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let place = bytes.len() - number.len();
        bytes[place..].copy_from_slice(&number);
    }
}

/// Runs a test on every kind of database that is installed.
pub fn everywhere<F: Future<Output = ()>>(test: impl Fn(Database) -> F) {
    for kind in KINDS {
        if let Some(database) = Database::fresh(kind) {
            println!("on {}", kind.name());
            runtime().block_on(test(database));
        }
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Somebody active, with a password.
pub fn person(login: &str) -> NewAccount {
    let name = Login::from_store(login.into());
    NewAccount {
        id: AccountId(format!("id-{login}")),
        login_skeleton: name.skeleton(),
        login: name,
        email: Some(format!("{login}@Example.org")),
        display_name: format!("{login} Person"),
        state: State::Active,
        role: Role::Member,
        language: "en".into(),
        origin: Origin::Signup,
        reason: String::new(),
        created: NOW,
        keys: Some(keys("first")),
        stamp: "stamp".into(),
    }
}

/// What is kept of a password that has this word's digests for hashes.
pub fn keys(word: &str) -> Keys {
    let argon = STANDARD_NO_PAD.encode(Sha256::digest(word));
    let scram = STANDARD.encode(Sha1::digest(word));
    Keys {
        hash: Secret::new(format!(
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${argon}"
        )),
        scram_sha_1: Some(Secret::new(format!("10000$c2FsdA==${scram}${scram}"))),
        scram_sha_256: None,
    }
}

/// Adds people.
pub async fn add(store: &Store, people: &[NewAccount]) {
    let work = store.begin().await.unwrap();
    for person in people {
        work.add_account(person).await.unwrap();
    }
    work.commit().await.unwrap();
}

/// Whether this kind has rules that keep the audit trail as it is.
pub fn keeps_audit(kind: Kind) -> bool {
    kind != Kind::MySql
}
