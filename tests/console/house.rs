//! A house for the tests: an office on a database of its own, a clock that the tests set,
//! people with sessions, and requests as a browser sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jitsi_install::account::act::{outbox, session};
use jitsi_install::account::audit::Written;
use jitsi_install::account::login::Login;
use jitsi_install::account::password::Hasher;
use jitsi_install::account::post::Mail;
use jitsi_install::account::seal::Seal;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::{AuditFilter, NewAccount, Queued, What};
use jitsi_install::account::text::Texts;
use jitsi_install::account::{Account, AccountId, Actor, Office, Origin, Role, State, World};
use jitsi_install::web::{self, App, Peer};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::databases::elsewhere::{self, Lived};

/// Time that stands still until a test moves it, and chance that is the same in each run.
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
    router: Router,
    pub database: Lived,
}

/// Who asks.
#[derive(Clone, Default)]
pub struct Browser {
    cookie: Option<String>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub kind: String,
    pub text: String,
}

const SETTINGS: &str = r#"
schema = 1
public_url = "https://meet.example.org/accounts"
site_name = "Example Meetings"
[notify]
addresses = ["board@example.org", "ann@example.org"]
webhook = "https://chat.example.org/hook"
"#;

impl House {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// With more settings.
    pub async fn with(more: &str) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_test_writer()
            .try_init();
        let database = elsewhere::fresh();
        let settings = Settings::parse(&format!("{SETTINGS}{more}")).unwrap();
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
            database,
        }
    }

    pub fn later(&self, seconds: i64) {
        self.clock
            .millis
            .fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Somebody, with an address `NAME@example.org` that is confirmed.
    pub async fn person(&self, login: &str, state: State, role: Role) -> Account {
        self.add(login, state, role, |_| ()).await
    }

    pub async fn add(
        &self,
        login: &str,
        state: State,
        role: Role,
        change: impl FnOnce(&mut NewAccount),
    ) -> Account {
        let login = Login::from_store(login.into());
        let mut new = NewAccount {
            id: self.office.world.account_id(),
            login_skeleton: login.skeleton(),
            email: Some(format!("{}@example.org", login.as_str())),
            display_name: String::new(),
            login,
            state,
            role,
            language: "en".into(),
            origin: Origin::Signup,
            reason: String::new(),
            created: self.office.world.now(),
            keys: None,
            stamp: "stamp".into(),
        };
        change(&mut new);
        let work = self.office.store.begin().await.unwrap();
        work.add_account(&new).await.unwrap();
        if state != State::Unconfirmed && new.email.is_some() {
            work.claim_email(&new.id).await.unwrap();
        }
        work.commit().await.unwrap();
        self.account(&new.id).await
    }

    pub async fn account(&self, id: &AccountId) -> Account {
        self.office.store.account(id).await.unwrap().unwrap()
    }

    /// A browser in which somebody is signed in with their second factor.
    pub async fn browser(&self, account: &Account) -> Browser {
        let actor = Actor::default();
        let work = self.office.store.begin().await.unwrap();
        let key = session::begin(&self.office, &work, &actor, account, true, None)
            .await
            .unwrap();
        work.commit().await.unwrap();
        Browser {
            cookie: Some(format!("__Host-jitsi-accounts={}", key.reveal())),
        }
    }

    /// A new administrator's browser.
    pub async fn admin(&self) -> Browser {
        let account = self.person("boss", State::Active, Role::Admin).await;
        self.browser(&account).await
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.ask(browser, Method::GET, path, "").await
    }

    pub async fn post(&self, browser: &Browser, path: &str, form: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", web::guard::encoded(value)))
            .collect();
        self.ask(browser, Method::POST, path, &pairs.join("&"))
            .await
    }

    /// A form that a page of another site sends.
    pub async fn foreign(&self, browser: &Browser, path: &str) -> Answer {
        let sites = ["https://other.example.org", "cross-site"];
        self.from(browser, Method::POST, path, "", sites).await
    }

    pub async fn ask(&self, browser: &Browser, method: Method, path: &str, body: &str) -> Answer {
        let sites = ["https://meet.example.org", "same-origin"];
        self.from(browser, method, path, body, sites).await
    }

    async fn from(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        body: &str,
        [origin, site]: [&str; 2],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("/accounts{path}"))
            .extension(Peer::Socket)
            .header("x-forwarded-for", "192.0.2.7")
            .header("origin", origin)
            .header("sec-fetch-site", site)
            .header(header::USER_AGENT, "test");
        if let Some(cookie) = &browser.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        let (status, location, kind) = (
            response.status(),
            header(header::LOCATION),
            header(header::CONTENT_TYPE),
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            location,
            kind,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The audit trail, the newest first.
    pub async fn trail(&self) -> Vec<Written> {
        let filter = AuditFilter::default();
        self.office
            .store
            .audit(&filter, None, 1000)
            .await
            .unwrap()
            .rows
    }

    /// The newest entry of an action.
    pub async fn entry(&self, action: &str) -> Written {
        let trail = self.trail().await;
        trail
            .into_iter()
            .find(|written| written.entry.action == action)
            .unwrap_or_else(|| panic!("the audit trail has no `{action}`"))
    }

    /// Takes everything out of the outbox.
    pub async fn letters(&self) -> (Vec<Mail>, Vec<serde_json::Value>) {
        let now = self.office.world.now();
        let queued: Vec<Queued> = self
            .office
            .store
            .claim("test", now + 1, now + 2, 1000)
            .await
            .unwrap();
        let (mut mails, mut hooks) = (Vec::new(), Vec::new());
        for one in queued {
            let body = outbox::open(&self.office, &one).expect("sealed with our key");
            self.office.store.delivered(&one.id, "test").await.unwrap();
            match one.what {
                What::Mail => mails.push(serde_json::from_slice(&body).unwrap()),
                What::Webhook => hooks.push(serde_json::from_slice(&body).unwrap()),
            }
        }
        (mails, hooks)
    }
}

impl Answer {
    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self
    }

    /// 303 to a page.
    #[track_caller]
    pub fn goes(self, page: &str) -> Self {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        assert_eq!(self.location, format!("/accounts{page}"));
        self
    }
}
