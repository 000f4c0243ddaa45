//! Reads a TOML file of ours key by key and remembers where everything stood: the site file, and
//! the settings of the account service.
//!
//! A reader is asked for the keys it should know; what it was never asked for is an unknown key.
//! Problems are gathered rather than returned, so that one run names them all. (A serde mirror
//! with `deny_unknown_fields` would stop at the first, and lose the line.)
//!
//! Over 400 lines: one short method for each kind of value, with its messages.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::name::{NameError, excerpt};

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, empty for the file as a whole.
    pub key: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong; lower case, no full stop.
    pub what: String,
    /// What to type instead.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A parsed file, the problems found so far and the keys asked for.
pub struct Document<'t> {
    name: &'static str,
    text: &'t str,
    root: DeTable<'t>,
    problems: RefCell<Vec<Problem>>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'t> Document<'t> {
    /// Parses TOML; a syntax error is the only problem then. The name is for messages: `the site file`.
    ///
    /// # Errors
    /// That one.
    pub fn parse(name: &'static str, text: &'t str) -> Result<Self, Problem> {
        if let Some((before, _)) = text.split_once('\0') {
            return Err(Problem {
                key: String::new(),
                line: line_of(text, before.len()),
                what: "the file has a NUL character".to_owned(),
                hint: Some("save it as plain UTF-8 text".to_owned()),
            });
        }
        match DeTable::parse(text) {
            Ok(root) => Ok(Self {
                name,
                text,
                root: root.into_inner(),
                problems: RefCell::default(),
                asked: RefCell::default(),
            }),
            Err(error) => Err(Problem {
                key: String::new(),
                line: line_of(text, error.span().map_or(0, |span| span.start)),
                what: format!("this is not TOML: {}", excerpt(error.message())),
                hint: Some(
                    "text stands in \"double quotes\", a table's name in [brackets]".to_owned(),
                ),
            }),
        }
    }

    /// The table of the whole file.
    pub fn root(&self) -> Table<'_> {
        Table {
            sink: Sink {
                name: self.name,
                text: self.text,
                problems: &self.problems,
                asked: &self.asked,
            },
            path: String::new(),
            span: 0..0,
            table: Some(&self.root),
            known: RefCell::default(),
        }
    }

    /// All problems in the order of their lines, and every key that was asked for.
    pub fn finish(self) -> (Vec<Problem>, BTreeSet<String>) {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| a.line.cmp(&b.line).then_with(|| a.key.cmp(&b.key)));
        (problems, self.asked.into_inner())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

#[derive(Clone, Copy)]
struct Sink<'d> {
    name: &'static str,
    text: &'d str,
    problems: &'d RefCell<Vec<Problem>>,
    asked: &'d RefCell<BTreeSet<String>>,
}

/// One table of the file, perhaps absent; every question about it is answered all the same.
pub struct Table<'d> {
    sink: Sink<'d>,
    path: String,
    span: Range<usize>,
    table: Option<&'d DeTable<'d>>,
    known: RefCell<Vec<String>>,
}

impl<'d> Table<'d> {
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn look(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.borrow_mut().push(key.to_owned());
        self.sink.asked.borrow_mut().insert(self.path_of(key));
        self.table?
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// Does the table have the key, right or wrong?
    pub fn has(&self, key: &str) -> bool {
        self.table
            .is_some_and(|table| table.iter().any(|(name, _)| name.get_ref() == key))
    }

    /// Records a problem with `key` at `span`.
    fn report(&self, key: &str, span: &Range<usize>, what: String, hint: Option<String>) {
        self.sink.problems.borrow_mut().push(Problem {
            key: self.path_of(key),
            line: line_of(self.sink.text, span.start),
            what,
            hint,
        });
    }

    /// Records a problem with a key of this table, at its value when it is there.
    pub fn object(&self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let span = self
            .table
            .and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
            .map_or(self.span.clone(), |(_, value)| value.span());
        self.report(key, &span, what.into(), Some(hint.into()));
    }

    fn wrong_kind(&self, key: &str, found: &Spanned<DeValue<'_>>, wanted: &str, example: &str) {
        self.report(
            key,
            &found.span(),
            format!(
                "`{}` is {}, and {wanted} is expected",
                self.path_of(key),
                kind(found.get_ref())
            ),
            Some(format!("write it as in `{key} = {example}`")),
        );
    }

    /// A text, checked by `parse`.
    pub fn text<T>(
        &self,
        key: &str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        let value = self.look(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_kind(key, value, "a text", &format!("\"{example}\""));
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.report(
                    key,
                    &value.span(),
                    format!("`{}` = \"{}\" {why}", self.path_of(key), excerpt(text)),
                    Some(format!("write it as in `{key} = \"{example}\"`")),
                );
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.look(key)?;
        let offer = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_kind(
                key,
                value,
                &format!("one of {offer}"),
                &format!("\"{}\"", words[0].0),
            );
            return None;
        };
        if let Some((_, chosen)) = words.iter().find(|(word, _)| word == text) {
            return Some(*chosen);
        }
        let near = nearest(text, words.iter().map(|(word, _)| *word));
        self.report(
            key,
            &value.span(),
            format!(
                "`{}` = \"{}\" is not one of {offer}",
                self.path_of(key),
                excerpt(text)
            ),
            Some(match near {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => format!("choose one of {offer}"),
            }),
        );
        None
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        let value = self.look(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(key, value, "true or false", "true");
        }
        flag
    }

    /// A whole number within bounds.
    pub fn number(
        &self,
        key: &str,
        bounds: std::ops::RangeInclusive<u32>,
        example: u32,
    ) -> Option<u32> {
        let value = self.look(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_kind(key, value, "a whole number", &example.to_string());
            return None;
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) if bounds.contains(&number) => Some(number),
            _ => {
                self.report(
                    key,
                    &value.span(),
                    format!(
                        "`{}` = {} is not between {} and {}",
                        self.path_of(key),
                        excerpt(&self.sink.text[value.span()]),
                        bounds.start(),
                        bounds.end()
                    ),
                    Some(format!("write it as in `{key} = {example}`")),
                );
                None
            }
        }
    }

