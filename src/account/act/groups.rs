//! Groups: made, renamed, deleted; who is in them.

use super::note;
use super::refusal::{Refusal, Result};
use super::staff::find;
use crate::account::audit::Entry;
use crate::account::store::{Group, GroupId, Store};
use crate::account::{Account, AccountId, Actor, Office};

/// Makes a group.
///
/// # Errors
/// When the name breaks a rule or is taken.
pub async fn create(
    office: &Office,
    actor: &Actor,
    name: &str,
    description: &str,
) -> Result<Group> {
    let (name, description) = checked(name, description)?;
    let group = Group {
        id: GroupId(office.world.id()),
        name,
        description,
        created: office.world.now(),
    };
    let work = office.store.begin().await?;
    work.add_group(&group).await?;
    note(office, &work, actor, &about("group.made", &group)).await?;
    work.commit().await?;
    Ok(group)
}

/// Gives a group another name and description.
///
/// # Errors
/// When it is not there, or the name breaks a rule or is taken.
pub async fn change(
    office: &Office,
    actor: &Actor,
    id: &GroupId,
    name: &str,
    description: &str,
) -> Result<Group> {
    let (name, description) = checked(name, description)?;
    let work = office.store.begin().await?;
    let before = get(&work, id).await?;
    if before.name == name && before.description == description {
        return Ok(before);
    }
    work.set_group(id, &name, &description).await?;
    let detail = if before.name == name {
        "description".to_owned()
    } else {
        format!("name: {} → {name}", before.name)
    };
    let entry = about("group.changed", &before).detail(detail);
    note(office, &work, actor, &entry).await?;
    work.commit().await?;
    Ok(Group {
        name,
        description,
        ..before
    })
}

/// Deletes a group; its members stay.
///
/// # Errors
/// When it is not there.
pub async fn delete(office: &Office, actor: &Actor, id: &GroupId) -> Result<Group> {
    let work = office.store.begin().await?;
    let group = get(&work, id).await?;
    work.remove_group(id).await?;
    note(office, &work, actor, &about("group.deleted", &group)).await?;
    work.commit().await?;
    Ok(group)
}

/// Puts somebody into a group. Who is in it already stays so.
///
/// # Errors
/// When the account or the group is not there.
pub async fn join(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    group: &GroupId,
) -> Result<Account> {
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    let group = get(&work, group).await?;
    if work.join_group(id, &group.id).await? {
        let entry = Entry::new("group.joined", Some(&account), "done").detail(group.name);
        note(office, &work, actor, &entry).await?;
        work.commit().await?;
    }
    Ok(account)
}

/// Takes somebody out of a group. Who is not in it stays so.
///
/// # Errors
/// When the account or the group is not there.
pub async fn leave(
    office: &Office,
    actor: &Actor,
    id: &AccountId,
    group: &GroupId,
) -> Result<Account> {
    let work = office.store.begin().await?;
    let account = find(&work, id).await?;
    let group = get(&work, group).await?;
    if work.leave_group(id, &group.id).await? {
        let entry = Entry::new("group.left", Some(&account), "done").detail(group.name);
        note(office, &work, actor, &entry).await?;
        work.commit().await?;
    }
    Ok(account)
}

/// A group that is there.
pub(super) async fn get(store: &Store, id: &GroupId) -> Result<Group> {
    store.group(id).await?.ok_or(Refusal::Group)
}

fn about(action: &str, group: &Group) -> Entry {
    Entry {
        target_name: group.name.clone(),
        ..Entry::new(action, None, "done")
    }
}

fn checked(name: &str, description: &str) -> Result<(String, String)> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_fine = (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !is_fine {
        return Err(Refusal::GroupName);
    }
    let description =
        super::check::reason(description).map_err(|_| Refusal::Long("description"))?;
    if description.chars().count() > 500 {
        return Err(Refusal::Long("description"));
    }
    Ok((name, description))
}
