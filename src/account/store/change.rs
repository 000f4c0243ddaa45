//! The table `accounts`: adding and changing. A method that expects an old value answers whether
//! it found it; who finds another says so to the person and changes nothing.

use super::accounts::{NewAccount, class, email_key, role_rank, state_rank};
use super::ask::{LONG, Value, fit, places, sql};
use super::error::Result;
use super::words::{search_text, words};
use super::{Store, Work};
use crate::account::{Account, AccountId, Role, State};
use crate::secret::Secret;

impl Work {
    /// Adds an account. [`super::Error::Taken`] says which field another account has; the
    /// transaction is over then.
    pub async fn add_account(&self, new: &NewAccount) -> Result<()> {
        self.add_accounts(std::slice::from_ref(new)).await
    }

    /// Adds many, some hundred at a time, for imports: either all or, with an error, none.
    pub async fn add_accounts(&self, many: &[NewAccount]) -> Result<()> {
        for some in many.chunks(100) {
            let mut rows = Vec::with_capacity(some.len());
            let mut found = Vec::with_capacity(some.len() * 4);
            for new in some {
                rows.push(row(new, new.created, 0)?);
                for word in words(new.login.as_str(), new.email.as_deref(), &new.display_name) {
                    found.push(vec![text(word), text(&new.id.0)]);
                }
            }
            self.insert("accounts", COLUMNS, rows).await?;
            self.insert("words", "word, account", found).await?;
        }
        Ok(())
    }

