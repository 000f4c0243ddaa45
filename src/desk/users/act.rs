//! Verbs that change one account: each is the act of the console, under the name of who types.

use serde_json::json;

use super::{RoleWord, done, find, group, refused};
use crate::account::Office;
use crate::account::act::approve::{self, Block, Rejection};
use crate::account::act::users;
use crate::command::terminal;
use crate::desk::office;
use crate::desk::report::{Failure, Report, USAGE};

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Approve {
    /// The name, or the e-mail address
    name: String,
    /// A group that the account joins
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Reject {
    /// The name, or the e-mail address
    name: String,
    /// For the audit trail, and for the mail
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    /// Tell them by mail
    #[arg(long)]
    tell: bool,
    /// Refuse the address, or its whole domain, from now on
    #[arg(long, value_name = "WHAT")]
    block: Option<BlockWord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum BlockWord {
    /// The address
    Address,
    /// Every address of its domain
    Domain,
}

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Disable {
    /// The name, or the e-mail address
    name: String,
    /// For the audit trail, and for the mail
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Passwd {
    /// The name, or the e-mail address
    name: String,
    /// Mail the link in place of printing it
    #[arg(long)]
    mail: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct RoleArgs {
    /// The name, or the e-mail address
    name: String,
    /// What the account may do
    role: RoleWord,
}

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Remove {
    /// The name, or the e-mail address
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn approve(
    office: &Office,
    args: &Approve,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    let group = group(office, args.group.as_deref()).await?;
    let approved = approve::approve(office, &office::actor(), &account.id, group.as_ref()).await;
    approved.map_err(refused)?;
    again(office, &args.name, report, "is approved").await
}

pub(super) async fn reject(
    office: &Office,
    args: &Reject,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    let how = Rejection {
        reason: args.reason.clone(),
        tell: args.tell,
        block: match args.block {
            None => Block::Nothing,
            Some(BlockWord::Address) => Block::Address,
            Some(BlockWord::Domain) => Block::Domain,
        },
    };
    let rejected = approve::reject(office, &office::actor(), &account.id, &how).await;
    rejected.map_err(refused)?;
    again(office, &args.name, report, "is rejected").await
}

pub(super) async fn disable(
    office: &Office,
    args: &Disable,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    let suspended = users::suspend(office, &office::actor(), &account.id, &args.reason).await;
    suspended.map_err(refused)?;
    again(
        office,
        &args.name,
        report,
        "is suspended, and its sessions have ended",
    )
    .await
}

pub(super) async fn enable(
    office: &Office,
    name: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, name).await?;
    let resumed = users::resume(office, &office::actor(), &account.id).await;
    resumed.map_err(refused)?;
    again(office, name, report, "may sign in again").await
}

pub(super) async fn role(
    office: &Office,
    args: &RoleArgs,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    let changed = users::role(office, &office::actor(), &account.id, args.role.into()).await;
    changed.map_err(refused)?;
    let word = super::word(&crate::account::Role::from(args.role));
    again(office, &args.name, report, &format!("is {word} now")).await
}

pub(super) async fn passwd(
    office: &Office,
    args: &Passwd,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    if args.mail {
        let sent = users::reset(office, &office::actor(), &account.id).await;
        let account = sent.map_err(refused)?;
        done(report, &account, "gets a link to a new password by mail");
        return Ok(());
    }
    let made = users::setup(office, &office::actor(), &account.id).await;
    let (account, link) = made.map_err(refused)?;
    if report.is_json() {
        report.json(&json!({ "account": account, "link": link.reveal() }));
    } else {
        report.note(&format!(
            "`{}` chooses a new password once, within an hour, at",
            account.login.as_str()
        ));
        report.data(link.reveal());
    }
    Ok(())
}

pub(super) async fn remove(
    office: &Office,
    args: &Remove,
    report: &mut Report,
) -> Result<(), Failure> {
    let account = find(office, &args.name).await?;
    let question = format!("delete `{}` for good?", account.login.as_str());
    if !args.yes && terminal::ask(&question) != Some(true) {
        return Err(Failure::new(USAGE, "nothing was deleted")
            .hint("add --yes to delete without a question"));
    }
    let deleted = users::delete(office, &office::actor(), &account.id).await;
    deleted.map_err(refused)?;
    let login = account.login.as_str();
    if report.is_json() {
        report.json(&json!({ "login": login, "state": "deleted" }));
    } else {
        report.note(&format!("`{login}` is deleted; the name stays reserved"));
    }
    Ok(())
}

/// The account as it stands after an act.
async fn again(
    office: &Office,
    name: &str,
    report: &mut Report,
    what: &str,
) -> Result<(), Failure> {
    let account = find(office, name).await?;
    done(report, &account, what);
    Ok(())
}
