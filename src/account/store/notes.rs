//! The table `notes`: what approvers and administrators write about an account, for each other.

use serde::Serialize;

use super::ask::{Fields, FromRow, LONG, cut, fit, sql};
use super::error::Result;
use super::{Store, Work};
use crate::account::AccountId;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its key; sorts by time.
    pub id: String,
    /// About whom.
    pub account: AccountId,
    /// By whom: a login.
    pub author: String,
    /// Unix seconds.
    pub at: i64,
    /// What.
    pub text: String,
}

impl FromRow for Note {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: fields.text()?,
            account: AccountId(fields.text()?),
            author: fields.text()?,
            at: fields.number()?,
            text: fields.text()?,
        })
    }
}

impl Store {
    /// The notes about an account, the newest first; at most 200.
    pub async fn notes(&self, account: &AccountId) -> Result<Vec<Note>> {
        self.all(
            sql("SELECT id, account, author, at, body FROM notes WHERE account = ? ORDER BY id DESC LIMIT 200")
                .text(&account.0),
        )
        .await
    }
}

impl Work {
    /// Adds a note.
    pub async fn add_note(&self, note: &Note) -> Result<()> {
        fit("note", LONG, &note.text)?;
        self.run(
            sql("INSERT INTO notes (id, account, author, at, body) VALUES (?,?,?,?,?)")
                .text(&note.id)
                .text(&note.account.0)
                .text(cut(&note.author, 190))
                .number(note.at)
                .text(&note.text),
        )
        .await
        .map(|_| ())
    }
}
