//! `tests/facts/web-requests.txt`, read and asked; its header tells the format.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::xmpp::Endpoint;

/// One line of the file.
#[derive(Debug)]
pub(crate) struct Fact {
    server: String,
    method: String,
    address: String,
    headers: Vec<String>,
    status: String,
    expectations: Vec<String>,
    line: String,
}

/// Whom the facts are asked, and what their words stand for.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) domain: &'a str,
    pub(crate) http: SocketAddr,
    pub(crate) https: Endpoint,
    /// The text of both logs.
    pub(crate) access_log: &'a dyn Log,
    pub(crate) error_log: &'a dyn Log,
}

/// A log that is read when it is asked for.
pub(crate) trait Log: std::fmt::Debug {
    fn text(&self) -> String;
}

#[derive(Debug, Default)]
struct Answer {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The facts about one server.
pub(crate) fn read(text: &str, server: &str) -> Vec<Fact> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let facts = lines.map(|line| {
        let parts: Vec<&str> = line.split(" | ").collect();
        let &[server, method, address, headers, status, expectations] = &parts[..] else {
            panic!("six parts are expected: {line}");
        };
        let list = |text: &str| match text {
            "-" => Vec::new(),
            text => text.split(" ;; ").map(str::to_owned).collect(),
        };
        Fact {
            server: server.to_owned(),
            method: method.to_owned(),
            address: address.to_owned(),
            headers: list(headers),
            status: status.to_owned(),
            expectations: list(expectations),
            line: line.to_owned(),
        }
    });
    facts
        .filter(|fact| fact.server == "both" || fact.server == server)
        .collect()
}

impl Fact {
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Errors: what does not hold, with what was seen.
    pub(crate) fn ask(&self, of: &Asked<'_>) -> Result<(), String> {
        let (access, error) = (|| of.access_log.text(), || of.error_log.text());
        match self.method.as_str() {
            "LOG-" => match access() + &error() {
                text if text.contains(&self.address) => Err("it is in a log".to_owned()),
                _ => Ok(()),
            },
            "LOG+" if access().contains(&self.address) => Ok(()),
            "LOG+" => Err("it is not in the access log".to_owned()),
            _ => self.request(of),
        }
    }

    fn request(&self, of: &Asked<'_>) -> Result<(), String> {
        let (scheme, path) = self.address.split_once(':').unwrap_or_default();
        let mut headers: Vec<String> = self.headers.iter().map(|text| of.worded(text)).collect();
        let named = |headers: &[String], name: &str| {
            let of_name = |header: &String| header.to_lowercase().starts_with(name);
            headers.iter().any(of_name)
        };
        if !named(&headers, "host:") {
            headers.insert(0, format!("Host: {}", of.domain));
        }
        if !named(&headers, "connection:") {
            headers.push("Connection: close".to_owned());
        }
        if matches!(self.method.as_str(), "POST" | "PUT") {
            headers.push("Content-Length: 0".to_owned());
        }
        let text = format!(
            "{} {path} HTTP/1.1\r\n{}\r\n\r\n",
            self.method,
            headers.join("\r\n")
        );
        let plain = Endpoint::plain(of.http, of.domain);
        let endpoint = if scheme == "https" { &of.https } else { &plain };
        let answer = exchange(endpoint, &text, self.method == "HEAD");
        let answer = answer.map_err(|error| format!("no answer: {error}"))?;
        let mut wrong: Vec<String> = self
            .expectations
            .iter()
            .map(|text| of.worded(text))
            .filter(|text| !answer.holds(text))
            .collect();
        if !self.status.split(',').any(|wanted| answer.is(wanted)) {
            wrong.push(format!("status {}", self.status));
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "does not hold: {}; got {answer:.600?}",
                wrong.join(" ;; ")
            )),
        }
    }
}

impl Asked<'_> {
    fn worded(&self, text: &str) -> String {
        text.replace("DOMAIN", self.domain)
            .replace("AUTHORITY", &self.https.host_header)
            .replace("CLIENT", "127.0.0.1")
    }
}

impl Answer {
    fn is(&self, wanted: &str) -> bool {
        let class = wanted.strip_suffix("xx");
        wanted == "any"
            || self.status == wanted
            || class.is_some_and(|first| self.status.starts_with(first))
    }

    fn holds(&self, expectation: &str) -> bool {
        if let Some(text) = expectation.strip_prefix("!~") {
            return !self.body.contains(text);
        }
        if let Some(text) = expectation.strip_prefix('~') {
            return self.body.contains(text);
        }
        let with_name = |name: &str| {
            let name = name.to_lowercase();
            self.headers.iter().filter(move |(key, _)| *key == name)
        };
        if let Some(name) = expectation.strip_prefix('!') {
            return with_name(name).next().is_none();
        }
        let (name, text) = expectation.split_once(": ").unwrap_or_default();
        with_name(name).any(|(_, value)| value.contains(text))
    }
}

/// The request goes out as it stands; the answer is read until it is whole.
fn exchange(endpoint: &Endpoint, request: &str, only_head: bool) -> io::Result<Answer> {
    let mut line = endpoint.connect()?;
    line.write_all(request.as_bytes())?;
    line.flush()?;
    let (mut seen, mut chunk) = (Vec::new(), [0; 16384]);
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(answer) = whole(&seen, only_head) {
            return Ok(answer);
        }
        line.read_until(until)?;
        match line.read(&mut chunk) {
            // a server may end without saying good-bye to TLS
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Ok(read) => seen.extend_from_slice(&chunk[..read]),
            Err(error) => return Err(error),
        }
    }
    let text = String::from_utf8_lossy(&seen).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    parse(head, body.to_owned()).ok_or_else(|| io::Error::other(format!("not HTTP: `{text}`")))
}

/// The answer, if its length is known and reached.
fn whole(seen: &[u8], only_head: bool) -> Option<Answer> {
    let end = seen.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&seen[..end - 4]).into_owned();
    let answer = parse(&head, String::new())?;
    let said = |name: &str| {
        let found = answer.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let body = &seen[end..];
    let body = if only_head {
        Vec::new()
    } else if let Some(length) = said("content-length") {
        body.get(..length.parse().ok()?)?.to_vec()
    } else if said("transfer-encoding") == Some("chunked") && body.ends_with(b"0\r\n\r\n") {
        dechunked(body)?
    } else {
        return None;
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    Some(Answer { body, ..answer })
}

fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

fn parse(head: &str, body: String) -> Option<Answer> {
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Some(Answer {
        status,
        headers: headers.collect(),
        body,
    })
}
