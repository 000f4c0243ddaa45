//! What is shown on the wire: certificates, and the log-in of the service accounts.
//!
//! A program goes on showing the certificate that it has read, whatever stands on disk by now.

use std::net::{IpAddr, SocketAddr};

use super::certificates::{Chain, auth_chain, site_chain};
use super::{APPLY, Admission, Check, LogIn, Probe, Question, Subject};
use crate::keystore::describe;

pub(super) const LOGIN: Question = Question::new("D-06", "focus and jvb can log in");
pub(super) const AUTH: Question = Question::new("D-10", "Prosody shows them that certificate");
pub(super) const SITE: Question =
    Question::new("D-12", "the web server shows it with its whole chain");
pub(super) const BRIDGE: Question = Question::new("D-15", "the bridge shows it by its name");

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    if !probe.is_running() {
        return [LOGIN, AUTH, SITE, BRIDGE].map(Question::asleep).into();
    }
    let site = site_chain(subject, probe);
    let tried = accounts(subject).map(|order| {
        let admission = probe.log_in(&order);
        (order.user, admission)
    });
    vec![
        login(subject, probe, &tried),
        auth(subject, probe, &tried[0].1, &site),
        web(subject, probe, &site),
        bridge(subject, probe, &site),
    ]
}

fn accounts<'a>(subject: &'a Subject<'_>) -> [LogIn<'a>; 2] {
    let context = subject.context;
    let secrets = context.secrets;
    [
        ("focus", &secrets.focus_password),
        ("jvb", &secrets.jvb_password),
    ]
    .map(|(user, password)| LogIn {
        port: context.site.prosody.c2s_port,
        host: context.hosts.auth.to_string(),
        user,
        password,
        trusted: &secrets.auth_certificate.certificate,
    })
}

fn login(
    subject: &Subject<'_>,
    probe: &dyn Probe,
    tried: &[(&str, Result<Admission, String>); 2],
) -> Check {
    let host = &subject.context.hosts.auth;
    let mut faults = Vec::new();
    let mut cure = format!("{APPLY}; then {}", subject.restart("prosody"));
    for (user, admission) in tried {
        match admission.as_ref().map(|one| &one.login) {
            Ok(Some(Ok(()))) => {}
            Ok(Some(Err(condition))) => {
                let place = super::accounts::record(subject, user);
                faults.push(match probe.file(&place) {
                    Ok(None) => format!("there is no account {user}@{host}: `{condition}`"),
                    _ => format!("Prosody refuses the password of {user}@{host}: `{condition}`"),
                });
            }
            Ok(None) => faults.push(format!(
                "Prosody shows {user} a certificate that is not the trusted one, so that no password was tried"
            )),
            Err(why) => {
                faults.push(format!("{user}@{host}: {why}"));
                cure = format!(
                    "look why Prosody does not answer: {}; then {}",
                    subject.words_of("prosody"),
                    subject.restart("prosody")
                );
            }
        }
    }
    LOGIN.faults(
        &faults,
        format!("focus and jvb at {host}, over STARTTLS"),
        &cure,
    )
}

/// What differs between what is shown and what stands in a file.
fn faults(place: &str, name: &str, shown: &[Vec<u8>], file: &Chain) -> Vec<String> {
    let Some(first) = shown.first() else {
        return vec![format!("{place} shows no certificate")];
    };
    let mut faults = Vec::new();
    if file.der.first() != Some(first) {
        let (names, print) = match describe(first) {
            Ok(info) => (info.names.join(", "), info.fingerprint_sha256),
            Err(_) => ("an unreadable one".to_owned(), String::new()),
        };
        let print: String = print.chars().take(23).collect();
        faults.push(format!(
            "{place} shows another certificate ({names}; SHA-256 {print}…) than stands in `{}`",
            file.path
        ));
    } else if shown.len() < file.der.len() {
        faults.push(format!(
            "{place} shows {} of the {} certificates in `{}`",
            shown.len(),
            file.der.len(),
            file.path
        ));
    }
    if !file.covers(name) {
        faults.push(format!("`{}` is not for {name}", file.path));
    }
    faults
}

fn auth(
    subject: &Subject<'_>,
    probe: &dyn Probe,
    tried: &Result<Admission, String>,
    site: &Result<Chain, String>,
) -> Check {
    let context = subject.context;
    let place = format!("127.0.0.1:{}", context.site.prosody.c2s_port);
    let (shown, file) = match (tried, auth_chain(subject, probe)) {
        (Ok(admission), Ok(file)) => (&admission.certificates, file),
        (Err(why), _) => return AUTH.skipped(why),
        (_, Err(why)) => return AUTH.skipped(why),
    };
    let mut faults = faults(&place, context.hosts.auth.as_str(), shown, &file);
    if let Ok(site) = site
        && shown.first() == site.der.first()
    {
        faults.push(format!(
            "{place} shows the web site's certificate to service accounts"
        ));
    }
    AUTH.faults(
        &faults,
        format!("{place} shows `{}`", file.path),
        &format!("{APPLY}; then {}", subject.restart("prosody")),
    )
}

/// Where the web server is called from here.
pub(super) fn web_address(subject: &Subject<'_>) -> SocketAddr {
    let web = &subject.context.site.web;
    let first = web.addresses.first().copied();
    let address = first.unwrap_or(IpAddr::from([127, 0, 0, 1]));
    SocketAddr::from((address, web.https_port))
}

fn web(subject: &Subject<'_>, probe: &dyn Probe, site: &Result<Chain, String>) -> Check {
    let server = subject.context.site.web.server.as_str();
    let cure = format!("{APPLY}; then {}", subject.restart(server));
    shown(SITE, subject, probe, web_address(subject), site, &cure)
}

fn bridge(subject: &Subject<'_>, probe: &dyn Probe, site: &Result<Chain, String>) -> Check {
    let bridge = &subject.context.site.videobridge;
    if !bridge.websockets {
        return BRIDGE.skipped("the bridge has no websockets of its own on this site");
    }
    let address = SocketAddr::from(([127, 0, 0, 1], bridge.websocket_port));
    let cure = format!(
        "the bridge reads its keystore at start only: {APPLY}; then {}",
        subject.restart("jitsi-videobridge2")
    );
    shown(BRIDGE, subject, probe, address, site, &cure)
}

fn shown(
    question: Question,
    subject: &Subject<'_>,
    probe: &dyn Probe,
    address: SocketAddr,
    site: &Result<Chain, String>,
    cure: &str,
) -> Check {
    let domain = subject.context.site.domain.as_str();
    let site = match site {
        Ok(site) => site,
        Err(why) => return question.skipped(why),
    };
    match probe.certificates(domain, address) {
        Ok(shown) => {
            let place = format!("{address}, asked for {domain},");
            let faults = faults(&place, domain, &shown, site);
            let seen = format!(
                "{place} shows the {} certificates of `{}`",
                shown.len(),
                site.path
            );
            question.faults(&faults, seen, cure)
        }
        Err(why) => question.bad(why, cure),
    }
}
