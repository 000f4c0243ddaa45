//! A stand-in for the account service's loopback question about a password. It knows everybody of
//! `people.rs`, takes as long as it is told, and counts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::people::{PASSWORD, everybody};

pub(crate) const SECRET: &str = "a-secret-that-prosody-shows-0123456789";

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Milliseconds that each answer takes.
    pub(crate) takes: AtomicU64,
    /// A status that everything is answered with; 0 for the truth.
    pub(crate) says: AtomicU16,
    /// Questions so far.
    pub(crate) asked: AtomicUsize,
    /// The most at the same time.
    pub(crate) at_once: AtomicUsize,
    now: AtomicUsize,
    /// The last password, as it arrived.
    pub(crate) last: Mutex<String>,
    is_over: AtomicBool,
}

pub(crate) struct StandinService {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
}

impl StandinService {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State::default());
        let people: Arc<BTreeMap<&'static str, bool>> = Arc::new(
            everybody()
                .iter()
                .map(|person| (person.name, person.is_enabled))
                .collect(),
        );
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::SeqCst) {
                    break;
                }
                let (state, people) = (Arc::clone(&shared), Arc::clone(&people));
                std::thread::spawn(move || answer(stream, &state, &people));
            }
        });
        StandinService { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/prosody/password", self.address)
    }

    pub(crate) fn takes(&self, millis: u64) {
        self.state.takes.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn says(&self, status: u16) {
        self.state.says.store(status, Ordering::SeqCst);
    }

    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

impl Drop for StandinService {
    /// The port is free afterwards, so that connections are refused.
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn answer(mut stream: TcpStream, state: &State, people: &BTreeMap<&str, bool>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut head) = (String::new(), Vec::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head.push(std::mem::take(&mut line).trim().to_owned());
    }
    let header = |name: &str| {
        head.iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    state.asked.fetch_add(1, Ordering::SeqCst);
    let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
    state.at_once.fetch_max(now, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(state.takes.load(Ordering::SeqCst)));
    state.now.fetch_sub(1, Ordering::SeqCst);
    let asked: serde_json::Value = serde_json::from_slice(&body).ok()?;
    let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
    *state.last.lock().ok()? = text("password");
    let is_right =
        people.get(text("username").as_str()) == Some(&true) && text("password") == PASSWORD;
    let is_ours = header("authorization") == Some(format!("Bearer {SECRET}"))
        && head
            .first()
            .is_some_and(|line| line.starts_with("POST /prosody/password "));
    let status = match state.says.load(Ordering::SeqCst) {
        0 if !is_ours => 401,
        0 if is_right => 200,
        0 => 403,
        said => said,
    };
    let body = if status == 200 {
        "{\"ok\":true}"
    } else {
        "{\"ok\":false}"
    };
    let length = body.len();
    let reply = format!(
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(reply.as_bytes()).ok()
}
