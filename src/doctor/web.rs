//! The web application and its server, and what the logs keep.

use super::line::has_token;
use super::{APPLY, Check, Probe, Question, Subject, text_of};
use crate::name::AbsPath;
use crate::service::meet;
use crate::site::WebServer;

pub(super) const PAGE: Question = Question::new("D-25", "the page is put together");
pub(super) const CONFIG: Question = Question::new("D-26", "config.js names this site");
pub(super) const LOGS: Question = Question::new("D-40", "logs keep no token and are private");
pub(super) const AUTHORIZATION: Question =
    Question::new("D-47", "the web server hands no Authorization to Prosody");
pub(super) const HOST_HEADER: Question = Question::new(
    "D-48",
    "Prosody answers the web server, whatever name it is called by",
);

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    vec![
        page(subject, probe),
        config(subject, probe),
        logs(subject, probe),
        authorization(subject, probe),
        host_header(subject, probe),
    ]
}

fn page(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let web = &context.site.web;
    if probe.is_running() {
        let address = super::wire::web_address(subject);
        let domain = context.site.domain.as_str();
        let place = format!("https://{domain}/doctor at {address}");
        let cure = format!(
            "{} says why; then {}",
            subject.words_of(web.server.as_str()),
            subject.restart(web.server.as_str())
        );
        return match probe.page(domain, address, "/doctor") {
            Ok((200, text)) => whole(subject, &place, &text),
            Ok((code, _)) => PAGE.bad(format!("{place} answers {code}"), cure),
            Err(why) => PAGE.bad(format!("{place}: {why}"), cure),
        };
    }
    // Caddy's pages stand on disk, nginx's are made when asked.
    match web.server {
        WebServer::Caddy => {
            let path = context.platform.pages().join("index.html");
            match text_of(probe, &path) {
                Ok(text) => whole(subject, &format!("`{path}`"), &text),
                Err(_) => PAGE.skipped(format!(
                    "`{path}` is made once the web application is there"
                )),
            }
        }
        WebServer::Nginx => PAGE.asleep(),
    }
}

fn whole(subject: &Subject<'_>, place: &str, text: &str) -> Check {
    let mut faults = Vec::new();
    if text.contains("<!--#include") {
        faults.push(format!("{place} has includes that nobody has resolved"));
    }
    for word in ["var config", "interfaceConfig"] {
        if !text.contains(word) {
            faults.push(format!("{place} lacks `{word}`"));
        }
    }
    PAGE.faults(
        &faults,
        place,
        &format!(
            "{APPLY}; then {}",
            subject.reload(subject.context.site.web.server.as_str())
        ),
    )
}

fn config(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let path = meet::config_js(context);
    let text = match text_of(probe, &path) {
        Ok(text) => text,
        Err(why) => return CONFIG.bad(why, APPLY),
    };
    let domain = &context.site.domain;
    let authority = match context.site.web.https_port {
        443 => domain.to_string(),
        port => format!("{domain}:{port}"),
    };
    // Strings may stand in either kind of quotes, and a slash may be escaped.
    let plain = text.replace('\'', "\"").replace("\\/", "/");
    let mut faults = Vec::new();
    let mut wants = vec![
        format!("domain: \"{domain}\""),
        format!("bosh: \"https://{authority}/"),
        format!("websocket: \"wss://{authority}/"),
    ];
    if context.site.auth.guests {
        wants.push(format!("anonymousdomain: \"{}\"", context.hosts.guest));
    }
    for want in &wants {
        if !plain.contains(want) {
            faults.push(format!("`{path}` lacks `{want}`"));
        }
    }
    CONFIG.faults(&faults, format!("`{path}`: {domain}"), APPLY)
}

fn logs(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return LOGS.asleep();
    }
    let platform = subject.context.platform;
    let web = &platform.web(subject.context.site.web.server).logs;
    let files: Vec<AbsPath> = [
        web.join("jitsi-access.log"),
        web.join("jitsi-error.log"),
        platform.prosody.logs.join("prosody.log"),
        platform.prosody.logs.join("prosody.err"),
    ]
    .into();
    let (mut tokens, mut open, mut count) = (Vec::new(), Vec::new(), 0);
    for path in &files {
        let Some(seen) = probe.tail(path) else {
            continue;
        };
        count += 1;
        let lines = seen.text().lines().filter(|line| has_token(line)).count();
        if lines > 0 {
            tokens.push(format!("`{path}` keeps tokens in {lines} lines"));
        }
        if seen.mode.0 & 0o004 != 0 {
            open.push(format!("everybody may read `{path}`"));
        }
    }
    if !tokens.is_empty() {
        tokens.extend(open);
        return LOGS.bad(
            tokens.join("; "),
            format!("{APPLY}; then remove the lines, or the log"),
        );
    }
    if !open.is_empty() {
        return LOGS.warn(
            open.join("; "),
            "`chmod o= FILE`, and say so in `/etc/logrotate.d`",
        );
    }
    match count {
        0 => LOGS.skipped("there are no logs yet"),
        count => LOGS.good(format!("the last part of {count} logs")),
    }
}

/// The web server's file for this site.
pub(super) fn site_file(subject: &Subject<'_>) -> AbsPath {
    let context = subject.context;
    let server = context.site.web.server;
    let folder = &context.platform.web(server).site_dir;
    match server {
        WebServer::Nginx => folder.join(&format!("{}.conf", context.site.domain)),
        WebServer::Caddy => folder.join("Caddyfile"),
    }
}

/// Prosody's token module takes whatever stands there for a token, a password of Basic
/// authentication too.
fn authorization(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let path = site_file(subject);
    let text = match text_of(probe, &path) {
        Ok(text) => text,
        Err(why) => return AUTHORIZATION.bad(why, APPLY),
    };
    let count = |start: &str| {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| line.starts_with(start)).count()
    };
    let (ways, taken) = match subject.context.site.web.server {
        WebServer::Nginx => (
            count("proxy_pass http://jitsi_prosody"),
            count("proxy_set_header Authorization \"\";"),
        ),
        WebServer::Caddy => {
            // The account service has a way of its own.
            let prosody = format!("127.0.0.1:{}", subject.context.site.prosody.http_port);
            let lines = text.lines().map(str::trim);
            let ways =
                lines.filter(|line| line.starts_with("reverse_proxy ") && line.contains(&prosody));
            (ways.count(), count("header_up -Authorization"))
        }
    };
    if ways > 0 && taken >= ways {
        return AUTHORIZATION.good(format!("`{path}` takes it away"));
    }
    AUTHORIZATION.bad(
        format!("`{path}` has {ways} ways to Prosody and takes it away on {taken} of them"),
        APPLY,
    )
}

fn host_header(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    if !probe.is_running() {
        return HOST_HEADER.asleep();
    }
    let site = subject.context.site;
    let port = site.prosody.http_port;
    let mut faults = Vec::new();
    for host in [site.domain.as_str(), "foreign.invalid"] {
        match probe.http(port, "/http-bind", host) {
            Ok((200, _)) => {}
            Ok((code, _)) => faults.push(format!(
                "127.0.0.1:{port}/http-bind answers {code} to `Host: {host}`"
            )),
            Err(why) => faults.push(format!("127.0.0.1:{port}: {why}")),
        }
    }
    HOST_HEADER.faults(
        &faults,
        format!("127.0.0.1:{port}/http-bind answers"),
        &format!(
            "`http_default_host` is missing or Prosody is down: {APPLY}; then {}",
            subject.restart("prosody")
        ),
    )
}
