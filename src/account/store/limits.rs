//! The table `limits`: how often something happened under a name within a time. It outlives
//! restarts and is the same for all instances.

use super::Store;
use super::ask::{Fields, FromRow, cut, sql};
use super::error::{Error, Field, Result};

/// How often, and until when it is counted.
struct Count {
    hits: i64,
    until: i64,
}

impl FromRow for Count {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            hits: fields.number()?,
            until: fields.number()?,
        })
    }
}

impl Store {
    /// Counts one more under a name (`signin ann 192.0.2.0/24`) in a window of so many seconds
    /// that begins with the first; how many there are with this one. It is a change by itself:
    /// an act that is taken back afterwards was tried all the same.
    pub async fn count(&self, name: &str, now: i64, seconds: i64) -> Result<i64> {
        let name = cut(name, 190);
        if self.within.is_some() {
            return Err(Error::Other {
                database: self.shared.address.clone(),
                why: "limits are counted outside of transactions".into(),
            });
        }
        // Two who begin the same window at the same moment: the second finds the first's row.
        for _ in 0..3 {
            if let Some(hits) = self.one_more(&name, now).await? {
                return Ok(hits);
            }
            let anew = sql("UPDATE limits SET hits = 1, until = ? WHERE name = ? AND until <= ?")
                .number(now + seconds)
                .text(&name)
                .number(now);
            if self.did(anew).await? {
                return Ok(1);
            }
            let first = sql("INSERT INTO limits (name, hits, until) VALUES (?,1,?)")
                .text(&name)
                .number(now + seconds);
            match self.run(first).await {
                Ok(_) => return Ok(1),
                Err(Error::Taken(Field::Key)) => {}
                Err(error) => return Err(error),
            }
        }
        self.counted(&name, now).await
    }

    /// Counts one more in the window that is open, if one is. The row is held until it was read
    /// again, so that of several at the same moment each gets a number of its own.
    async fn one_more(&self, name: &str, now: i64) -> Result<Option<i64>> {
        let work = self.begin().await?;
        let more = sql("UPDATE limits SET hits = hits + 1 WHERE name = ? AND until > ?")
            .text(name)
            .number(now);
        if !work.did(more).await? {
            work.roll_back().await?;
            return Ok(None);
        }
        let hits = work.counted(name, now).await?;
        work.commit().await?;
        Ok(Some(hits))
    }

    /// How many there are under a name, without counting.
    pub async fn counted(&self, name: &str, now: i64) -> Result<i64> {
        Ok(self.limit(name, now).await?.map_or(0, |count| count.hits))
    }

    /// Unix seconds when the window of a name ends, if there is one.
    pub async fn counted_until(&self, name: &str, now: i64) -> Result<Option<i64>> {
        Ok(self.limit(name, now).await?.map(|count| count.until))
    }

    async fn limit(&self, name: &str, now: i64) -> Result<Option<Count>> {
        self.one(
            sql("SELECT hits, until FROM limits WHERE name = ? AND until > ?")
                .text(cut(name, 190))
                .number(now),
        )
        .await
    }

    /// Takes one back under a name, of what was not to be counted after all.
    pub async fn count_back(&self, name: &str) -> Result<()> {
        let ask = sql("UPDATE limits SET hits = hits - 1 WHERE name = ? AND hits > 0");
        self.run(ask.text(cut(name, 190))).await.map(|_| ())
    }

    /// Forgets a name: after a right password.
    pub async fn uncount(&self, name: &str) -> Result<()> {
        self.run(sql("DELETE FROM limits WHERE name = ?").text(cut(name, 190)))
            .await
            .map(|_| ())
    }
}
