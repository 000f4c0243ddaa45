//! The table `invites`: codes that let people sign up, as SHA-256.

use super::ask::{Fields, FromRow, fit, sql};
use super::error::Result;
use super::groups::GroupId;
use super::{Store, Work};
use crate::account::AccountId;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// SHA-256 of the code, in hexadecimal or base64.
    pub hash: String,
    /// What an administrator calls it.
    pub label: String,
    /// The group of those who come by it.
    pub group: Option<GroupId>,
    /// How many may still use it.
    pub uses_left: i64,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Who made it.
    pub created_by: Option<AccountId>,
}

const COLUMNS: &str = "hash, label, grp, uses_left, created, expires, created_by";

impl FromRow for Invite {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            hash: fields.text()?,
            label: fields.text()?,
            group: fields.maybe_text()?.map(GroupId),
            uses_left: fields.number()?,
            created: fields.number()?,
            expires: fields.number()?,
            created_by: fields.maybe_text()?.map(AccountId),
        })
    }
}

impl Store {
    /// An invitation, even when it is used up or has expired.
    pub async fn invite(&self, hash: &str) -> Result<Option<Invite>> {
        self.one(sql(format!("SELECT {COLUMNS} FROM invites WHERE hash = ?")).text(hash))
            .await
    }

    /// Every invitation, the newest first; at most 1,000.
    pub async fn invites(&self) -> Result<Vec<Invite>> {
        self.all(sql(format!(
            "SELECT {COLUMNS} FROM invites ORDER BY created DESC, hash LIMIT 1000"
        )))
        .await
    }
}

impl Work {
    /// Keeps an invitation.
    pub async fn add_invite(&self, new: &Invite) -> Result<()> {
        fit("invitation", 64, &new.hash)?;
        fit("label", 190, &new.label)?;
        self.run(
            sql("INSERT INTO invites (hash, label, grp, uses_left, created, expires, created_by) VALUES (?,?,?,?,?,?,?)")
                .text(&new.hash)
                .text(&new.label)
                .maybe_text(new.group.as_ref().map(|group| group.0.as_str()))
                .number(new.uses_left)
                .number(new.created)
                .number(new.expires)
                .maybe_text(new.created_by.as_ref().map(|id| id.0.as_str())),
        )
        .await
        .map(|_| ())
    }

    /// Uses an invitation once: `None` when it is used up, has expired or never was.
    pub async fn take_invite(&self, hash: &str, now: i64) -> Result<Option<Invite>> {
        let taken = self
            .did(
                sql("UPDATE invites SET uses_left = uses_left - 1 WHERE hash = ? AND uses_left > 0 AND expires > ?")
                    .text(hash)
                    .number(now),
            )
            .await?;
        if !taken {
            return Ok(None);
        }
        self.invite(hash).await
    }

    /// Takes an invitation back. Whether it was there.
    pub async fn remove_invite(&self, hash: &str) -> Result<bool> {
        self.did(sql("DELETE FROM invites WHERE hash = ?").text(hash))
            .await
    }
}