    /// A TCP or UDP port.
    pub fn port(&self, key: &str, example: u16) -> Option<u16> {
        self.number(key, 1..=65535, u32::from(example))
            .and_then(|number| u16::try_from(number).ok())
    }

    /// A list of texts, each checked by `parse`.
    pub fn texts<T>(
        &self,
        key: &str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, NameError>,
    ) -> Option<Vec<T>> {
        let value = self.look(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_kind(key, value, "a list", &format!("[\"{example}\"]"));
            return None;
        };
        let mut list = Vec::new();
        for item in items.iter() {
            let DeValue::String(text) = item.get_ref() else {
                self.wrong_kind(key, item, "a text", &format!("[\"{example}\"]"));
                continue;
            };
            match parse(text) {
                Ok(parsed) => list.push(parsed),
                Err(why) => self.report(
                    key,
                    &item.span(),
                    format!(
                        "`{}` holds \"{}\", which {why}",
                        self.path_of(key),
                        excerpt(text)
                    ),
                    Some(format!("write it as in `{key} = [\"{example}\"]`")),
                ),
            }
        }
        Some(list)
    }

    /// A table below this one.
    pub fn table(&self, key: &str) -> Table<'d> {
        let found = self.look(key);
        let table = found.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.report(
                    key,
                    &value.span(),
                    format!(
                        "`{}` is {}, and a table is expected",
                        self.path_of(key),
                        kind(value.get_ref())
                    ),
                    Some(format!("begin it with a line `[{}]`", self.path_of(key))),
                );
                None
            }
        });
        self.below(self.path_of(key), found.map_or(0..0, Spanned::span), table)
    }

    /// A list of tables.
    pub fn tables(&self, key: &str, example: &str) -> Vec<Table<'d>> {
        let Some(value) = self.look(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_kind(key, value, "a list of tables", example);
            return Vec::new();
        };
        let mut list = Vec::new();
        for (place, item) in items.iter().enumerate() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    list.push(self.below(
                        format!("{}[{place}]", self.path_of(key)),
                        item.span(),
                        Some(table),
                    ));
                }
                _ => self.wrong_kind(key, item, "a table", example),
            }
        }
        list
    }

    fn below(&self, path: String, span: Range<usize>, table: Option<&'d DeTable<'d>>) -> Table<'d> {
        Table {
            sink: self.sink,
            path,
            span,
            table,
            known: RefCell::default(),
        }
    }

    /// A table with keys of the admin's choice, as JSON.
    pub fn free(&self, key: &str) -> serde_json::Map<String, serde_json::Value> {
        let table = self.table(key);
        let mut map = serde_json::Map::new();
        for (name, value) in table.table.into_iter().flatten() {
            if has_proto(name.get_ref(), value.get_ref()) {
                table.report(
                    name.get_ref(),
                    &name.span(),
                    "`__proto__` is no key that JavaScript would keep".to_owned(),
                    Some("remove it, wherever it stands below this key".to_owned()),
                );
                continue;
            }
            match json(value.get_ref()) {
                Some(value) => {
                    map.insert(name.get_ref().to_string(), value);
                }
                None => table.report(
                    name.get_ref(),
                    &value.span(),
                    format!(
                        "`{}` has a date, or a number that JSON cannot carry",
                        table.path_of(name.get_ref())
                    ),
                    Some("write a date as a text in quotes".to_owned()),
                ),
            }
        }
        map
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (name, _) in self.table.into_iter().flatten() {
            if known.iter().any(|key| key == name.get_ref()) {
                continue;
            }
            let place = if self.path.is_empty() {
                self.sink.name.to_owned()
            } else {
                format!("`[{}]`", self.path)
            };
            let near = nearest(name.get_ref(), known.iter().map(String::as_str));
            self.report(
                name.get_ref(),
                &name.span(),
                format!("`{}` is not a key of {place}", excerpt(name.get_ref())),
                Some(match near {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!(
                        "the keys of {place} are {}",
                        known
                            .iter()
                            .map(|key| format!("`{key}`"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                }),
            );
        }
    }
}

/// In a JavaScript object, `__proto__` is no key but says what the object inherits from.
fn has_proto(name: &str, value: &DeValue<'_>) -> bool {
    name == "__proto__"
        || match value {
            DeValue::Table(table) => table
                .iter()
                .any(|(name, value)| has_proto(name.get_ref(), value.get_ref())),
            DeValue::Array(items) => items.iter().any(|item| has_proto("", item.get_ref())),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => false,
        }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The word that was probably meant: at most half of its letters are different.
fn nearest<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if text.len() > 64 {
        return None;
    }
    words
        .map(|word| (strsim::damerau_levenshtein(text, word), word))
        .filter(|(distance, word)| *distance <= word.len() / 2)
        .min()
        .map(|(_, word)| word)
}

fn json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    use serde_json::Value;
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            Value::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Float(number) => {
            Value::Number(serde_json::Number::from_f64(number.as_str().parse().ok()?)?)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| json(item.get_ref()))
                .collect::<Option<_>>()?,
        ),
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(name, value)| Some((name.get_ref().to_string(), json(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}
