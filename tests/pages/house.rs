//! A house for the tests: an office on a database of its own, a clock that stands until a
//! test moves it, and browsers that keep their cookies.
//!
//! Over 400 lines: one short method for each thing that a test asks of the house.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jitsi_install::account::act::{outbox, session, settings};
use jitsi_install::account::audit::Written;
use jitsi_install::account::login::Login;
use jitsi_install::account::password::{Hasher, Keys};
use jitsi_install::account::policy::Policy;
use jitsi_install::account::post::Mail;
use jitsi_install::account::seal::Seal;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::{AuditFilter, Credentials, NewAccount, What};
use jitsi_install::account::text::Texts;
use jitsi_install::account::totp::{STEP, Seed};
use jitsi_install::account::{Account, AccountId, Actor, Office, Origin, Role, State, World};
use jitsi_install::secret::Secret;
use jitsi_install::web::{self, App, Peer};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::databases::elsewhere::{self, Lived};

/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery 7";
/// The same, as keys are made of it once for all tests.
static KEYS: Mutex<Option<Keys>> = Mutex::new(None);

/// Time that tests move, and chance that is the same in each run.
pub struct Clock {
    millis: AtomicI64,
    drawn: AtomicU64,
}

impl World for Clock {
    fn millis(&self) -> i64 {
        // Each look is a millisecond later, so that keys of rows sort as they were made.
        self.millis.fetch_add(1, Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
            let digest = Sha256::digest(format!("chance {drawn}"));
            part.copy_from_slice(&digest[..part.len()]);
        }
    }
}

/// The house.
pub struct House {
    pub office: Office,
    pub clock: Arc<Clock>,
    pub router: Router,
    _database: Lived,
}

/// Who asks: cookies, address, program.
pub struct Browser {
    pub jar: Mutex<BTreeMap<String, String>>,
    pub address: &'static str,
    pub agent: &'static str,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

const SETTINGS: &str = r#"
schema = 1
public_url = "https://meet.example.org/accounts"
site_name = "Example Meetings"
[passwords]
argon2_memory = 7168
argon2_passes = 1
concurrent = 8
"#;

impl House {
    pub async fn new() -> Self {
        Self::with(SETTINGS).await
    }

    /// With other settings, and a policy that was saved.
    pub async fn with(settings: &str) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_test_writer()
            .try_init();
        let database = elsewhere::fresh();
        let settings = Settings::parse(settings).unwrap();
        let clock = Arc::new(Clock {
            millis: AtomicI64::new(1_795_000_000_000),
            drawn: AtomicU64::new(0),
        });
        let office = Office {
            store: database.connect().await,
            world: clock.clone(),
            hasher: Hasher::new(Arc::new(settings.passwords.clone())),
            seal: Seal::new(&[7; 32]),
            settings: Arc::new(settings),
            texts: Arc::new(Texts::default()),
            policy: Arc::default(),
        };
        let router = web::router(App::new(office.clone()).unwrap()).unwrap();
        Self {
            office,
            clock,
            router,
            _database: database,
        }
    }

    /// Another policy.
    pub async fn policy(&self, change: impl FnOnce(&mut Policy)) {
        let now = settings::current(&self.office).await.unwrap();
        let mut policy = now.policy.clone();
        change(&mut policy);
        settings::save(&self.office, &Actor::default(), policy, &now.seen)
            .await
            .unwrap();
    }

