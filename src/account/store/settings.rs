//! The table `settings`: what an administrator saved in the console, as JSON under a name.

use super::ask::{Fields, FromRow, cut, fit, sql};
use super::error::Result;
use super::{Store, Work};

/// A setting that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name: `registration`.
    pub name: String,
    /// Its value, JSON.
    pub value: String,
    /// Unix seconds.
    pub changed: i64,
    /// The login of who saved it.
    pub changed_by: String,
}

impl FromRow for Setting {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            name: fields.text()?,
            value: fields.text()?,
            changed: fields.number()?,
            changed_by: fields.text()?,
        })
    }
}

impl Store {
    /// A setting, when one was saved.
    pub async fn setting(&self, name: &str) -> Result<Option<Setting>> {
        self.one(
            sql("SELECT name, value, changed, changed_by FROM settings WHERE name = ?").text(name),
        )
        .await
    }
}

impl Work {
    /// Holds a setting until the transaction ends: what is read of it from now on stays so. One that
    /// was never saved cannot be held.
    pub async fn hold_setting(&self, name: &str) -> Result<()> {
        // A write that changes nothing is the lock that all three understand.
        self.run(sql("UPDATE settings SET name = name WHERE name = ?").text(name))
            .await
            .map(|_| ())
    }

    /// Saves a setting. Of two who save the first value of a name in the same moment one may get
    /// [`super::Error::Taken`].
    pub async fn set_setting(&self, new: &Setting) -> Result<()> {
        fit("name of the setting", 100, &new.name)?;
        let changed = self
            .did(
                sql("UPDATE settings SET value = ?, changed = ?, changed_by = ? WHERE name = ?")
                    .text(&new.value)
                    .number(new.changed)
                    .text(cut(&new.changed_by, 190))
                    .text(&new.name),
            )
            .await?;
        if changed {
            return Ok(());
        }
        self.run(
            sql("INSERT INTO settings (name, value, changed, changed_by) VALUES (?,?,?,?)")
                .text(&new.name)
                .text(&new.value)
                .number(new.changed)
                .text(cut(&new.changed_by, 190)),
        )
        .await
        .map(|_| ())
    }
}
