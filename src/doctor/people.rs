//! The account service: does it answer, do people come to it, can it write to them?

use super::{APPLY, Check, Probe, Question, Subject, seen};
use crate::site::{Accounts, Registration};

pub(super) const SERVICE: Question = Question::new("D-60", "the account service answers");
pub(super) const PAGES: Question = Question::new("D-61", "people come to the pages of accounts");
pub(super) const FILES: Question =
    Question::new("D-62", "the account service's secrets are its own");
pub(super) const MAIL: Question = Question::new("D-63", "the account service can send mail");

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let Some(accounts) = &subject.context.site.accounts else {
        let none = |question: Question| question.skipped("there are no accounts on this site");
        return [SERVICE, PAGES, FILES, MAIL].map(none).into();
    };
    vec![
        service(subject, probe, accounts),
        pages(subject, probe, accounts),
        files(subject, probe),
        mail(accounts),
    ]
}

/// `/readyz` is 200 when the database answers, and 503 when only the process is there.
fn service(subject: &Subject<'_>, probe: &dyn Probe, accounts: &Accounts) -> Check {
    if !probe.is_running() {
        return SERVICE.asleep();
    }
    let place = format!("http://127.0.0.1:{}/readyz", accounts.internal_port);
    let cure = format!(
        "{} says why; then {}",
        subject.words_of("jitsi-accounts"),
        subject.restart("jitsi-accounts")
    );
    match probe.http(accounts.internal_port, "/readyz", "127.0.0.1") {
        Ok((200, _)) => SERVICE.good(format!("{place}: it and its database are there")),
        Ok((503, _)) => SERVICE.bad(format!("{place}: its database does not answer"), cure),
        Ok((code, _)) => SERVICE.bad(format!("{place} answers {code}"), cure),
        Err(why) => SERVICE.bad(format!("{place}: {why}"), cure),
    }
}

fn pages(subject: &Subject<'_>, probe: &dyn Probe, accounts: &Accounts) -> Check {
    if !probe.is_running() {
        return PAGES.asleep();
    }
    let context = subject.context;
    let address = super::wire::web_address(subject);
    let (domain, path) = (
        context.site.domain.as_str(),
        format!("{}/sign-in", accounts.path),
    );
    let place = format!("https://{domain}{path} at {address}");
    let cure = format!(
        "{} says why; may the web server's user write to `{}`?",
        subject.words_of(context.site.web.server.as_str()),
        context.platform.accounts.run.join("web.sock")
    );
    match probe.page(domain, address, &path) {
        Ok((200, _)) => PAGES.good(place),
        Ok((code, _)) => PAGES.bad(format!("{place} answers {code}"), cure),
        Err(why) => PAGES.bad(format!("{place}: {why}"), cure),
    }
}

fn files(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let folder = &subject.context.platform.accounts.config;
    let mut faults = Vec::new();
    for name in ["accounts.toml", "key", "prosody.key"] {
        let path = folder.join(name);
        match seen(probe, &path) {
            Ok(seen) if seen.mode.0 & 0o007 != 0 => {
                faults.push(format!("`{path}` has mode {:04o}", seen.mode.0));
            }
            Ok(_) => {}
            Err(why) => faults.push(why),
        }
    }
    FILES.faults(&faults, format!("those in `{folder}`"), APPLY)
}

fn mail(accounts: &Accounts) -> Check {
    match &accounts.smtp {
        Some(smtp) => MAIL.good(format!(
            "by `{}`; `jitsi-accounts mail test ADDRESS` sends one",
            smtp.host
        )),
        None if accounts.registration == Registration::Closed => {
            MAIL.skipped("nobody signs up, and no mail server is named")
        }
        None => MAIL.warn(
            "no mail server is named: nobody can confirm an address or reset a password",
            "name one under `[accounts.smtp]` in the site file, then `jitsi-install apply`",
        ),
    }
}
