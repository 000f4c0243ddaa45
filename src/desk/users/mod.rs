//! `users`: what the console does, for those who sit at the machine.

mod act;
mod add;
mod audit;
mod list;
mod show;

use std::process::ExitCode;

use super::report::{FAILED, Failure, Report, USAGE};
use super::{Global, file, office};
use crate::account::act::refusal::Refusal;
use crate::account::login::Login;
use crate::account::store::GroupId;
use crate::account::{Account, Office, Role};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List accounts
    List(list::Args),
    /// Make an account; prints the one-time link by which its owner chooses a password
    Add(add::Args),
    /// Show one account
    Show(Name),
    /// Approve a sign-up
    Approve(act::Approve),
    /// Reject a sign-up
    Reject(act::Reject),
    /// Suspend an account and end its sessions
    Disable(act::Disable),
    /// Take a suspension back
    Enable(Name),
    /// Print a one-time link to a new password, or mail it
    Passwd(act::Passwd),
    /// Say what an account may do
    Role(act::RoleArgs),
    /// Delete an account; its name stays reserved
    Remove(act::Remove),
    /// Show the audit trail
    Audit(audit::Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Name {
    /// The name, or the e-mail address
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RoleWord {
    /// Their own account
    Member,
    /// And approve or reject who waits
    Approver,
    /// And everything else
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Member => Self::Member,
            RoleWord::Approver => Self::Approver,
            RoleWord::Admin => Self::Admin,
        }
    }
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    super::block_on(async {
        let office = office::open(settings, &secrets).await?;
        let done = one(&office, verb, report).await;
        office.store.close().await;
        done
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn one(office: &Office, verb: &Verb, report: &mut Report) -> Result<(), Failure> {
    match verb {
        Verb::List(args) => list::run(office, args, report).await,
        Verb::Add(args) => add::run(office, args, report).await,
        Verb::Show(name) => show::run(office, &name.name, report).await,
        Verb::Approve(args) => act::approve(office, args, report).await,
        Verb::Reject(args) => act::reject(office, args, report).await,
        Verb::Disable(args) => act::disable(office, args, report).await,
        Verb::Enable(name) => act::enable(office, &name.name, report).await,
        Verb::Passwd(args) => act::passwd(office, args, report).await,
        Verb::Role(args) => act::role(office, args, report).await,
        Verb::Remove(args) => act::remove(office, args, report).await,
        Verb::Audit(args) => audit::run(office, args, report).await,
    }
}

/// The account of a name or an address.
async fn find(office: &Office, name: &str) -> Result<Account, Failure> {
    let found = if name.contains('@') {
        office.store.account_by_email(name).await
    } else {
        let login = Login::parse_known(name).map_err(|why| {
            let shown = crate::name::excerpt(name);
            Failure::new(USAGE, format!("`{shown}` is no name of an account: {why}"))
        })?;
        office.store.account_by_login(login.as_str()).await
    };
    found.map_err(office::failure)?.ok_or_else(|| {
        let shown = crate::name::excerpt(name);
        Failure::failed(format!("there is no account `{shown}`"))
            .hint("`jitsi-accounts users list` shows who there is")
    })
}

/// The group that is named, where one is.
async fn group(office: &Office, name: Option<&str>) -> Result<Option<GroupId>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let found = office.store.group_by_name(name).await;
    let missing = || Failure::failed(format!("there is no group `{}`", plain(name)));
    let group = found.map_err(office::failure)?.ok_or_else(missing)?;
    Ok(Some(group.id))
}

/// Why an act was refused.
fn refused(refusal: Refusal) -> Failure {
    if let Refusal::Store(error) = refusal {
        return office::failure(error);
    }
    let text = refusal.to_string();
    match text.split_once("\nhint: ") {
        Some((what, hint)) => Failure::new(FAILED, what).hint(hint),
        None => Failure::new(FAILED, text),
    }
}

/// Says what was done: a line for people, or the account as JSON.
fn done(report: &mut Report, account: &Account, what: &str) {
    if report.is_json() {
        report.json(account);
    } else {
        report.note(&format!("`{}` {what}", account.login.as_str()));
    }
}

/// A time as RFC 3339 has it.
fn time(seconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).ok();
    at.and_then(|at| {
        at.format(&time::format_description::well_known::Rfc3339)
            .ok()
    })
    .unwrap_or_default()
}

/// The day of it; nothing for a time that no calendar has.
fn day(seconds: i64) -> String {
    time(seconds).get(..10).unwrap_or_default().to_owned()
}

/// The word of a role, an origin or whatever else has one in JSON.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// As it may be shown on a terminal: nothing that people wrote moves the cursor.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_people_of_every_time() {
        assert_eq!(day(1_795_305_600), "2026-11-22");
        for strange in [i64::MIN, i64::MAX, -99_999_999_999] {
            assert_eq!(day(strange), "", "{strange}");
        }
    }
}
