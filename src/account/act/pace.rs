//! How fast passwords and codes may be tried for one account. Counted in the database, so that a
//! restart forgives nothing, and before the password is looked at, so that many at the same moment
//! are many.
//!
//! A stranger must not shut anybody out, so a try is counted in several places, the narrowest
//! first, and one that is refused in a narrow place is not counted in a wider one:
//! * a browser that somebody signed in with before has a counter of its own, and no other binds it;
//! * otherwise the account and the client's network together: the usual guesser;
//! * the client's network with all accounts. On the pages that is [`crate::web::limit`]'s business;
//! * and the account from everywhere, far more patient: the guesser with many addresses slows
//!   down. Its owner on a new device waits some minutes at most, or has a link mailed. Meetings know
//!   no browser; there a network from which the owner came in before is not bound by this one.

use super::Failure;
use super::link::digest;
use crate::account::store::{Error, email_key};
use crate::account::{Actor, Office};

/// How many tries in how many seconds.
#[derive(Debug, Clone, Copy)]
struct Rule {
    most: i64,
    seconds: i64,
}

const NEAR: Rule = Rule {
    most: 10,
    seconds: 900,
};
const EVERYWHERE: Rule = Rule {
    most: 50,
    seconds: 600,
};
/// Failures of all accounts: a school may sit behind one address.
const NETWORK: Rule = Rule {
    most: 100,
    seconds: 600,
};
/// When Prosody does not say who asks, the owner and a guesser share one counter.
const NOWHERE: Rule = Rule {
    most: 30,
    seconds: 300,
};
/// For how many seconds the network is known from which somebody came into a meeting.
const KNOWN: i64 = 30 * 24 * 3600;
/// Mails to one address because somebody typed it.
const MAILS: Rule = Rule {
    most: 5,
    seconds: 3600,
};

/// The counters that a try is counted by, the narrowest first.
#[derive(Debug, Clone)]
pub struct Pace {
    counters: Vec<(String, Rule)>,
    /// The place that a success makes known.
    place: Option<String>,
}

impl Pace {
    fn by(counters: Vec<(String, Rule)>) -> Self {
        Self {
            counters,
            place: None,
        }
    }

    /// For a password typed at the sign-in; `device` is what [`super::device::known`] says.
    #[must_use]
    pub fn page(login: &str, actor: &Actor, device: Option<&str>) -> Self {
        Self::by(match device {
            Some(device) => vec![(format!("device {}", digest(device)), NEAR)],
            None => vec![near(login, &network(actor)), everywhere(login)],
        })
    }

    /// For a password that Prosody asks about.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn meeting(office: &Office, login: &str, actor: &Actor) -> Result<Self, Error> {
        if actor.address.is_none() {
            let name = format!("nowhere {}", digest(login));
            return Ok(Self::by(vec![(name, NOWHERE)]));
        }
        let network = network(actor);
        let place = format!("known {}", digest(&format!("{login}/{network}")));
        let mut pace = Self::by(vec![
            near(login, &network),
            (format!("network {}", digest(&network)), NETWORK),
        ]);
        if office.store.counted(&place, office.world.now()).await? == 0 {
            pace.counters.push(everywhere(login));
            pace.place = Some(place);
        }
        Ok(pace)
    }

    /// For somebody who is signed in, or has typed the right password: that password again, a code.
    #[must_use]
    pub fn own(account: &str) -> Self {
        Self::by(vec![(format!("own {account}"), NEAR)])
    }

    /// Counts a try.
    ///
    /// # Errors
    /// [`Failure::Limited`] with the seconds to wait, when there were too many.
    pub async fn step(&self, office: &Office) -> Result<(), Failure> {
        let now = office.world.now();
        for (place, (name, rule)) in self.counters.iter().enumerate() {
            if office.store.count(name, now, rule.seconds).await? > rule.most {
                for (narrower, _) in &self.counters[..place] {
                    office.store.count_back(narrower).await?;
                }
                let until = office.store.counted_until(name, now).await?;
                let wait = until.map_or(1, |until| (until - now).max(1));
                return Err(Failure::Limited(u64::try_from(wait).unwrap_or(1)));
            }
        }
        Ok(())
    }

    /// The password was not looked at: as if it had not been tried.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn step_back(&self, office: &Office) -> Result<(), Error> {
        for (name, _) in &self.counters {
            office.store.count_back(name).await?;
        }
        Ok(())
    }

    /// The try was right: the place that it came from is free again and known, and wider counters
    /// do not have it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forgive(&self, office: &Office) -> Result<(), Error> {
        let Some(((narrowest, _), wider)) = self.counters.split_first() else {
            return Ok(());
        };
        office.store.uncount(narrowest).await?;
        for (name, _) in wider {
            office.store.count_back(name).await?;
        }
        if let Some(place) = &self.place {
            let now = office.world.now();
            office.store.count(place, now, KNOWN).await?;
        }
        Ok(())
    }
}

fn near(login: &str, network: &str) -> (String, Rule) {
    let name = format!("near {}", digest(&format!("{login}/{network}")));
    (name, NEAR)
}

fn everywhere(login: &str) -> (String, Rule) {
    (format!("everywhere {}", digest(login)), EVERYWHERE)
}

/// Whether one more mail may go to an address, and counts it; alike whether there is an account or
/// not.
///
/// # Errors
/// When the database refuses.
pub async fn may_mail(office: &Office, address: &str) -> Result<bool, Error> {
    let name = format!("mail {}", digest(&email_key(address)));
    let now = office.world.now();
    Ok(office.store.count(&name, now, MAILS.seconds).await? <= MAILS.most)
}

/// The network of a client: its address in IPv4, its /64 in IPv6.
fn network(actor: &Actor) -> String {
    match actor.address.map(|address| address.to_canonical()) {
        None => "-".into(),
        Some(std::net::IpAddr::V4(v4)) => v4.to_string(),
        Some(std::net::IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of limits for administrators says what holds.
    #[test]
    fn limits_are_documented() {
        let page = include_str!("../../../docs/jitsi-accounts.md");
        for (what, rule) in [
            ("from one network", NEAR),
            ("from everywhere", EVERYWHERE),
            ("an account", NEAR),
            ("the address", MAILS),
        ] {
            let often = format!("| {} in {} minutes | ", rule.most, rule.seconds / 60);
            let mut lines = page.lines();
            assert!(
                lines.any(|line| line.contains(&often) && line.contains(what)),
                "{often}{what}"
            );
        }
    }
}
