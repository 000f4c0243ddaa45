//! A small BOSH client (XEP-0124, XEP-0206) on loopback, for the doctor: it comes as anybody could,
//! logs in as anonymous, knocks at rooms and leaves at once.
//!
//! One request at a time on a connection of its own. Each answer is waited for [`PATIENCE`] and
//! read up to a mebibyte. It judges nothing.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::line::{Line, PATIENCE};
use super::stanza::{attribute, condition, elements, inner, start_tag};
use crate::doctor::{Reception, Visit};

/// Bytes of an answer that are read.
const MOST: u64 = 1 << 20;

/// How long a room may take after everything else has answered.
const GRACE: Duration = Duration::from_millis(900);

/// Seconds for which Prosody may keep a request that it has nothing to say to.
const WAIT: u32 = 1;

/// A request to a port on loopback: status and body.
///
/// # Errors
/// Why there was no answer.
pub fn request(
    port: u16,
    line: &str,
    host: &str,
    body: Option<&str>,
) -> Result<(u16, String), String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    exchange(&mut Line::dial(address)?, line, host, body)
        .map_err(|why| format!("{why} at {address}"))
}

/// A request on a connection, and the whole answer to it.
///
/// # Errors
/// Why there was no answer.
pub fn exchange(
    connection: &mut (impl Read + Write),
    line: &str,
    host: &str,
    body: Option<&str>,
) -> Result<(u16, String), String> {
    exchange_with(connection, line, &format!("Host: {host}\r\n"), body)
}

/// The same with more than one header, each with its end of line.
///
/// # Errors
/// Why there was no answer.
pub fn exchange_with(
    connection: &mut (impl Read + Write),
    line: &str,
    headers: &str,
    body: Option<&str>,
) -> Result<(u16, String), String> {
    let mut text = format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\n");
    if let Some(body) = body {
        text.push_str(&format!(
            "Content-Type: {}; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            if body.starts_with('{') {
                "application/json"
            } else {
                "text/xml"
            },
            body.len()
        ));
    } else {
        text.push_str("\r\n");
    }
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!("no whole answer in {} s", PATIENCE.as_secs())
        }
        _ => format!("no answer: {error}"),
    };
    connection.write_all(text.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 8192];
    while !is_whole(&answer) && answer.len() as u64 <= MOST {
        match connection.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
            // TLS that ends without a word.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(failed(error)),
        }
    }
    let (head, body) = parts(&answer).ok_or("no HTTP")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or("no HTTP")?;
    let is_chunked = header(&head, "transfer-encoding").is_some_and(|value| value == "chunked");
    let body = if is_chunked {
        unchunked(body)
    } else {
        body.to_vec()
    };
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn parts(answer: &[u8]) -> Option<(String, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    Some((head, &answer[end + 4..]))
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_ascii_lowercase())
    })
}

/// Is all there that the head announces? Without an announcement the end of the stream tells.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = parts(answer) else {
        return false;
    };
    header(&head, "content-length")
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| body.len() >= length)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        let Some(piece) = rest.get(end + 2..end + 2 + size).filter(|_| size > 0) else {
            break;
        };
        body.extend_from_slice(piece);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    body
}

struct Session {
    port: u16,
    host: String,
    line: String,
    rid: u64,
    sid: String,
    /// Everything that came and was not yet used.
    heard: String,
}

impl Session {
    fn post(&mut self, attributes: &str, payload: &str) -> Result<(), String> {
        self.rid += 1;
        let body = format!(
            "<body rid='{}'{} xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'{attributes}>{payload}</body>",
            self.rid, self.sid
        );
        let (status, text) = request(self.port, &self.line, &self.host, Some(&body))?;
        if status != 200 {
            return Err(format!("http-{status}"));
        }
        let tag = start_tag(&text, "body").ok_or("what came is no BOSH")?;
        if let Some(sid) = attribute(tag, "sid") {
            self.sid = format!(" sid='{sid}'");
        }
        self.heard.push_str(&text[tag.len()..]);
        if attribute(tag, "type") == Some("terminate") && condition(&self.heard).is_none() {
            let why = attribute(tag, "condition").unwrap_or("terminated");
            return Err(why.to_owned());
        }
        Ok(())
    }

    /// Says something, and asks until `wanted` finds its answer in what was heard.
    fn ask<T>(
        &mut self,
        attributes: &str,
        payload: &str,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let until = Instant::now() + PATIENCE;
        self.post(attributes, payload)?;
        loop {
            if let Some(found) = wanted(&self.heard) {
                self.heard.clear();
                return Ok(found);
            }
            if Instant::now() >= until || self.heard.len() as u64 > MOST {
                self.heard.clear();
                return Err("no answer".to_owned());
            }
            self.post("", "")?;
        }
    }
}

