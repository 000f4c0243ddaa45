//! A service for bodies that need one: an office on a SQLite file that lasts as long as this
//! program, with a clock and a chance that are the same in each run.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, header};
use jitsi_install::account::act::{check, decide, session};
use jitsi_install::account::login::Login;
use jitsi_install::account::password::{Hasher, Keys};
use jitsi_install::account::seal::Seal;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::{AuditFilter, NewAccount, Restored, Store};
use jitsi_install::account::text::Texts;
use jitsi_install::account::{Account, Actor, Office, Origin, Role, State, World};
use jitsi_install::web::{self, App, Peer};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const SETTINGS: &str = "schema = 1\npublic_url = \"https://meet.example.org/accounts\"\n\
     trusted_proxies = [\"127.0.0.1\"]\n[passwords]\nargon2_memory = 7168\nargon2_passes = 1\n";

/// Nobody's password.
const HASH: &str =
    "scram_sha_1$409$c2FsdA==$D25Gm34wT/sVobqswUaIe20jYLE=$WchSHKBAOljPT2a6s0bHMiMkJvg=";

/// Each look is a millisecond later; chance is the same in each run.
struct Clock(AtomicI64, AtomicU64);

impl World for Clock {
    fn millis(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let drawn = self.1.fetch_add(1, Ordering::SeqCst);
            let digest = Sha256::digest(format!("chance {drawn}"));
            part.copy_from_slice(&digest[..part.len()]);
        }
    }
}

/// The service.
pub struct House {
    runtime: Runtime,
    pub office: Office,
    router: Router,
    folder: PathBuf,
    /// Who is signed in with which role, anew when a request took the account away.
    people: Mutex<BTreeMap<&'static str, Account>>,
    asked: AtomicU64,
    link: OnceLock<String>,
}

/// The one house of this program.
pub fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(House::new)
}

