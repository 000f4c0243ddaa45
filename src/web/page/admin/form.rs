//! What a form or a query sent, where a name may come more than once.

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;

use crate::account::AccountId;
use crate::web::answer::Fault;
use crate::web::{App, guard};

/// Names and values, as they came.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

/// Names and values of the query.
#[derive(Debug, Clone, Default)]
pub struct Asked(pub Fields);

impl Fields {
    /// The first value of a name; nothing sent is an empty text.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The first value without spaces around it.
    #[must_use]
    pub fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// The first value, where something was sent.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.trimmed(name)).filter(|value| !value.is_empty())
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// The lines of a larger field.
    #[must_use]
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.get(name)
            .lines()
            .map(|line| line.trim().to_owned())
            .collect()
    }

    /// The accounts that were chosen, each once, at most as many as a page shows.
    #[must_use]
    pub fn chosen(&self) -> Vec<AccountId> {
        let mut ids: Vec<AccountId> = Vec::new();
        for (_, value) in self.0.iter().filter(|(name, _)| name == "id") {
            if ids.len() < super::PAGE && ids.iter().all(|id| id.0 != *value) {
                ids.push(AccountId(value.clone()));
            }
        }
        ids
    }

    /// What a query of ours says, as it came along in a form; nothing when it is none.
    #[must_use]
    pub fn of_query(text: &str) -> Self {
        let uri = format!("/{text}").parse::<Uri>().unwrap_or_default();
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&uri);
        Self(pairs.map_or_else(|_| Vec::new(), |Query(pairs)| pairs))
    }

    /// A query of these names that keeps what was sent, and others with values of their own.
    #[must_use]
    pub fn query(&self, keep: &[&str], more: &[(&str, &str)]) -> String {
        let kept = keep.iter().map(|name| (*name, self.trimmed(name)));
        let pairs: Vec<String> = kept
            .chain(more.iter().copied())
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", guard::encoded(value)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }
}

impl FromRequest<App> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let sent = Form::<Vec<(String, String)>>::from_request(request, app).await;
        sent.map(|Form(pairs)| Self(pairs))
            .map_err(|_| Fault::Senseless)
    }
}

impl FromRequestParts<App> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let sent = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        sent.map(|Query(pairs)| Self(Fields(pairs)))
            .map_err(|_| Fault::Senseless)
    }
}

impl std::ops::Deref for Asked {
    type Target = Fields;
    fn deref(&self) -> &Fields {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_what_was_sent() {
        let fields = Fields(vec![
            ("q".into(), " ann & ben ".into()),
            ("state".into(), String::new()),
            ("after".into(), "x".into()),
        ]);
        assert_eq!(fields.query(&["q", "state"], &[]), "?q=ann%20%26%20ben");
        assert_eq!(fields.query(&["state"], &[("after", "a/b")]), "?after=a/b");
        assert_eq!(fields.query(&["state"], &[]), "");
    }

    #[test]
    fn who_was_chosen_twice_is_chosen_once() {
        let pair = |value: &str| ("id".to_owned(), value.to_owned());
        let fields = Fields(vec![pair("a"), pair("b"), pair("a")]);
        assert_eq!(fields.chosen().len(), 2);
    }
}
