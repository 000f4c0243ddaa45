//! What Prosody needs of the account service when people sign in with accounts: a secret that both
//! know, and a view that it may read, and nothing else.

use super::{APPLY, Check, Place, Probe, Question, Reader, Subject, seen};
use crate::secret::Secret;
use crate::service::accounts::{DATABASE, READER, sqlite_file};
use crate::service::logins;
use crate::site::{Accounts, Database, Engine, Mode};

pub(super) const SECRET: Question =
    Question::new("D-62", "Prosody and the account service share a secret");
pub(super) const VIEW: Question =
    Question::new("D-65", "Prosody reads its view of people and nothing else");

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let site = subject.context.site;
    let why = match &site.accounts {
        None => "there are no accounts on this site",
        Some(_) if site.auth.mode != Mode::SqlHashed => "Prosody signs nobody in with accounts",
        Some(accounts) => {
            return vec![
                secret(subject, probe, accounts),
                view(subject, probe, accounts),
            ];
        }
    };
    [SECRET, VIEW].map(|question| question.skipped(why)).into()
}

/// Two files with one word; and the running service takes Prosody's, by the answer to a question
/// that has neither a name nor a password in it and counts for nobody.
fn secret(subject: &Subject<'_>, probe: &dyn Probe, accounts: &Accounts) -> Check {
    let context = subject.context;
    let files = [
        logins::key_file(context),
        context.platform.accounts.config.join("prosody.key"),
    ];
    let mut words = Vec::new();
    for file in &files {
        match seen(probe, file) {
            Ok(seen) => words.push(Secret::new(seen.text().trim().to_owned())),
            Err(why) => return SECRET.bad(why, APPLY),
        }
    }
    let [ours, theirs] = &files;
    if words[0].reveal() != words[1].reveal() {
        return SECRET.bad(
            format!("`{ours}` and `{theirs}` have different words"),
            APPLY,
        );
    }
    if !probe.is_running() {
        return SECRET.good(format!("the word of `{ours}` is that of `{theirs}`"));
    }
    let place = format!(
        "http://127.0.0.1:{}/prosody/password",
        accounts.internal_port
    );
    let cure = subject.restart("jitsi-accounts");
    match probe.question(accounts.internal_port, &words[0]) {
        Ok(400) => SECRET.good(format!("{place} takes the word of `{ours}`")),
        Ok(401) => SECRET.bad(format!("{place} does not take the word of `{ours}`"), cure),
        Ok(404) => SECRET.bad(format!("{place} knows no secret"), APPLY),
        Ok(status) => SECRET.bad(format!("{place} answers {status}"), cure),
        Err(why) => SECRET.bad(why, cure),
    }
}

fn view(subject: &Subject<'_>, probe: &dyn Probe, accounts: &Accounts) -> Check {
    if !probe.is_running() {
        return VIEW.asleep();
    }
    match &accounts.database {
        Database::Sqlite => file(subject, probe),
        Database::Local(engine) => role(subject, probe, *engine),
        Database::Remote(..) => {
            VIEW.skipped("the database is on another machine: its administrator gives the rights")
        }
    }
}

/// SQLite has no roles: Prosody's group may read the file.
fn file(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let path = sqlite_file(context);
    let group = &context.platform.prosody.account.owner.group;
    let mut faults = Vec::new();
    for (path, reading, writing) in [
        (context.platform.accounts.state.clone(), 0o050, 0o027),
        (path.clone(), 0o040, 0o037),
    ] {
        let Some(Place {
            mode, group: has, ..
        }) = probe.place(&path)
        else {
            faults.push(format!("`{path}` is missing"));
            continue;
        };
        if has != *group || mode.0 & reading != reading {
            faults.push(format!(
                "`{path}` has group `{has}` and mode {:04o}: Prosody cannot read it",
                mode.0
            ));
        }
        if mode.0 & writing != 0 {
            faults.push(format!(
                "`{path}` has mode {:04o}: it is open to more than reading by `{group}`",
                mode.0
            ));
        }
    }
    let cure = format!("`chgrp {group} {path}`, `chmod 0640 {path}`; {APPLY}");
    VIEW.faults(
        &faults,
        format!("`{path}`, which the group `{group}` reads"),
        &cure,
    )
}

/// In a database server Prosody has a role, which is asked what it may do.
fn role(subject: &Subject<'_>, probe: &dyn Probe, engine: Engine) -> Check {
    let context = subject.context;
    let reader = Reader {
        engine,
        socket: &context.platform.accounts.mariadb.1,
        database: DATABASE,
        role: READER,
        password: &context.secrets.accounts_reader_password,
    };
    let cure = match engine {
        Engine::MariaDb => format!(
            "`REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{READER}'@'localhost'` in `mariadb`; then `jitsi-install apply` gives back what it needs"
        ),
        Engine::PostgreSql => format!(
            "`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {READER}` in `psql {DATABASE}` as `postgres`; then `jitsi-install apply` gives back what it needs"
        ),
    };
    match probe.rights(&reader) {
        Ok(more) if more.is_empty() => VIEW.good(format!(
            "`{READER}` reads `prosody_login` and may do nothing else"
        )),
        Ok(more) => VIEW.bad(format!("`{READER}` may also: {}", more.join(", ")), cure),
        Err(why) => VIEW.bad(
            format!("`{READER}` does not read `prosody_login`: {why}"),
            APPLY,
        ),
    }
}
