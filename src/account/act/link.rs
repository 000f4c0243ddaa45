//! Links in mails: a token of 256 bits, known to the database by its hash, for one purpose, once.

use sha2::{Digest, Sha256};

use super::outbox;
use crate::account::login::Login;
use crate::account::post::{self, Mail};
use crate::account::store::{Error, NewToken, Purpose, Token, Work};
use crate::account::{Account, AccountId, Office, Origin, Role, State};

/// Seconds that a link lives.
pub mod life {
    /// To choose another password.
    pub const RESET: i64 = 3600;
    /// To confirm another address.
    pub const EMAIL: i64 = 24 * 3600;
    /// To take a change of the address back.
    pub const BACK: i64 = 7 * 24 * 3600;
}

/// How a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    Good(Token),
    /// It was used.
    Used,
    /// Its time has passed.
    Expired,
    /// There is none, or it is for something else.
    Unknown,
}

/// What the database knows a secret by: SHA-256 in hexadecimal.
#[must_use]
pub fn digest(secret: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The page that takes a link.
#[must_use]
pub fn page(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Confirm => "/confirm",
        Purpose::Reset => "/reset",
        Purpose::Email | Purpose::Back => "/email-change",
        Purpose::Setup => "/setup",
    }
}

/// Makes a token for an account and writes it down; the whole address of the page that takes it.
/// `data` is what the page needs to know, `seconds` how long it lives.
///
/// # Errors
/// When the database refuses.
pub async fn make(
    office: &Office,
    work: &Work,
    account: &AccountId,
    purpose: Purpose,
    data: &str,
    seconds: i64,
) -> Result<String, Error> {
    let token = office.world.token();
    let now = office.world.now();
    work.add_token(&NewToken {
        hash: &digest(token.reveal()),
        purpose,
        account,
        data,
        created: now,
        expires: now + seconds,
    })
    .await?;
    let page = format!("{}?t={}", page(purpose), token.reveal());
    Ok(post::link(office, &page))
}

/// What [`make`] and a mail cost for an address that nobody has, and nothing of it stays: so that
/// time does not tell who has an account.
///
/// # Errors
/// When the database refuses.
pub(super) async fn pretend(
    office: &Office,
    work: &Work,
    purpose: Purpose,
    email: &str,
    letter: impl Fn(&Account, &str) -> Mail,
) -> Result<(), Error> {
    let token = office.world.token();
    let hash = digest(token.reveal());
    let nobody = Account {
        id: AccountId(hash),
        login: Login::from_store(email.chars().take(64).collect()),
        email: Some(email.chars().take(190).collect()),
        display_name: String::new(),
        state: State::Active,
        role: Role::Member,
        language: office.settings.language.clone(),
        origin: Origin::Signup,
        reason: String::new(),
        created: 0,
        state_since: 0,
        last_seen: None,
        has_totp: false,
    };
    let page = format!("{}?t={}", page(purpose), token.reveal());
    outbox::pretend(office, work, &letter(&nobody, &post::link(office, &page))).await
}

/// Looks at a link without using it.
///
/// # Errors
/// When the database does not answer.
pub async fn look(office: &Office, token: &str, purpose: Purpose) -> Result<Standing, Error> {
    let Some(found) = office.store.token(&digest(token), purpose).await? else {
        return Ok(Standing::Unknown);
    };
    Ok(if found.used.is_some() {
        Standing::Used
    } else if found.expires <= office.world.now() {
        Standing::Expired
    } else {
        Standing::Good(found)
    })
}
