//! Approvers, administrators, further addresses and a webhook are told that somebody waits.

use serde_json::json;

use super::decide::{self, Decision};
use super::outbox;
use crate::account::post::{self, Reader};
use crate::account::store::{Error, Work};
use crate::account::{Account, Actor, Office, Role};

/// Most mails for one sign-up.
const MOST: usize = 50;

/// Tells everybody whom it concerns that `account`, as it stands now, waits. Approvers and
/// administrators get links by which each can decide; the addresses of `[notify]` get the way to
/// the list. To be called in the transaction that makes the account wait.
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
    let mut told: Vec<String> = Vec::new();
    for by in work.staff(Role::Approver).await? {
        let Some(address) = by.email.as_deref().filter(|_| told.len() < MOST) else {
            continue;
        };
        let reader = Reader {
            address,
            language: &by.language,
        };
        let link = |decision| decide::link(office, &by, &account.id, account.state_since, decision);
        let (approve, reject) = (link(Decision::Approve), link(Decision::Reject));
        let from = actor.address;
        let mail = post::somebody_waits(office, &reader, account, from, &approve, &reject);
        outbox::mail(office, work, &mail).await?;
        told.push(address.to_lowercase());
    }
    for address in &office.settings.notify.addresses {
        if told.contains(&address.to_lowercase()) || told.len() >= MOST {
            continue;
        }
        let reader = Reader {
            address,
            language: &office.settings.language,
        };
        let mail = post::somebody_waits(office, &reader, account, actor.address, &list, &list);
        outbox::mail(office, work, &mail).await?;
        told.push(address.to_lowercase());
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
