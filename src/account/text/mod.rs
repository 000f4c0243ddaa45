//! Texts of pages and mails: one catalogue for each language, built in, complete. An
//! administrator's texts come before them.
//!
//! A text may hold `{name}`, which [`Texts::say`] replaces; values are escaped by the template that
//! shows the text, never here. A text with a number in it has two forms, `key.one` and `key.many`,
//! and is asked for by `key` with a value called `count`. To add a text: a line in
//! `locale/en/*.toml` and in each other language; to add a language: a folder and its lines in
//! [`catalogue`].

pub mod catalogue;

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Kwargs, State, Value};

use super::post::paper::Paper;
use catalogue::{Catalogue, TextError};

/// What an administrator has written: texts by language, and templates of mails by name.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    texts: BTreeMap<String, Catalogue>,
    mails: BTreeMap<String, String>,
}

impl Overrides {
    /// Takes in a file of the administrator's folder: `locale/de.toml` or `mail/de/confirm.html`.
    ///
    /// # Errors
    /// When the name is neither, when the file is no TOML of texts, when it has a text that does
    /// not exist or a placeholder that nothing fills, or when there is no such mail.
    pub fn add(&mut self, path: &str, text: &str) -> Result<(), TextError> {
        let unknown = || TextError::Path(path.to_owned());
        match path.split('/').collect::<Vec<_>>()[..] {
            ["locale", file] => {
                let language = file.strip_suffix(".toml").ok_or_else(unknown)?;
                if !catalogue::LANGUAGES.contains(&language) {
                    return Err(unknown());
                }
                let texts = catalogue::read(path, text)?;
                catalogue::fits(path, &texts)?;
                self.texts.insert(language.to_owned(), texts);
            }
            ["mail", language, file] if catalogue::LANGUAGES.contains(&language) => {
                if !super::post::paper::is_mail(file) {
                    return Err(unknown());
                }
                self.mails
                    .insert(format!("{language}/{file}"), text.to_owned());
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

/// Catalogues of all languages, and the paper that mails are written on.
#[derive(Clone)]
pub struct Texts {
    language: String,
    words: Arc<BTreeMap<String, Catalogue>>,
    paper: Paper,
}

impl Default for Texts {
    /// What is built in, English where nothing better is asked for.
    fn default() -> Self {
        Self::new("en", Overrides::default()).unwrap_or_else(|_| Self {
            language: "en".into(),
            words: Arc::default(),
            paper: Paper::default(),
        })
    }
}

impl Texts {
    /// The built-in texts with an administrator's before them; `language` is for visitors whose
    /// browser asks for none of ours.
    ///
    /// # Errors
    /// When there is no such language, or when a template of a mail is wrong.
    pub fn new(language: &str, overrides: Overrides) -> Result<Self, TextError> {
        let mut words = catalogue::own()?;
        if !words.contains_key(language) {
            return Err(TextError::Language(language.to_owned()));
        }
        for (language, texts) in overrides.texts {
            words.entry(language).or_default().extend(texts);
        }
        let words = Arc::new(words);
        Ok(Self {
            language: language.to_owned(),
            paper: Paper::new(&words, &overrides.mails)?,
            words,
        })
    }

    /// The text of a key in a language; in English when that language is none of ours, and the key
    /// itself when there is no such text.
    #[must_use]
    pub fn say(&self, language: &str, key: &str, values: &[(&str, &str)]) -> String {
        say(&self.words, language, key, values)
    }

    /// Whether there is a text of this key.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        find(&self.words, "en", key, &[]).is_some()
            || find(&self.words, "en", key, &[("count", "2")]).is_some()
    }

    /// The languages, with the name that each has for itself; English first.
    pub fn languages(&self) -> impl Iterator<Item = (&'static str, &str)> {
        catalogue::LANGUAGES.into_iter().map(|code| {
            let name = find(&self.words, code, "language.name", &[]);
            (code, name.unwrap_or(code))
        })
    }

    /// The language for a page: the one `wanted` (an account's, or chosen before), else the best
    /// of the browser's `Accept-Language`, else the site's.
    #[must_use]
    pub fn choose(&self, accept_language: Option<&str>, wanted: Option<&str>) -> &str {
        wanted
            .and_then(known)
            .or_else(|| accept_language.and_then(best))
            .unwrap_or(&self.language)
    }

    /// The paper that mails are written on.
    pub(super) fn paper(&self) -> &Paper {
        &self.paper
    }
}

/// The function `t` of mails: `t(key="mail.hello", name=value)`, in the language of the variable
/// `language` (inside a component: an argument of that name). A placeholder without an argument is filled from the variable of that
/// name; a key that does not exist is an error.
pub(super) fn speaker(
    words: &Arc<BTreeMap<String, Catalogue>>,
) -> impl Fn(Kwargs, &State) -> tera::TeraResult<String> + use<> {
    let words = words.clone();
    move |arguments, state| {
        let key: &str = arguments.must_get("key")?;
        let value = |name: &str| -> tera::TeraResult<Option<String>> {
            let given = match arguments.get::<Value>(name)? {
                Some(value) => Some(value),
                None => state.get::<Value>(name)?,
            };
            Ok(given.map(|value| value.to_string()))
        };
        let language = value("language")?.unwrap_or_default();
        let count = value("count")?;
        let count: Vec<(&str, &str)> = count
            .iter()
            .map(|count| ("count", count.as_str()))
            .collect();
        let text = find(&words, &language, key, &count)
            .or_else(|| find(&words, "en", key, &count))
            .ok_or_else(|| tera::Error::message(format!("there is no text `{key}`")))?;
        let mut values = Vec::new();
        for name in catalogue::placeholders(text) {
            if let Some(value) = value(name)? {
                values.push((name, value));
            }
        }
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(catalogue::fill(text, &values))
    }
}

fn say(
    words: &BTreeMap<String, Catalogue>,
    language: &str,
    key: &str,
    values: &[(&str, &str)],
) -> String {
    let text = find(words, language, key, values).or_else(|| find(words, "en", key, values));
    text.map_or_else(|| key.to_owned(), |text| catalogue::fill(text, values))
}

/// The text of a key, or its form for the value `count`. In French nought is one, too.
fn find<'a>(
    words: &'a BTreeMap<String, Catalogue>,
    language: &str,
    key: &str,
    values: &[(&str, &str)],
) -> Option<&'a str> {
    let texts = words.get(language)?;
    if let Some(text) = texts.get(key) {
        return Some(text);
    }
    let (_, count) = values.iter().find(|(name, _)| *name == "count")?;
    let is_one = *count == "1" || (language == "fr" && *count == "0");
    let form = if is_one { "one" } else { "many" };
    texts.get(&format!("{key}.{form}")).map(String::as_str)
}

/// One of our languages: `de-AT` is `de`.
fn known(code: &str) -> Option<&'static str> {
    let short = code.trim().split(['-', '_']).next().unwrap_or_default();
    catalogue::LANGUAGES
        .into_iter()
        .find(|ours| ours.eq_ignore_ascii_case(short))
}

/// The best of ours in an `Accept-Language` (RFC 9110, section 12.5.4).
fn best(line: &str) -> Option<&'static str> {
    let mut best: Option<(f32, &'static str)> = None;
    for part in line.split(',').take(20) {
        let (code, more) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight = more.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
        if let (Some(code), Some(weight)) = (known(code), weight)
            && weight > 0.0
            && best.is_none_or(|(most, _)| weight > most)
        {
            best = Some((weight, code));
        }
    }
    best.map(|(_, code)| code)
}

#[cfg(test)]
mod tests;
