//! `users list`: a line for each account, as many as there are.

use super::{day, plain, word};
use crate::account::store::{UserFilter, UserList};
use crate::account::{Office, State};
use crate::desk::office;
use crate::desk::report::{Failure, Report, USAGE};

/// Rows that are asked for at a time.
const PAGE: usize = 1000;

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Args {
    /// Beginnings of words in name, address and shown name
    text: Vec<String>,
    /// Only accounts in this state: unconfirmed, pending, active, rejected, suspended, deleted
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only accounts with this role
    #[arg(long, value_name = "ROLE")]
    role: Option<super::RoleWord>,
    /// Only members of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

pub(super) async fn run(office: &Office, args: &Args, report: &mut Report) -> Result<(), Failure> {
    let state = match &args.state {
        None => None,
        Some(word) => Some(State::parse(word).ok_or_else(|| {
            let words = State::ALL.map(State::as_str).join(", ");
            Failure::new(USAGE, format!("`{}` is no state", plain(word)))
                .hint(format!("one of {words}"))
        })?),
    };
    let group = super::group(office, args.group.as_deref()).await?;
    let mut list = UserList {
        filter: UserFilter {
            state,
            role: args.role.map(Into::into),
            group,
            text: args.text.join(" "),
            ..UserFilter::default()
        },
        rows: PAGE,
        ..UserList::default()
    };
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut all = Vec::new();
    loop {
        let page = office.store.users(&list).await.map_err(office::failure)?;
        for account in page.rows.into_iter().take(left) {
            left -= 1;
            if report.is_json() {
                all.push(account);
                continue;
            }
            report.data(&format!(
                "{:<24} {:<11} {:<8} {:<8} {} {}",
                account.login.as_str(),
                account.state.as_str(),
                word(&account.role),
                word(&account.origin),
                day(account.created),
                plain(account.email.as_deref().unwrap_or("-")),
            ));
        }
        list.after = page.next;
        if list.after.is_none() || left == 0 {
            break;
        }
    }
    if report.is_json() {
        report.json(&all);
    }
    Ok(())
}