    pub fn later(&self, seconds: i64) {
        let millis = seconds * 1000;
        self.clock.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody with the password of everybody and the address `NAME@example.org`.
    pub async fn person(&self, login: &str, state: State, role: Role) -> Account {
        let keys = self.keys().await;
        let login = Login::from_store(login.into());
        let new = NewAccount {
            id: self.office.world.account_id(),
            login_skeleton: login.skeleton(),
            email: Some(format!("{}@example.org", login.as_str())),
            display_name: format!("The {}", login.as_str()),
            login,
            state,
            role,
            language: "en".into(),
            origin: Origin::Signup,
            reason: String::new(),
            created: self.office.world.now(),
            keys: Some(keys),
            stamp: "stamp".into(),
        };
        let work = self.office.store.begin().await.unwrap();
        work.add_account(&new).await.unwrap();
        work.commit().await.unwrap();
        self.account(&new.id).await
    }

    async fn keys(&self) -> Keys {
        if let Some(keys) = KEYS.lock().unwrap().clone() {
            return keys;
        }
        let password = Secret::new(PASSWORD.to_owned());
        let keys = self.office.hasher.make(&password, "").await.unwrap();
        *KEYS.lock().unwrap() = Some(keys.clone());
        keys
    }

    pub async fn ann(&self) -> Account {
        self.person("ann", State::Active, Role::Member).await
    }

    pub async fn account(&self, id: &AccountId) -> Account {
        self.office.store.account(id).await.unwrap().unwrap()
    }

    pub async fn named(&self, login: &str) -> Account {
        let found = self.office.store.account_by_login(login).await.unwrap();
        found.unwrap_or_else(|| panic!("there is no `{login}`"))
    }

    pub async fn held(&self, account: &Account) -> Credentials {
        let found = self.office.store.credentials(&account.id).await.unwrap();
        found.unwrap()
    }

    /// Gives an account a second factor; its seed.
    pub async fn second_factor(&self, account: &Account) -> Seed {
        let seed = Seed::new(&*self.office.world);
        let purpose = format!("totp {}", account.id);
        let sealed = self.office.seal.close(&purpose, seed.bytes());
        let work = self.office.store.begin().await.unwrap();
        work.set_totp(&account.id, &Secret::new(sealed), 0)
            .await
            .unwrap();
        work.commit().await.unwrap();
        seed
    }

    /// The code of this moment.
    pub fn code(&self, seed: &Seed) -> String {
        seed.code(self.office.world.now().div_euclid(STEP))
    }

    /// A browser in which somebody is signed in, without the sign-in's work.
    pub async fn inside(&self, account: &Account, second_factor: bool) -> Browser {
        let browser = Browser::new();
        let work = self.office.store.begin().await.unwrap();
        let actor = Actor {
            address: Some(browser.address.parse().unwrap()),
            agent: browser.agent.into(),
            ..Actor::default()
        };
        let key = session::begin(&self.office, &work, &actor, account, second_factor, None)
            .await
            .unwrap();
        work.commit().await.unwrap();
        browser.keep("__Host-jitsi-accounts", key.reveal());
        browser
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Reply {
        self.ask(browser, Method::GET, path, &[], |_| ()).await
    }

    pub async fn post(&self, browser: &Browser, path: &str, form: &[(&str, &str)]) -> Reply {
        self.ask(browser, Method::POST, path, form, |_| ()).await
    }

    /// Sends a request with headers changed.
    pub async fn ask(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
        change: impl FnOnce(&mut HeaderMap),
    ) -> Reply {
        let pairs = form
            .iter()
            .map(|(name, value)| format!("{name}={}", web::guard::encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("/accounts{path}"))
            .extension(Peer::Socket)
            .header(header::HOST, "meet.example.org")
            .header("x-forwarded-for", browser.address)
            .header(header::USER_AGENT, browser.agent);
        if method == Method::POST {
            request = request
                .header("origin", "https://meet.example.org")
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let cookies = browser.cookies();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        change(request.headers_mut());
        self.raw(browser, request).await
    }

    /// Sends a request as it is, and keeps the cookies of the answer.
    pub async fn raw(&self, browser: &Browser, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                browser.jar.lock().unwrap().remove(name);
            } else {
                browser.keep(name, value);
            }
        }
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Signs in by the form.
    pub async fn sign_in(&self, browser: &Browser, name: &str, password: &str) -> Reply {
        let form = [("name", name), ("password", password)];
        self.post(browser, "/sign-in", &form).await
    }

    /// The fields of a sign-up that is in order, as old as a person's.
    pub async fn sign_up_form(&self, login: &str, email: &str) -> Vec<(String, String)> {
        let page = self.get(&Browser::new(), "/sign-up").await;
        let began = page.value("began");
        self.later(5);
        [
            ("login", login),
            ("email", email),
            ("password", PASSWORD),
            ("display_name", ""),
            ("reason", "I would like to meet."),
            ("began", &began),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Sends a sign-up that is in order but for the fields given.
    pub async fn sign_up(&self, login: &str, email: &str, other: &[(&str, &str)]) -> Reply {
        let mut form = self.sign_up_form(login, email).await;
        for (name, value) in other {
            form.retain(|(other, _)| other != name);
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post(&Browser::new(), "/sign-up", &form).await
    }

    /// The audit trail, the newest first.
    pub async fn trail(&self) -> Vec<Written> {
        let filter = AuditFilter::default();
        let page = self.office.store.audit(&filter, None, 1000).await;
        page.unwrap().rows
    }

    /// Takes every mail out of the outbox.
    pub async fn mails(&self) -> Vec<Mail> {
        let store = &self.office.store;
        let now = self.office.world.now();
        let queued = store.claim("test", now, now + 1, 1000).await.unwrap();
        let mut mails = Vec::new();
        for one in queued {
            store.delivered(&one.id, "test").await.unwrap();
            let body = outbox::open(&self.office, &one).expect("sealed with our key");
            if one.what == What::Mail {
                mails.push(serde_json::from_slice(&body).unwrap());
            }
        }
        mails
    }

    /// The only mail that waits.
    pub async fn mail(&self) -> Mail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{:?}", subjects(&mails));
        mails.remove(0)
    }
}

/// What mails are called.
pub fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

/// Page and token of the first link of a kind in a mail.
pub fn link(mail: &Mail, page: &str) -> String {
    let start = format!("https://meet.example.org/accounts{page}?t=");
    let at = mail
        .text
        .find(&start)
        .unwrap_or_else(|| panic!("no {page} in:\n{}", mail.text));
    let token = mail.text[at + start.len()..].split_whitespace().next();
    token.unwrap().to_owned()
}

impl Browser {
    pub fn new() -> Self {
        Self::at("192.0.2.7")
    }

    pub fn at(address: &'static str) -> Self {
        Self {
            jar: Mutex::default(),
            address,
            agent: "Mozilla/5.0 (test)",
        }
    }

    pub fn keep(&self, name: &str, value: &str) {
        let mut jar = self.jar.lock().unwrap();
        jar.insert(name.to_owned(), value.to_owned());
    }

    pub fn has(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    /// The key of the session.
    pub fn key(&self) -> Option<String> {
        self.has("__Host-jitsi-accounts")
    }

    fn cookies(&self) -> String {
        let jar = self.jar.lock().unwrap();
        let pairs: Vec<String> = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

impl Reply {
    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let at = self.text.find(&start);
        let at = at.unwrap_or_else(|| panic!("no field `{name}` in:\n{}", self.text));
        let rest = &self.text[at + start.len()..];
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.has(text), "`{text}` is not in:\n{}", self.text);
        self
    }

    /// 303 to a page.
    #[track_caller]
    pub fn goes(self, page: &str) -> Self {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        assert_eq!(self.header("location"), format!("/accounts{page}"));
        self
    }
}
