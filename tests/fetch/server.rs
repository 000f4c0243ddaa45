//! A web server that does as it is told, also when that is wrong.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A connection, with or without TLS.
pub trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By names in small letters.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    /// Where the wanted part begins.
    pub fn from(&self) -> Option<usize> {
        let range = self.headers.get("range")?;
        let (from, end) = range
            .strip_prefix("bytes=")
            .unwrap()
            .split_once('-')
            .unwrap();
        assert_eq!(end, "", "only open ranges are asked for");
        Some(from.parse().unwrap())
    }
}

/// Answers a request; the number says how many came before.
pub type Handler = dyn Fn(&Request, &mut dyn Wire, usize) -> std::io::Result<()> + Send + Sync;

pub struct Server {
    at: SocketAddr,
    scheme: &'static str,
    log: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
}

impl Server {
    pub fn start(
        handler: impl Fn(&Request, &mut dyn Wire, usize) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with(None, handler)
    }

    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Request, &mut dyn Wire, usize) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with(Some(tls), handler)
    }

    /// Gives these files to everybody, whole or in parts.
    pub fn files(files: &[(&str, &[u8])]) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(path, bytes)| (format!("/{path}"), bytes.to_vec()))
            .collect();
        Self::start(move |request, wire, _| match files.get(&request.path) {
            Some(bytes) => part(request, wire, bytes, "\"one\""),
            None => answer(wire, "404 Not Found", &[], b"nothing here"),
        })
    }

    fn with(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Request, &mut dyn Wire, usize) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            at: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            log: Arc::default(),
            is_over: Arc::default(),
        };
        let (log, is_over) = (server.log.clone(), server.is_over.clone());
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { break };
                let (log, handler, tls) = (log.clone(), handler.clone(), tls.clone());
                std::thread::spawn(move || {
                    // One that is left alone ends too.
                    let patience = Some(Duration::from_secs(60));
                    stream.set_read_timeout(patience).unwrap();
                    stream.set_write_timeout(patience).unwrap();
                    let _ = stream.set_nodelay(true);
                    match tls {
                        None => serve(stream, &log, &handler),
                        Some(config) => {
                            let session = rustls::ServerConnection::new(config).unwrap();
                            serve(rustls::StreamOwned::new(session, stream), &log, &handler);
                        }
                    }
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}/{path}", self.scheme, self.at)
    }

    pub fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    pub fn port(&self) -> u16 {
        self.at.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect_timeout(&self.at, Duration::from_secs(1));
    }
}

fn serve(mut wire: impl Wire, log: &Mutex<Vec<Request>>, handler: &Arc<Handler>) {
    let Some(request) = read_request(&mut wire) else {
        return;
    };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    let _ = handler(&request, &mut wire, number);
    let _ = wire.flush();
}

/// Reads the head of a request.
pub fn read_request(wire: &mut dyn Wire) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 16 << 10 || wire.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Request {
        method,
        path,
        headers,
    })
}

/// A head and nothing more.
pub fn head(wire: &mut dyn Wire, status: &str, headers: &[(&str, &str)]) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    wire.write_all(text.as_bytes())
}

/// A whole answer of a known length.
pub fn answer(
    wire: &mut dyn Wire,
    status: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<()> {
    let length = body.len().to_string();
    let mut all = headers.to_vec();
    all.push(("Content-Length", &length));
    head(wire, status, &all)?;
    wire.write_all(body)
}

/// As RFC 9110 has it: a part when one is asked for and the file is still the same, else all of it.
pub fn part(
    request: &Request,
    wire: &mut dyn Wire,
    bytes: &[u8],
    tag: &str,
) -> std::io::Result<()> {
    let is_same = request
        .headers
        .get("if-range")
        .is_none_or(|same| same == tag);
    match request.from().filter(|_| is_same) {
        Some(from) if from >= bytes.len() => {
            let range = format!("bytes */{}", bytes.len());
            answer(
                wire,
                "416 Range Not Satisfiable",
                &[("Content-Range", &range)],
                b"",
            )
        }
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            let headers = [("Content-Range", range.as_str()), ("ETag", tag)];
            answer(wire, "206 Partial Content", &headers, &bytes[from..])
        }
        None => answer(wire, "200 OK", &[("ETag", tag)], bytes),
    }
}
