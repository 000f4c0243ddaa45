//! HTTP/1.1 by hand: one connection that is kept open, whole answers only.

use std::io::{self, Read, Write};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::line::{Endpoint, Line, PATIENCE};

/// A path on a site, with the query and the headers that every request to it carries.
#[derive(Debug, Clone)]
pub struct Route {
    pub endpoint: Endpoint,
    pub path: String,
    query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

impl Route {
    pub fn new(endpoint: &Endpoint, path: &str) -> Self {
        Route {
            endpoint: endpoint.clone(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds `key=value`, percent-encoded.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.query.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Authorization: Basic …`.
    pub fn basic(self, user: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    /// The path with its query, as it goes into the request line.
    pub fn target(&self) -> String {
        let pairs = self.query.iter();
        let pairs = pairs.map(|(key, value)| format!("{}={}", encode(key), encode(value)));
        match pairs.collect::<Vec<_>>().join("&") {
            query if query.is_empty() => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// An HTTP answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let found = self.headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One GET on a connection of its own.
pub fn plain_get(endpoint: &Endpoint, path: &str) -> io::Result<Reply> {
    get(&Route::new(endpoint, path))
}

/// One GET with the query and the headers of the route.
pub fn get(route: &Route) -> io::Result<Reply> {
    let route = route.clone().header("Connection", "close");
    Http::new(route).request("GET", b"")
}

/// A connection to a route, opened when needed and used again while the server keeps it.
#[derive(Debug)]
pub struct Http {
    pub route: Route,
    line: Option<Line>,
}

impl Http {
    pub fn new(route: Route) -> Self {
        Http { route, line: None }
    }

    /// Errors: those of the connection, and `Other` for what is not HTTP.
    pub fn request(&mut self, method: &str, body: &[u8]) -> io::Result<Reply> {
        let request = self.bytes(method, body);
        if let Some(line) = self.line.take() {
            match self.exchange(line, method, &request) {
                // the server may close an idle connection at any time: ask once more
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                answered => return answered,
            }
        }
        let line = self.route.endpoint.connect()?;
        self.exchange(line, method, &request)
    }

    fn bytes(&self, method: &str, body: &[u8]) -> Vec<u8> {
        let (target, host) = (self.route.target(), &self.route.endpoint.host_header);
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in &self.route.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            head.push_str("Content-Type: text/xml; charset=utf-8\r\n");
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    fn exchange(&mut self, mut line: Line, method: &str, request: &[u8]) -> io::Result<Reply> {
        line.write_all(request)?;
        line.flush()?;
        line.read_until(Instant::now() + PATIENCE)?;
        let mut incoming = Incoming {
            line: &mut line,
            buffer: Vec::new(),
        };
        let (reply, reusable) = incoming.reply(method)?;
        if reusable {
            self.line = Some(line);
        }
        Ok(reply)
    }
}

struct Incoming<'a> {
    line: &'a mut Line,
    buffer: Vec<u8>,
}

impl Incoming<'_> {
    /// The answer, and whether the connection can be used again.
    fn reply(&mut self, method: &str) -> io::Result<(Reply, bool)> {
        let mut reply = self.head()?;
        // "100 Continue" and its like only announce the answer
        while (100..200).contains(&reply.status) && reply.status != 101 {
            reply = self.head()?;
        }
        let said = |name: &str| reply.header(name).unwrap_or_default().to_ascii_lowercase();
        let mut reusable = said("connection") != "close";
        let empty = method == "HEAD" || matches!(reply.status, 101 | 204 | 304);
        reply.body = if empty {
            Vec::new()
        } else if said("transfer-encoding").contains("chunked") {
            self.chunks()?
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse().map_err(|_| not_http("Content-Length"))?;
            self.take(length)?
        } else {
            reusable = false;
            self.rest()?
        };
        Ok((reply, reusable))
    }

    fn head(&mut self) -> io::Result<Reply> {
        let status_line = self.text_line()?;
        let status = status_line.split(' ').nth(1).and_then(|s| s.parse().ok());
        let mut reply = Reply {
            status: status.ok_or_else(|| not_http(&status_line))?,
            ..Reply::default()
        };
        loop {
            let header = self.text_line()?;
            match header.split_once(':') {
                Some((name, value)) => {
                    let name = name.trim().to_ascii_lowercase();
                    reply.headers.push((name, value.trim().to_owned()));
                }
                None if header.is_empty() => return Ok(reply),
                None => return Err(not_http(&header)),
            }
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = self.text_line()?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            match usize::from_str_radix(digits, 16) {
                Ok(0) => break,
                Ok(length) => body.extend(self.take(length)?),
                Err(_) => return Err(not_http(&size)),
            }
            self.text_line()?;
        }
        while !self.text_line()?.is_empty() {}
        Ok(body)
    }

    fn text_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line = self.take(end + 1)?;
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.more()?;
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.more()?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.buffer));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8192];
        match self.line.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

fn not_http(seen: &str) -> io::Error {
    io::Error::other(format!("not HTTP: `{seen}`"))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
