//! The table `sessions`: who is signed in, by the SHA-256 of the cookie.

use super::accounts::COLUMNS as ACCOUNT;
use super::ask::{Fields, FromRow, cut, fit, sql};
use super::error::Result;
use super::{Store, Work};
use crate::account::{Account, AccountId};

const COLUMNS: &str = "s.hash, s.account, s.created, s.seen, s.expires, s.fresh_at, s.second_factor, s.address, s.agent";

/// A session to be kept.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// SHA-256 of the cookie, in hexadecimal or base64.
    pub hash: &'a str,
    /// Whose it is.
    pub account: &'a AccountId,
    /// Unix seconds: now; it counts as seen and as fresh from then.
    pub created: i64,
    /// Unix seconds: the end, unless [`Store::touch_session`] moves it.
    pub expires: i64,
    /// Whether the second factor was shown.
    pub second_factor: bool,
    /// From where.
    pub address: &'a str,
    /// With what; cut to 200 characters.
    pub agent: &'a str,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie; names the session in the list of an account.
    pub hash: String,
    /// Whose it is.
    pub account: AccountId,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds of the last page.
    pub seen: i64,
    /// Unix seconds: from then it is none.
    pub expires: i64,
    /// Unix seconds when the password was last typed.
    pub fresh_at: i64,
    /// Whether the second factor was shown.
    pub second_factor: bool,
    /// From where it began.
    pub address: String,
    /// With what.
    pub agent: String,
}

impl FromRow for Session {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            hash: fields.text()?,
            account: AccountId(fields.text()?),
            created: fields.number()?,
            seen: fields.number()?,
            expires: fields.number()?,
            fresh_at: fields.number()?,
            second_factor: fields.number()? == 1,
            address: fields.text()?,
            agent: fields.text()?,
        })
    }
}

impl Store {
    /// Who is signed in by this cookie: one question, on the way of every page. The state of the
    /// account is the caller's to judge.
    pub async fn account_of_session(
        &self,
        hash: &str,
        now: i64,
    ) -> Result<Option<(Account, Session)>> {
        self.one(
            sql(format!(
                "SELECT {ACCOUNT}, {COLUMNS} FROM sessions s JOIN accounts a ON a.id = s.account \
                 WHERE s.hash = ? AND s.expires > ?"
            ))
            .text(hash)
            .number(now),
        )
        .await
    }

    /// Sessions of an account that have not ended, the latest seen first.
    pub async fn sessions(&self, account: &AccountId, now: i64) -> Result<Vec<Session>> {
        self.all(
            sql(format!(
                "SELECT {COLUMNS} FROM sessions s WHERE s.account = ? AND s.expires > ? ORDER BY s.seen DESC, s.hash LIMIT 200"
            ))
            .text(&account.0)
            .number(now),
        )
        .await
    }

    /// Notes that a session was used, and moves its end. Callers do so every minute or so rather
    /// than with every page.
    pub async fn touch_session(&self, hash: &str, seen: i64, expires: i64) -> Result<()> {
        self.run(
            sql("UPDATE sessions SET seen = ?, expires = ? WHERE hash = ? AND seen <= ?")
                .number(seen)
                .number(expires)
                .text(hash)
                .number(seen),
        )
        .await
        .map(|_| ())
    }
}

impl Work {
    /// Begins a session.
    pub async fn add_session(&self, new: &NewSession<'_>) -> Result<()> {
        fit("session", 64, new.hash)?;
        self.run(
            sql("INSERT INTO sessions (hash, account, created, seen, expires, fresh_at, second_factor, address, agent) \
                 VALUES (?,?,?,?,?,?,?,?,?)")
                .text(new.hash)
                .text(&new.account.0)
                .number(new.created)
                .number(new.created)
                .number(new.expires)
                .number(new.created)
                .number(i64::from(new.second_factor))
                .text(cut(new.address, 64))
                .text(cut(new.agent, 200)),
        )
        .await
        .map(|_| ())
    }

    /// Notes that the password was typed again.
    pub async fn refresh_session(&self, hash: &str, now: i64) -> Result<bool> {
        self.did(
            sql("UPDATE sessions SET fresh_at = ? WHERE hash = ?")
                .number(now)
                .text(hash),
        )
        .await
    }

    /// Notes that the second factor was shown.
    pub async fn strengthen_session(&self, hash: &str) -> Result<bool> {
        self.did(sql("UPDATE sessions SET second_factor = 1 WHERE hash = ?").text(hash))
            .await
    }

    /// Gives a session another cookie: after signing in again no old one is good.
    pub async fn renew_session(&self, old: &str, new: &str) -> Result<bool> {
        fit("session", 64, new)?;
        self.did(
            sql("UPDATE sessions SET hash = ? WHERE hash = ?")
                .text(new)
                .text(old),
        )
        .await
    }

    /// Ends one session of an account. Whether there was one.
    pub async fn end_session(&self, account: &AccountId, hash: &str) -> Result<bool> {
        self.did(
            sql("DELETE FROM sessions WHERE account = ? AND hash = ?")
                .text(&account.0)
                .text(hash),
        )
        .await
    }

    /// Ends all sessions of an account, but for one where one is named; how many.
    pub async fn end_sessions(&self, account: &AccountId, but: Option<&str>) -> Result<u64> {
        self.run(
            sql("DELETE FROM sessions WHERE account = ? AND hash <> ?")
                .text(&account.0)
                .text(but.unwrap_or_default()),
        )
        .await
    }
}
