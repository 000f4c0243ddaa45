//! A statement with its values, and the reading of rows: the one way to a driver.

use std::borrow::Cow;

use sqlx::any::{AnyArguments, AnyRow, AnyTypeInfoKind};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _, ValueRef as _};

use super::error::{Error, Result};
use super::kind::Kind;

/// A value of a statement.
#[derive(Clone)]
pub(super) enum Value {
    /// A text, or none.
    Text(Option<String>),
    /// A whole number, or none.
    Number(Option<i64>),
}

/// A statement and its values. It can be asked again on another connection.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) statement: Cow<'static, str>,
    pub(super) values: Vec<Value>,
}

/// A statement of our own words; what comes from outside is bound.
pub(super) fn sql(statement: impl Into<Cow<'static, str>>) -> Ask {
    Ask {
        statement: statement.into(),
        values: Vec::new(),
    }
}

impl Ask {
    /// The next value, a text.
    pub(super) fn text(mut self, value: impl Into<String>) -> Self {
        self.values.push(Value::Text(Some(value.into())));
        self
    }

    /// The next value, a text or nothing.
    pub(super) fn maybe_text(mut self, value: Option<impl Into<String>>) -> Self {
        self.values.push(Value::Text(value.map(Into::into)));
        self
    }

    /// The next value, a number.
    pub(super) fn number(mut self, value: i64) -> Self {
        self.values.push(Value::Number(Some(value)));
        self
    }

    /// The next values, texts.
    pub(super) fn texts<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        for value in values {
            self = self.text(value);
        }
        self
    }

    /// As the driver takes it. PostgreSQL has no place for NUL in a text; no kind gets one.
    pub(super) fn query(&self, kind: Kind) -> Result<Query<'static, Any, AnyArguments>> {
        let statement = kind.words(&self.statement).into_owned();
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in &self.values {
            query = match value {
                Value::Text(text) => {
                    if text.as_ref().is_some_and(|text| text.contains('\0')) {
                        return Err(Error::Refused {
                            field: "text",
                            why: "has a NUL character, which no database keeps".into(),
                        });
                    }
                    query.bind(text.clone())
                }
                Value::Number(number) => query.bind(*number),
            };
        }
        Ok(query)
    }
}

/// `?,?,?` for so many values.
pub(super) fn places(count: usize) -> String {
    let mut out = "?,".repeat(count);
    out.pop();
    out
}

/// A text that fits its column: at most `most` characters.
pub(super) fn fit(field: &'static str, most: usize, text: &str) -> Result<()> {
    let why = if text.contains('\0') {
        "has a NUL character, which no database keeps".to_owned()
    } else if text.len() > most && text.chars().count() > most {
        format!("is longer than {most} characters")
    } else {
        return Ok(());
    };
    Err(Error::Refused { field, why })
}

/// The text cut to so many characters, without NUL: for what a client says of itself.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

/// The most characters of a long text: reasons, notes, details.
pub(super) const LONG: usize = 16_384;

/// Reads the columns of a row one after the other.
pub(super) struct Fields<'a> {
    row: &'a AnyRow,
    next: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(row: &'a AnyRow) -> Self {
        Self { row, next: 0 }
    }

    fn place(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn text(&mut self) -> Result<String, sqlx::Error> {
        let place = self.place();
        self.row.try_get(place)
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, sqlx::Error> {
        let place = self.place();
        self.row.try_get(place)
    }

    pub(super) fn number(&mut self) -> Result<i64, sqlx::Error> {
        let place = self.place();
        self.row.try_get(place)
    }

    /// A text or a number as a text that sorts as the column does: numbers get leading zeros.
    pub(super) fn sortable(&mut self) -> Result<Option<String>, sqlx::Error> {
        let place = self.place();
        match self.row.try_get_raw(place)?.type_info().kind() {
            AnyTypeInfoKind::BigInt => {
                let number: Option<i64> = self.row.try_get(place)?;
                Ok(number.map(padded))
            }
            _ => self.row.try_get(place),
        }
    }

    pub(super) fn maybe_number(&mut self) -> Result<Option<i64>, sqlx::Error> {
        let place = self.place();
        self.row.try_get(place)
    }
}

/// What a row becomes.
pub(super) trait FromRow: Sized {
    /// Reads the columns in the order of the statement.
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error>;
}

/// A number with leading zeros, so that texts sort as numbers do.
pub(super) fn padded(number: i64) -> String {
    format!("{:020}", number.max(0))
}

/// A value of one of the columns that lists go by, as [`Fields::sortable`] reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sortable(pub(super) String);

impl FromRow for Sortable {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self(fields.sortable()?.unwrap_or_default()))
    }
}

impl FromRow for Option<Sortable> {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        Ok(fields.sortable()?.map(Sortable))
    }
}

/// A word that no version of this program wrote.
pub(super) fn foreign(column: &'static str, word: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.into(),
        source: format!("`{word}` is no {column}").into(),
    }
}

impl FromRow for String {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        fields.text()
    }
}

impl FromRow for i64 {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        fields.number()
    }
}

impl FromRow for Option<String> {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        fields.maybe_text()
    }
}

impl FromRow for Option<i64> {
    fn read(fields: &mut Fields<'_>) -> Result<Self, sqlx::Error> {
        fields.maybe_number()
    }
}
