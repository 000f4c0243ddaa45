//! The account service: is it set up, does it answer, do people come to it, can it write to them,
//! and does somebody look after it?

use super::{APPLY, Check, Probe, Question, Subject, seen};
use crate::platform::Init;
use crate::site::{Accounts, Registration};

pub(super) const SERVICE: Question = Question::new("D-60", "the account service answers");
pub(super) const SETTINGS: Question =
    Question::new("D-60", "the account service's settings are in order");
pub(super) const PAGES: Question = Question::new("D-61", "people come to the pages of accounts");
pub(super) const SOCKET: Question = Question::new("D-61", "its socket is the web server's alone");
pub(super) const FILES: Question =
    Question::new("D-62", "the account service's secrets are its own");
pub(super) const MAIL: Question = Question::new("D-63", "the account service can send mail");
pub(super) const ADMINISTRATOR: Question =
    Question::new("D-64", "somebody administers the accounts");

/// The figure of `/metrics` that counts them.
const ADMINISTRATORS: &str = "jitsi_accounts_administrators ";

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    let Some(accounts) = &subject.context.site.accounts else {
        let none = |question: Question| question.skipped("there are no accounts on this site");
        return [SERVICE, SETTINGS, PAGES, SOCKET, FILES, MAIL, ADMINISTRATOR]
            .map(none)
            .into();
    };
    vec![
        service(subject, probe, accounts),
        settings(subject, probe),
        pages(subject, probe, accounts),
        socket(subject, probe),
        files(subject, probe),
        mail(accounts),
        administrator(subject, probe, accounts),
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

/// By the program's own word.
fn settings(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return SETTINGS.asleep();
    }
    let place = &subject.context.platform.accounts;
    let file = place.config.join("accounts.toml");
    match probe.settings(&place.program, &file) {
        Ok(faults) => {
            let faults: Vec<String> = faults
                .iter()
                .map(|fault| format!("`{file}`: {fault}"))
                .collect();
            let cure = format!("a template or setting of your own, or {APPLY}");
            SETTINGS.faults(&faults, format!("`{file}`"), &cure)
        }
        Err(why) => SETTINGS.bad(why, "install the package `jitsi-accounts` anew"),
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

/// Whoever writes to it is believed what a client's address is.
fn socket(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return SOCKET.asleep();
    }
    let context = subject.context;
    let place = &context.platform.accounts;
    let (folder, path) = (&place.run, place.run.join("web.sock"));
    let web = &context.platform.web(context.site.web.server).account.owner;
    let unit = if context.platform.init == Init::Systemd {
        "jitsi-accounts.socket"
    } else {
        "jitsi-accounts"
    };
    let cure = subject.restart(unit);
    let (Some(outer), Some(socket)) = (probe.place(folder), probe.place(&path)) else {
        return SOCKET.bad(format!("`{path}` is missing"), cure);
    };
    let mut faults = Vec::new();
    if !socket.is_socket {
        faults.push(format!("`{path}` is no socket"));
    }
    let may_enter =
        outer.mode.0 & 0o001 != 0 || outer.group == web.group && outer.mode.0 & 0o010 != 0;
    if socket.group != web.group || socket.mode.0 & 0o020 == 0 || !may_enter {
        faults.push(format!(
            "`{path}` is for the group `{}` with mode {:04o}, in a folder with mode {:04o}: the web server's group `{}` has no way to it",
            socket.group, socket.mode.0, outer.mode.0, web.group
        ));
    }
    if socket.mode.0 & 0o007 != 0 {
        faults.push(format!(
            "`{path}` has mode {:04o}: everybody may speak for the web server",
            socket.mode.0
        ));
    }
    SOCKET.faults(
        &faults,
        format!("`{path}`, for the group `{}`", web.group),
        &cure,
    )
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

fn administrator(subject: &Subject<'_>, probe: &dyn Probe, accounts: &Accounts) -> Check {
    if !probe.is_running() {
        return ADMINISTRATOR.asleep();
    }
    let port = accounts.internal_port;
    let page = probe.http(port, "/metrics", "127.0.0.1");
    let figure = |page: &str| -> Option<f64> {
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(ADMINISTRATORS))?;
        line.trim().parse().ok()
    };
    let found = page.ok().and_then(|(_, page)| figure(&page));
    match found {
        None => ADMINISTRATOR.skipped(format!("http://127.0.0.1:{port}/metrics does not tell")),
        Some(0.0) => ADMINISTRATOR.warn(
            "nobody is: nobody can approve a sign-up or open the console",
            format!(
                "`runuser -u {} -- jitsi-accounts users add NAME --admin --email ADDRESS` prints a link that sets the password",
                subject.context.platform.accounts.account.owner.user
            ),
        ),
        Some(count) => ADMINISTRATOR.good(format!("{count} of them")),
    }
}
