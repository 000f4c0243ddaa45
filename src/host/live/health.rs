//! How a running service looks from outside.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::resource::{Probe, Service};

/// What the probes of a service say against it.
#[must_use]
pub fn trouble(service: &Service) -> Vec<String> {
    service
        .probes
        .iter()
        .filter_map(|one| probe(one).err())
        .collect()
}

fn probe(probe: &Probe) -> Result<(), String> {
    let short = Duration::from_millis(800);
    match probe {
        Probe::Tcp(address) => TcpStream::connect_timeout(address, short)
            .map(|_| ())
            .map_err(|_| format!("nothing listens at {address}")),
        Probe::Http { port, path } => {
            let address = SocketAddr::from(([127, 0, 0, 1], *port));
            let mut stream = TcpStream::connect_timeout(&address, short)
                .map_err(|_| format!("nothing listens at {address}"))?;
            let _ = stream.set_read_timeout(Some(Duration::from_secs(3)));
            let _ = stream
                .write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
            let mut answer = Vec::new();
            let _ = stream.take(4096).read_to_end(&mut answer);
            let text = String::from_utf8_lossy(&answer);
            match text.split(' ').nth(1) {
                Some("200") => Ok(()),
                Some(code) => Err(format!("answers {code} at {address}{path}")),
                None => Err(format!("no answer at {address}{path}")),
            }
        }
        // Only whoever started the service knows since when.
        Probe::Log { .. } => Ok(()),
    }
}
