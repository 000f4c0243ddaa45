//! Addresses that are claimed by a sign-up, and belong to nobody until they are confirmed.

use super::accounts::{COLUMNS, email_key};
use super::ask::sql;
use super::error::Result;
use super::{Store, Work};
use crate::account::{Account, AccountId};

impl Store {
    /// The newest sign-up that claims an address and has not confirmed it.
    pub async fn unconfirmed_by_email(&self, email: &str) -> Result<Option<Account>> {
        self.one(
            sql(format!(
                "SELECT {COLUMNS} FROM accounts a WHERE a.class = 0 AND a.email_order = ? \
                 ORDER BY a.created DESC, a.id DESC LIMIT 1"
            ))
            .text(email_key(email)),
        )
        .await
    }

    /// Whether the address of an account is one that nobody has confirmed.
    pub async fn only_claims_email(&self, id: &AccountId) -> Result<bool> {
        let ask = sql(
            "SELECT COUNT(*) FROM accounts WHERE id = ? AND email IS NOT NULL AND email_key IS NULL",
        );
        Ok(self.number(ask.text(&id.0)).await? == 1)
    }
}

impl Work {
    /// The address of a sign-up is confirmed: from now on it is this account's. `false` when there
    /// is none; [`super::Error::Taken`] when another account has it.
    pub async fn claim_email(&self, id: &AccountId) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET email_key = email_order WHERE id = ? AND email IS NOT NULL")
                .text(&id.0),
        )
        .await
    }

    /// Takes something out of the outbox again, in the transaction that put it in.
    pub async fn unqueue(&self, id: &str) -> Result<bool> {
        self.did(sql("DELETE FROM outbox WHERE id = ?").text(id))
            .await
    }
}
