//! Mails: composed here in the reader's language, as text and HTML; put into the database with the
//! change that they tell of, and sent later by the room `desk`.
//!
//! A subject holds nothing that a visitor typed. What is typed loses line breaks and control
//! characters before it gets into a mail, and a mail to an address that nobody has confirmed holds
//! the name of the account and nothing else. To add a mail: its function here, its name in
//! [`paper`], two templates, and its texts in each language.
//!
//! Over 400 lines: one short function for each mail, so that all of them are seen together.

pub mod paper;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Account, Actor, Office, State};
use paper::{Values, Waits};

/// A mail as it waits in the database. It may hold links that are secrets: it is stored sealed, and
/// its contents are never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The address that it goes to, without a name.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// The part that is plain text.
    pub text: String,
    /// The part that is HTML.
    pub html: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Somebody of the staff, or an address of the settings, that is told of something.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The address.
    pub address: &'a str,
    /// In which language.
    pub language: &'a str,
}

/// The address of a page, for a link: `/confirm?t=` and a token, after the fixed public address.
#[must_use]
pub fn link(office: &Office, page: &str) -> String {
    format!("{}{page}", office.settings.public_url.trim_end_matches('/'))
}

/// Signed up: the address is to be confirmed at `link`.
#[must_use]
pub fn confirm(office: &Office, account: &Account, link: &str) -> Mail {
    let link = link.to_owned();
    about(
        office,
        account,
        "confirm",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// Somebody tried to sign up with the address of `account`.
#[must_use]
pub fn already_registered(office: &Office, account: &Account) -> Mail {
    let values = Values {
        link: link(office, "/sign-in"),
        second_link: link(office, "/forgot"),
        ..Values::default()
    };
    about(office, account, "already-registered", values)
}

/// The address is confirmed; now somebody has to approve.
#[must_use]
pub fn waiting(office: &Office, account: &Account) -> Mail {
    about(office, account, "waiting", Values::default())
}

/// Approved: sign in.
#[must_use]
pub fn approved(office: &Office, account: &Account) -> Mail {
    let link = link(office, "/sign-in");
    about(
        office,
        account,
        "approved",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// Refused, with the reason that the staff gave, or without one.
#[must_use]
pub fn rejected(office: &Office, account: &Account, reason: Option<&str>) -> Mail {
    let reason = clean(reason.unwrap_or_default());
    about(
        office,
        account,
        "rejected",
        Values {
            reason,
            ..Values::default()
        },
    )
}

/// Nobody decided in time.
#[must_use]
pub fn expired(office: &Office, account: &Account) -> Mail {
    let link = link(office, "/sign-up");
    about(
        office,
        account,
        "expired",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// To those who approve: `account` waits; it signed up from `from`. Both links are signed, and open
/// a page that asks once more.
#[must_use]
pub fn somebody_waits(
    office: &Office,
    reader: &Reader<'_>,
    account: &Account,
    from: Option<std::net::IpAddr>,
    approve: &str,
    reject: &str,
) -> Mail {
    let values = Values {
        person: clean(&account.display_name),
        login: account.login.as_str().to_owned(),
        email: clean(account.email.as_deref().unwrap_or_default()),
        reason: clean(&account.reason),
        address: from.map_or_else(String::new, |address| address.to_string()),
        link: approve.to_owned(),
        second_link: reject.to_owned(),
        list: link(office, "/admin/waiting"),
        ..Values::default()
    };
    write(office, reader, "somebody-waits", values)
}

/// To the same: `count` wait, and these are among them.
#[must_use]
pub fn people_wait(office: &Office, reader: &Reader<'_>, count: i64, some: &[Account]) -> Mail {
    let people = some.iter().map(|account| Waits {
        person: clean(&account.display_name),
        login: account.login.as_str().to_owned(),
        email: clean(account.email.as_deref().unwrap_or_default()),
        reason: clean(&account.reason),
    });
    let values = Values {
        count,
        people: people.collect(),
        list: link(office, "/admin/waiting"),
        ..Values::default()
    };
    write(office, reader, "people-wait", values)
}

/// A new password may be chosen at `link`.
#[must_use]
pub fn reset(office: &Office, account: &Account, link: &str) -> Mail {
    let link = link.to_owned();
    about(
        office,
        account,
        "reset",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// The password was changed.
#[must_use]
pub fn password_changed(office: &Office, account: &Account, actor: &Actor) -> Mail {
    about(office, account, "password-changed", done(office, actor))
}

/// To the old address, when an administrator gave the account another one, or none. It cannot take
/// that back: whoever left may still read mails there.
#[must_use]
pub fn email_moved(office: &Office, account: &Account, old: &str) -> Mail {
    let values = Values {
        name: called(account),
        login: account.login.as_str().to_owned(),
        when: moment(office.world.now()),
        ..Values::default()
    };
    let reader = Reader {
        address: old,
        language: &account.language,
    };
    write(office, &reader, "email-changed", values)
}

/// To the new address, which is to be confirmed at `link`.
#[must_use]
pub fn email_change(office: &Office, account: &Account, new: &str, link: &str) -> Mail {
    let values = Values {
        login: account.login.as_str().to_owned(),
        link: link.to_owned(),
        ..Values::default()
    };
    let reader = Reader {
        address: new,
        language: &account.language,
    };
    write(office, &reader, "email-change", values)
}

/// To the old address: there is another one now; `link` takes that back.
#[must_use]
pub fn email_changed(
    office: &Office,
    account: &Account,
    old: &str,
    actor: &Actor,
    link: &str,
) -> Mail {
    let values = Values {
        name: called(account),
        login: account.login.as_str().to_owned(),
        link: link.to_owned(),
        ..done(office, actor)
    };
    let reader = Reader {
        address: old,
        language: &account.language,
    };
    write(office, &reader, "email-changed", values)
}

/// The account was made by somebody else: its first password is set at `link`, once.
#[must_use]
pub fn setup(office: &Office, account: &Account, link: &str) -> Mail {
    let link = link.to_owned();
    about(
        office,
        account,
        "setup",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// The second factor was switched on.
#[must_use]
pub fn second_factor_on(office: &Office, account: &Account, actor: &Actor) -> Mail {
    about(office, account, "second-factor-on", done(office, actor))
}

/// The second factor was switched off.
#[must_use]
pub fn second_factor_off(office: &Office, account: &Account, actor: &Actor) -> Mail {
    about(office, account, "second-factor-off", done(office, actor))
}

/// Somebody signed in with a recovery code; `left` are left.
#[must_use]
pub fn recovery_code_used(office: &Office, account: &Account, actor: &Actor, left: i64) -> Mail {
    let values = Values {
        count: left,
        ..done(office, actor)
    };
    about(office, account, "recovery-code-used", values)
}

/// Signing in is forbidden for now, with the reason that the staff gave, or without one.
#[must_use]
pub fn suspended(office: &Office, account: &Account, reason: Option<&str>) -> Mail {
    let reason = clean(reason.unwrap_or_default());
    about(
        office,
        account,
        "suspended",
        Values {
            reason,
            ..Values::default()
        },
    )
}

/// Signing in is possible again.
#[must_use]
pub fn resumed(office: &Office, account: &Account) -> Mail {
    let link = link(office, "/sign-in");
    about(
        office,
        account,
        "resumed",
        Values {
            link,
            ..Values::default()
        },
    )
}

/// The account is gone; `account` is as it was before.
#[must_use]
pub fn deleted(office: &Office, account: &Account) -> Mail {
    about(office, account, "deleted", Values::default())
}

/// Whether mail leaves at all.
#[must_use]
pub fn test(office: &Office, reader: &Reader<'_>) -> Mail {
    write(office, reader, "test", Values::default())
}

/// A mail to the owner of an account.
fn about(office: &Office, account: &Account, mail: &str, values: Values) -> Mail {
    let values = Values {
        name: called(account),
        login: account.login.as_str().to_owned(),
        ..values
    };
    let reader = Reader {
        address: account.email.as_deref().unwrap_or_default(),
        language: &account.language,
    };
    write(office, &reader, mail, values)
}

/// When and from where something was done, and where the password can be changed.
fn done(office: &Office, actor: &Actor) -> Values {
    Values {
        address: actor
            .address
            .map_or_else(String::new, |address| address.to_string()),
        when: moment(office.world.now()),
        link: link(office, "/forgot"),
        ..Values::default()
    }
}

fn write(office: &Office, reader: &Reader<'_>, mail: &str, values: Values) -> Mail {
    let site = clean(&site(office));
    let language = office.texts.choose(None, Some(reader.language));
    let subject = format!("mail.{}.subject", mail.replace('-', "_"));
    let subject = office.texts.say(language, &subject, &[("site", &site)]);
    let values = Values {
        site,
        home: link(office, "/"),
        ..values
    };
    let [text, html] = office
        .texts
        .paper()
        .write(mail, language, &subject, &values);
    Mail {
        recipient: reader.address.to_owned(),
        subject,
        text,
        html,
    }
}

/// What the site calls itself.
fn site(office: &Office) -> String {
    let settings = &office.settings;
    if !settings.site_name.is_empty() {
        return settings.site_name.clone();
    }
    let host = settings
        .public_url
        .split_once("://")
        .map_or("", |(_, rest)| rest);
    host.split(['/', ':']).next().unwrap_or_default().to_owned()
}

/// What the owner is called. Nobody knows yet who typed the name of an unconfirmed account.
fn called(account: &Account) -> String {
    let name = clean(&account.display_name);
    if account.state == State::Unconfirmed || name.is_empty() {
        account.login.as_str().to_owned()
    } else {
        name
    }
}

/// On one line, without control characters or those that turn the direction of writing, and not
/// longer than a thousand characters.
fn clean(text: &str) -> String {
    let is_bad = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}'
            )
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text
        .chars()
        .take(1000)
        .map(|c| if is_bad(c) { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `2026-11-22 22:40 UTC`
fn moment(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| String::new(),
        |at| {
            let (date, hour, minute) = (at.date(), at.hour(), at.minute());
            format!("{date} {hour:02}:{minute:02} UTC")
        },
    )
}

#[cfg(test)]
mod tests;