impl House {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let folder = folder();
        let url = format!("sqlite:{}/accounts.sqlite", folder.display());
        let settings = Settings::parse(SETTINGS).unwrap();
        let office = runtime.block_on(async {
            Office {
                store: Store::connect(&url, None).await.unwrap(),
                world: Arc::new(Clock(
                    AtomicI64::new(1_795_000_000_000),
                    AtomicU64::default(),
                )),
                hasher: Hasher::new(Arc::new(settings.passwords.clone())),
                seal: Seal::new(&[7; 32]),
                settings: Arc::new(settings),
                texts: Arc::new(Texts::default()),
                policy: Arc::default(),
            }
        });
        let router = web::router(App::new(office.clone()).unwrap()).unwrap();
        Self {
            runtime,
            office,
            router,
            folder,
            people: Mutex::default(),
            asked: AtomicU64::default(),
            link: OnceLock::new(),
        }
    }

    /// Somebody new.
    async fn add(&self, login: &str, state: State, role: Role) -> Account {
        let number = self.office.world.now() + self.office.world.millis();
        let login = Login::parse_known(&format!("{login}{number}")).unwrap();
        let keys = Keys::taken_over(HASH, &self.office.settings.passwords).unwrap();
        let new = NewAccount {
            id: self.office.world.account_id(),
            login_skeleton: login.skeleton(),
            email: Some(format!("{login}@example.org")),
            display_name: "<x7 onload=\"x7\">".into(),
            login,
            state,
            role,
            language: "en".into(),
            origin: Origin::Signup,
            reason: "</textarea><x7>".into(),
            created: self.office.world.now(),
            keys: Some(keys),
            stamp: "stamp".into(),
        };
        let work = self.office.store.begin().await.unwrap();
        work.add_account(&new).await.unwrap();
        work.commit().await.unwrap();
        self.office.store.account(&new.id).await.unwrap().unwrap()
    }

    /// Somebody of this role, who is there and may act.
    async fn person(&self, word: &'static str, role: Role) -> Account {
        let held = self.known().get(word).cloned();
        if let Some(held) = held {
            let now = self.office.store.account(&held.id).await.unwrap();
            if let Some(now) = now.filter(|now| now.state == State::Active && now.role == role) {
                return now;
            }
        }
        let new = self.add(word, State::Active, role).await;
        self.known().insert(word, new.clone());
        new
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<&'static str, Account>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a mailed link to a decision carries; nobody else uses this one.
    pub fn new_link(&self) -> String {
        self.runtime.block_on(async {
            let by = self.add("linked", State::Active, Role::Approver).await;
            let about = self.add("waits", State::Pending, Role::Member).await;
            let since = about.state_since;
            let link = decide::link(
                &self.office,
                &by,
                &about.id,
                since,
                decide::Decision::Approve,
            );
            link.split_once("?d=").unwrap().1.to_owned()
        })
    }

    /// One that is never used: its account waits for ever.
    pub fn link(&self) -> &str {
        self.link.get_or_init(|| self.new_link())
    }

    /// What such a link offers.
    pub fn offer(&self, link: &str) -> Result<decide::Offer, decide::Dead> {
        self.runtime.block_on(decide::look(&self.office, link))
    }

    /// When a form was opened, signed.
    pub fn began(&self) -> String {
        check::began(&self.office)
    }

    /// Asks as a visitor, or as somebody who is signed in; gives the answer and its contents.
    pub fn ask(&self, who: &str, mut request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.runtime.block_on(async {
            let role = match who {
                "ann" => Some(("ann", Role::Member)),
                "carl" => Some(("carl", Role::Approver)),
                "boss" => Some(("boss", Role::Admin)),
                _ => None,
            };
            if let Some((word, role)) = role {
                let account = self.person(word, role).await;
                let work = self.office.store.begin().await.unwrap();
                let actor = Actor::default();
                let key = session::begin(&self.office, &work, &actor, &account, true, None);
                let key = key.await.unwrap();
                work.commit().await.unwrap();
                let cookie = format!("__Host-jitsi-accounts={}", key.reveal());
                let headers = request.headers_mut();
                headers.insert(header::COOKIE, cookie.parse().unwrap());
            }
            // Each from a network of its own, so that nobody is asked to come later.
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let [.., a, b, c] = number.to_be_bytes();
            let address = format!("10.{a}.{b}.{c}").parse().unwrap();
            let headers = request.headers_mut();
            headers.entry("x-forwarded-for").or_insert(address);
            request.extensions_mut().insert(Peer::Socket);
            let request = request.map(Body::from);
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            Response::from_parts(parts, bytes.to_vec())
        })
    }

    /// The newest of what was written down, and how much mail waits.
    pub fn written(&self) -> (Option<String>, i64) {
        self.runtime.block_on(async {
            let filter = AuditFilter::default();
            let newest = self.office.store.audit(&filter, None, 1).await.unwrap();
            let waiting = self.office.store.outbox().await.unwrap().waiting;
            (newest.rows.first().map(|row| row.id.clone()), waiting)
        })
    }

    /// An export with something in most tables.
    pub fn exported(&self) -> Vec<u8> {
        self.link();
        for (path, form) in [
            ("groups", "name=Choir"),
            ("invites", "label=Friends&uses=3&days=7"),
            ("settings", "mode=open"),
        ] {
            let mut request = Request::new(form.as_bytes().to_vec());
            *request.method_mut() = Method::POST;
            *request.uri_mut() = format!("/accounts/admin/{path}").parse().unwrap();
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, form);
            let here = HeaderValue::from_static("same-origin");
            request.headers_mut().insert("sec-fetch-site", here);
            self.ask("boss", request);
        }
        self.runtime.block_on(async {
            let mut out = Vec::new();
            self.office.store.export(&mut out).await.unwrap();
            out
        })
    }

    /// Reads an export into a new database; what it has then.
    pub fn restored(&self, export: &[u8]) -> Result<(Restored, Vec<u8>), String> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let place = self.folder.join(format!("restored-{number}"));
        std::fs::create_dir(&place).unwrap();
        let found = self.runtime.block_on(async {
            let url = format!("sqlite:{}/accounts.sqlite", place.display());
            let store = Store::connect(&url, None).await.unwrap();
            let restored = store.restore(&mut Cursor::new(export)).await;
            let mut again = Vec::new();
            store.export(&mut again).await.unwrap();
            store.close().await;
            Ok((restored.map_err(|why| why.to_string())?, again))
        });
        std::fs::remove_dir_all(&place).unwrap();
        found
    }
}

/// A folder, in memory where the machine has one, that goes when this program ends.
fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("accounts-wild-");
    let made = builder.tempdir_in(memory).or_else(|_| builder.tempdir());
    let folder = made.unwrap().keep();
    let keeper = Command::new("sh")
        .args(["-c", "cat >/dev/null; rm -rf \"$1\"", "keeper"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Our end of its pipe closes with this program.
    std::mem::forget(keeper);
    folder
}
