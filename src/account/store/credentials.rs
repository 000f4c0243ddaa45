//! The columns of `accounts` that prove who somebody is.

use super::ask::{Fields, FromRow, sql};
use super::error::Result;
use super::{Store, Work};
use crate::account::AccountId;
use crate::account::password::Keys;
use crate::secret::Secret;

/// The columns of [`Credentials`].
pub(super) const COLUMNS: &str =
    "a.password, a.scram_sha_1, a.scram_sha_256, a.totp_seed, a.totp_step, a.stamp";

/// What an account is proved by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// What is kept of the password; `None` when there is none.
    pub keys: Option<Keys>,
    /// The seed of the second factor, sealed.
    pub totp_seed: Option<Secret<String>>,
    /// The last step of the second factor that was used; none is used twice.
    pub totp_step: i64,
    /// Changes with every change of the password: links that were made before do not fit any more.
    pub stamp: String,
}

impl FromRow for Credentials {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        let keys = Keys {
            hash: Secret::new(fields.text()?),
            scram_sha_1: fields.maybe_text()?.map(Secret::new),
            scram_sha_256: fields.maybe_text()?.map(Secret::new),
        };
        let is_empty = keys.hash.reveal().is_empty()
            && keys.scram_sha_1.is_none()
            && keys.scram_sha_256.is_none();
        Ok(Self {
            keys: (!is_empty).then_some(keys),
            totp_seed: fields.maybe_text()?.map(Secret::new),
            totp_step: fields.number()?,
            stamp: fields.text()?,
        })
    }
}

impl Store {
    /// What an account is proved by.
    pub async fn credentials(&self, id: &AccountId) -> Result<Option<Credentials>> {
        self.one(sql(format!("SELECT {COLUMNS} FROM accounts a WHERE a.id = ?")).text(&id.0))
            .await
    }

    /// How many recovery codes are left.
    pub async fn recovery_codes(&self, id: &AccountId) -> Result<i64> {
        self.number(
            sql("SELECT COUNT(*) FROM recovery_codes WHERE account = ? AND used IS NULL")
                .text(&id.0),
        )
        .await
    }
}

impl Work {
    /// Keeps a new password. Whether the account is there.
    pub async fn set_keys(&self, id: &AccountId, keys: &Keys, stamp: &str) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET password = ?, scram_sha_1 = ?, scram_sha_256 = ?, stamp = ? WHERE id = ? AND state <> 'deleted'")
                .text(keys.hash.reveal())
                .maybe_text(keys.scram_sha_1.as_ref().map(|key| key.reveal().as_str()))
                .maybe_text(keys.scram_sha_256.as_ref().map(|key| key.reveal().as_str()))
                .text(stamp)
                .text(&id.0),
        )
        .await
    }

    /// Keeps the same password in a newer way, unless somebody changed it meanwhile.
    pub async fn upgrade_keys(&self, id: &AccountId, old: &Keys, new: &Keys) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET password = ?, scram_sha_1 = ?, scram_sha_256 = ? WHERE id = ? AND password = ?")
                .text(new.hash.reveal())
                .maybe_text(new.scram_sha_1.as_ref().map(|key| key.reveal().as_str()))
                .maybe_text(new.scram_sha_256.as_ref().map(|key| key.reveal().as_str()))
                .text(&id.0)
                .text(old.hash.reveal()),
        )
        .await
    }

    /// Sets the second factor where there is none; `step` is the one of the code that proved it.
    pub async fn set_totp(
        &self,
        id: &AccountId,
        sealed: &Secret<String>,
        step: i64,
    ) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET totp_seed = ?, totp_step = ?, class = class + 1 WHERE id = ? AND totp_seed IS NULL AND state <> 'deleted'")
                .text(sealed.reveal())
                .number(step)
                .text(&id.0),
        )
        .await
    }

    /// Takes the second factor away, with its recovery codes. Whether there was one.
    pub async fn clear_totp(&self, id: &AccountId) -> Result<bool> {
        self.run(sql("DELETE FROM recovery_codes WHERE account = ?").text(&id.0))
            .await?;
        self.did(
            sql("UPDATE accounts SET totp_seed = NULL, totp_step = 0, class = class - 1 WHERE id = ? AND totp_seed IS NOT NULL")
                .text(&id.0),
        )
        .await
    }

    /// Uses a step of the second factor: `false` when it, or a later one, was used before.
    pub async fn use_totp_step(&self, id: &AccountId, step: i64) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET totp_step = ? WHERE id = ? AND totp_step < ? AND totp_seed IS NOT NULL")
                .number(step)
                .text(&id.0)
                .number(step),
        )
        .await
    }

    /// Replaces the recovery codes by others, given as SHA-256.
    pub async fn set_recovery_codes(
        &self,
        id: &AccountId,
        hashes: &[String],
        now: i64,
    ) -> Result<()> {
        self.run(sql("DELETE FROM recovery_codes WHERE account = ?").text(&id.0))
            .await?;
        for hash in hashes {
            self.run(
                sql("INSERT INTO recovery_codes (account, hash, created) VALUES (?,?,?)")
                    .text(&id.0)
                    .text(hash)
                    .number(now),
            )
            .await?;
        }
        Ok(())
    }

    /// Uses a recovery code: `false` when there is no such code or it was used.
    pub async fn use_recovery_code(&self, id: &AccountId, hash: &str, now: i64) -> Result<bool> {
        self.did(
            sql("UPDATE recovery_codes SET used = ? WHERE account = ? AND hash = ? AND used IS NULL")
                .number(now)
                .text(&id.0)
                .text(hash),
        )
        .await
    }
}
