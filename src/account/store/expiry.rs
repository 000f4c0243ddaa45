//! What the timer asks for and removes, some at a time.

use super::accounts::{COLUMNS, state_rank};
use super::ask::sql;
use super::error::Result;
use super::{Purpose, Store};
use crate::account::{Account, State};

/// How many rows go with one statement, so that nobody waits long.
const BATCH: i64 = 1000;

impl Store {
    /// Accounts that have been unconfirmed since before a time (Unix seconds), the oldest first.
    /// Who has a link that can still be used, at `now`, is not among them.
    pub async fn stale_unconfirmed(
        &self,
        before: i64,
        now: i64,
        most: usize,
    ) -> Result<Vec<Account>> {
        let without = format!(
            "AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.account = a.id AND t.purpose = '{}' \
             AND t.used IS NULL AND t.expires > {now}) ",
            Purpose::Confirm.as_str()
        );
        self.stale(State::Unconfirmed, &without, before, most).await
    }

    /// Accounts that have been waiting since before a time (Unix seconds), the oldest first; each
    /// is told by mail when it goes.
    pub async fn stale_pending(&self, before: i64, most: usize) -> Result<Vec<Account>> {
        self.stale(State::Pending, "", before, most).await
    }

    /// Some of the accounts that wait, whoever began to last first.
    pub async fn newly_pending(&self, most: usize) -> Result<Vec<Account>> {
        let lowest = state_rank(State::Pending) * 1000;
        self.all(
            sql(format!(
                "SELECT {COLUMNS} FROM accounts a WHERE a.class BETWEEN ? AND ? ORDER BY a.state_since DESC, a.id DESC LIMIT ?"
            ))
            .number(lowest)
            .number(lowest + 999)
            .number(i64::try_from(most).unwrap_or(i64::MAX)),
        )
        .await
    }

    async fn stale(
        &self,
        state: State,
        without: &str,
        before: i64,
        most: usize,
    ) -> Result<Vec<Account>> {
        let lowest = state_rank(state) * 1000;
        self.all(
            sql(format!(
                "SELECT {COLUMNS} FROM accounts a WHERE a.class BETWEEN ? AND ? AND a.state = ? AND a.state_since < ? \
                 {without}ORDER BY a.state_since, a.id LIMIT ?"
            ))
            .number(lowest)
            .number(lowest + 999)
            .text(state.as_str())
            .number(before)
            .number(i64::try_from(most).unwrap_or(i64::MAX)),
        )
        .await
    }

    /// Removes sessions that have ended; how many.
    pub async fn prune_sessions(&self, now: i64) -> Result<u64> {
        self.prune("sessions", "hash", "expires", now).await
    }

    /// Removes links that expired, used or not, before a time; how many. Callers keep them for
    /// some days, so that "expired" and "used" can be told from "unknown".
    pub async fn prune_tokens(&self, before: i64) -> Result<u64> {
        self.prune("tokens", "hash", "expires", before).await
    }

    /// Removes limits whose time is over; how many.
    pub async fn prune_limits(&self, now: i64) -> Result<u64> {
        self.prune("limits", "name", "until", now).await
    }

    /// Removes invitations that expired before a time; how many.
    pub async fn prune_invites(&self, before: i64) -> Result<u64> {
        self.prune("invites", "hash", "expires", before).await
    }

    async fn prune(
        &self,
        table: &'static str,
        key: &'static str,
        column: &'static str,
        before: i64,
    ) -> Result<u64> {
        let mut all = 0;
        loop {
            // MariaDB has no LIMIT in a subquery of IN, but one in a table made by a subquery.
            let gone = self
                .run(
                    sql(format!(
                        "DELETE FROM {table} WHERE {column} <= ? AND {key} IN \
                         (SELECT {key} FROM (SELECT {key} FROM {table} WHERE {column} <= ? LIMIT {BATCH}) t)"
                    ))
                    .number(before)
                    .number(before),
                )
                .await?;
            all += gone;
            if gone == 0 {
                return Ok(all);
            }
        }
    }
}
