//! The table `outbox`: mails and webhooks that wait, written with the change that they tell of.
//!
//! Who delivers takes some with a lease. An instance that dies leaves them until the lease ends;
//! only then another may send one a second time. What was sent, or given up, loses its body.

use super::ask::{Fields, FromRow, cut, fit, foreign, sql};
use super::error::Result;
use super::{Store, Work};

/// What is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// A mail.
    Mail,
    /// A JSON object for a URL.
    Webhook,
}

impl What {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// What a word of the database stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mail, Self::Webhook]
            .into_iter()
            .find(|what| what.as_str() == text)
    }
}

/// Something to be delivered.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Its key, from the world.
    pub id: &'a str,
    /// What it is.
    pub what: What,
    /// To whom: for the list of what waits.
    pub recipient: &'a str,
    /// All of it, sealed.
    pub body: &'a str,
    /// Unix seconds.
    pub now: i64,
}

/// Something that waits, taken with a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its key.
    pub id: String,
    /// What it is.
    pub what: What,
    /// To whom.
    pub recipient: String,
    /// All of it, sealed.
    pub body: String,
    /// Unix seconds.
    pub created: i64,
    /// How often it was tried, this time counted.
    pub tries: i64,
}

/// How many wait and how many were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxCount {
    /// To be delivered.
    pub waiting: i64,
    /// Given up.
    pub failed: i64,
    /// Unix seconds: the oldest that waits.
    pub oldest: Option<i64>,
}

impl FromRow for Queued {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        let (id, kind) = (fields.text()?, fields.text()?);
        Ok(Self {
            id,
            what: What::parse(&kind).ok_or_else(|| foreign("kind", &kind))?,
            recipient: fields.text()?,
            body: fields.text()?,
            created: fields.number()?,
            tries: fields.number()?,
        })
    }
}

impl Store {
    /// Takes what is due, at most so many, until a time (Unix seconds). `lease` is a random word
    /// of the caller's.
    pub async fn claim(
        &self,
        lease: &str,
        now: i64,
        until: i64,
        most: usize,
    ) -> Result<Vec<Queued>> {
        let due: Vec<String> = self
            .all(
                sql("SELECT id FROM outbox WHERE state = 'waiting' AND next_try <= ? AND lease_until <= ? \
                     ORDER BY next_try, id LIMIT ?")
                    .number(now)
                    .number(now)
                    .number(i64::try_from(most).unwrap_or(i64::MAX)),
            )
            .await?;
        let mut taken = Vec::new();
        for id in due {
            let ask = sql(
                "UPDATE outbox SET lease = ?, lease_until = ?, tries = tries + 1 \
                 WHERE id = ? AND state = 'waiting' AND next_try <= ? AND lease_until <= ?",
            )
            .text(lease)
            .number(until)
            .text(&id)
            .number(now)
            .number(now);
            if self.did(ask).await? {
                let ask = sql(
                    "SELECT id, kind, recipient, body, created, tries FROM outbox WHERE id = ?",
                )
                .text(&id);
                taken.extend(self.one(ask).await?);
            }
        }
        Ok(taken)
    }

    /// It is delivered: its body goes. `false` when the lease has ended and another has it.
    pub async fn delivered(&self, id: &str, lease: &str) -> Result<bool> {
        self.end(id, lease, "sent", "").await
    }

    /// It will never be delivered: its body goes, the reason stays.
    pub async fn give_up(&self, id: &str, lease: &str, error: &str) -> Result<bool> {
        self.end(id, lease, "failed", error).await
    }

    async fn end(&self, id: &str, lease: &str, state: &'static str, error: &str) -> Result<bool> {
        self.did(
            sql(
                "UPDATE outbox SET state = ?, body = '', error = ?, lease = '', lease_until = 0 \
                 WHERE id = ? AND lease = ? AND state = 'waiting'",
            )
            .text(state)
            .text(cut(error, 1000))
            .text(id)
            .text(lease),
        )
        .await
    }

    /// It could not be delivered now, and is tried again at a time (Unix seconds).
    pub async fn put_off(&self, id: &str, lease: &str, error: &str, next_try: i64) -> Result<bool> {
        self.did(
            sql(
                "UPDATE outbox SET error = ?, next_try = ?, lease = '', lease_until = 0 \
                 WHERE id = ? AND lease = ? AND state = 'waiting'",
            )
            .text(cut(error, 1000))
            .number(next_try)
            .text(id)
            .text(lease),
        )
        .await
    }

    /// How many wait and how many were given up.
    pub async fn outbox(&self) -> Result<OutboxCount> {
        let count = |state: &str| sql("SELECT COUNT(*) FROM outbox WHERE state = ?").text(state);
        let oldest = sql("SELECT MIN(created) FROM outbox WHERE state = 'waiting'");
        Ok(OutboxCount {
            waiting: self.number(count("waiting")).await?,
            failed: self.number(count("failed")).await?,
            oldest: self.one::<Option<i64>>(oldest).await?.flatten(),
        })
    }

    /// Unix seconds when the next one is due, if any waits.
    pub async fn next_delivery(&self) -> Result<Option<i64>> {
        let ask = sql("SELECT MIN(next_try) FROM outbox WHERE state = 'waiting'");
        Ok(self.one::<Option<i64>>(ask).await?.flatten())
    }

    /// Removes what was sent or given up and written before a time; how many.
    pub async fn prune_outbox(&self, before: i64) -> Result<u64> {
        self.run(sql("DELETE FROM outbox WHERE state <> 'waiting' AND created < ?").number(before))
            .await
    }
}

impl Work {
    /// Puts something into the outbox; it leaves when the transaction is confirmed.
    pub async fn queue(&self, letter: &Letter<'_>) -> Result<()> {
        fit("recipient", 190, letter.recipient)?;
        self.run(
            sql("INSERT INTO outbox (id, kind, recipient, body, created, next_try, tries, state, error, lease, lease_until) \
                 VALUES (?,?,?,?,?,?,0,'waiting','','',0)")
                .text(letter.id)
                .text(letter.what.as_str())
                .text(letter.recipient)
                .text(letter.body)
                .number(letter.now)
                .number(letter.now),
        )
        .await
        .map(|_| ())
    }
}
