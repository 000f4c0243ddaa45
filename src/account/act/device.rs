//! Browsers that somebody signed in with before. Each has tries of its own, so that a stranger who
//! uses up those of everybody else shuts nobody out.
//!
//! A cookie holds up to four pairs of a number made by chance and a signature over it and the name
//! of the account: it tells nobody else whose it is, and works for no other account.

use crate::account::Office;

const PURPOSE: &str = "device";
const MOST: usize = 4;

/// The number of this browser for an account, when somebody signed in to it from here before.
#[must_use]
pub fn known(office: &Office, cookie: Option<&str>, login: &str) -> Option<String> {
    pairs(cookie)
        .find(|(number, signature)| {
            office
                .seal
                .verify(PURPOSE, &signed(number, login), signature)
        })
        .map(|(number, _)| number.to_owned())
}

/// The cookie's new value after a sign-in; nothing when it knows the account.
#[must_use]
pub fn remember(office: &Office, cookie: Option<&str>, login: &str) -> Option<String> {
    if known(office, cookie, login).is_some() {
        return None;
    }
    let number = office.world.id();
    let signature = office.seal.sign(PURPOSE, &signed(&number, login));
    let mut all = vec![format!("{number}~{signature}")];
    let old = pairs(cookie).map(|(number, signature)| format!("{number}~{signature}"));
    all.extend(old.take(MOST - 1));
    Some(all.join("."))
}

fn signed(number: &str, login: &str) -> String {
    format!("{number}/{login}")
}

fn pairs(cookie: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let all = cookie.unwrap_or_default().split('.').take(MOST);
    all.filter_map(|pair| pair.split_once('~'))
        .filter(|(number, _)| number.len() <= 40)
}
