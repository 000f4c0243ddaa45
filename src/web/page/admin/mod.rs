//! The console: one file per page. Approvers see who waits and notes about them; everything else
//! is for administrators. It works without JavaScript: a list is one form, whose bar with what to
//! do stands before its rows, so that the key Enter never decides about the first of them.
//!
//! To add a page: its file, its line in [`table`], its template in [`TEMPLATES`], its words below
//! `admin.` in `locale/`.

mod audit;
mod decide;
mod export;
mod form;
mod groups;
mod invites;
mod new;
mod overview;
mod person;
mod settings;
mod several;
mod users;
mod view;
mod waiting;

use crate::account::act::refusal::Refusal;
use crate::web::answer::Fault;
use crate::web::{Row, Who, send, show};

/// Rows of one page, and most of what is done at once.
pub const PAGE: usize = 50;

macro_rules! own {
    ($($name:literal),* $(,)?) => {
        /// The console's templates by name.
        pub const TEMPLATES: &[(&str, &str)] = &[
            $((concat!("admin/", $name), include_str!(concat!("../../../../templates/web/admin/", $name)))),*
        ];
    };
}

own![
    "audit.html",
    "decide.html",
    "decision.html",
    "delete.html",
    "facts.html",
    "frame.html",
    "group-delete.html",
    "group-form.html",
    "group.html",
    "groups.html",
    "invites.html",
    "link.html",
    "new.html",
    "notes.html",
    "outcome.html",
    "overview.html",
    "parts.html",
    "person.html",
    "rejection.html",
    "settings.html",
    "sure.html",
    "users.html",
    "waiting.html",
];

/// The console's addresses.
#[must_use]
pub fn table() -> Vec<Row> {
    use Who::{Admin, Approver, Visitor};
    vec![
        show("/decide", Visitor, decide::show),
        send("/decide", Visitor, decide::decide),
        show("/admin", Approver, overview::show),
        show("/admin/waiting", Approver, waiting::list),
        send("/admin/waiting", Approver, several::waiting),
        show("/admin/waiting/{id}", Approver, waiting::one),
        send("/admin/waiting/{id}/approve", Approver, waiting::approve),
        send("/admin/waiting/{id}/reject", Approver, waiting::reject),
        send("/admin/waiting/{id}/reopen", Approver, waiting::reopen),
        send("/admin/waiting/{id}/notes", Approver, waiting::note),
        show("/admin/users", Admin, users::list),
        send("/admin/users", Admin, several::users),
        show("/admin/users.csv", Admin, export::users),
        show("/admin/users/new", Admin, new::form),
        send("/admin/users/new", Admin, new::create),
        show("/admin/users/{id}", Admin, person::show),
        send("/admin/users/{id}", Admin, person::edit),
        send("/admin/users/{id}/role", Admin, person::role),
        send("/admin/users/{id}/groups", Admin, person::groups),
        send("/admin/users/{id}/suspend", Admin, person::suspend),
        send("/admin/users/{id}/resume", Admin, person::resume),
        send("/admin/users/{id}/sessions", Admin, person::sessions),
        send("/admin/users/{id}/reset", Admin, person::reset),
        send("/admin/users/{id}/setup", Admin, person::setup),
        send(
            "/admin/users/{id}/second-factor",
            Admin,
            person::second_factor,
        ),
        send("/admin/users/{id}/resend", Admin, person::resend),
        show("/admin/users/{id}/delete", Admin, person::ask_delete),
        send("/admin/users/{id}/delete", Admin, person::delete),
        show("/admin/groups", Admin, groups::list),
        send("/admin/groups", Admin, groups::create),
        show("/admin/groups/{id}", Admin, groups::one),
        send("/admin/groups/{id}", Admin, groups::change),
        send("/admin/groups/{id}/members", Admin, groups::members),
        show("/admin/groups/{id}/delete", Admin, groups::ask_delete),
        send("/admin/groups/{id}/delete", Admin, groups::delete),
        show("/admin/invites", Admin, invites::list),
        send("/admin/invites", Admin, invites::create),
        send("/admin/invites/revoke", Admin, invites::revoke),
        show("/admin/audit", Admin, audit::list),
        show("/admin/audit.csv", Admin, export::audit_csv),
        show("/admin/audit.jsonl", Admin, export::audit_jsonl),
        show("/admin/settings", Admin, settings::show),
        send("/admin/settings", Admin, settings::save),
    ]
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => error.into(),
            Refusal::Gone => Self::Missing,
            _ => Self::Senseless,
        }
    }
}
