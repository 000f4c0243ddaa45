//! Notes of staff about an account: for each other, never for its owner.

use super::note;
use super::refusal::{Refusal, Result};
use super::staff::find;
use crate::account::audit::Entry;
use crate::account::store::Note;
use crate::account::{Account, AccountId, Actor, Office};

/// Most characters of a note.
const LONGEST: usize = 2000;

/// Adds a note.
///
/// # Errors
/// When the account is not there, or the note is empty or too long.
pub async fn add(office: &Office, actor: &Actor, id: &AccountId, text: &str) -> Result<Account> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(Refusal::Note);
    }
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    let new = Note {
        id: office.world.id(),
        account: id.clone(),
        author: actor.name.clone(),
        at: office.world.now(),
        text,
    };
    work.add_note(&new).await?;
    // The note itself goes with the account; the audit trail stays, so it has no copy.
    let entry = Entry::new("note.added", Some(&account), "done");
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(account)
}