/// Visits a host; see [`Probe::visit`](crate::doctor::Probe::visit).
///
/// # Errors
/// Why no session could be opened.
pub fn visit(port: u16, visit: &Visit) -> Result<Reception, String> {
    let mut random = [0; 4];
    super::random(&mut random);
    let query = match &visit.token {
        Some(token) => format!("?room=doctor&token={token}"),
        None => String::new(),
    };
    let mut session = Session {
        port,
        host: visit.host.clone(),
        line: format!("POST /http-bind{query}"),
        rid: u64::from(u32::from_le_bytes(random)) + 1,
        sid: String::new(),
        heard: String::new(),
    };
    let stream = format!(" to='{}' xml:lang='en'", visit.host);
    let offer = format!(" wait='{WAIT}' hold='1' ver='1.6' xmpp:version='1.0'{stream}");
    let features = session.ask(&offer, "", |heard| {
        heard.contains("features").then(|| heard.to_owned())
    })?;
    let mut reception = Reception {
        mechanisms: elements(&features, "mechanism")
            .into_iter()
            .map(inner)
            .collect(),
        ..Reception::default()
    };
    if reception.mechanisms.iter().any(|name| name == "ANONYMOUS") {
        let done = log_in(&mut session, &stream);
        if done.is_ok() {
            reception.rooms = knock(&mut session, &visit.rooms)
                .map_err(|_| "Prosody has stopped answering".to_owned())?;
        }
        reception.login = Some(done);
    }
    let leave = "<presence xmlns='jabber:client' type='unavailable'/>";
    let _ = session.post(" type='terminate'", leave);
    Ok(reception)
}

fn log_in(session: &mut Session, stream: &str) -> Result<(), String> {
    let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>";
    session.ask("", auth, |heard| {
        if heard.contains("<success") {
            return Some(Ok(()));
        }
        condition(heard).map(Err)
    })??;
    session.ask(&format!(" xmpp:restart='true'{stream}"), "", |heard| {
        heard.contains("features").then_some(())
    })?;
    let bind = "<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    session.ask("", bind, |heard| {
        if heard.contains("<jid>") {
            return Some(Ok(()));
        }
        condition(heard).map(Err)
    })?
}

/// What a room answers: the affiliation that was given, or the condition of the refusal.
type Outcome = Result<String, String>;

/// Knocks at all rooms at once, and leaves those that let us in.
///
/// Some rooms say nothing to whom they refuse. A ping goes last, and Prosody takes one stanza after
/// the other: what is silent [`GRACE`] after its answer has refused.
fn knock(session: &mut Session, rooms: &[String]) -> Result<Vec<(String, Outcome)>, String> {
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let mut stanzas: String = rooms
        .iter()
        .map(|room| {
            format!("<presence xmlns='jabber:client' to='{room}/doctor'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
        })
        .collect();
    stanzas.push_str(&format!(
        "<iq xmlns='jabber:client' type='get' id='alive' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
        session.host
    ));
    let answered = Cell::new(None);
    let outcomes = session.ask("", &stanzas, |heard| {
        if answered.get().is_none() && is_pong(heard) {
            answered.set(Some(Instant::now()));
        }
        let heard: Vec<Option<Outcome>> = rooms.iter().map(|room| outcome(heard, room)).collect();
        let is_over = answered.get().is_some_and(|at| at.elapsed() >= GRACE);
        (is_over || heard.iter().all(Option::is_some)).then_some(heard)
    })?;
    let found: Vec<(String, Outcome)> = rooms
        .iter()
        .cloned()
        .zip(outcomes)
        .map(|(room, outcome)| (room, outcome.unwrap_or(Err("no answer".to_owned()))))
        .collect();
    let entered = found.iter().filter(|(_, outcome)| outcome.is_ok());
    let leave: String = entered
        .map(|(room, _)| {
            format!("<presence xmlns='jabber:client' type='unavailable' to='{room}/doctor'/>")
        })
        .collect();
    if !leave.is_empty() {
        let _ = session.post("", &leave);
    }
    Ok(found)
}

fn is_pong(heard: &str) -> bool {
    let id = |iq: &&str| start_tag(iq, "iq").and_then(|tag| attribute(tag, "id")) == Some("alive");
    elements(heard, "iq").iter().any(id)
}

/// What a room has said so far.
fn outcome(heard: &str, room: &str) -> Option<Outcome> {
    elements(heard, "presence")
        .into_iter()
        .find_map(|presence| {
            let tag = start_tag(presence, "presence")?;
            let from = attribute(tag, "from")?.to_lowercase();
            if !from.starts_with(&format!("{}/", room.to_lowercase()))
                && from != room.to_lowercase()
            {
                return None;
            }
            if attribute(tag, "type") == Some("error") {
                return Some(Err(condition(presence).unwrap_or_default()));
            }
            let is_own = presence.contains("code='110'") || presence.contains("code=\"110\"");
            let item = elements(presence, "item")
                .first()
                .copied()
                .unwrap_or_default();
            is_own.then(|| Ok(attribute(item, "affiliation").unwrap_or("none").to_owned()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_known_by_its_whole_name() {
        let heard = "<presence from='a@c/doctor'><x><item affiliation='owner'/><status code='110'/></x></presence>\
                     <presence from='ab@c' type='error'><error><not-allowed/></error></presence>";
        assert_eq!(outcome(heard, "A@c"), Some(Ok("owner".to_owned())));
        assert_eq!(outcome(heard, "ab@c"), Some(Err("not-allowed".to_owned())));
        assert_eq!(outcome(heard, "b@c"), None);
        assert!(is_pong("<iq id='alive' type='result'/>") && !is_pong(heard));
    }

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(unchunked(b"3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"), b"abcde");
        assert_eq!(unchunked(b"ff\r\nabc"), b"");
    }
}
