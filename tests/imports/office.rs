//! An office on SQLite in a folder of its own, and questions about what was imported.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jitsi_install::account::import::{Options, Report};
use jitsi_install::account::password::{Hasher, Verdict};
use jitsi_install::account::seal::Seal;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::Store;
use jitsi_install::account::{Account, Actor, Office, World};
use jitsi_install::secret::Secret;

use crate::databases::elsewhere::comes_back;

/// The real clock, a step further at each look, and real chance.
struct Real(AtomicI64);

impl World for Real {
    fn millis(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

pub struct Desk {
    pub folder: tempfile::TempDir,
    pub office: Office,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let file = self.path("accounts.sqlite");
        comes_back(&format!("sqlite:{}", file.display()), None);
    }
}

impl Desk {
    /// With SCRAM keys of these kinds kept.
    pub async fn new(scram: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.sqlite");
        let url = format!("sqlite:{}", file.display());
        let settings = format!(
            "schema = 1\npublic_url = \"https://meet.example.org/accounts\"\n\
             [passwords]\nargon2_memory = 1024\nconcurrent = 2\nscram = {scram:?}\n"
        );
        let settings: Arc<Settings> = Arc::new(toml::from_str(&settings).unwrap());
        let passwords = Arc::new(settings.passwords.clone());
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let office = Office {
            store: Store::connect(&url, None).await.unwrap(),
            world: Arc::new(Real(AtomicI64::new(now.as_millis() as i64))),
            hasher: Hasher::new(passwords),
            policy: Arc::default(),
            seal: Seal::new(&[7; 32]),
            settings,
            texts: Arc::default(),
        };
        Self { folder, office }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn account(&self, login: &str) -> Account {
        let found = self.office.store.account_by_login(login).await.unwrap();
        found.unwrap_or_else(|| panic!("`{login}` was not imported"))
    }

    /// Whether a password is right; keys that are to be kept instead are kept.
    pub async fn signs_in(&self, login: &str, password: &str) -> bool {
        let store = &self.office.store;
        let found = store.sign_in_by_login(login).await.unwrap();
        let (account, credentials) = found.unwrap_or_else(|| panic!("`{login}` is not there"));
        let password = Secret::new(password.to_owned());
        let keys = credentials.keys;
        let verdict = self.office.hasher.check(&password, keys.as_ref()).await;
        match verdict.unwrap() {
            Verdict::Wrong => false,
            Verdict::Right(newer) => {
                if let Some(newer) = newer {
                    let work = store.begin().await.unwrap();
                    let old = keys.as_ref().unwrap();
                    assert!(work.upgrade_keys(&account.id, old, &newer).await.unwrap());
                    work.commit().await.unwrap();
                }
                true
            }
        }
    }

    /// The old password is right, another is not; the first sign-in brings the keys up to date,
    /// and with these it is the same.
    pub async fn keeps_password(&self, login: &str, password: &str) {
        let shorter: String = password.chars().skip(1).collect();
        for wrong in ["", &shorter] {
            assert!(!self.signs_in(login, wrong).await, "{login} by {wrong:?}");
        }
        assert!(self.signs_in(login, password).await, "{login}");
        let found = self.office.store.sign_in_by_login(login).await.unwrap();
        let keys = found.unwrap().1.keys.unwrap();
        let hash = keys.hash.reveal();
        assert!(
            hash.starts_with("$argon2id$v=19$m=1024,t=2,p=1$"),
            "{login} {hash}"
        );
        let wanted = &self.office.settings.passwords;
        assert_eq!(keys.scram_sha_1.is_some(), wanted.wants_scram("SHA-1"));
        assert_eq!(keys.scram_sha_256.is_some(), wanted.wants_scram("SHA-256"));
        assert!(!self.signs_in(login, "wrong").await);
        let typed = Secret::new(password.to_owned());
        let again = self.office.hasher.check(&typed, Some(&keys)).await.unwrap();
        assert_eq!(again, Verdict::Right(None), "{login}");
    }

    pub async fn entries(&self) -> Vec<String> {
        let filter = jitsi_install::account::store::AuditFilter::default();
        let page = self.office.store.audit(&filter, None, 1000).await.unwrap();
        let line = |written: jitsi_install::account::audit::Written| {
            let entry = written.entry;
            format!(
                "{} {} {} {}",
                written.actor_name, entry.action, entry.target_name, entry.detail
            )
        };
        page.rows.into_iter().map(line).collect()
    }
}

pub fn options(dry_run: bool) -> Options {
    Options {
        dry_run,
        actor: Actor {
            name: "cli:root".into(),
            ..Actor::default()
        },
        ..Options::default()
    }
}

/// Names and what is said of them.
pub fn notes(notes: &jitsi_install::account::import::Notes) -> Vec<String> {
    let line =
        |note: &jitsi_install::account::import::Note| format!("{}: {}", note.name, note.what);
    notes.listed.iter().map(line).collect()
}

pub fn sums(report: &Report) -> (u64, u64, u64, u64) {
    (
        report.taken,
        report.already,
        report.refused.count,
        report.must_reset.count,
    )
}
