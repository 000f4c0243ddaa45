//! Many accounts at a time, for imports, with all that belongs to them.

use super::accounts::NewAccount;
use super::ask::{Fields, FromRow, LONG, Value, cut, foreign, places, sql};
use super::change::{COLUMNS, row, text};
use super::error::Result;
use super::words::words;
use super::{GroupId, Store, Work};
use crate::account::audit::{Entry, place};
use crate::account::{Actor, Origin, State, World};

/// Accounts of a statement.
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
            let (mut rows, mut found) = (Vec::new(), Vec::new());
            let (mut joined, mut entries) = (Vec::new(), Vec::new());
            for incoming in some {
                let new = &incoming.new;
                rows.push(row(
                    new,
                    incoming.state_since,
                    incoming.last_seen.unwrap_or(0),
                )?);
                for word in words(new.login.as_str(), new.email.as_deref(), &new.display_name) {
                    found.push(vec![text(word), text(&new.id.0)]);
                }
                for group in &incoming.groups {
                    joined.push(vec![text(&new.id.0), text(&group.0)]);
                }
                entries.push(entry(world, actor, &incoming.entry));
            }
            self.insert("accounts", COLUMNS, rows).await?;
            self.insert("words", "word, account", found).await?;
            self.insert("memberships", "account, grp", joined).await?;
            self.insert("audit", AUDIT, entries).await?;
        }
        Ok(())
    }
}

/// The columns of [`entry`].
const AUDIT: &str =
    "id, at, actor, actor_name, address, agent, action, target, target_name, outcome, detail";

fn entry(world: &dyn World, actor: &Actor, entry: &Entry) -> Vec<Value> {
    vec![
        text(world.id()),
        Value::Number(Some(world.millis())),
        Value::Text(actor.account.as_ref().map(|id| id.0.clone())),
        text(cut(&actor.name, 190)),
        text(place(actor)),
        text(cut(&actor.agent, 200)),
        text(cut(&entry.action, 64)),
        Value::Text(entry.target.as_ref().map(|id| id.0.clone())),
        text(cut(&entry.target_name, 190)),
        text(cut(&entry.outcome, 16)),
        text(cut(&entry.detail, LONG)),
    ]
}
