//! The templates of all pages, compiled in; one engine for each language, so that `t(key=…)` knows
//! its language inside components too.
//!
//! To add a template: a file below `templates/web` and its line in [`OWN`]. What a template may
//! call: `t(key="signin.title", name=value)` for texts, `link(to="/sign-in")` for pages,
//! `static(name="style.css")` for files.

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Context, ErrorKind, Kwargs, State, Tera};

use super::asset::Assets;
use super::page::admin;
use super::site::Site;
use crate::account::text::Texts;
use crate::account::text::catalogue::LANGUAGES;

macro_rules! own {
    ($($name:literal),* $(,)?) => {
        /// Templates that come with the program, by name.
        pub const OWN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../templates/web/", $name)))),*
        ];
    };
}

own![
    "layout.html",
    "form.html",
    "account/again.html",
    "account/codes.html",
    "account/delete.html",
    "account/email.html",
    "account/home.html",
    "account/password.html",
    "account/profile.html",
    "account/recovery-codes.html",
    "account/second-factor-on.html",
    "account/second-factor.html",
    "account/sessions.html",
    "public/confirm.html",
    "public/email-change.html",
    "public/fault.html",
    "public/forgot.html",
    "public/notice.html",
    "public/resend.html",
    "public/reset.html",
    "public/second-factor.html",
    "public/sign-in.html",
    "public/sign-up.html",
    "public/told.html",
];

/// Engines by language.
pub struct Templates {
    engines: BTreeMap<&'static str, Tera>,
}

/// A template is wrong, or was given too little.
#[derive(Debug, thiserror::Error)]
#[error("page template: {0}")]
pub struct TemplateError(String);

impl From<tera::Error> for TemplateError {
    fn from(error: tera::Error) -> Self {
        // Its own words show the lines around the place; a log has one line.
        let mut text = match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => format!(
                "`{}`, line {}: {}",
                report.filename(),
                report.span().start_line,
                report.message()
            ),
            other => other.to_string(),
        };
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        Self(text)
    }
}

impl Templates {
    /// Reads all templates.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn new(site: &Site, texts: &Arc<Texts>, assets: &Assets) -> Result<Self, TemplateError> {
        let mut base = Tera::new();
        base.autoescape_on(vec![".html"]);
        let prefix = site.prefix.clone();
        base.register_function("link", move |words: Kwargs, _: &State| {
            words
                .must_get::<&str>("to")
                .map(|page| format!("{prefix}{page}"))
        });
        let paths = assets.paths(site);
        base.register_function("static", move |words: Kwargs, _: &State| {
            let name = words.must_get::<&str>("name")?;
            paths
                .get(name)
                .cloned()
                .ok_or_else(|| tera::Error::message(format!("there is no static file `{name}`")))
        });
        let mut engines = BTreeMap::new();
        for language in LANGUAGES {
            let mut engine = base.clone();
            let texts = Arc::clone(texts);
            engine.register_function("t", move |words: Kwargs, _: &State| {
                let key = words.must_get::<&str>("key")?;
                if !texts.knows(key) {
                    return Err(tera::Error::message(format!("there is no text `{key}`")));
                }
                let values: Vec<(String, String)> = words
                    .iter()
                    .filter_map(|(name, value)| Some((name.as_str()?, value)))
                    .filter(|(name, _)| *name != "key")
                    .map(|(name, value)| (name.to_owned(), value.to_string()))
                    .collect();
                let values: Vec<(&str, &str)> = values
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                Ok(texts.say(language, key, &values))
            });
            engine.add_raw_templates(OWN.iter().chain(admin::TEMPLATES).copied())?;
            engines.insert(language, engine);
        }
        Ok(Self { engines })
    }

    /// A page's text.
    ///
    /// # Errors
    /// When the template asks for what the context lacks.
    pub fn render(
        &self,
        language: &str,
        name: &str,
        context: &Context,
    ) -> Result<String, TemplateError> {
        let engine = self
            .engines
            .get(language)
            .or_else(|| self.engines.values().next())
            .ok_or_else(|| TemplateError("there is no language".into()))?;
        Ok(engine.render(name, context)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_in_one_line() {
        let told = |text: &str| {
            let mut tera = Tera::new();
            tera.register_function("t", |_: Kwargs, _: &State| {
                Err::<String, _>(tera::Error::message("there is no text `a.b`"))
            });
            let made = tera.add_raw_templates([("a.html", text)]);
            let made = made.and_then(|()| tera.render("a.html", &Context::new()));
            TemplateError::from(made.unwrap_err()).to_string()
        };
        for (text, why) in [
            ("one\n{{ missing }}\nthree", "missing"),
            ("one\n{{ t(key=1) }}\nthree", "there is no text `a.b`"),
            ("one\n{% if %}\nthree", ""),
        ] {
            let told = told(text);
            assert!(
                told.starts_with("page template: `a.html`, line 2: "),
                "{told}"
            );
            assert!(told.contains(why) && !told.contains("three"), "{told}");
            assert_eq!(told.lines().count(), 1, "{told}");
        }
    }
}
