//! A table of the file, and what may be asked of it.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{has_proto, json, kind, nearest};
use super::{Problem, Sink, line_of};
use crate::name::{NameError, excerpt};

/// One table of the file, perhaps absent; every question about it is answered all the same.
pub struct Table<'d> {
    pub(super) sink: Sink<'d>,
    pub(super) path: String,
    pub(super) span: Range<usize>,
    pub(super) table: Option<&'d DeTable<'d>>,
    pub(super) known: RefCell<Vec<String>>,
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
