//! XMPP over WebSocket (RFC 7395): one stanza, one frame.

use std::time::Instant;

use tungstenite::client::{ClientRequestBuilder, client};
use tungstenite::http::Uri;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use super::bosh::{ended, in_client_namespace};
use super::http::Route;
use super::line::{Endpoint, Line, PATIENCE, timed_out};
use super::xml::{self, Element, escape};
use super::{Refusal, Session, Wire};

#[derive(Debug)]
pub struct Websocket {
    route: Route,
    domain: String,
    session: Session,
    socket: Option<WebSocket<Line>>,
}

impl Websocket {
    /// On `/xmpp-websocket` of the endpoint.
    pub fn new(endpoint: &Endpoint, domain: &str) -> Self {
        Websocket::on(Route::new(endpoint, "/xmpp-websocket"), domain)
    }

    /// On any route: other paths, `?room=…&token=…`, headers.
    pub fn on(route: Route, domain: &str) -> Self {
        Websocket {
            route,
            domain: domain.to_owned(),
            session: Session::default(),
            socket: None,
        }
    }

    fn connect(&self) -> Result<WebSocket<Line>, Refusal> {
        let host = &self.route.endpoint.host_header;
        let uri = format!("ws://{host}{}", self.route.target());
        let uri: Uri = uri
            .parse()
            .map_err(|error| Refusal::new("transport", format!("`{uri}`: {error}")))?;
        let mut request = ClientRequestBuilder::new(uri).with_sub_protocol("xmpp");
        for (name, value) in &self.route.headers {
            request = request.with_header(name, value);
        }
        let line = self.route.endpoint.connect()?;
        match client(request, line) {
            Ok((socket, _)) => Ok(socket),
            Err(HandshakeError::Failure(error)) => Err(refusal(error)),
            Err(HandshakeError::Interrupted(_)) => {
                Err(Refusal::new("no-answer", "to the websocket handshake"))
            }
        }
    }

    fn hello(&mut self) -> Result<(), Refusal> {
        let to = escape(&self.domain);
        let framing = "urn:ietf:params:xml:ns:xmpp-framing";
        self.send(&format!(
            "<open xmlns='{framing}' to='{to}' version='1.0'/>"
        ))?;
        let until = Instant::now() + PATIENCE;
        while let Some(stanza) = self.receive(until)? {
            if stanza.local() == "features" {
                self.session.note_features(&stanza);
                return Ok(());
            }
        }
        Err(Refusal::new("no-answer", "to the stream header"))
    }
}

impl Wire for Websocket {
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
        if self.socket.is_some() {
            return Ok(());
        }
        self.socket = Some(self.connect()?);
        self.hello()
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        self.hello()
    }

    fn send(&mut self, xml: &str) -> Result<(), Refusal> {
        let socket = self.socket.as_mut().ok_or_else(not_open)?;
        let frame = Message::text(in_client_namespace(xml));
        socket.send(frame).map_err(refusal)
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Element>, Refusal> {
        let socket = self.socket.as_mut().ok_or_else(not_open)?;
        loop {
            socket.get_ref().read_until(until)?;
            let frame = match socket.read() {
                Ok(Message::Text(frame)) => frame,
                // pings are answered by the library with the next read or write
                Ok(_) => continue,
                Err(Error::Io(error)) if timed_out(&error) => {
                    if Instant::now() >= until {
                        return Ok(None);
                    }
                    continue;
                }
                Err(error) => return Err(refusal(error)),
            };
            let Some(stanza) = xml::read_all(frame.as_bytes()).into_iter().next() else {
                return Err(Refusal::new("not-xmpp", frame.as_str()));
            };
            match stanza.name.as_str() {
                "stream:error" | "error" => return Err(Refusal::read(&stanza)),
                "close" => return Err(ended(&stanza, "terminated")),
                "open" => continue,
                _ => return Ok(Some(stanza)),
            }
        }
    }

    fn close(&mut self) -> Result<(), Refusal> {
        if self.socket.is_none() {
            return Ok(());
        }
        self.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")?;
        if let Some(mut socket) = self.socket.take() {
            // the server may have gone first
            let _ = socket.close(None);
            let _ = socket.flush();
        }
        Ok(())
    }
}

fn not_open() -> Refusal {
    Refusal::new("transport", "the stream is not open")
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Io(error) => error.into(),
        Error::Http(reply) => {
            let condition = format!("http-{}", reply.status().as_u16());
            let body = reply.body().clone().unwrap_or_default();
            Refusal::new(&condition, String::from_utf8_lossy(&body))
        }
        other => Refusal::new("transport", other.to_string()),
    }
}
