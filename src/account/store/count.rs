//! How many accounts there are, for figures.

use super::Store;
use super::accounts::state_rank;
use super::ask::{Fields, FromRow, sql};
use super::error::Result;
use crate::account::State;

/// A class of accounts, and how many are in it.
struct Class {
    class: i64,
    count: i64,
}

impl FromRow for Class {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            class: fields.number()?,
            count: fields.number()?,
        })
    }
}

impl Store {
    /// How many accounts there are in each state, every one counted. The database walks an index for
    /// it: callers keep the answer for a while.
    pub async fn count_states(&self) -> Result<Vec<(State, i64)>> {
        let classes: Vec<Class> = self
            .all(sql("SELECT class, COUNT(*) FROM accounts GROUP BY class"))
            .await?;
        let of = |state: State| {
            let fits = classes
                .iter()
                .filter(|row| row.class / 1000 == state_rank(state));
            (state, fits.map(|row| row.count).sum())
        };
        Ok(State::ALL.into_iter().map(of).collect())
    }
}