    /// Adds rows to a table, with as few statements as fit a driver.
    pub(super) async fn insert(
        &self,
        table: &str,
        columns: &str,
        rows: Vec<Vec<Value>>,
    ) -> Result<()> {
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(());
        };
        let one = format!("({})", places(width));
        for some in rows.chunks(200) {
            let all = vec![one.as_str(); some.len()].join(",");
            let mut ask = sql(format!("INSERT INTO {table} ({columns}) VALUES {all}"));
            ask.values = some.concat();
            self.run(ask).await?;
        }
        Ok(())
    }

    /// Moves an account from one state to another: `false` when it is not in the first one (any
    /// more). Of two who approve the same person one gets `false`.
    pub async fn move_account(
        &self,
        id: &AccountId,
        from: State,
        to: State,
        now: i64,
    ) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET state = ?, state_since = ?, class = class + ? WHERE id = ? AND state = ?")
                .text(to.as_str())
                .number(now)
                .number((state_rank(to) - state_rank(from)) * 1000)
                .text(&id.0)
                .text(from.as_str()),
        )
        .await
    }

    /// Gives an account another role: `false` when it has not the first one (any more).
    pub async fn set_role(&self, id: &AccountId, from: Role, to: Role) -> Result<bool> {
        self.did(
            sql("UPDATE accounts SET role = ?, class = class + ? WHERE id = ? AND role = ? AND state <> 'deleted'")
                .text(to.as_str())
                .number((role_rank(to) - role_rank(from)) * 100)
                .text(&id.0)
                .text(from.as_str()),
        )
        .await
    }

    /// How many active administrators there are besides this one; the rows are held until the
    /// transaction ends, so that two cannot both be the last to go.
    pub async fn other_admins(&self, id: &AccountId) -> Result<usize> {
        // A write that changes nothing is the lock that all three understand.
        self.run(sql(
            "UPDATE accounts SET state = state WHERE class BETWEEN 2200 AND 2299",
        ))
        .await?;
        let admins: Vec<String> = self
            .all(sql(
                "SELECT a.id FROM accounts a WHERE a.class BETWEEN 2200 AND 2299",
            ))
            .await?;
        Ok(admins.iter().filter(|admin| **admin != id.0).count())
    }

    /// Changes the name that others see.
    pub async fn set_display_name(&self, id: &AccountId, name: &str) -> Result<bool> {
        fit("display name", 190, name)?;
        let Some(account) = self.account(id).await? else {
            return Ok(false);
        };
        let done = self
            .did(
                sql("UPDATE accounts SET display_name = ? WHERE id = ? AND state <> 'deleted'")
                    .text(name)
                    .text(&id.0),
            )
            .await?;
        let after = Account {
            display_name: name.to_owned(),
            ..account
        };
        if done {
            self.find_again(&after).await?;
        }
        Ok(done)
    }

    /// Changes the language of pages and mails.
    pub async fn set_language(&self, id: &AccountId, language: &str) -> Result<bool> {
        fit("language", 16, language)?;
        self.did(
            sql("UPDATE accounts SET language = ? WHERE id = ? AND state <> 'deleted'")
                .text(language)
                .text(&id.0),
        )
        .await
    }

    /// Changes the address, unless somebody changed it meanwhile (`false`).
    pub async fn set_email(
        &self,
        id: &AccountId,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Result<bool> {
        fit("e-mail address", 190, new.unwrap_or_default())?;
        let Some(account) = self.account(id).await? else {
            return Ok(false);
        };
        if account.email.as_deref() != old || account.state == State::Deleted {
            return Ok(false);
        }
        let key = new.map(email_key);
        let ask = sql(match old {
            Some(_) => "UPDATE accounts SET email = ?, email_key = ?, email_order = ? WHERE id = ? AND email = ?",
            None => "UPDATE accounts SET email = ?, email_key = ?, email_order = ? WHERE id = ? AND email IS NULL",
        })
        .maybe_text(new)
        .maybe_text(key.as_deref())
        .text(key.clone().unwrap_or_default())
        .text(&id.0);
        let done = match old {
            Some(old) => self.did(ask.text(old)).await?,
            None => self.did(ask).await?,
        };
        let after = Account {
            email: new.map(str::to_owned),
            ..account
        };
        if done {
            self.find_again(&after).await?;
        }
        Ok(done)
    }

    /// Deletes an account: its name stays reserved, everything personal goes, and so do its
    /// sessions, links, codes, groups and notes. `false` when it is not in that state (any more).
    pub async fn erase(&self, id: &AccountId, from: State, now: i64) -> Result<bool> {
        let gone = class(
            State::Deleted,
            Role::Member,
            crate::account::Origin::Signup,
            false,
        );
        let done = self
            .did(
                sql("UPDATE accounts SET state = 'deleted', state_since = ?, email = NULL, email_key = NULL, email_order = '', \
                     display_name = '', role = 'member', origin = 'signup', language = '', reason = '', created = 0, \
                     last_seen = 0, password = '', scram_sha_1 = NULL, scram_sha_256 = NULL, totp_seed = NULL, totp_step = 0, \
                     stamp = '', search = '', class = ? WHERE id = ? AND state = ?")
                    .number(now)
                    .number(gone)
                    .text(&id.0)
                    .text(from.as_str()),
            )
            .await?;
        if done {
            for table in [
                "words",
                "memberships",
                "tokens",
                "sessions",
                "recovery_codes",
                "notes",
            ] {
                self.run(sql(format!("DELETE FROM {table} WHERE account = ?")).text(&id.0))
                    .await?;
            }
        }
        Ok(done)
    }

    /// Removes an account wholly, so that its name is free again: for one that was never active.
    /// `false` when it is not in that state (any more).
    pub async fn forget(&self, id: &AccountId, from: State) -> Result<bool> {
        self.did(
            sql("DELETE FROM accounts WHERE id = ? AND state = ?")
                .text(&id.0)
                .text(from.as_str()),
        )
        .await
    }

    /// Makes the words that the search finds fit the account again.
    async fn find_again(&self, account: &Account) -> Result<()> {
        let (login, email) = (account.login.as_str(), account.email.as_deref());
        self.run(
            sql("UPDATE accounts SET search = ? WHERE id = ?")
                .text(search_text(login, email, &account.display_name))
                .text(&account.id.0),
        )
        .await?;
        self.run(sql("DELETE FROM words WHERE account = ?").text(&account.id.0))
            .await?;
        self.add_words(&account.id, &words(login, email, &account.display_name))
            .await
    }

    async fn add_words(&self, id: &AccountId, words: &[String]) -> Result<()> {
        let rows = words.iter().map(|word| vec![text(word), text(&id.0)]);
        self.insert("words", "word, account", rows.collect()).await
    }
}

