//! What some kinds of value may be.

use std::net::IpAddr;

use crate::name::{Domain, NameError};

pub(super) fn address(text: &str) -> Result<IpAddr, NameError> {
    match text.parse::<IpAddr>() {
        Ok(ip) if ip.is_multicast() => Err(NameError("is a multicast address".to_owned())),
        Ok(ip) => Ok(ip),
        Err(_) => Err(NameError("is not an IP address".to_owned())),
    }
}

/// A text for people or programs that later rooms quote: any characters but control ones.
pub(super) fn short_text(text: &str) -> Result<String, NameError> {
    if text.trim().is_empty() {
        return Err(NameError("is empty".to_owned()));
    }
    if text.chars().count() > 200 {
        return Err(NameError("is longer than 200 characters".to_owned()));
    }
    if text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}'))
    {
        return Err(NameError("has a control character".to_owned()));
    }
    Ok(text.to_owned())
}

pub(super) fn host_and_port(text: &str) -> Result<String, NameError> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(NameError("has no port".to_owned()));
    };
    if port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err(NameError("has no valid port after the colon".to_owned()));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_err() {
        Domain::parse(host)?;
    }
    Ok(text.to_owned())
}

/// An `https://` address, or `http://` on this machine, with plain characters only.
pub(super) fn url(text: &str) -> Result<String, NameError> {
    let local = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let is_local = local.iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if !text.starts_with("https://") && !is_local {
        return Err(NameError(
            "is not an https:// address (http:// is for 127.0.0.1 only)".to_owned(),
        ));
    }
    if text.len() > 500 {
        return Err(NameError("is longer than 500 characters".to_owned()));
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@!&()*+,;=%[]".contains(c);
    match text.chars().find(|c| !fine(*c)) {
        Some(bad) => Err(NameError(format!(
            "has the character `{}`",
            bad.escape_debug()
        ))),
        None => Ok(text.trim_end_matches('/').to_owned()),
    }
}
