//! A database that Django wrote: `auth_user` with its groups, and the profile of
//! django-registration where there is one, which says whether an address was confirmed.

use time::{OffsetDateTime, PrimitiveDateTime};

use super::candidate::{Candidate, Password};
use super::foreign::Foreign;
use super::run::{BATCH, Run};
use super::{ImportError, Report};
use crate::account::{Role, State};
use crate::secret::Secret;

/// The profile's table, of django-registration and its kin.
const PROFILE: &str = "registration_registrationprofile";

/// Reads everybody, in the order of their numbers.
pub(super) async fn read(
    foreign: &mut Foreign,
    run: &mut Run<'_>,
    progress: &mut (dyn FnMut(&Report) + Send),
) -> Result<(), ImportError> {
    if !foreign.has("auth_user").await {
        return Err(ImportError::source(
            &foreign.address,
            "there is no table `auth_user` that may be read",
        ));
    }
    let statement = statement(foreign).await;
    let mut after = String::from("0");
    loop {
        let rows = foreign.rows(&statement, &[&after]).await?;
        let Some(last) = rows.last().and_then(|row| row.first()) else {
            return Ok(());
        };
        let first = std::mem::replace(&mut after, last.clone());
        let groups = groups(foreign, &first, &after).await?;
        let batch = rows.iter().map(|row| Ok(candidate(row, &groups))).collect();
        run.take(batch).await?;
        progress(run.report());
    }
}

async fn statement(foreign: &mut Foreign) -> String {
    let profile = foreign.has(PROFILE).await;
    let text = |column: &str| foreign.text(column);
    // Some versions of the profile keep no `activated` but a key that says so.
    let (confirmed, join) = if profile {
        let key = foreign.quoted(PROFILE);
        (
            text("p.activation_key"),
            format!(" LEFT JOIN {key} p ON p.user_id = u.id"),
        )
    } else {
        ("''".to_owned(), String::new())
    };
    let number = match foreign.kind() {
        crate::account::store::Kind::MySql => "SIGNED",
        _ => "BIGINT",
    };
    let activated = if profile && foreign.has_column(PROFILE, "activated").await {
        foreign.text("p.activated")
    } else {
        "''".to_owned()
    };
    let columns: Vec<String> = [
        foreign.text("u.id"),
        foreign.text("u.username"),
        foreign.text("u.email"),
        foreign.text("u.first_name"),
        foreign.text("u.last_name"),
        foreign.text("u.password"),
        foreign.text("u.is_active"),
        foreign.text("u.is_staff"),
        foreign.text("u.is_superuser"),
        foreign.time("u.date_joined"),
        foreign.time("u.last_login"),
        confirmed,
        activated,
    ]
    .into();
    format!(
        "SELECT {} FROM auth_user u{join} WHERE u.id > CAST(? AS {number}) ORDER BY u.id LIMIT {BATCH}",
        columns.join(", ")
    )
}

/// Pairs of user and group, of those behind one number up to another.
async fn groups(
    foreign: &mut Foreign,
    after: &str,
    last: &str,
) -> Result<Vec<(String, String)>, ImportError> {
    if !foreign.has("auth_user_groups").await || !foreign.has("auth_group").await {
        return Ok(Vec::new());
    }
    let number = match foreign.kind() {
        crate::account::store::Kind::MySql => "SIGNED",
        _ => "BIGINT",
    };
    let statement = format!(
        "SELECT {}, {} FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id \
         WHERE m.user_id > CAST(? AS {number}) AND m.user_id <= CAST(? AS {number}) ORDER BY m.user_id, g.name",
        foreign.text("m.user_id"),
        foreign.text("g.name")
    );
    let rows = foreign.rows(&statement, &[after, last]).await?;
    let pair = |row: Vec<String>| {
        let mut row = row.into_iter();
        Some((row.next()?, row.next()?))
    };
    Ok(rows.into_iter().filter_map(pair).collect())
}

fn candidate(row: &[String], groups: &[(String, String)]) -> Candidate {
    let column = |at: usize| row.get(at).map_or("", String::as_str);
    let yes = |at: usize| matches!(column(at), "1" | "t" | "true");
    let id = column(0);
    let mut candidate = Candidate::new(format!("auth_user:{id}"), column(1));
    candidate.email = column(2).to_owned();
    candidate.display_name = format!("{} {}", column(3), column(4)).trim().to_owned();
    candidate.password = Password::Hash(Secret::new(column(5).to_owned()));
    candidate.role = match (yes(8), yes(7)) {
        (true, _) => Role::Admin,
        (false, true) => Role::Approver,
        (false, false) => Role::Member,
    };
    let mine = groups.iter().filter(|(user, _)| user == id);
    candidate.groups = mine.map(|(_, group)| group.clone()).collect();
    candidate.created = instant(column(9));
    candidate.last_seen = instant(column(10));
    let key = column(11);
    let confirmed = yes(12) || key == "ALREADY_ACTIVATED";
    candidate.state = if yes(6) {
        State::Active
    } else if key.is_empty() || candidate.last_seen.is_some() {
        // No sign-up is under way, or who signed in once was let in once.
        State::Suspended
    } else if confirmed {
        State::Pending
    } else {
        State::Unconfirmed
    };
    candidate
}

/// `2024-01-02 03:04:05.678` in UTC as Unix seconds.
fn instant(text: &str) -> Option<i64> {
    let format = time::format_description::parse_borrowed::<2>(
        "[year]-[month]-[day] [hour]:[minute]:[second]",
    )
    .ok()?;
    let text = text.get(..19)?.replace('T', " ");
    let at: OffsetDateTime = PrimitiveDateTime::parse(&text, &format).ok()?.assume_utc();
    Some(at.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: [&str; 8]) -> Candidate {
        let [
            active,
            staff,
            superuser,
            joined,
            seen,
            key,
            activated,
            password,
        ] = columns;
        let row = [
            "7",
            "Ann",
            "Ann@example.org",
            "Ann",
            "B",
            password,
            active,
            staff,
            superuser,
            joined,
            seen,
            key,
            activated,
        ];
        let groups = [("6".into(), "x".into()), ("7".into(), "choir".into())];
        candidate(&row.map(String::from), &groups)
    }

    #[test]
    fn states_follow_from_two_booleans() {
        let state = |active, seen, key, activated| {
            row([active, "0", "0", "", seen, key, activated, ""]).state
        };
        let seen = "2024-01-02 03:04:05";
        for (yes, no) in [("1", "0"), ("true", "false")] {
            assert_eq!(state(yes, "", "k", no), State::Active);
            assert_eq!(state(no, "", "k", no), State::Unconfirmed);
            assert_eq!(state(no, "", "k", yes), State::Pending);
            assert_eq!(state(no, "", "ALREADY_ACTIVATED", ""), State::Pending);
            assert_eq!(state(no, seen, "k", yes), State::Suspended);
            assert_eq!(state(no, "", "", ""), State::Suspended);
        }
    }

    #[test]
    fn roles_groups_and_dates() {
        let found = row(["1", "1", "0", "2024-01-02 03:04:05.678901", "", "", "", "h"]);
        assert_eq!(found.role, Role::Approver);
        assert_eq!(found.place, "auth_user:7");
        assert_eq!(found.display_name, "Ann B");
        assert_eq!(found.groups, ["choir"]);
        assert_eq!(
            (found.created, found.last_seen),
            (Some(1_704_164_645), None)
        );
        assert_eq!(row(["1", "1", "1", "", "x", "", "", ""]).role, Role::Admin);
    }
}
