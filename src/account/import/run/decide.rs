//! One candidate: what becomes of its name, address, password and groups.

use super::{Decided, Run, There, cut, shown};
use crate::account::audit::Entry;
use crate::account::import::candidate::{Candidate, Password};
use crate::account::login::{Login, NameError};
use crate::account::password::Keys;
use crate::account::store::{Group, GroupId, Incoming, NewAccount, email_key};
use crate::account::{Role, State};
use crate::name::Email;

impl Run<'_> {
    pub(super) fn one(&self, candidate: &Candidate, there: &There, decided: &mut Decided) {
        let Candidate { place, login, .. } = candidate;
        let parsed = match Login::parse_known(login) {
            Ok(parsed) => parsed,
            Err(NameError::Reserved) => {
                let why = "is the name of a service";
                return decided.report.left_alone.add(place, login, why);
            }
            Err(why) => {
                return decided
                    .report
                    .refused
                    .add(place, login, format!("the name {why}"));
            }
        };
        let name = parsed.as_str();
        if let Some(first) = self.logins.get(name).or(decided.logins.get(name)) {
            let why = format!("comes to the name `{name}`, and so does {first}");
            return decided.report.refused.add(place, login, why);
        }
        decided.logins.insert(name.into(), place.as_str().into());
        match there.holders.get(name) {
            None => {}
            Some(holder) if holder.origin == self.origin => {
                decided.report.already += 1;
                return;
            }
            Some(holder) => {
                let why = format!(
                    "the name `{name}` belongs to an account that came by `{}` and is {}",
                    holder.origin.as_str(),
                    holder.state.as_str()
                );
                return decided.report.refused.add(place, login, why);
            }
        }
        let account = self.account(candidate, parsed, there, decided);
        decided.report.taken += 1;
        decided.accounts.push(account);
    }

    fn account(
        &self,
        candidate: &Candidate,
        login: Login,
        there: &There,
        decided: &mut Decided,
    ) -> Incoming {
        let (world, now) = (&self.office.world, self.office.world.now());
        let place = candidate.place.as_str();
        let written = candidate.login.as_str();
        if written != login.as_str() {
            let what = format!("is `{login}` here");
            decided.report.renamed.add(place, written, what);
        }
        let skeleton = self.look(&login, place, there, decided);
        let email = self.email(candidate, there, decided);
        let keys = self.keys(candidate, decided);
        let display_name = shown(&candidate.display_name, &login);
        let id = world.account_id();
        let new = NewAccount {
            id: id.clone(),
            login_skeleton: skeleton,
            email,
            display_name,
            state: candidate.state,
            role: candidate.role,
            language: if self.options.language.is_empty() {
                self.office.settings.language.clone()
            } else {
                self.options.language.clone()
            },
            origin: self.origin,
            reason: String::new(),
            created: candidate
                .created
                .filter(|at| (0..=now).contains(at))
                .unwrap_or(now),
            keys,
            stamp: world.id(),
            login,
        };
        let mut detail = format!("from {place}");
        if new.role != Role::Member {
            detail += &format!(", as {}", new.role.as_str());
        }
        Incoming {
            entry: Entry {
                action: "import.taken".into(),
                target: Some(id),
                target_name: new.login.as_str().into(),
                outcome: "done".into(),
                detail,
            },
            groups: self.groups(candidate, now, decided),
            state_since: now,
            last_seen: candidate.last_seen.filter(|at| (1..=now).contains(at)),
            new,
        }
    }

    /// Two names that look alike both stay, since both are in use; the second one's look is its
    /// own then, with a blank before it that no name has, and new ones still cannot take either.
    fn look(&self, login: &Login, place: &str, there: &There, decided: &mut Decided) -> String {
        let look = login.skeleton();
        let taken = there.looks.contains(&look) || self.looks.contains(&*look);
        if taken || !decided.looks.insert(look.as_str().into()) {
            let what = "looks like the name of another account";
            decided.report.changed.add(place, login.as_str(), what);
            return format!(" {login}");
        }
        look
    }

    fn email(&self, candidate: &Candidate, there: &There, decided: &mut Decided) -> Option<String> {
        let (place, name, email) = (&candidate.place, &candidate.login, candidate.email.trim());
        if email.is_empty() {
            return None;
        }
        let mut without = |why: String| {
            let what = format!("without its e-mail address `{}`: {why}", cut(email, 100));
            decided.report.changed.add(place, name, what);
            None
        };
        if email.len() > 190 {
            return without("it is too long".into());
        }
        if let Err(why) = Email::parse(email) {
            return without(format!("it {}", why.0));
        }
        // An address belongs to nobody until it is confirmed.
        if candidate.state == State::Unconfirmed {
            return Some(email.to_owned());
        }
        let key: Box<str> = email_key(email).into();
        if let Some(first) = self.emails.get(&key).or(decided.emails.get(&key)) {
            return without(format!("{first} has it too"));
        }
        if there.emails.contains(&*key) {
            return without("another account has it".into());
        }
        decided.emails.insert(key, place.as_str().into());
        Some(email.to_owned())
    }

    fn keys(&self, candidate: &Candidate, decided: &mut Decided) -> Option<Keys> {
        let why = match &candidate.password {
            Password::Plain(password) if !password.reveal().is_empty() => {
                let at = decided.accounts.len();
                decided.plain.push((at, password.clone()));
                return None;
            }
            Password::Plain(_) | Password::Nothing => "no password".to_owned(),
            Password::Hash(hash) => {
                match Keys::taken_over(hash.reveal(), &self.office.settings.passwords) {
                    Ok(keys) => return Some(keys),
                    Err(why) => why.to_string(),
                }
            }
        };
        let report = &mut decided.report.must_reset;
        report.add(&candidate.place, &candidate.login, why);
        None
    }

    fn groups(&self, candidate: &Candidate, now: i64, decided: &mut Decided) -> Vec<GroupId> {
        let mut found: Vec<GroupId> = Vec::new();
        for name in candidate.groups.iter().chain(&self.options.group) {
            let name = cut(name.trim(), 100);
            if name.is_empty() {
                continue;
            }
            let id = decided.groups.entry(name.clone()).or_insert_with(|| {
                let id = GroupId(self.office.world.id());
                decided.new_groups.push(Group {
                    id: id.clone(),
                    name,
                    description: String::new(),
                    created: now,
                });
                id
            });
            if !found.contains(id) {
                found.push(id.clone());
            }
        }
        found
    }
}
