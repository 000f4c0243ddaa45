//! BOSH (XEP-0124, XEP-0206): stanzas in HTTP requests, one at a time on one connection.
//!
//! A browser keeps two requests going; one is enough here, at the price that sending something
//! that has no answer, or waiting in vain, takes up to [`WAIT`] seconds longer.

use std::collections::VecDeque;
use std::time::Instant;

use super::http::{Http, Route};
use super::line::Endpoint;
use super::xml::{self, Element, escape};
use super::{Refusal, Session, Wire};

/// How long the server may keep a request that it has nothing to say to, in seconds.
pub const WAIT: u32 = 2;

#[derive(Debug)]
pub struct Bosh {
    http: Http,
    domain: String,
    session: Session,
    rid: u64,
    sid: Option<String>,
    arrived: VecDeque<Element>,
}

impl Bosh {
    /// On `/http-bind` of the endpoint.
    pub fn new(endpoint: &Endpoint, domain: &str) -> Self {
        Bosh::on(Route::new(endpoint, "/http-bind"), domain)
    }

    /// On any route: other paths, `?room=…&token=…`, headers.
    pub fn on(route: Route, domain: &str) -> Self {
        let mut chance = [0; 4];
        // without chance the session is still a good one: the number need only rise
        let _ = getrandom::fill(&mut chance);
        Bosh {
            http: Http::new(route),
            domain: domain.to_owned(),
            session: Session::default(),
            rid: u64::from(u32::from_le_bytes(chance)) + 1,
            sid: None,
            arrived: VecDeque::new(),
        }
    }

    fn post(&mut self, attributes: &str, payload: &str) -> Result<(), Refusal> {
        self.rid += 1;
        let sid = match &self.sid {
            Some(sid) => format!(" sid='{}'", escape(sid)),
            None => String::new(),
        };
        let namespaces = "xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'";
        let rid = self.rid;
        let body = format!("<body rid='{rid}'{sid} {namespaces}{attributes}>{payload}</body>");
        let reply = self.http.request("POST", body.as_bytes())?;
        let text = reply.text();
        if reply.status != 200 {
            return Err(Refusal::new(&format!("http-{}", reply.status), text));
        }
        let Some(body) = xml::read_all(text.as_bytes()).into_iter().next() else {
            return Err(Refusal::new("not-xmpp", text));
        };
        if let Some(sid) = body.attribute("sid") {
            self.sid = Some(sid.to_owned());
        }
        let end = body.attribute("type") == Some("terminate");
        let condition = body.attribute("condition").unwrap_or("terminated");
        let refusal = end.then(|| ended(&body, condition));
        self.arrived.extend(body.children);
        match refusal {
            // what the server said before it hung up, such as a `<failure/>`, is read first
            Some(refusal) if self.arrived.is_empty() => Err(refusal),
            Some(_) | None => Ok(()),
        }
    }

    fn features(&mut self) {
        if let Some(at) = self.arrived.iter().position(|e| e.local() == "features")
            && let Some(features) = self.arrived.remove(at)
        {
            self.session.note_features(&features);
        }
    }

    fn stream(&self) -> String {
        format!(" to='{}' xml:lang='en'", escape(&self.domain))
    }
}

impl Wire for Bosh {
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
        if self.sid.is_some() {
            return Ok(());
        }
        let stream = self.stream();
        let offer = format!(" wait='{WAIT}' hold='1' ver='1.6' xmpp:version='1.0'{stream}");
        self.post(&offer, "")?;
        // the features may come with the session or with the next answer
        for _ in 0..2 {
            self.features();
            if !self.session.mechanisms.is_empty() {
                return Ok(());
            }
            self.post("", "")?;
        }
        self.features();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        let stream = self.stream();
        self.post(&format!(" xmpp:restart='true'{stream}"), "")?;
        self.features();
        Ok(())
    }

    fn send(&mut self, xml: &str) -> Result<(), Refusal> {
        self.post("", &in_client_namespace(xml))
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Element>, Refusal> {
        loop {
            if let Some(stanza) = self.arrived.pop_front() {
                return Ok(Some(stanza));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            self.post("", "")?;
        }
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let leave = "<presence xmlns='jabber:client' type='unavailable'/>";
        match self.post(" type='terminate'", leave) {
            Err(refusal) if refusal.condition == "terminated" => {}
            Err(refusal) => return Err(refusal),
            Ok(()) => {}
        }
        self.sid = None;
        Ok(())
    }
}

/// Stanzas inside a BOSH body or a websocket frame say themselves that they are stanzas.
pub fn in_client_namespace(xml: &str) -> String {
    for name in ["<iq", "<presence", "<message"] {
        if let Some(rest) = xml.strip_prefix(name) {
            return format!("{name} xmlns='jabber:client'{rest}");
        }
    }
    xml.to_owned()
}

/// The refusal in an element that ends a session: its `<stream:error/>`, else the condition.
pub fn ended(end: &Element, condition: &str) -> Refusal {
    match end.find("error") {
        Some(error) => Refusal::read(error),
        None => Refusal::new(condition, end.raw.clone()),
    }
}
