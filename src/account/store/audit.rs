//! The table `audit`: rows are added, read, and pruned by age. SQLite and PostgreSQL refuse to
//! change one; no statement here does.

use super::ask::{Fields, FromRow, LONG, cut, sql};
use super::error::Result;
use super::page::{Page, size};
use super::{Store, Work};
use crate::account::audit::{Entry, Written, place};
use crate::account::world::World;
use crate::account::{AccountId, Actor};

const COLUMNS: &str =
    "id, at, actor, actor_name, address, action, target, target_name, outcome, detail";

/// How many entries are looked at for one page.
const WINDOW: i64 = 5000;
/// How many entries go in one transaction.
const BATCH: i64 = 5000;

/// Which entries; everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The account that it was done to.
    pub target: Option<AccountId>,
    /// Its name at that time, exactly.
    pub target_name: Option<String>,
    /// The name of who did it, exactly.
    pub actor_name: Option<String>,
    /// The word for what was done, or its beginning up to a dot: `signin.failed`, `signin.`.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Unix milliseconds: not before.
    pub from: Option<i64>,
    /// Unix milliseconds: before.
    pub to: Option<i64>,
}

impl FromRow for Written {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: fields.text()?,
            at: fields.number()?,
            actor: fields.maybe_text()?.map(AccountId),
            actor_name: fields.text()?,
            address: fields.text()?,
            entry: Entry {
                action: fields.text()?,
                target: fields.maybe_text()?.map(AccountId),
                target_name: fields.text()?,
                outcome: fields.text()?,
                detail: fields.text()?,
            },
        })
    }
}

impl Store {
    /// Entries, the newest first, from behind a mark. At most 1,000 at a time, and so for exports
    /// page after page.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        after: Option<&str>,
        rows: usize,
    ) -> Result<Page<Written>> {
        let rows = size(rows);
        let (mut by, mut values) = filter.conditions();
        // The most telling condition is answered by its index, and no more than WINDOW rows of
        // that are looked at for the others.
        let (first, first_values) = if by.is_empty() {
            ("1 = 1".to_owned(), Vec::new())
        } else {
            (by.remove(0), values.remove(0))
        };
        let below = after
            .map(|mark| cut(mark, 40))
            .or_else(|| filter.to.map(at));
        let (mut window, mut bound) = (first, first_values);
        if let Some(below) = below {
            window.push_str(" AND id < ?");
            bound.push(below);
        }
        if let Some(from) = filter.from {
            window.push_str(" AND id >= ?");
            bound.push(at(from));
        }
        let rest = if by.is_empty() {
            "1 = 1".to_owned()
        } else {
            by.join(" AND ")
        };
        let seen = format!(
            "FROM (SELECT {COLUMNS} FROM audit WHERE {window} ORDER BY id DESC LIMIT {WINDOW}) t"
        );
        let ask = sql(format!(
            "SELECT {COLUMNS} {seen} WHERE {rest} ORDER BY id DESC LIMIT ?"
        ))
        .texts(bound.iter().map(String::as_str))
        .texts(values.iter().flatten().map(String::as_str))
        .number(i64::try_from(rows + 1).unwrap_or(i64::MAX));
        let found: Vec<Written> = self.all(ask).await?;
        let mut page = Page::cut(found, rows, |row| row.id.clone());
        if page.next.is_none() && !by.is_empty() {
            // The window may have ended before the entries did.
            let ask = sql(format!("SELECT id {seen} ORDER BY id LIMIT 1"))
                .texts(bound.iter().map(String::as_str));
            let last: Option<String> = self.one(ask).await?;
            let ask =
                sql(format!("SELECT COUNT(*) {seen}")).texts(bound.iter().map(String::as_str));
            page.next = last.filter(|_| true);
            if self.number(ask).await? < WINDOW {
                page.next = None;
            }
        }
        Ok(page)
    }

    /// Removes entries of before a time (Unix milliseconds), some thousand at a time, and writes
    /// each time how many; returns their number.
    pub async fn prune_audit(&self, world: &dyn World, actor: &Actor, before: i64) -> Result<u64> {
        let mut all = 0;
        loop {
            let work = self.begin().await?;
            let ask = sql("SELECT id FROM audit WHERE id < ? ORDER BY id LIMIT ?")
                .text(at(before))
                .number(BATCH);
            let ids: Vec<String> = work.all(ask).await?;
            let Some(last) = ids.last() else {
                work.roll_back().await?;
                return Ok(all);
            };
            let gone = work
                .run(sql("DELETE FROM audit WHERE id <= ?").text(last))
                .await?;
            let entry = Entry::new("audit.pruned", None, "done").detail(format!("{gone} entries"));
            work.append(world, actor, &entry).await?;
            work.commit().await?;
            all += gone;
        }
    }
}

impl Work {
    /// Writes an entry, with the change that it tells of.
    pub async fn append(&self, world: &dyn World, actor: &Actor, entry: &Entry) -> Result<()> {
        // The key begins with the very time that is written: filters by time go by it.
        let (now, id) = (world.millis(), world.id());
        let id = format!("{}{}", at(now), id.get(11..).unwrap_or_default());
        self.run(
            sql("INSERT INTO audit (id, at, actor, actor_name, address, agent, action, target, target_name, outcome, detail) \
                 VALUES (?,?,?,?,?,?,?,?,?,?,?)")
                .text(id)
                .number(now)
                .maybe_text(actor.account.as_ref().map(|id| id.0.as_str()))
                .text(cut(&actor.name, 190))
                .text(place(actor))
                .text(cut(&actor.agent, 200))
                .text(cut(&entry.action, 64))
                .maybe_text(entry.target.as_ref().map(|id| id.0.as_str()))
                .text(cut(&entry.target_name, 190))
                .text(cut(&entry.outcome, 16))
                .text(cut(&entry.detail, LONG)),
        )
        .await
        .map(|_| ())
    }
}

impl AuditFilter {
    /// Conditions with their values, the most telling first.
    fn conditions(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut by = Vec::new();
        let mut values = Vec::new();
        let fixed = [
            ("target", self.target.as_ref().map(|id| id.0.as_str())),
            ("target_name", self.target_name.as_deref()),
            ("actor_name", self.actor_name.as_deref()),
        ];
        for (column, value) in fixed {
            if let Some(value) = value {
                by.push(format!("{column} = ?"));
                values.push(vec![value.to_owned()]);
            }
        }
        if let Some(action) = &self.action {
            if let Some(stem) = action.strip_suffix('.') {
                by.push("action >= ? AND action < ?".to_owned());
                values.push(vec![action.clone(), format!("{stem}/")]);
            } else {
                by.push("action = ?".to_owned());
                values.push(vec![action.clone()]);
            }
        }
        if let Some(outcome) = &self.outcome {
            by.push("outcome = ?".to_owned());
            values.push(vec![outcome.clone()]);
        }
        (by, values)
    }
}

/// The least key of a time: keys begin with milliseconds.
fn at(millis: i64) -> String {
    format!("{:011x}", millis.max(0))
}
