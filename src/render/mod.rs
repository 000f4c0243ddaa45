//! Templates to text: one engine for each target language, each with its own escaper.
//!
//! A template's file extension names its language. Whatever text a template interpolates becomes
//! a complete literal of that language, quotes and all, so that no value can end the string, the
//! directive or the script it stands in; what a language cannot carry is an error. An undefined
//! variable is an error. Delimiters are `<< >>`, `<% %>` and `<# #>`, which none of the languages
//! uses. An administrator's template of the same name replaces ours (the caller hands it in).
//!
//! To add a language: an escaper in [`literal`], its extension in [`language`], and a test in
//! `tests/hostile.rs` that feeds the result to the language's real parser.

pub mod literal;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use tera::{Context, Delimiters, EscapeFn, Kwargs, State, Tera, Value};

/// A template that could not become text.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The engine refused: syntax, an undefined variable, or a value that cannot be carried.
    #[error("template `{name}`: {why}")]
    Template {
        /// Its name, as `prosody/host.cfg.lua`.
        name: String,
        /// What the engine says.
        why: String,
    },
    /// There is no template of that name.
    #[error("there is no template `{0}`")]
    Missing(String),
    /// The extension names no language.
    #[error("template `{0}` has no extension that names a language")]
    Language(String),
}

macro_rules! own {
    ($($name:literal),* $(,)?) => {
        /// Every template that comes with the program, by name; compiled in.
        pub const OWN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../templates/", $name)))),*
        ];
    };
}

own![
    "accounts/accounts.toml",
    "accounts/config.sh",
    "accounts/jitsi-accounts.ini",
    "accounts/logrotate.sh",
    "accounts/socket.ini",
    "caddy/Caddyfile.caddyfile",
    "jicofo/config.sh",
    "jicofo/jicofo.hocon",
    "jicofo/jicofo.ini",
    "jicofo/logging.properties",
    "meet/config.js",
    "meet/interface_config.js",
    "nginx/site.nginx",
    "prosody/host.lua",
    "prosody/prosody.lua",
    "videobridge/config.sh",
    "videobridge/jitsi-videobridge2.ini",
    "videobridge/jvb.hocon",
    "videobridge/logging.properties",
    "videobridge/sysctl.properties",
];

/// Renders templates by name; the administrator's own come first.
pub struct Renderer {
    overrides: BTreeMap<String, String>,
    // One engine for each language, made when its first template is asked for.
    engines: RefCell<BTreeMap<String, Tera>>,
}

impl Renderer {
    /// A renderer in which `overrides` (name to text) replace templates of the same name.
    #[must_use]
    pub fn new(overrides: BTreeMap<String, String>) -> Self {
        Self {
            overrides,
            engines: RefCell::default(),
        }
    }

    /// The text of template `name` with `values`; ends with exactly one newline.
    ///
    /// # Errors
    /// When there is no such template, when it is wrong, or when a value cannot be carried.
    pub fn render(&self, name: &str, values: &Values) -> Result<String, RenderError> {
        let text = match self.overrides.get(name) {
            Some(text) => text.as_str(),
            None => OWN
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, text)| *text)
                .ok_or_else(|| RenderError::Missing(name.to_owned()))?,
        };
        let escape = language(name).ok_or_else(|| RenderError::Language(name.to_owned()))?;
        let wrong = |error: tera::Error| RenderError::Template {
            name: name.to_owned(),
            why: reasons(&error),
        };
        let extension = name.rsplit('.').next().unwrap_or_default().to_owned();
        let mut engines = self.engines.borrow_mut();
        let tera = match engines.entry(extension) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(engine(escape).map_err(wrong)?),
        };
        tera.add_raw_template(name, text).map_err(wrong)?;
        let mut out = tera.render(name, &values.0).map_err(wrong)?;
        out.truncate(out.trim_end().len());
        out.push('\n');
        Ok(out)
    }
}

/// An engine for one language.
fn engine(escape: EscapeFn) -> tera::TeraResult<Tera> {
    let mut tera = Tera::new();
    tera.set_delimiters(Delimiters {
        block_start: "<%".into(),
        block_end: "%>".into(),
        variable_start: "<<".into(),
        variable_end: ">>".into(),
        comment_start: "<#".into(),
        comment_end: "#>".into(),
    })?;
    tera.set_escape_fn(escape);
    tera.autoescape_on([""]);
    tera.register_filter("json", json);
    Ok(tera)
}

/// The escaper of a template's language, by its extension.
#[must_use]
pub fn language(name: &str) -> Option<EscapeFn> {
    Some(match name.rsplit_once('.')?.1 {
        "lua" => literal::lua,
        "hocon" => literal::hocon,
        "js" => literal::script,
        "sh" => literal::shell,
        "ini" => literal::systemd,
        "properties" => literal::properties,
        "nginx" => literal::nginx,
        "toml" => literal::toml,
        "caddyfile" => literal::caddyfile,
        _ => return None,
    })
}

/// `value | json`: any structure as JSON that is safe inside an HTML script.
fn json(value: Value, _: Kwargs, _: &State) -> tera::TeraResult<Value> {
    let wrong = |error: serde_json::Error| tera::Error::message(error.to_string());
    // The engine's own maps have no order; serde_json's are sorted, so that the bytes stay the same.
    let sorted = serde_json::to_value(&value).map_err(wrong)?;
    let text = serde_json::to_string_pretty(&sorted).map_err(wrong)?;
    Ok(Value::safe_string(&literal::script_safe(&text)))
}

/// An error with everything that caused it, on one line.
#[must_use]
pub fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

/// The values of all templates, in the engine's own form: made once, used by each.
#[derive(Debug, Default)]
pub struct Values(Context);

impl Values {
    /// Adds a value, or a group of them, under a name.
    ///
    /// # Panics
    /// When the values cannot be serialized, which would be our own mistake.
    #[must_use]
    pub fn with(mut self, name: &'static str, values: &impl Serialize) -> Self {
        let value = serde_json::to_value(values).expect("plain values");
        self.0.insert(name, &value);
        self
    }
}
