//! `users add`: an account whose owner chooses the password by a one-time link. The first
//! administrator comes to be so.

use serde_json::json;

use super::{RoleWord, group, refused, word};
use crate::account::Office;
use crate::account::act::users::{New, create};
use crate::desk::office;
use crate::desk::report::{Failure, Report};

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Args {
    /// The name
    name: String,
    /// The e-mail address
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "",
        hide_default_value = true
    )]
    email: String,
    /// The name that others see [default: the name]
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    display_name: String,
    /// The language of pages and mails [default: that of the settings]
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// What the account may do
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: RoleWord,
    /// The same as --role admin
    #[arg(long, conflicts_with = "role")]
    admin: bool,
    /// A group that it joins
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Mail the link to the address in place of printing it
    #[arg(long)]
    mail: bool,
}

pub(super) async fn run(office: &Office, args: &Args, report: &mut Report) -> Result<(), Failure> {
    let role = if args.admin {
        RoleWord::Admin
    } else {
        args.role
    };
    let group = group(office, args.group.as_deref()).await?;
    let new = New {
        login: &args.name,
        display_name: &args.display_name,
        email: &args.email,
        language: args
            .language
            .as_deref()
            .unwrap_or(&office.settings.language),
        role: role.into(),
        group: group.as_ref(),
        mail: args.mail,
    };
    let made = create(office, &office::actor(), &new).await;
    let (account, link) = made.map_err(refused)?;
    let link = link.as_ref().map(|link| link.reveal().as_str());
    if report.is_json() {
        report.json(&json!({ "account": account, "link": link }));
        return Ok(());
    }
    let login = account.login.as_str();
    report.note(&format!(
        "`{login}` is here now, as {}",
        word(&account.role)
    ));
    match link {
        Some(link) => {
            report.note("the password is chosen once, within three days, at");
            report.data(link);
        }
        None => report.note("the link to the first password is on its way by mail"),
    }
    Ok(())
}
