//! What may change without a restart: who may sign up, and how. The first values come from
//! `[registration]` in the file of settings; what an administrator saves in the console stands in
//! the database and goes before them.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::name::{Domain, Email, excerpt};

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Whoever confirms an address.
    Open,
    /// Whoever confirms an address and is approved.
    Approval,
    /// Who has an invitation.
    Invite,
    /// Nobody.
    Closed,
}

/// `[registration]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Who may sign up.
    pub mode: Registration,
    /// Domains of addresses that may sign up; none listed: all. A leading dot takes in subdomains.
    pub allowed_domains: Vec<String>,
    /// Domains of addresses that may not.
    pub blocked_domains: Vec<String>,
    /// Whole addresses that may not.
    pub blocked_addresses: Vec<String>,
    /// Where the terms stand that must be accepted; empty: no box.
    pub terms_url: String,
    /// Whether the form asks for a reason, for those who approve.
    pub ask_reason: bool,
    /// Days after which a sign-up that nobody confirmed goes.
    pub confirm_days: i64,
    /// Days after which a sign-up that nobody approved goes, with a mail.
    pub approve_days: i64,
    /// Days that the audit trail is kept; 0: for ever.
    pub audit_days: i64,
    /// Hours between two mails that tell who waits; 0: a mail for each who begins to.
    pub digest_hours: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Registration::Approval,
            allowed_domains: Vec::new(),
            blocked_domains: Vec::new(),
            blocked_addresses: Vec::new(),
            terms_url: String::new(),
            ask_reason: true,
            confirm_days: 3,
            approve_days: 60,
            audit_days: 730,
            digest_hours: 0,
        }
    }
}

/// A value of the policy that cannot stand, for the field that it was typed into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {fault}: `{value}`")]
pub struct Problem {
    /// The field, as it is called in `[registration]`.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
    /// The value, or the bounds that it must keep to.
    pub value: String,
}

/// What can be wrong with a value of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A list has more entries than this.
    #[error("has more entries than it may have")]
    TooMany,
    /// An entry is no domain.
    #[error("has an entry that is no domain")]
    Domain,
    /// An entry is no e-mail address.
    #[error("has an entry that is no e-mail address")]
    Address,
    /// It is no `http(s)://` address of a page.
    #[error("is not the address of a page")]
    Url,
    /// A number is not within these bounds.
    #[error("must be within bounds")]
    Bounds,
}

impl Fault {
    /// The word in keys of texts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::Domain => "domain",
            Self::Address => "address",
            Self::Url => "url",
            Self::Bounds => "bounds",
        }
    }
}

/// Most entries of one list.
const LONGEST: usize = 1000;

impl Policy {
    /// Whether the form of a sign-up asks for a reason: where somebody reads it.
    #[must_use]
    pub fn asks_reason(&self) -> bool {
        self.ask_reason && self.mode == Registration::Approval
    }

    /// The same in one form: lists trimmed, lower-cased, sorted, without repetitions.
    ///
    /// # Errors
    /// Every value that cannot stand.
    pub fn tidy(mut self) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut refuse = |field, fault, value| {
            problems.push(Problem {
                field,
                fault,
                value,
            })
        };
        for (field, list) in [
            ("allowed_domains", &mut self.allowed_domains),
            ("blocked_domains", &mut self.blocked_domains),
            ("blocked_addresses", &mut self.blocked_addresses),
        ] {
            for entry in list.iter_mut() {
                *entry = entry.trim().to_lowercase();
            }
            list.retain(|entry| !entry.is_empty());
            list.sort();
            list.dedup();
            if list.len() > LONGEST {
                refuse(field, Fault::TooMany, LONGEST.to_string());
            }
            for entry in list.iter() {
                let (fault, is_fine) = if field == "blocked_addresses" {
                    (Fault::Address, Email::parse(entry).is_ok())
                } else {
                    let domain = entry.strip_prefix('.').unwrap_or(entry);
                    (Fault::Domain, Domain::parse(domain).is_ok())
                };
                if !is_fine {
                    refuse(field, fault, excerpt(entry));
                }
            }
        }
        self.terms_url = self.terms_url.trim().to_owned();
        let url = self.terms_url.as_str();
        let is_plain = url
            .chars()
            .all(|c| c.is_ascii_graphic() && !"\"'<>\\`".contains(c));
        let is_web = url.strip_prefix("https://").or(url.strip_prefix("http://"));
        if !url.is_empty() && (!is_plain || is_web.is_none_or(str::is_empty) || url.len() > 500) {
            refuse("terms_url", Fault::Url, excerpt(url));
        }
        for (field, number, least, most) in [
            ("confirm_days", self.confirm_days, 1, 90),
            ("approve_days", self.approve_days, 1, 3650),
            ("audit_days", self.audit_days, 0, 36_500),
            ("digest_hours", self.digest_hours, 0, 168),
        ] {
            if !(least..=most).contains(&number) {
                refuse(field, Fault::Bounds, format!("{least}–{most}"));
            }
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems)
        }
    }
}

/// The policy in force as it was last read, for a moment: sign-up asks for it with every request.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<(i64, Arc<Policy>)>>);

/// Milliseconds for which what was read is believed; other instances change it too.
const MOMENT: i64 = 2000;

impl Kept {
    /// What was read less than a moment ago.
    #[must_use]
    pub fn fresh(&self, millis: i64) -> Option<Arc<Policy>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, policy) = kept.as_ref()?;
        (0..MOMENT)
            .contains(&(millis - read))
            .then(|| Arc::clone(policy))
    }

    /// Keeps what was read or saved.
    pub fn keep(&self, millis: i64, policy: Policy) -> Arc<Policy> {
        let policy = Arc::new(policy);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((millis, Arc::clone(&policy)));
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_into_one_form() {
        let policy = Policy {
            allowed_domains: vec![
                " B.example.org ".into(),
                ".a.example.org".into(),
                "b.example.org".into(),
            ],
            blocked_addresses: vec!["Ann@Example.org".into(), String::new()],
            ..Policy::default()
        };
        let policy = policy.tidy().unwrap();
        assert_eq!(policy.allowed_domains, [".a.example.org", "b.example.org"]);
        assert_eq!(policy.blocked_addresses, ["ann@example.org"]);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let policy = Policy {
            allowed_domains: vec!["no domain".into()],
            blocked_addresses: vec!["example.org".into()],
            terms_url: "javascript:alert(1)".into(),
            confirm_days: 0,
            audit_days: -1,
            ..Policy::default()
        };
        let fields: Vec<_> = policy
            .tidy()
            .unwrap_err()
            .into_iter()
            .map(|p| p.field)
            .collect();
        assert_eq!(
            fields,
            [
                "allowed_domains",
                "blocked_addresses",
                "terms_url",
                "confirm_days",
                "audit_days"
            ]
        );
    }

    #[test]
    fn what_was_read_is_believed_for_a_moment() {
        let kept = Kept::default();
        assert!(kept.fresh(0).is_none());
        kept.keep(1000, Policy::default());
        assert!(kept.fresh(1000 + MOMENT - 1).is_some());
        assert!(kept.fresh(1000 + MOMENT).is_none());
        assert!(kept.fresh(999).is_none(), "a clock set back reads again");
    }
}
