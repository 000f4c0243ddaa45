//! XMPP over TCP with STARTTLS (RFC 6120), as Jicofo and the videobridge connect.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;

use super::line::{Line, PATIENCE, dial, start_tls, timed_out};
use super::xml::{self, Element, Reading, escape};
use super::{Refusal, Session, Wire};

#[derive(Debug)]
pub struct C2s {
    addr: SocketAddr,
    domain: String,
    trust: Option<Arc<ClientConfig>>,
    session: Session,
    line: Option<Line>,
    buffer: Vec<u8>,
}

impl C2s {
    /// The certificate is verified for the name `domain`. Without `trust` the stream stays plain.
    pub fn new(addr: SocketAddr, domain: &str, trust: Option<Arc<ClientConfig>>) -> Self {
        C2s {
            addr,
            domain: domain.to_owned(),
            trust,
            session: Session::default(),
            line: None,
            buffer: Vec::new(),
        }
    }

    /// The certificate that the server showed, as DER; `None` without TLS.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.line.as_ref()?.peer_certificate()
    }

    fn hello(&mut self) -> Result<Element, Refusal> {
        let to = escape(&self.domain);
        let names = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
        self.buffer.clear();
        self.write(&format!(
            "<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xml:lang='en' {names}>"
        ))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match xml::read_header(&self.buffer) {
                Reading::Whole(header, used) if header.local() == "stream" => {
                    self.buffer.drain(..used);
                    break;
                }
                Reading::Whole(header, _) => {
                    return Err(Refusal::new("not-xmpp", header.raw));
                }
                Reading::Partial if self.more(until)? => {}
                Reading::Partial => return Err(Refusal::new("no-answer", "to the header")),
            }
        }
        let features = self.receive(until)?;
        let features = features.ok_or_else(|| Refusal::new("no-answer", "no features"))?;
        self.session.note_features(&features);
        Ok(features)
    }

    /// STARTTLS, and the stream anew inside it.
    fn secure(&mut self, trust: Arc<ClientConfig>) -> Result<(), Refusal> {
        self.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
        let answer = self.receive(Instant::now() + PATIENCE)?;
        if answer.as_ref().map(Element::local) != Some("proceed") {
            let seen = answer.map(|answer| answer.raw).unwrap_or_default();
            return Err(Refusal::new("tls", format!("no proceed: {seen}")));
        }
        self.line = match self.line.take() {
            Some(Line::Plain(socket)) => Some(start_tls(socket, &self.domain, trust)?),
            other => other,
        };
        self.hello()?;
        Ok(())
    }

    fn write(&mut self, xml: &str) -> Result<(), Refusal> {
        let line = self.line.as_mut().ok_or_else(not_open)?;
        line.write_all(xml.as_bytes())?;
        line.flush()?;
        Ok(())
    }

    /// Reads what is there into the buffer; false when nothing came until then.
    fn more(&mut self, until: Instant) -> Result<bool, Refusal> {
        let line = self.line.as_mut().ok_or_else(not_open)?;
        let mut chunk = [0; 8192];
        loop {
            line.read_until(until)?;
            match line.read(&mut chunk) {
                Ok(0) => return Err(Refusal::new("transport", "the server hung up")),
                Ok(read) => {
                    self.buffer.extend_from_slice(&chunk[..read]);
                    return Ok(true);
                }
                Err(error) if !timed_out(&error) => return Err(error.into()),
                Err(_) if Instant::now() >= until => return Ok(false),
                Err(_) => {}
            }
        }
    }
}

impl Wire for C2s {
    fn domain(&self) -> &str {
        &self.domain
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    fn open(&mut self) -> Result<(), Refusal> {
        if self.line.is_some() {
            return Ok(());
        }
        self.line = Some(Line::Plain(dial(self.addr)?));
        let features = self.hello()?;
        match self.trust.clone() {
            None => Ok(()),
            Some(trust) if features.find("starttls").is_some() => self.secure(trust),
            Some(_) => Err(Refusal::new("tls", "STARTTLS is not offered")),
        }
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        self.hello()?;
        Ok(())
    }

    fn send(&mut self, xml: &str) -> Result<(), Refusal> {
        self.write(xml)
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Element>, Refusal> {
        loop {
            match xml::read_element(&self.buffer) {
                Reading::Whole(stanza, used) => {
                    self.buffer.drain(..used);
                    return match stanza.name.as_str() {
                        "stream:error" => Err(Refusal::read(&stanza)),
                        "/stream:stream" => Err(Refusal::new("terminated", "by the server")),
                        _ => Ok(Some(stanza)),
                    };
                }
                Reading::Partial if self.more(until)? => {}
                Reading::Partial => return Ok(None),
            }
        }
    }

    fn close(&mut self) -> Result<(), Refusal> {
        if self.line.is_none() {
            return Ok(());
        }
        self.write("</stream:stream>")?;
        self.line = None;
        Ok(())
    }
}

fn not_open() -> Refusal {
    Refusal::new("transport", "the stream is not open")
}
