//! The table `tokens`: links in mails, as SHA-256, each for one purpose and one use.

use super::ask::{Fields, FromRow, fit, foreign, sql};
use super::error::Result;
use super::{Store, Work};
use crate::account::AccountId;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Confirms the address of a sign-up.
    Confirm,
    /// Sets another password.
    Reset,
    /// Confirms another address.
    Email,
    /// Takes a change of the address back.
    Back,
    /// Sets the first password.
    Setup,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [
        Self::Confirm,
        Self::Reset,
        Self::Email,
        Self::Back,
        Self::Setup,
    ];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Email => "email",
            Self::Back => "back",
            Self::Setup => "setup",
        }
    }

    /// The purpose of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// A link to be kept.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// SHA-256 of the token, in hexadecimal or base64.
    pub hash: &'a str,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub account: &'a AccountId,
    /// What it needs to know: the new address, the stamp of the password.
    pub data: &'a str,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires: i64,
}

/// A link that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub account: AccountId,
    /// What it needs to know.
    pub data: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Unix seconds of its use.
    pub used: Option<i64>,
}

impl FromRow for Token {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        let purpose = fields.text()?;
        Ok(Self {
            purpose: Purpose::parse(&purpose).ok_or_else(|| foreign("purpose", &purpose))?,
            account: AccountId(fields.text()?),
            data: fields.text()?,
            created: fields.number()?,
            expires: fields.number()?,
            used: fields.maybe_number()?,
        })
    }
}

impl Store {
    /// A link, even when it was used or has expired: to show its page, and to say why not.
    pub async fn token(&self, hash: &str, purpose: Purpose) -> Result<Option<Token>> {
        self.one(
            sql("SELECT purpose, account, data, created, expires, used FROM tokens WHERE hash = ? AND purpose = ?")
                .text(hash)
                .text(purpose.as_str()),
        )
        .await
    }

    /// The newest link of an account for a purpose, whether it can be used or not.
    pub async fn last_token(&self, account: &AccountId, purpose: Purpose) -> Result<Option<Token>> {
        self.one(
            sql("SELECT purpose, account, data, created, expires, used FROM tokens WHERE account = ? AND purpose = ? \
                 ORDER BY created DESC LIMIT 1")
                .text(&account.0)
                .text(purpose.as_str()),
        )
        .await
    }

    /// The newest link of an account for a purpose that can still be used: when the last mail left.
    pub async fn newest_token(
        &self,
        account: &AccountId,
        purpose: Purpose,
        now: i64,
    ) -> Result<Option<Token>> {
        self.one(
            sql("SELECT purpose, account, data, created, expires, used FROM tokens WHERE account = ? AND purpose = ? \
                 AND used IS NULL AND expires > ? ORDER BY created DESC LIMIT 1")
                .text(&account.0)
                .text(purpose.as_str())
                .number(now),
        )
        .await
    }
}

impl Work {
    /// Keeps a link.
    pub async fn add_token(&self, new: &NewToken<'_>) -> Result<()> {
        fit("token", 64, new.hash)?;
        self.run(
            sql("INSERT INTO tokens (hash, purpose, account, data, created, expires) VALUES (?,?,?,?,?,?)")
                .text(new.hash)
                .text(new.purpose.as_str())
                .text(&new.account.0)
                .text(new.data)
                .number(new.created)
                .number(new.expires),
        )
        .await
        .map(|_| ())
    }

    /// Uses a link, once: of two who do only one gets it, and nobody after its time.
    pub async fn take_token(
        &self,
        hash: &str,
        purpose: Purpose,
        now: i64,
    ) -> Result<Option<Token>> {
        let taken = self
            .did(
                sql("UPDATE tokens SET used = ? WHERE hash = ? AND purpose = ? AND used IS NULL AND expires > ?")
                    .number(now)
                    .text(hash)
                    .text(purpose.as_str())
                    .number(now),
            )
            .await?;
        if !taken {
            return Ok(None);
        }
        self.token(hash, purpose).await
    }

    /// Makes the other links of an account for a purpose useless; how many.
    pub async fn drop_tokens(
        &self,
        account: &AccountId,
        purpose: Purpose,
        now: i64,
    ) -> Result<u64> {
        self.run(
            sql("UPDATE tokens SET used = ? WHERE account = ? AND purpose = ? AND used IS NULL")
                .number(now)
                .text(&account.0)
                .text(purpose.as_str()),
        )
        .await
    }

    /// The same for those made at a time (Unix seconds) or later.
    pub async fn drop_tokens_since(
        &self,
        account: &AccountId,
        purpose: Purpose,
        since: i64,
        now: i64,
    ) -> Result<u64> {
        self.run(
            sql("UPDATE tokens SET used = ? WHERE account = ? AND purpose = ? AND used IS NULL AND created >= ?")
                .number(now)
                .text(&account.0)
                .text(purpose.as_str())
                .number(since),
        )
        .await
    }
}
