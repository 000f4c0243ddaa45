//! What a row of an export must be besides having the columns of its table: the same that sign-up,
//! console and imports let in, by the same parsers. Nothing else could have written it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::accounts::email_key;
use super::outbox::What;
use super::tokens::Purpose;
use crate::account::act::check::unseen;
use crate::account::act::{notify, settings};
use crate::account::login::Login;
use crate::account::password::form::Form;
use crate::account::policy::Policy;
use crate::account::{Origin, Role, State};
use crate::name::Email;

/// The end of the year 9999, in milliseconds: no time that is kept is later, and sums of two fit.
const LATEST: i64 = 253_402_300_799_999;

/// A row, asked by column; what is not there, or of another kind, is empty.
pub(super) struct Row<'a>(pub(super) &'a Map<String, Json>);

impl<'a> Row<'a> {
    pub(super) fn text(&self, column: &str) -> &'a str {
        self.maybe(column).unwrap_or_default()
    }

    pub(super) fn maybe(&self, column: &str) -> Option<&'a str> {
        self.0.get(column).and_then(Json::as_str)
    }

    /// What stands in the way of a row of this table; a whole sentence but for its subject, and
    /// never a value that may be secret.
    pub(super) fn fault(&self, table: &str) -> Option<String> {
        let numbers = self
            .0
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_i64()?)));
        for (name, number) in numbers {
            if !(0..=LATEST).contains(&number) {
                return Some(format!("has a `{name}` that is out of bounds"));
            }
        }
        let judged = match table {
            "accounts" => self.account(),
            "account_groups" => self.line("name", 1),
            "tokens" => self.token(),
            "sessions" => self.address().and_then(|()| self.line("agent", 0)),
            "notes" => self.line("author", 0),
            "audit" => self.address().and_then(|()| self.line("action", 1)),
            "outbox" => self.letter(),
            "settings" => self.setting(),
            _ => Ok(()),
        };
        judged.err()
    }

    /// Where it stands, what its owner may do, and where it came from.
    pub(super) fn class(&self) -> Option<(State, Role, Origin)> {
        Some((
            State::parse(self.text("state"))?,
            Role::parse(self.text("role"))?,
            Origin::parse(self.text("origin"))?,
        ))
    }

    /// The name, when it is one in its canonical form.
    pub(super) fn login(&self) -> Result<Login, String> {
        let text = self.text("login");
        match Login::parse_known(text) {
            Ok(login) if login.as_str() == text => Ok(login),
            Ok(_) => Err("has a `login` that is not in its canonical form".into()),
            Err(why) => Err(format!("has a `login` that cannot be one: it {why}")),
        }
    }

    fn account(&self) -> Result<(), String> {
        let Some((state, ..)) = self.class() else {
            return Err("has a state, role or origin that is unknown".into());
        };
        self.login()?;
        if state == State::Deleted {
            return self.deleted();
        }
        if self.text("display_name").chars().any(unseen) {
            return Err("has a `display_name` with a character that cannot be seen".into());
        }
        if let Some(email) = self.maybe("email")
            && let Err(why) = Email::parse(email)
        {
            return Err(format!("has an `email` that {}", why.0));
        }
        let key = self.maybe("email").map(email_key);
        if self
            .maybe("email_key")
            .is_some_and(|given| Some(given) != key.as_deref())
        {
            return Err("has an `email_key` that is not that of its `email`".into());
        }
        let language = self.text("language");
        if !language
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err("has a `language` that is none".into());
        }
        self.hash("password", "")?;
        self.hash("scram_sha_1", "scram_sha_1$")?;
        self.hash("scram_sha_256", "scram_sha_256$")
    }

    /// Of who is deleted nothing is left but the name.
    fn deleted(&self) -> Result<(), String> {
        let left = [
            "email",
            "email_key",
            "display_name",
            "reason",
            "password",
            "scram_sha_1",
            "scram_sha_256",
            "totp_seed",
        ];
        let left = left
            .into_iter()
            .find(|column| !self.text(column).is_empty());
        match left {
            Some(column) => Err(format!("has a `{column}` of an account that is deleted")),
            None if self.text("role") != Role::Member.as_str() => {
                Err("has a `role` of an account that is deleted".into())
            }
            None => Ok(()),
        }
    }

    /// Nothing, or a hash that can be checked and does not cost too much.
    fn hash(&self, column: &str, kind: &str) -> Result<(), String> {
        match self.maybe(column) {
            None => Ok(()),
            Some("") if kind.is_empty() => Ok(()),
            Some(text) => match Form::parse(&format!("{kind}{text}")) {
                Ok(_) => Ok(()),
                Err(why) => Err(format!("has a `{column}` that is refused: {why}")),
            },
        }
    }

    /// A text on one line, of at least so many characters.
    fn line(&self, column: &str, least: usize) -> Result<(), String> {
        let text = self.text(column);
        if text.trim().len() < least {
            return Err(format!("has an empty `{column}`"));
        }
        if text.chars().any(char::is_control) {
            return Err(format!(
                "has a `{column}` with a character that ends or hides a line"
            ));
        }
        Ok(())
    }

    fn word<T>(&self, column: &str, parse: fn(&str) -> Option<T>) -> Result<(), String> {
        match parse(self.text(column)) {
            Some(_) => Ok(()),
            None => Err(format!("has a `{column}` that is unknown")),
        }
    }

    fn token(&self) -> Result<(), String> {
        self.word("purpose", Purpose::parse)?;
        match Purpose::parse(self.text("purpose")) {
            Some(Purpose::Email | Purpose::Back) => {}
            _ => return Ok(()),
        }
        // What is to be done, and with which address.
        let plan: Result<BTreeMap<String, BTreeMap<String, String>>, _> =
            serde_json::from_str(self.text("data"));
        let mut parts = plan
            .iter()
            .flat_map(BTreeMap::values)
            .flat_map(BTreeMap::iter);
        let fits = |(name, value): (&String, &String)| {
            !["new", "old"].contains(&name.as_str()) || Email::parse(value).is_ok()
        };
        if plan.is_ok() && parts.all(fits) {
            return Ok(());
        }
        Err("has a `data` that is no plan for an address".into())
    }

    fn address(&self) -> Result<(), String> {
        let text = self.text("address");
        if text.is_empty() || text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(());
        }
        Err("has an `address` that is none".into())
    }

    fn letter(&self) -> Result<(), String> {
        self.word("kind", What::parse)?;
        self.word("state", |text| {
            ["waiting", "sent", "failed"].contains(&text).then_some(())
        })?;
        self.line("recipient", 1)?;
        if self.text("kind") == What::Mail.as_str()
            && let Err(why) = Email::parse(self.text("recipient"))
        {
            return Err(format!("has a `recipient` that {}", why.0));
        }
        Ok(())
    }

    fn setting(&self) -> Result<(), String> {
        match self.text("name") {
            settings::NAME => {}
            // When a mail was written last.
            notify::LAST if self.text("value").parse::<i64>().is_ok() => return Ok(()),
            notify::LAST => return Err("has a `value` that is no time".into()),
            _ => return Err("has a `name` of a setting that is unknown".into()),
        }
        let policy: Policy = serde_json::from_str(self.text("value"))
            .map_err(|_| "has a `value` that is no policy of sign-ups".to_owned())?;
        policy.tidy().map(|_| ()).map_err(|problems| {
            let first = problems
                .first()
                .map_or_else(String::new, ToString::to_string);
            format!("has a `value` that cannot stand: {first}")
        })
    }
}
