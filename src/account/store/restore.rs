//! An export read back: into an empty database of any kind, all of it or nothing; or only looked
//! at, with every check that needs no database.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead, Read as _};

use serde_json::{Map, Value as Json};

use super::accounts::{class, email_key};
use super::ask::{Value, sql};
use super::error::{Error, Result};
use super::judge::Row;
use super::tables::{Is, LONGEST, TABLES, Table};
use super::words::{search_text, words};
use super::{Store, Work};
use crate::account::{Origin, Role, State};

/// How many rows were read of each table.
pub type Restored = BTreeMap<&'static str, u64>;

/// How many rows are written at a time.
const SOME: usize = 100;

impl Store {
    /// Reads an export into this database, which must be empty.
    pub async fn restore(&self, from: &mut (dyn BufRead + Send)) -> Result<Restored> {
        let work = self.begin().await?;
        for table in TABLES {
            let ask = sql(format!(
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM {} LIMIT 1) t",
                table.name
            ));
            if work.number(ask).await? > 0 {
                return Err(Error::Tables {
                    database: self.address().to_owned(),
                    why: format!("are not empty (`{}`)", table.name),
                    hint: "restore into a new, empty database",
                });
            }
        }
        let mut reader = Reader::new(from);
        let mut some: Vec<Vec<Value>> = Vec::new();
        let mut found: Vec<Vec<Value>> = Vec::new();
        let mut of: Option<&'static Table> = None;
        while let Some((table, row)) = reader.next()? {
            if of.is_none_or(|of| of.name != table.name) || some.len() >= SOME {
                work.put(of, &mut some, &mut found).await?;
                of = Some(table);
            }
            some.push(values(table, &row, &mut found));
        }
        work.put(of, &mut some, &mut found).await?;
        work.commit().await?;
        Ok(reader.counts)
    }

    /// Reads and checks an export, and writes nothing.
    pub fn check_export(from: &mut (dyn BufRead + Send)) -> Result<Restored> {
        let mut reader = Reader::new(from);
        while reader.next()?.is_some() {}
        Ok(reader.counts)
    }
}

impl Work {
    async fn put(
        &self,
        table: Option<&'static Table>,
        rows: &mut Vec<Vec<Value>>,
        words: &mut Vec<Vec<Value>>,
    ) -> Result<()> {
        let Some(table) = table else { return Ok(()) };
        let more = if table.name == "accounts" {
            ", email_order, class, search"
        } else {
            ""
        };
        self.insert(
            table.name,
            &format!("{}{more}", table.list()),
            std::mem::take(rows),
        )
        .await?;
        self.insert("words", "word, account", std::mem::take(words))
            .await
    }
}

/// A row as the database gets it; what follows from it is added, its words aside.
fn values(table: &Table, row: &Map<String, Json>, found: &mut Vec<Vec<Value>>) -> Vec<Value> {
    let mut values: Vec<Value> = table
        .columns
        .iter()
        .map(|(name, is)| match is {
            Is::Text(_) | Is::MaybeText(_) => Value::Text(row[*name].as_str().map(str::to_owned)),
            Is::Number | Is::MaybeNumber => Value::Number(row[*name].as_i64()),
        })
        .collect();
    if table.name == "accounts" {
        let row = Row(row);
        let (login, email, name) = (
            row.text("login"),
            row.maybe("email"),
            row.text("display_name"),
        );
        let usual = (State::Deleted, Role::Member, Origin::Signup);
        let (state, role, origin) = row.class().unwrap_or(usual);
        let has_totp = row.maybe("totp_seed").is_some();
        values.push(Value::Text(Some(email.map(email_key).unwrap_or_default())));
        values.push(Value::Number(Some(class(state, role, origin, has_totp))));
        if state == State::Deleted {
            values.push(Value::Text(Some(String::new())));
        } else {
            values.push(Value::Text(Some(search_text(login, email, name))));
            for word in words(login, email, name) {
                let id = row.text("id").to_owned();
                found.push(vec![Value::Text(Some(word)), Value::Text(Some(id))]);
            }
        }
    }
    values
}

/// Reads line after line and believes none of them.
struct Reader<'a> {
    from: &'a mut (dyn BufRead + Send),
    line: u64,
    table: usize,
    rows: u64,
    has_begun: bool,
    counts: Restored,
    /// Digests of what may be there only once, and of what others refer to.
    once: HashSet<u64>,
}

impl<'a> Reader<'a> {
    fn new(from: &'a mut (dyn BufRead + Send)) -> Self {
        Self {
            from,
            line: 0,
            table: 0,
            rows: 0,
            has_begun: false,
            counts: Restored::new(),
            once: HashSet::new(),
        }
    }

