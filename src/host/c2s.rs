//! A small XMPP client (RFC 6120) on loopback, for the doctor: it logs in as Jicofo and the bridge
//! do, over c2s with STARTTLS and SASL, and leaves at once.
//!
//! It binds no resource, so whoever is logged in under the same account notices nothing. The
//! password is not sent: with SCRAM-SHA-1 it is proved, with PLAIN it goes inside TLS to the
//! holder of the one certificate that the account trusts.

use std::io::{Read, Write};
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::line::{self, Line, PATIENCE};
use super::scram;
use super::stanza::{condition, elements, inner};
use crate::doctor::{Admission, LogIn};

/// Bytes of a conversation that are read.
const MOST: usize = 1 << 20;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Tries a log-in; see [`Probe::log_in`](crate::doctor::Probe::log_in).
///
/// # Errors
/// Why it did not come to a log-in.
pub fn log_in(order: &LogIn<'_>) -> Result<Admission, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], order.port));
    let mut plain = Talk::new(Line::dial(address)?);
    let features = plain.begin(&order.host)?;
    if !features.contains("<starttls") {
        return Err(format!("no STARTTLS for {} at {address}", order.host));
    }
    plain.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
    plain.hear(|heard| heard.contains("<proceed").then_some(()))?;
    let (line, certificates) = line::secure(plain.stream, &order.host)?;
    let trusted = CertificateDer::from_pem_slice(order.trusted.as_bytes())
        .map_err(|_| "the certificate to trust is none")?;
    if certificates.first().map(Vec::as_slice) != Some(trusted.as_ref()) {
        return Ok(Admission {
            certificates,
            login: None,
        });
    }
    let mut talk = Talk::new(line);
    let features = talk.begin(&order.host)?;
    let offered: Vec<String> = elements(&features, "mechanism")
        .into_iter()
        .map(inner)
        .collect();
    let login = if offered.iter().any(|name| name == "SCRAM-SHA-1") {
        talk.prove(order)?
    } else if offered.iter().any(|name| name == "PLAIN") {
        talk.tell(order)?
    } else {
        Err(format!("no way to log in among `{}`", offered.join(" ")))
    };
    // Prosody closes the stream by itself after this; nobody waits for it.
    let _ = talk.say("</stream:stream>");
    Ok(Admission {
        certificates,
        login: Some(login),
    })
}

/// A stream and what was heard on it and not yet used.
struct Talk<S> {
    stream: S,
    heard: String,
}

impl<S: Read + Write> Talk<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            heard: String::new(),
        }
    }

    fn say(&mut self, text: &str) -> Result<(), String> {
        self.stream
            .write_all(text.as_bytes())
            .and_then(|()| self.stream.flush())
            .map_err(|error| format!("the stream broke off: {error}"))
    }

    /// Reads until `wanted` finds its answer.
    fn hear<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let mut chunk = [0; 8192];
        loop {
            if let Some(found) = wanted(&self.heard) {
                self.heard.clear();
                return Ok(found);
            }
            if self.heard.contains("<stream:error") {
                let why = condition(&self.heard).unwrap_or_default();
                return Err(format!("Prosody ends the stream: `{why}`"));
            }
            match self.stream.read(&mut chunk) {
                Ok(count) if count > 0 && self.heard.len() < MOST => {
                    let text = String::from_utf8_lossy(&chunk[..count]);
                    self.heard.push_str(&text);
                }
                Ok(_) => return Err("Prosody hung up".to_owned()),
                Err(_) => return Err(format!("no answer in {} s", PATIENCE.as_secs())),
            }
        }
    }

    /// Opens a stream, and gives its features.
    fn begin(&mut self, host: &str) -> Result<String, String> {
        self.say(&format!(
            "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        ))?;
        self.hear(|heard| {
            elements(heard, "stream:features")
                .first()
                .map(|all| (*all).to_owned())
        })
    }

    /// What SASL answers: data, or the condition of a refusal.
    fn answer(&mut self) -> Result<Result<String, String>, String> {
        self.hear(|heard| {
            let data = ["challenge", "success"]
                .into_iter()
                .find_map(|name| elements(heard, name).first().copied().map(inner));
            data.map(Ok).or_else(|| condition(heard).map(Err))
        })
    }

    /// SCRAM-SHA-1: neither side says the password, and both show that they know it.
    fn prove(&mut self, order: &LogIn<'_>) -> Result<Result<(), String>, String> {
        let mut random = [0; 18];
        super::random(&mut random);
        let first = scram::First::new(order.user, &STANDARD.encode(random));
        let hello = STANDARD.encode(format!("n,,{first}"));
        self.say(&format!(
            "<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{hello}</auth>"
        ))?;
        let challenge = match self.answer()? {
            Ok(data) => plain(&data)?,
            Err(condition) => return Ok(Err(condition)),
        };
        let last = first
            .last(&challenge, order.password.reveal())
            .ok_or("what came is no SCRAM")?;
        let response = STANDARD.encode(&last.message);
        self.say(&format!("<response xmlns='{SASL}'>{response}</response>"))?;
        Ok(match self.answer()? {
            Ok(data) if plain(&data)? == last.expected => Ok(()),
            Ok(_) => Err("Prosody does not know the password itself".to_owned()),
            Err(condition) => Err(condition),
        })
    }

    /// PLAIN (RFC 4616).
    fn tell(&mut self, order: &LogIn<'_>) -> Result<Result<(), String>, String> {
        let words = STANDARD.encode(format!("\0{}\0{}", order.user, order.password.reveal()));
        self.say(&format!(
            "<auth xmlns='{SASL}' mechanism='PLAIN'>{words}</auth>"
        ))?;
        Ok(self.answer()?.map(drop))
    }
}

fn plain(data: &str) -> Result<String, String> {
    let bytes = STANDARD.decode(data.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| "what came is no SASL".to_owned())
}
