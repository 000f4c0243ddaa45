//! The table `accounts`: reading, and what a row is.

use super::Store;
use super::ask::{Fields, FromRow, foreign, sql};
use super::credentials::Credentials;
use super::error::Result;
use crate::account::login::Login;
use crate::account::password::Keys;
use crate::account::{Account, AccountId, Origin, Role, State};

/// The columns of an [`Account`], in the order in which it reads them.
pub(super) const COLUMNS: &str = "a.id, a.login, a.email, a.display_name, a.state, a.role, a.language, a.origin, \
     a.reason, a.created, a.state_since, a.last_seen, CASE WHEN a.totp_seed IS NULL THEN 0 ELSE 1 END";

/// An account to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its key, from [`crate::account::World`].
    pub id: AccountId,
    /// The canonical name.
    pub login: Login,
    /// What the name looks like ([`Login`]'s skeleton); no two accounts look alike.
    pub login_skeleton: String,
    /// The address, as written; compared in lower case.
    pub email: Option<String>,
    /// The name that others see.
    pub display_name: String,
    /// Where it stands.
    pub state: State,
    /// What its owner may do.
    pub role: Role,
    /// The language of pages and mails.
    pub language: String,
    /// Where it came from.
    pub origin: Origin,
    /// For those who approve.
    pub reason: String,
    /// Unix seconds.
    pub created: i64,
    /// What is kept of the password; `None`: it has none yet.
    pub keys: Option<Keys>,
    /// Anything random: it changes with every change of the password.
    pub stamp: String,
}

/// An address as it is compared: without spaces around it, in lower case.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// State, role, origin and second factor in one number, the state first.
pub(super) fn class(state: State, role: Role, origin: Origin, has_totp: bool) -> i64 {
    state_rank(state) * 1000
        + role_rank(role) * 100
        + origin_rank(origin) * 10
        + i64::from(has_totp)
}

/// The place of a state in an account's life.
pub(super) fn state_rank(state: State) -> i64 {
    match state {
        State::Unconfirmed => 0,
        State::Pending => 1,
        State::Active => 2,
        State::Rejected => 3,
        State::Suspended => 4,
        State::Deleted => 5,
    }
}

pub(super) fn role_rank(role: Role) -> i64 {
    match role {
        Role::Member => 0,
        Role::Approver => 1,
        Role::Admin => 2,
    }
}

pub(super) fn origin_rank(origin: Origin) -> i64 {
    match origin {
        Origin::Signup => 0,
        Origin::Admin => 1,
        Origin::Prosody => 2,
        Origin::Django => 3,
        Origin::Csv => 4,
        Origin::Ldif => 5,
    }
}

impl Role {
    /// Every role, the smallest first.
    pub const ALL: [Self; 3] = [Self::Member, Self::Approver, Self::Admin];

    /// The word in the database, in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 6] = [
        Self::Signup,
        Self::Admin,
        Self::Prosody,
        Self::Django,
        Self::Csv,
        Self::Ldif,
    ];

    /// The word in the database, in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Admin => "admin",
            Self::Prosody => "prosody",
            Self::Django => "django",
            Self::Csv => "csv",
            Self::Ldif => "ldif",
        }
    }

    /// The origin of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
    }
}

impl FromRow for Account {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        let id = AccountId(fields.text()?);
        let login = Login::from_store(fields.text()?);
        let (email, display_name) = (fields.maybe_text()?, fields.text()?);
        let (state, role) = (fields.text()?, fields.text()?);
        let (language, origin, reason) = (fields.text()?, fields.text()?, fields.text()?);
        let (created, state_since, last_seen) =
            (fields.number()?, fields.number()?, fields.number()?);
        Ok(Self {
            id,
            login,
            email,
            display_name,
            state: State::parse(&state).ok_or_else(|| foreign("state", &state))?,
            role: Role::parse(&role).ok_or_else(|| foreign("role", &role))?,
            language,
            origin: Origin::parse(&origin).ok_or_else(|| foreign("origin", &origin))?,
            reason,
            created,
            state_since,
            last_seen: (last_seen != 0).then_some(last_seen),
            has_totp: fields.number()? == 1,
        })
    }
}

impl<A: FromRow, B: FromRow> FromRow for (A, B) {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok((A::read(fields)?, B::read(fields)?))
    }
}

impl Store {
    /// An account by its key.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>> {
        self.account_where("id", &id.0).await
    }

    /// An account by its canonical name.
    pub async fn account_by_login(&self, login: &str) -> Result<Option<Account>> {
        self.account_where("login", login).await
    }

    /// An account by what its name looks like.
    pub async fn account_by_skeleton(&self, skeleton: &str) -> Result<Option<Account>> {
        self.account_where("login_skeleton", skeleton).await
    }

    /// An account by its address, whatever its case.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        self.account_where("email_key", &email_key(email)).await
    }

    async fn account_where(&self, column: &'static str, value: &str) -> Result<Option<Account>> {
        self.one(
            sql(format!(
                "SELECT {COLUMNS} FROM accounts a WHERE a.{column} = ?"
            ))
            .text(value),
        )
        .await
    }

    /// Accounts by their keys, in the order of the keys; at most a few hundred.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // A few sizes, filled up with the last key, so that drivers know the statement.
        let count = ids.len().next_power_of_two();
        let keys = ids.iter().chain(std::iter::repeat(&ids[ids.len() - 1]));
        let places = super::ask::places(count);
        let mut rows: Vec<Account> = self
            .all(
                sql(format!(
                    "SELECT {COLUMNS} FROM accounts a WHERE a.id IN ({places})"
                ))
                .texts(keys.take(count).map(|id| id.0.as_str())),
            )
            .await?;
        let place: std::collections::HashMap<&str, usize> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (id.0.as_str(), at))
            .collect();
        rows.sort_by_key(|row| place.get(row.id.0.as_str()).copied());
        Ok(rows)
    }

    /// An account with what is kept of its password, by its name: for signing in.
    pub async fn sign_in_by_login(&self, login: &str) -> Result<Option<(Account, Credentials)>> {
        self.sign_in_where("login", login).await
    }

    /// The same by its address.
    pub async fn sign_in_by_email(&self, email: &str) -> Result<Option<(Account, Credentials)>> {
        self.sign_in_where("email_key", &email_key(email)).await
    }

    /// The same by its key.
    pub async fn sign_in_by_id(&self, id: &AccountId) -> Result<Option<(Account, Credentials)>> {
        self.sign_in_where("id", &id.0).await
    }

    async fn sign_in_where(
        &self,
        column: &'static str,
        value: &str,
    ) -> Result<Option<(Account, Credentials)>> {
        let credentials = super::credentials::COLUMNS;
        self.one(
            sql(format!(
                "SELECT {COLUMNS}, {credentials} FROM accounts a WHERE a.{column} = ?"
            ))
            .text(value),
        )
        .await
    }

    /// Everybody who is active and has at least this role: whom to tell that somebody waits.
    pub async fn staff(&self, role: Role) -> Result<Vec<Account>> {
        let mut classes = Vec::new();
        for role in Role::ALL.into_iter().filter(|other| *other >= role) {
            for origin in Origin::ALL {
                for has_totp in [false, true] {
                    classes.push(class(State::Active, role, origin, has_totp));
                }
            }
        }
        let places = super::ask::places(classes.len());
        let mut ask = sql(format!(
            "SELECT {COLUMNS} FROM accounts a WHERE a.class IN ({places}) ORDER BY a.login"
        ));
        for class in classes {
            ask = ask.number(class);
        }
        self.all(ask).await
    }
}
