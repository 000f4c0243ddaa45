//! What leaves later: mails and webhooks, sealed, in the same transaction as the change that they
//! tell of. The room `desk` opens and delivers them.

use serde_json::Value;

use crate::account::Office;
use crate::account::post::Mail;
use crate::account::store::{Error, Letter, Queued, What, Work};

/// The purpose of the seal.
const PURPOSE: &str = "outbox";

/// Puts a mail into the outbox; nothing when its account has no address.
///
/// # Errors
/// When the database refuses.
pub async fn mail(office: &Office, work: &Work, mail: &Mail) -> Result<(), Error> {
    if mail.recipient.is_empty() {
        return Ok(());
    }
    let body = serde_json::to_vec(mail).unwrap_or_default();
    put(office, work, What::Mail, &mail.recipient, &body)
        .await
        .map(|_| ())
}

/// Puts a mail into the outbox and takes it out again: the work of a mail, and no mail.
///
/// # Errors
/// When the database refuses.
pub(super) async fn pretend(office: &Office, work: &Work, mail: &Mail) -> Result<(), Error> {
    let body = serde_json::to_vec(mail).unwrap_or_default();
    let id = put(office, work, What::Mail, &mail.recipient, &body).await?;
    work.unqueue(&id).await.map(|_| ())
}

/// Puts a JSON object for the site's webhook into the outbox; without one nothing happens.
///
/// # Errors
/// When the database refuses.
pub async fn webhook(office: &Office, work: &Work, object: &Value) -> Result<(), Error> {
    if office.settings.notify.webhook.is_none() {
        return Ok(());
    }
    put(
        office,
        work,
        What::Webhook,
        "webhook",
        object.to_string().as_bytes(),
    )
    .await
    .map(|_| ())
}

/// What a body holds: a [`Mail`] in JSON, or the JSON object for the webhook. `None` when it was
/// sealed with another key.
#[must_use]
pub fn open(office: &Office, queued: &Queued) -> Option<Vec<u8>> {
    office.seal.open(PURPOSE, &queued.body)
}

async fn put(
    office: &Office,
    work: &Work,
    what: What,
    recipient: &str,
    body: &[u8],
) -> Result<String, Error> {
    let id = office.world.id();
    work.queue(&Letter {
        id: &id,
        what,
        recipient,
        body: &office.seal.close(PURPOSE, body),
        now: office.world.now(),
    })
    .await?;
    Ok(id)
}
