//! Approvers, administrators, further addresses and a webhook are told that somebody waits.

use serde_json::json;

use super::decide::{self, Decision};
use super::{outbox, settings};
use crate::account::post::{self, Mail, Reader};
use crate::account::store::{Error, Setting, Store, Total, UserFilter, Work};
use crate::account::{Account, Actor, Office, Role, State};

/// Most mails for one sign-up.
const MOST: usize = 50;
/// Most people who are named in a mail about all who wait: the last who began to.
const NAMED: usize = 20;
/// The setting that has when the last of these mails was written (Unix seconds).
pub(in crate::account) const LAST: &str = "digest";

/// Tells everybody whom it concerns that `account`, as it stands now, waits. Approvers and
/// administrators get links by which each can decide; the addresses of `[notify]` get the way to
/// the list. Where the policy wants one mail about all who wait, [`digest`] tells them instead. To
/// be called in the transaction that makes the account wait.
///
/// # Errors
/// When the database refuses.
pub async fn waiting(
    office: &Office,
    work: &Work,
    account: &Account,
    actor: &Actor,
) -> Result<(), Error> {
    let list = post::link(office, "/admin/waiting");
    if settings::saved(office, work).await?.digest_hours == 0 {
        let letter = |reader: &Reader<'_>, by: Option<&Account>| {
            let link = |decision| match by {
                Some(by) => decide::link(office, by, &account.id, account.state_since, decision),
                None => list.clone(),
            };
            let (approve, reject) = (link(Decision::Approve), link(Decision::Reject));
            post::somebody_waits(office, reader, account, actor.address, &approve, &reject)
        };
        tell(office, work, letter).await?;
    }
    let object = json!({
        "event": "account.waiting",
        "at": office.world.now(),
        "login": account.login,
        "display_name": account.display_name,
        "email": account.email,
        "reason": account.reason,
        "address": actor.address.map(|address| address.to_string()),
        "list": list,
    });
    outbox::webhook(office, work, &object).await
}

/// Writes the one mail about all who wait, when its time has come and somebody began to wait since
/// the last one; how many mails. To be called by one instance at a time.
///
/// # Errors
/// When the database refuses.
pub async fn digest(office: &Office) -> Result<u64, Error> {
    let hours = settings::policy(office).await?.digest_hours;
    let now = office.world.now();
    let last = last(&office.store).await?;
    if hours == 0 || now - last < hours * 3600 {
        return Ok(0);
    }
    let people = office.store.newly_pending(NAMED).await?;
    // Who began to in that same second may not have been in it.
    if people.iter().all(|person| person.state_since < last) {
        return Ok(0);
    }
    let waiting = UserFilter {
        state: Some(State::Pending),
        ..UserFilter::default()
    };
    let (Total::Exactly(count) | Total::AtLeast(count)) =
        office.store.count_users(&waiting).await?;
    let work = office.store.begin().await?;
    let letter = |reader: &Reader<'_>, _: Option<&Account>| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        post::people_wait(office, reader, count, &people)
    };
    let mails = tell(office, &work, letter).await?;
    work.set_setting(&Setting {
        name: LAST.into(),
        value: now.to_string(),
        changed: now,
        changed_by: "timer".into(),
    })
    .await?;
    work.commit().await?;
    Ok(mails)
}

/// When the last mail about all who wait was written.
async fn last(store: &Store) -> Result<i64, Error> {
    let found = store.setting(LAST).await?;
    Ok(found.map_or(0, |found| found.value.parse().unwrap_or(0)))
}

/// A mail to every approver, administrator and further address, each once; how many.
async fn tell(
    office: &Office,
    work: &Work,
    letter: impl Fn(&Reader<'_>, Option<&Account>) -> Mail,
) -> Result<u64, Error> {
    let staff = work.staff(Role::Approver).await?;
    let staff = staff.iter().filter_map(|by| {
        let address = by.email.as_deref()?;
        let language = by.language.as_str();
        Some((Reader { address, language }, Some(by)))
    });
    let settings = &office.settings;
    let others = settings.notify.addresses.iter().map(|address| {
        let language = settings.language.as_str();
        (Reader { address, language }, None)
    });
    let mut told: Vec<String> = Vec::new();
    for (reader, by) in staff.chain(others) {
        let key = reader.address.to_lowercase();
        if told.len() < MOST && !told.contains(&key) {
            outbox::mail(office, work, &letter(&reader, by)).await?;
            told.push(key);
        }
    }
    Ok(told.len() as u64)
}
