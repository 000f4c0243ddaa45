//! Everything as lines of JSON, the same for all kinds of database, as of one moment.
//!
//! ```text
//! {"format":"jitsi-accounts","schema":1}
//! {"table":"accounts","row":{"id":"…","login":"ann",…}}
//! {"rows":2}
//! ```
//!
//! It has hashes of passwords, sealed seeds and addresses: as secret as the database.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use sqlx::any::AnyRow;
use tokio::sync::Mutex;

use super::ask::{Fields, FromRow, sql};
use super::error::{Error, Result};
use super::tables::{Is, TABLES, Table};
use super::{Kind, Store};

/// How many rows are read at a time.
const SOME: usize = 500;

impl Store {
    /// Writes everything; how many rows. People go on working meanwhile.
    pub async fn export(&self, out: &mut (dyn Write + Send)) -> Result<u64> {
        let still = self.still().await?;
        let mut rows = 0;
        write(
            out,
            &json!({"format": "jitsi-accounts", "schema": Self::schema()}),
        )?;
        for table in TABLES {
            let mut last: Option<Vec<String>> = None;
            loop {
                let found = still.some(table, last.as_deref()).await?;
                for row in &found {
                    write(out, &json!({"table": table.name, "row": row}))?;
                }
                rows += found.len() as u64;
                let key = |row: &Map<String, Json>| -> Vec<String> {
                    table
                        .key
                        .iter()
                        .map(|column| row[*column].as_str().unwrap_or_default().to_owned())
                        .collect()
                };
                last = found.last().map(key);
                if found.len() < SOME {
                    break;
                }
            }
        }
        write(out, &json!({"rows": rows}))?;
        out.flush().map_err(|error| unwritable(&error))?;
        Ok(rows)
    }

    /// The database as it is at this moment, whatever is written meanwhile.
    async fn still(&self) -> Result<Self> {
        let begin = match self.kind() {
            Kind::Sqlite => "BEGIN",
            Kind::MySql => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT"
            }
            Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let transaction = self.shared.reads.begin_with(begin).await;
        let transaction = transaction.map_err(|error| self.error(&error))?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            within: Some(Arc::new(Mutex::new(Some(transaction)))),
        })
    }

    /// Some rows of a table behind a key, in the order of keys.
    async fn some(
        &self,
        table: &'static Table,
        last: Option<&[String]>,
    ) -> Result<Vec<Map<String, Json>>> {
        let order = table.key.join(", ");
        let beyond = match (last, table.key) {
            (None, _) => String::new(),
            (Some(_), [one]) => format!("WHERE {one} > ?"),
            (Some(_), keys) => format!("WHERE {}", self.kind().beyond(keys[0], keys[1], ">")),
        };
        let mut ask = sql(format!(
            "SELECT {} FROM {} {beyond} ORDER BY {order} LIMIT {SOME}",
            table.list(),
            table.name
        ));
        match last {
            Some([one]) => ask = ask.text(one),
            Some([first, second]) => {
                for _ in 0..self.kind().beyond_values() {
                    ask = ask.text(first);
                }
                ask = ask.text(second);
            }
            _ => {}
        }
        let rows = self.rows(&ask).await?;
        rows.iter()
            .map(|row| read(table, row).map_err(|error| self.error(&error)))
            .collect()
    }
}

fn read(table: &Table, row: &AnyRow) -> Result<Map<String, Json>, sqlx::Error> {
    let mut fields = Fields::of(row);
    let mut map = Map::new();
    for (name, is) in table.columns {
        let value = match is {
            Is::Text(_) => Json::from(String::read(&mut fields)?),
            Is::MaybeText(_) => Json::from(fields.maybe_text()?),
            Is::Number => Json::from(fields.number()?),
            Is::MaybeNumber => Json::from(fields.maybe_number()?),
        };
        map.insert((*name).to_owned(), value);
    }
    Ok(map)
}

fn write(out: &mut (dyn Write + Send), line: &Json) -> Result<()> {
    let mut text = line.to_string();
    text.push('\n');
    out.write_all(text.as_bytes())
        .map_err(|error| unwritable(&error))
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::Refused {
        field: "export",
        why: format!("cannot be written: {error}"),
    }
}
