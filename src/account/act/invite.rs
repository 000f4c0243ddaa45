//! Invitations: links by which a number of people may sign up, until a day, into a group.

use super::refusal::{Refusal, Result};
use super::{groups, link, note};
use crate::account::audit::Entry;
use crate::account::store::{GroupId, Invite};
use crate::account::{Actor, Office, post};
use crate::secret::Secret;

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// What staff know it by.
    pub label: &'a str,
    /// The group of those who come by it.
    pub group: Option<&'a GroupId>,
    /// How many may use it: 1 to 10,000.
    pub uses: i64,
    /// Days that it works: 1 to 365.
    pub days: i64,
}

/// Makes an invitation. Its link is given back once; the database keeps a hash.
///
/// # Errors
/// When a value breaks a rule, or the group is not there.
pub async fn create(
    office: &Office,
    actor: &Actor,
    new: &New<'_>,
) -> Result<(Invite, Secret<String>)> {
    let label = new.label.split_whitespace().collect::<Vec<_>>().join(" ");
    if label.is_empty() {
        return Err(Refusal::Empty("label"));
    }
    if label.chars().count() > 100 {
        return Err(Refusal::Long("label"));
    }
    for (field, value, most) in [("uses", new.uses, 10_000), ("days", new.days, 365)] {
        if !(1..=most).contains(&value) {
            let least = 1;
            return Err(Refusal::Number { field, least, most });
        }
    }
    let code = office.world.token();
    let now = office.world.now();
    let invite = Invite {
        hash: link::digest(code.reveal()),
        label,
        group: new.group.cloned(),
        uses_left: new.uses,
        created: now,
        expires: now + new.days * 86_400,
        created_by: actor.account.clone(),
    };
    let work = office.store.begin().await?;
    if let Some(group) = new.group {
        groups::get(&work, group).await?;
    }
    work.add_invite(&invite).await?;
    let detail = format!("uses: {}, days: {}", new.uses, new.days);
    note(
        office,
        &work,
        actor,
        &about("invite.made", &invite).detail(detail),
    )
    .await?;
    work.commit().await?;
    let address = post::link(office, &format!("/invite?c={}", code.reveal()));
    Ok((invite, Secret::new(address)))
}

/// Takes an invitation back. Who signed up by it stays.
///
/// # Errors
/// When it is not there.
pub async fn revoke(office: &Office, actor: &Actor, hash: &str) -> Result<Invite> {
    let work = office.store.begin().await?;
    let invite = work.invite(hash).await?.ok_or(Refusal::Gone)?;
    work.remove_invite(hash).await?;
    note(office, &work, actor, &about("invite.revoked", &invite)).await?;
    work.commit().await?;
    Ok(invite)
}

fn about(action: &str, invite: &Invite) -> Entry {
    Entry {
        target_name: invite.label.clone(),
        ..Entry::new(action, None, "done")
    }
}