/// The columns of [`row`].
pub(super) const COLUMNS: &str = "id, login, login_skeleton, email, email_key, email_order, display_name, state, role, language, \
     origin, reason, created, state_since, last_seen, password, scram_sha_1, scram_sha_256, totp_step, stamp, class, search";

/// A new account as the database gets it: in its state since then, and last seen then (0: never).
pub(super) fn row(new: &NewAccount, state_since: i64, last_seen: i64) -> Result<Vec<Value>> {
    fit("login", 64, new.login.as_str())?;
    fit("login", 190, &new.login_skeleton)?;
    fit("display name", 190, &new.display_name)?;
    fit(
        "e-mail address",
        190,
        new.email.as_deref().unwrap_or_default(),
    )?;
    fit("language", 16, &new.language)?;
    fit("reason", LONG, &new.reason)?;
    let (login, email) = (new.login.as_str(), new.email.as_deref());
    let key = email.map(email_key);
    let keys = new.keys.as_ref();
    let secret = |secret: &Secret<String>| secret.reveal().clone();
    Ok(vec![
        text(&new.id.0),
        text(login),
        text(&new.login_skeleton),
        Value::Text(email.map(str::to_owned)),
        // An address belongs to nobody until it is confirmed.
        Value::Text(key.clone().filter(|_| new.state != State::Unconfirmed)),
        text(key.unwrap_or_default()),
        text(&new.display_name),
        text(new.state.as_str()),
        text(new.role.as_str()),
        text(&new.language),
        text(new.origin.as_str()),
        text(&new.reason),
        Value::Number(Some(new.created)),
        Value::Number(Some(state_since)),
        Value::Number(Some(last_seen)),
        text(keys.map_or_else(String::new, |keys| secret(&keys.hash))),
        Value::Text(keys.and_then(|keys| keys.scram_sha_1.as_ref().map(secret))),
        Value::Text(keys.and_then(|keys| keys.scram_sha_256.as_ref().map(secret))),
        Value::Number(Some(0)),
        text(&new.stamp),
        Value::Number(Some(class(new.state, new.role, new.origin, false))),
        text(search_text(login, email, &new.display_name)),
    ])
}

pub(super) fn text(value: impl Into<String>) -> Value {
    Value::Text(Some(value.into()))
}

impl Store {
    /// Notes that somebody signed in.
    pub async fn seen(&self, id: &AccountId, now: i64) -> Result<()> {
        self.run(
            sql("UPDATE accounts SET last_seen = ? WHERE id = ? AND state <> 'deleted' AND last_seen < ?")
                .number(now)
                .text(&id.0)
                .number(now),
        )
        .await
        .map(|_| ())
    }

    /// Those of the given looks that are taken: for imports, some hundred at a time.
    pub async fn taken_skeletons(&self, skeletons: &[String]) -> Result<Vec<String>> {
        self.taken("login_skeleton", skeletons).await
    }

    /// Those of the given addresses ([`email_key`]) that are taken.
    pub async fn taken_emails(&self, keys: &[String]) -> Result<Vec<String>> {
        self.taken("email_key", keys).await
    }

    async fn taken(&self, column: &'static str, values: &[String]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for some in values.chunks(500) {
            let ask = sql(format!(
                "SELECT {column} FROM accounts WHERE {column} IN ({})",
                places(some.len())
            ));
            found.extend(self.all(ask.texts(some.iter().map(String::as_str))).await?);
        }
        Ok(found)
    }
}
