//! What each kind of value may be.

use std::net::{IpAddr, SocketAddr};

use crate::name::{AbsPath, Domain, Email, NameError, excerpt};

fn refuse<T>(why: impl Into<String>) -> Result<T, NameError> {
    Err(NameError(why.into()))
}

/// A text for people: one line, at most 100 characters.
pub(super) fn short(text: &str) -> Result<String, NameError> {
    match text.trim() {
        "" => refuse("is empty"),
        _ if text.chars().count() > 100 => refuse("is longer than 100 characters"),
        _ if text.chars().any(char::is_control) => refuse("has a control character"),
        kept => Ok(kept.to_owned()),
    }
}

/// Scheme, host, port and path of an address of pages; `http` is for this machine alone.
pub(super) fn url(text: &str) -> Result<String, NameError> {
    if text.len() > 300 {
        return refuse("is longer than 300 characters");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return refuse("does not begin with `https://`");
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return refuse("has a port that is no number up to 65535");
    }
    let name = name.to_ascii_lowercase();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(&name);
    let address = address.parse::<IpAddr>().ok();
    if address.is_none() && name != "localhost" {
        Domain::parse(&name).map_err(|why| NameError(format!("has a host that {why}")))?;
    }
    let is_near = name == "localhost" || address.is_some_and(|ip| ip.is_loopback());
    match scheme {
        "https" => {}
        "http" if is_near => {}
        "http" => {
            return refuse(
                "is not encrypted: sign-ins need `https://` (`http://` is for 127.0.0.1 only)",
            );
        }
        _ => return refuse("does not begin with `https://`"),
    }
    let path = path.trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(is_plain) && part != "." && part != "..";
    if !path.split('/').skip(1).all(is_part) {
        return refuse(
            "has a path with something besides letters, digits, `-`, `.`, `_`, `~` and single `/`",
        );
    }
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    Ok(format!("{scheme}://{name}{port}{path}"))
}

pub(super) fn url_or_none(text: &str) -> Result<String, NameError> {
    if text.is_empty() {
        Ok(String::new())
    } else {
        link(text)
    }
}

/// An address of a page of somebody else's, which may have a query.
pub(super) fn link(text: &str) -> Result<String, NameError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@!&()*+,;=%[]#".contains(c);
    if !text.starts_with("https://") && !text.starts_with("http://") {
        refuse("does not begin with `https://`")
    } else if text.len() > 500 {
        refuse("is longer than 500 characters")
    } else if let Some(bad) = text.chars().find(|c| !fine(*c)) {
        refuse(format!("has the character `{}`", bad.escape_debug()))
    } else {
        Ok(text.to_owned())
    }
}

/// Where a webhook goes: `https`, or `http` on this machine.
pub(super) fn hook(text: &str) -> Result<String, NameError> {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let origin = bare.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    url(&origin)?;
    link(text)
}

pub(super) fn listen(text: &str) -> Result<String, NameError> {
    if let Some(path) = text.strip_prefix("unix:") {
        let path = AbsPath::parse(path)?;
        // sockaddr_un holds 108 bytes with the zero at the end (unix(7)).
        if path.as_str().len() > 107 {
            return refuse("has a path that is too long for a socket (107 bytes)");
        }
        return Ok(format!("unix:{path}"));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => refuse("is neither `unix:` with a path nor an address with a port"),
    }
}

pub(super) fn internal(text: &str) -> Result<String, NameError> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address.to_string()),
        Ok(_) => refuse("is not on the loopback: others could ask for passwords there"),
        Err(_) => refuse("is not an address with a port"),
    }
}

/// A network, `192.0.2.0/24`, or one address.
pub(super) fn network(text: &str) -> Result<String, NameError> {
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return refuse("is not an address or a network such as 192.0.2.0/24");
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    match length.map(str::parse::<u8>) {
        None => Ok(format!("{address}/{most}")),
        Some(Ok(0)) => refuse("takes in everybody: anyone could claim any address"),
        Some(Ok(length)) if length <= most => Ok(format!("{address}/{length}")),
        Some(_) => refuse(format!("has a length that is no number up to {most}")),
    }
}

pub(super) fn database(text: &str) -> Result<String, NameError> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return AbsPath::parse(path).map(|path| format!("sqlite:{path}"));
    }
    let Some((scheme @ ("mysql" | "mariadb" | "postgres" | "postgresql"), rest)) =
        text.split_once("://")
    else {
        return refuse("does not begin with `sqlite:/`, `mysql://` or `postgres://`");
    };
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("has a space or a control character");
    }
    let name = rest.split('?').next().unwrap_or_default();
    if name.split_once('/').is_none_or(|(_, name)| name.is_empty()) {
        return refuse("does not end with the name of a database");
    }
    let scheme = if scheme.starts_with('p') {
        "postgres"
    } else {
        "mysql"
    };
    Ok(format!("{scheme}://{rest}"))
}

pub(super) fn has_password(database: &str) -> bool {
    let rest = database.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}

pub(super) fn domain(text: &str) -> Result<String, NameError> {
    let text = text.trim().to_lowercase();
    Domain::parse(text.strip_prefix('.').unwrap_or(&text)).map(|_| text)
}

pub(super) fn email(text: &str) -> Result<String, NameError> {
    Email::parse(text).map(|email| email.as_str().to_lowercase())
}

pub(super) fn scram(text: &str) -> Result<String, NameError> {
    match text {
        "SHA-1" | "SHA-256" => Ok(text.to_owned()),
        _ => refuse("is neither `SHA-1` nor `SHA-256`"),
    }
}

pub(super) fn host(text: &str) -> Result<String, NameError> {
    let text = text.to_ascii_lowercase();
    if text == "localhost" || text.parse::<IpAddr>().is_ok() {
        return Ok(text);
    }
    Domain::parse(&text).map(|_| text)
}

pub(super) fn mailbox(text: &str) -> Result<String, NameError> {
    if text.chars().any(char::is_control) {
        return refuse("has a control character");
    }
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => refuse(format!("is no sender: `{}`", excerpt(text))),
    }
}