    /// The next row; `None` after the last line, which must say how many there were.
    fn next(&mut self) -> Result<Option<(&'static Table, Map<String, Json>)>> {
        if !self.has_begun {
            self.begin()?;
        }
        let mut line = self
            .line()?
            .ok_or_else(|| self.wrong("ends without its last line: it is cut off"))?;
        if let Some(rows) = line.get("rows") {
            if rows.as_u64() != Some(self.rows) {
                return Err(self.wrong(&format!("has {} rows and says {rows}", self.rows)));
            }
            return match self.line()? {
                None => Ok(None),
                Some(_) => Err(self.wrong("goes on after its last line")),
            };
        }
        let name = line.get("table").and_then(Json::as_str).unwrap_or_default();
        let at = TABLES.iter().position(|table| table.name == name);
        let at = at.ok_or_else(|| self.wrong("names no table that is known"))?;
        if at < self.table {
            return Err(self.wrong("has its tables in another order"));
        }
        self.table = at;
        let Some(Json::Object(mut row)) = line.remove("row") else {
            return Err(self.wrong("has no row"));
        };
        let table = &TABLES[at];
        self.check(table, &mut row)?;
        self.rows += 1;
        *self.counts.entry(table.name).or_default() += 1;
        Ok(Some((table, row)))
    }

    fn begin(&mut self) -> Result<()> {
        self.has_begun = true;
        let head = self.line()?.unwrap_or_default();
        if head.get("format").and_then(Json::as_str) != Some("jitsi-accounts") {
            return Err(self.wrong("does not begin as an export of this service does"));
        }
        match head.get("schema").and_then(Json::as_i64) {
            Some(schema) if schema == Store::schema() => Ok(()),
            Some(schema) => Err(self.wrong(&format!(
                "has the tables of schema {schema}, this program those of {}: use the version that wrote it, then upgrade",
                Store::schema()
            ))),
            None => Err(self.wrong("says no schema")),
        }
    }

    fn line(&mut self) -> Result<Option<Map<String, Json>>> {
        self.line += 1;
        let most = 4 * LONGEST as u64;
        let mut text = Vec::new();
        let read = (&mut self.from).take(most).read_until(b'\n', &mut text);
        read.map_err(|error| self.wrong(&format!("cannot be read: {error}")))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() as u64 >= most {
            return Err(self.wrong("is too long"));
        }
        // What the JSON reader says may have a piece of the line, which may be a hash.
        match serde_json::from_slice(&text) {
            Ok(Json::Object(map)) => Ok(Some(map)),
            _ => Err(self.wrong("is no JSON object")),
        }
    }

    fn check(&mut self, table: &'static Table, row: &mut Map<String, Json>) -> Result<()> {
        if row.len() != table.columns.len() {
            return Err(self.wrong("has other columns than this program"));
        }
        for (name, is) in table.columns {
            let Some(value) = row.get(*name) else {
                return Err(self.wrong(&format!("lacks `{name}`")));
            };
            let fits = match (is, value) {
                (Is::Text(most) | Is::MaybeText(most), Json::String(text)) => {
                    text.chars().count() <= *most && !text.contains('\0')
                }
                (Is::Number | Is::MaybeNumber, Json::Number(number)) => number.is_i64(),
                (Is::MaybeText(_) | Is::MaybeNumber, Json::Null) => true,
                _ => false,
            };
            if !fits {
                return Err(self.wrong(&format!(
                    "has a `{name}` that is too long or of another kind"
                )));
            }
        }
        if let Some(fault) = Row(row).fault(table.name) {
            return Err(self.wrong(&fault));
        }
        if table.name == "accounts" {
            self.look(row)?;
        }
        self.references(table, &Row(row))
    }

    /// What a name looks like follows from the name, whatever the export says; of two that look
    /// alike the second has a look of its own, as after an import.
    fn look(&mut self, row: &mut Map<String, Json>) -> Result<()> {
        let login = Row(row).login().map_err(|why| self.wrong(&why))?;
        let (look, own) = (login.skeleton(), format!(" {login}"));
        let given = Row(row).text("login_skeleton");
        let taken = digest(&["accounts", "login_skeleton", &look]);
        let look = if given == own || self.once.contains(&taken) {
            own
        } else {
            look
        };
        row.insert("login_skeleton".into(), Json::String(look));
        Ok(())
    }

    /// What must be the only one of its kind is, and what a row refers to came before it.
    fn references(&mut self, table: &'static Table, row: &Row<'_>) -> Result<()> {
        let key: Vec<&str> = table.key.iter().map(|column| row.text(column)).collect();
        if !self.first(&[table.name, &key.join("\n")]) {
            return Err(self.wrong("has a key that was there before"));
        }
        let only: &[&str] = match table.name {
            "accounts" => &["login", "login_skeleton", "email_key"],
            "account_groups" => &["name"],
            _ => &[],
        };
        for name in only {
            if row
                .maybe(name)
                .is_some_and(|value| !self.first(&[table.name, name, value]))
            {
                return Err(self.wrong(&format!("has a `{name}` that was there before")));
            }
        }
        let refers = [
            (
                "account",
                "accounts",
                matches!(
                    table.name,
                    "memberships" | "tokens" | "sessions" | "recovery_codes" | "notes"
                ),
            ),
            (
                "grp",
                "account_groups",
                matches!(table.name, "memberships" | "invites"),
            ),
        ];
        for (column, to, does) in refers {
            if does
                && row
                    .maybe(column)
                    .is_some_and(|value| !self.once.contains(&digest(&[to, value])))
            {
                return Err(self.wrong(&format!("names `{column}` that is not there")));
            }
        }
        Ok(())
    }

    fn first(&mut self, parts: &[&str]) -> bool {
        self.once.insert(digest(parts))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Refused {
            field: "export",
            why: format!("{why} (line {})", self.line),
        }
    }
}

fn digest(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
