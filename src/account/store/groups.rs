//! The tables `account_groups` and `memberships`.

use serde::{Deserialize, Serialize};

use super::ask::{Fields, FromRow, LONG, fit, sql};
use super::error::Result;
use super::{Store, Work};
use crate::account::AccountId;

/// The key of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its key.
    pub id: GroupId,
    /// Its name; no two have the same.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Unix seconds.
    pub created: i64,
}

impl FromRow for Group {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: GroupId(fields.text()?),
            name: fields.text()?,
            description: fields.text()?,
            created: fields.number()?,
        })
    }
}

impl Store {
    /// Every group, by name.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        self.all(sql(
            "SELECT id, name, description, created FROM account_groups ORDER BY name, id",
        ))
        .await
    }

    /// A group by its key.
    pub async fn group(&self, id: &GroupId) -> Result<Option<Group>> {
        self.one(
            sql("SELECT id, name, description, created FROM account_groups WHERE id = ?")
                .text(&id.0),
        )
        .await
    }

    /// A group by its name.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<Group>> {
        self.one(
            sql("SELECT id, name, description, created FROM account_groups WHERE name = ?")
                .text(name),
        )
        .await
    }

    /// The groups of an account, by name.
    pub async fn groups_of(&self, account: &AccountId) -> Result<Vec<Group>> {
        self.all(
            sql("SELECT g.id, g.name, g.description, g.created FROM memberships m JOIN account_groups g ON g.id = m.grp \
                 WHERE m.account = ? ORDER BY g.name, g.id")
                .text(&account.0),
        )
        .await
    }

    /// How many members a group has, counted up to `most`.
    pub async fn members(&self, group: &GroupId, most: i64) -> Result<i64> {
        self.number(
            sql("SELECT COUNT(*) FROM (SELECT 1 AS one FROM memberships WHERE grp = ? LIMIT ?) t")
                .text(&group.0)
                .number(most),
        )
        .await
    }
}

impl Work {
    /// Adds a group; [`super::Error::Taken`] when its name is.
    pub async fn add_group(&self, group: &Group) -> Result<()> {
        fit("name of the group", 100, &group.name)?;
        fit("description", LONG, &group.description)?;
        self.run(
            sql("INSERT INTO account_groups (id, name, description, created) VALUES (?,?,?,?)")
                .text(&group.id.0)
                .text(&group.name)
                .text(&group.description)
                .number(group.created),
        )
        .await
        .map(|_| ())
    }

    /// Changes a group's name and description. Whether it is there.
    pub async fn set_group(&self, id: &GroupId, name: &str, description: &str) -> Result<bool> {
        fit("name of the group", 100, name)?;
        fit("description", LONG, description)?;
        self.did(
            sql("UPDATE account_groups SET name = ?, description = ? WHERE id = ?")
                .text(name)
                .text(description)
                .text(&id.0),
        )
        .await
    }

    /// Removes a group; its members stay, without it. Whether it was there.
    pub async fn remove_group(&self, id: &GroupId) -> Result<bool> {
        self.did(sql("DELETE FROM account_groups WHERE id = ?").text(&id.0))
            .await
    }

    /// Puts an account into a group. `false` when it was in it, or one of the two is not there.
    pub async fn join_group(&self, account: &AccountId, group: &GroupId) -> Result<bool> {
        self.did(
            sql("INSERT INTO memberships (account, grp) SELECT a.id, g.id FROM accounts a, account_groups g \
                 WHERE a.id = ? AND g.id = ? AND a.state <> 'deleted' \
                 AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.account = a.id AND m.grp = g.id)")
                .text(&account.0)
                .text(&group.0),
        )
        .await
    }

    /// Takes an account out of a group. Whether it was in it.
    pub async fn leave_group(&self, account: &AccountId, group: &GroupId) -> Result<bool> {
        self.did(
            sql("DELETE FROM memberships WHERE account = ? AND grp = ?")
                .text(&account.0)
                .text(&group.0),
        )
        .await
    }
}
