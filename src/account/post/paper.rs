//! The paper that mails are written on: templates for the text and the HTML part of each mail, ours
//! or an administrator's, and the values that all of them may use.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tera::{Context, Tera};

use crate::account::text::catalogue::{Catalogue, TextError};
use crate::account::text::speaker;
use crate::render::reasons;

macro_rules! mails {
    ($($name:literal),* $(,)?) => {
        /// The names of all mails.
        pub const NAMES: &[&str] = &[$($name),*];

        const OWN: &[(&str, &str)] = &[
            ("mail/layout.html", include_str!("../../../templates/mail/layout.html")),
            ("mail/parts.html", include_str!("../../../templates/mail/parts.html")),
            $(
                (concat!("mail/", $name, ".txt"), include_str!(concat!("../../../templates/mail/", $name, ".txt"))),
                (concat!("mail/", $name, ".html"), include_str!(concat!("../../../templates/mail/", $name, ".html"))),
            )*
        ];
    };
}

mails![
    "already-registered",
    "approved",
    "confirm",
    "deleted",
    "email-change",
    "email-changed",
    "expired",
    "password-changed",
    "people-wait",
    "recovery-code-used",
    "rejected",
    "reset",
    "resumed",
    "second-factor-off",
    "second-factor-on",
    "setup",
    "somebody-waits",
    "suspended",
    "test",
    "waiting",
];

/// Whether a file is a template of a mail: `confirm.txt`, `layout.html`.
#[must_use]
pub fn is_mail(file: &str) -> bool {
    OWN.iter()
        .any(|(name, _)| name.strip_prefix("mail/") == Some(file))
}

/// What a template may use. Every mail has all of them; what does not apply is empty.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Values {
    /// The name of the site.
    pub site: String,
    /// The first page of the service.
    pub home: String,
    /// What the reader is called.
    pub name: String,
    /// The name of the account that the mail is about.
    pub login: String,
    /// What the person calls themselves whom the mail is about; nobody has checked it.
    pub person: String,
    /// The address of that account.
    pub email: String,
    /// A reason that somebody typed.
    pub reason: String,
    /// The network address that something was done from.
    pub address: String,
    /// When it was done.
    pub when: String,
    /// Where the button leads.
    pub link: String,
    /// Where the second button, or the second link, leads.
    pub second_link: String,
    /// The page with everybody who waits.
    pub list: String,
    /// How many are left, or wait.
    pub count: i64,
    /// Who waits.
    pub people: Vec<Waits>,
}

/// Somebody who waits, as [`Values`] has them.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Waits {
    pub person: String,
    pub login: String,
    pub email: String,
    pub reason: String,
}

/// Templates of all mails.
#[derive(Clone, Default)]
pub struct Paper {
    engine: Tera,
}

impl Paper {
    /// Our templates, and an administrator's by `LANGUAGE/NAME.txt` and `.html`; each of those is
    /// tried once with sample values.
    pub(in crate::account) fn new(
        words: &Arc<BTreeMap<String, Catalogue>>,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, TextError> {
        let mut engine = Tera::new();
        engine.register_function("t", speaker(words));
        let wrong = |name: &str| {
            let name = name.to_owned();
            move |error: tera::Error| TextError::Template {
                name,
                why: reasons(&error),
            }
        };
        engine
            .add_raw_templates(OWN.iter().copied())
            .map_err(wrong("mail/"))?;
        for (place, text) in overrides {
            let name = format!("mail/{place}");
            engine.add_raw_template(&name, text).map_err(wrong(&name))?;
        }
        let paper = Self { engine };
        for (language, file) in overrides.keys().filter_map(|place| place.split_once('/')) {
            let name = format!("mail/{language}/{file}");
            paper
                .render(&name, &sample().context(language, "subject"))
                .map_err(wrong(&name))?;
        }
        Ok(paper)
    }

    /// Text and HTML of a mail. The administrator's template comes first; should it fail after all,
    /// ours takes its place, so that no mail is lost.
    pub(super) fn write(
        &self,
        mail: &str,
        language: &str,
        subject: &str,
        values: &Values,
    ) -> [String; 2] {
        let context = values.context(language, subject);
        ["txt", "html"].map(|ending| {
            let theirs = format!("mail/{language}/{mail}.{ending}");
            let ours = format!("mail/{mail}.{ending}");
            self.render(&theirs, &context)
                .or_else(|_| self.render(&ours, &context))
                .unwrap_or_default()
        })
    }

    fn render(&self, name: &str, context: &Context) -> tera::TeraResult<String> {
        let text = self.engine.render(name, context)?;
        Ok(format!("{}\n", text.trim()))
    }
}

impl Values {
    fn context(&self, language: &str, subject: &str) -> Context {
        let mut context = Context::from_serialize(self).unwrap_or_default();
        context.insert("language", language);
        context.insert("subject", subject);
        context
    }
}

/// Values for trying a template.
fn sample() -> Values {
    let text = || "sample".to_owned();
    Values {
        site: text(),
        home: text(),
        name: text(),
        login: text(),
        person: text(),
        email: text(),
        reason: text(),
        address: text(),
        when: text(),
        link: text(),
        second_link: text(),
        list: text(),
        count: 2,
        people: vec![Waits {
            person: text(),
            login: text(),
            email: text(),
            reason: text(),
        }],
    }
}
