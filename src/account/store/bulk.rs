//! Many accounts at a time, for imports: the rows of [`Work::add_account`] and of
//! [`Work::append`], some hundred in a statement.

use super::accounts::{NewAccount, class, email_key};
use super::ask::{Ask, Fields, FromRow, LONG, cut, fit, foreign, places, sql};
use super::error::Result;
use super::words::{search_text, words};
use super::{GroupId, Store, Work};
use crate::account::audit::{Entry, place};
use crate::account::{Actor, Origin, State, World};

/// Rows of a statement; times the columns this stays under every database's limit of values.
const ROWS: usize = 200;

/// An account to be added with others.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The account.
    pub new: NewAccount,
    /// Unix seconds since when it is in its state.
    pub state_since: i64,
    /// Unix seconds of the last sign-in.
    pub last_seen: Option<i64>,
    /// The groups that it is in; they must be there.
    pub groups: Vec<GroupId>,
    /// What the audit trail says of it.
    pub entry: Entry,
}

/// Whose a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name.
    pub login: String,
    /// Where the account came from.
    pub origin: Origin,
    /// Where it stands.
    pub state: State,
}

impl FromRow for Holder {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        let (login, origin, state) = (fields.text()?, fields.text()?, fields.text()?);
        Ok(Self {
            login,
            origin: Origin::parse(&origin).ok_or_else(|| foreign("origin", &origin))?,
            state: State::parse(&state).ok_or_else(|| foreign("state", &state))?,
        })
    }
}

impl Store {
    /// Whose the given names are, as far as somebody has them.
    pub async fn holders(&self, logins: &[String]) -> Result<Vec<Holder>> {
        let mut found = Vec::new();
        for some in logins.chunks(500) {
            let ask = sql(format!(
                "SELECT login, origin, state FROM accounts WHERE login IN ({})",
                places(some.len())
            ));
            found.extend(self.all(ask.texts(some.iter().map(String::as_str))).await?);
        }
        Ok(found)
    }
}

impl Work {
    /// Adds accounts with their groups and an entry in the audit trail for each.
    /// [`super::Error::Taken`] says which field another account has; the transaction is over then.
    pub async fn add_incoming(
        &self,
        world: &dyn World,
        actor: &Actor,
        many: &[Incoming],
    ) -> Result<()> {
        for some in many.chunks(ROWS) {
            self.add_rows(some).await?;
            let found = some.iter().flat_map(|incoming| {
                let new = &incoming.new;
                let found = words(new.login.as_str(), new.email.as_deref(), &new.display_name);
                found.into_iter().map(|word| (word, new.id.0.clone()))
            });
            self.pairs("words (word, account)", found.collect()).await?;
            let joined = some.iter().flat_map(|incoming| {
                let groups = incoming.groups.iter();
                groups.map(|group| (incoming.new.id.0.clone(), group.0.clone()))
            });
            self.pairs("memberships (account, grp)", joined.collect())
                .await?;
            self.append_rows(world, actor, some).await?;
        }
        Ok(())
    }

    async fn add_rows(&self, some: &[Incoming]) -> Result<()> {
        let mut ask = many(
            "accounts (id, login, login_skeleton, email, email_key, email_order, display_name, state, role, \
             language, origin, reason, created, state_since, last_seen, password, scram_sha_1, scram_sha_256, \
             totp_step, stamp, class, search)",
            22,
            some.len(),
        );
        for Incoming {
            new,
            state_since,
            last_seen,
            ..
        } in some
        {
            fit("login", 64, new.login.as_str())?;
            fit("login", 190, &new.login_skeleton)?;
            fit("display name", 190, &new.display_name)?;
            let email = new.email.as_deref();
            fit("e-mail address", 190, email.unwrap_or_default())?;
            fit("language", 16, &new.language)?;
            fit("reason", LONG, &new.reason)?;
            let key = email.map(email_key);
            let keys = new.keys.as_ref();
            let scram_sha_1 = keys.and_then(|keys| keys.scram_sha_1.as_ref());
            let scram_sha_256 = keys.and_then(|keys| keys.scram_sha_256.as_ref());
            ask = ask
                .text(&new.id.0)
                .text(new.login.as_str())
                .text(&new.login_skeleton)
                .maybe_text(email)
                .maybe_text(key.as_deref())
                .text(key.clone().unwrap_or_default())
                .text(&new.display_name)
                .text(new.state.as_str())
                .text(new.role.as_str())
                .text(&new.language)
                .text(new.origin.as_str())
                .text(&new.reason)
                .number(new.created)
                .number(*state_since)
                .number(last_seen.unwrap_or(0))
                .text(keys.map_or("", |keys| keys.hash.reveal().as_str()))
                .maybe_text(scram_sha_1.map(|key| key.reveal().as_str()))
                .maybe_text(scram_sha_256.map(|key| key.reveal().as_str()))
                .number(0)
                .text(&new.stamp)
                .number(class(new.state, new.role, new.origin, false))
                .text(search_text(new.login.as_str(), email, &new.display_name));
        }
        self.run(ask).await.map(|_| ())
    }

    async fn pairs(&self, table: &str, pairs: Vec<(String, String)>) -> Result<()> {
        for some in pairs.chunks(ROWS) {
            let mut ask = many(table, 2, some.len());
            for (left, right) in some {
                ask = ask.text(left).text(right);
            }
            self.run(ask).await?;
        }
        Ok(())
    }

    async fn append_rows(&self, world: &dyn World, actor: &Actor, some: &[Incoming]) -> Result<()> {
        let mut ask = many(
            "audit (id, at, actor, actor_name, address, agent, action, target, target_name, outcome, detail)",
            11,
            some.len(),
        );
        for Incoming { entry, .. } in some {
            ask = ask
                .text(world.id())
                .number(world.millis())
                .maybe_text(actor.account.as_ref().map(|id| id.0.as_str()))
                .text(cut(&actor.name, 190))
                .text(place(actor))
                .text(cut(&actor.agent, 200))
                .text(cut(&entry.action, 64))
                .maybe_text(entry.target.as_ref().map(|id| id.0.as_str()))
                .text(cut(&entry.target_name, 190))
                .text(cut(&entry.outcome, 16))
                .text(cut(&entry.detail, LONG));
        }
        self.run(ask).await.map(|_| ())
    }
}

/// `INSERT INTO table (columns) VALUES (?,…),(?,…),…`.
fn many(table: &str, columns: usize, rows: usize) -> Ask {
    let row = format!("({}),", places(columns));
    let mut rows = row.repeat(rows);
    rows.pop();
    sql(format!("INSERT INTO {table} VALUES {rows}"))
}
