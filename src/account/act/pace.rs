//! How fast passwords and codes may be tried for one account. Counted in the database, so that a
//! restart forgives nothing, and before the password is looked at, so that many at the same moment
//! are many.
//!
//! A stranger must not shut anybody out, so there are three counters:
//! * a browser that somebody signed in with before has one of its own, and no other binds it;
//! * otherwise the account and the client's network together: the usual guesser;
//! * and the account from everywhere, far more patient: the guesser with many addresses slows
//!   down. Its owner on a new device waits some minutes at most, or has a link mailed.

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
/// Prosody cannot say who asks: the owner and a guesser share one counter.
const MEETING: Rule = Rule {
    most: 30,
    seconds: 300,
};
/// Mails to one address because somebody typed it.
const MAILS: Rule = Rule {
    most: 5,
    seconds: 3600,
};

/// The counters that a try is counted by; a success takes the first one away again.
#[derive(Debug, Clone)]
pub struct Pace(Vec<(String, Rule)>);

impl Pace {
    /// For a password typed at the sign-in; `device` is what [`super::device::known`] says.
    #[must_use]
    pub fn page(login: &str, actor: &Actor, device: Option<&str>) -> Self {
        if let Some(device) = device {
            return Self(vec![(format!("device {}", digest(device)), NEAR)]);
        }
        let near = digest(&format!("{login}/{}", network(actor)));
        Self(vec![
            (format!("near {near}"), NEAR),
            (format!("everywhere {}", digest(login)), EVERYWHERE),
        ])
    }

    /// For a password that Prosody asks about.
    #[must_use]
    pub fn meeting(login: &str) -> Self {
        Self(vec![(format!("meeting {}", digest(login)), MEETING)])
    }

    /// For somebody who is signed in, or has typed the right password: that password again, a code.
    #[must_use]
    pub fn own(account: &str) -> Self {
        Self(vec![(format!("own {account}"), NEAR)])
    }

    /// Counts a try.
    ///
    /// # Errors
    /// [`Failure::Limited`] with the seconds to wait, when there were too many.
    pub async fn step(&self, office: &Office) -> Result<(), Failure> {
        let now = office.world.now();
        let mut wait = 0;
        for (name, rule) in &self.0 {
            if office.store.count(name, now, rule.seconds).await? > rule.most {
                let until = office.store.counted_until(name, now).await?;
                wait = wait.max(until.unwrap_or(now) - now);
            }
        }
        if wait > 0 {
            return Err(Failure::Limited(u64::try_from(wait).unwrap_or(1)));
        }
        Ok(())
    }

    /// The try was right: the place that it came from is free again.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forgive(&self, office: &Office) -> Result<(), Error> {
        match self.0.first() {
            Some((name, _)) => office.store.uncount(name).await,
            None => Ok(()),
        }
    }
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
