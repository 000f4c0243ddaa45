//! `users audit`: who did what to whom, the newest first.

use super::{find, plain, time};
use crate::account::Office;
use crate::account::audit::Written;
use crate::account::store::AuditFilter;
use crate::desk::office;
use crate::desk::report::{Failure, Report};

#[derive(Debug, clap::Args)]
pub(in crate::desk) struct Args {
    /// Only what was done to this account
    name: Option<String>,
    /// Only what this one did: a name, `cli:ann` or `timer`
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only this, as in `signin` or `account.approved`
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

pub(super) async fn run(office: &Office, args: &Args, report: &mut Report) -> Result<(), Failure> {
    let target = match &args.name {
        Some(name) => Some(find(office, name).await?.id),
        None => None,
    };
    let filter = AuditFilter {
        target,
        actor_name: args.by.clone(),
        action: args.action.clone(),
        ..AuditFilter::default()
    };
    let (mut left, mut after, mut all) = (args.limit, None, Vec::new());
    while left > 0 {
        let page = office
            .store
            .audit(&filter, after.as_deref(), left.min(1000))
            .await;
        let page = page.map_err(office::failure)?;
        for entry in page.rows.into_iter().take(left) {
            left -= 1;
            if report.is_json() {
                all.push(entry);
            } else {
                report.data(&line(&entry));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if report.is_json() {
        report.json(&all);
    }
    Ok(())
}

/// An entry in one line.
pub(super) fn line(written: &Written) -> String {
    let entry = &written.entry;
    let mut line = format!(
        "{} {:<24} {:<8} {} by {}",
        time(written.at.div_euclid(1000)),
        entry.action,
        entry.outcome,
        plain(if entry.target_name.is_empty() {
            "-"
        } else {
            &entry.target_name
        }),
        plain(if written.actor_name.is_empty() {
            "-"
        } else {
            &written.actor_name
        }),
    );
    for (before, text) in [(" from ", &written.address), (": ", &entry.detail)] {
        if !text.is_empty() {
            line.push_str(before);
            line.push_str(&plain(text));
        }
    }
    line
}
