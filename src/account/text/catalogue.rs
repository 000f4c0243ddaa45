//! The catalogues: read, compared with the English one, and filled with values.

use std::collections::{BTreeMap, BTreeSet};

/// The languages, English first.
pub const LANGUAGES: [&str; 5] = ["en", "de", "fr", "es", "nl"];

macro_rules! catalogues {
    ($($language:literal),*) => {
        /// Every built-in file of texts: language, name, contents.
        const OWN: &[(&str, &str, &str)] = &[
            $(
                ($language, concat!($language, "/common.toml"), include_str!(concat!("../../../locale/", $language, "/common.toml"))),
                ($language, concat!($language, "/public.toml"), include_str!(concat!("../../../locale/", $language, "/public.toml"))),
                ($language, concat!($language, "/admin.toml"), include_str!(concat!("../../../locale/", $language, "/admin.toml"))),
                ($language, concat!($language, "/mail.toml"), include_str!(concat!("../../../locale/", $language, "/mail.toml"))),
            )*
        ];
    };
}

catalogues!["en", "de", "fr", "es", "nl"];

/// Texts of one language, by key.
pub type Catalogue = BTreeMap<String, String>;

/// Why an administrator's texts or templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The file has a name that means nothing here.
    #[error(
        "`{0}` is neither texts nor a template of a mail\nhint: texts are `locale/LANGUAGE.toml`, templates `mail/LANGUAGE/NAME.txt` and `.html`, with a language of en, de, fr, es, nl"
    )]
    Path(String),
    /// It is no TOML, or has something that is no text.
    #[error("`{path}`: {why}")]
    Read {
        /// Which file.
        path: String,
        /// What the reader says.
        why: String,
    },
    /// There is no text of that key.
    #[error(
        "`{path}`: there is no text `{key}`\nhint: docs/accounts-pages.md says where all of them stand"
    )]
    Key {
        /// Which file.
        path: String,
        /// The key.
        key: String,
    },
    /// The text has a placeholder that nothing fills.
    #[error("`{path}`: the text `{key}` has no value for `{{{name}}}`\nhint: {known}")]
    Placeholder {
        /// Which file.
        path: String,
        /// The key.
        key: String,
        /// The placeholder.
        name: String,
        /// What it may have.
        known: String,
    },
    /// A template of a mail is wrong.
    #[error("template `{name}`: {why}")]
    Template {
        /// `mail/de/confirm.html`
        name: String,
        /// What the engine says.
        why: String,
    },
    /// The site's language is none of ours.
    #[error("language `{0}` is not known\nhint: en, de, fr, es or nl")]
    Language(String),
}

/// The built-in catalogues by language.
///
/// # Errors
/// When one of them is wrong, which a test forbids.
pub fn own() -> Result<BTreeMap<String, Catalogue>, TextError> {
    let mut words: BTreeMap<String, Catalogue> = BTreeMap::new();
    for (language, path, text) in OWN {
        words
            .entry((*language).to_owned())
            .or_default()
            .extend(read(path, text)?);
    }
    Ok(words)
}

/// Reads a file of texts. `signin.title = "…"` and a table `[signin]` with `title` mean the same.
///
/// # Errors
/// When it is no TOML, or when a value is no text.
pub fn read(path: &str, text: &str) -> Result<Catalogue, TextError> {
    let wrong = |why: String| TextError::Read {
        path: path.to_owned(),
        why,
    };
    let table: toml::Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let mut texts = Catalogue::new();
    let mut open = vec![(String::new(), table)];
    while let Some((before, table)) = open.pop() {
        for (word, value) in table {
            let key = format!("{before}{word}");
            match value {
                toml::Value::String(text) => {
                    texts.insert(key, text);
                }
                toml::Value::Table(table) => open.push((format!("{key}."), table)),
                _ => return Err(wrong(format!("`{key}` is no text"))),
            }
        }
    }
    Ok(texts)
}

/// Looks whether texts of an administrator have known keys and only placeholders that are filled.
///
/// # Errors
/// The first that does not fit.
pub fn fits(path: &str, texts: &Catalogue) -> Result<(), TextError> {
    let words = own()?;
    let english = words.get("en").cloned().unwrap_or_default();
    for (key, text) in texts {
        let ours = english.get(key).ok_or_else(|| TextError::Key {
            path: path.to_owned(),
            key: key.clone(),
        })?;
        let known = placeholders(ours);
        if let Some(name) = placeholders(text).difference(&known).next() {
            let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
            return Err(TextError::Placeholder {
                path: path.to_owned(),
                key: key.clone(),
                name: (*name).to_owned(),
                known: if known.is_empty() {
                    "this text has no placeholder".into()
                } else {
                    format!("this text may have {}", known.join(", "))
                },
            });
        }
    }
    Ok(())
}

/// The placeholders of a text: `Hello {name}` has `name`.
#[must_use]
pub fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| is_name(name))
        .collect()
}

/// The text with its placeholders replaced, in one pass: a value is never looked into.
#[must_use]
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}
