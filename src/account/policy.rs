//! What may change without a restart: who may sign up, and how. The first values come from
//! `[registration]` in the file of settings; what an administrator saves in the console stands in
//! the database and goes before them.

use serde::{Deserialize, Serialize};

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
        }
    }
}
