//! XMPP clients for the tests: what a browser or Jicofo says to a running site, said by our own code.
//!
//! Two halves. [`Wire`] carries stanzas and knows one transport: [`Bosh`] and [`Websocket`] go
//! through the web server as browsers do, [`C2s`] goes to Prosody's client port as Jicofo and the
//! videobridge do. [`Client`] is what all three can do: log in, join a room, ask, wait.
//!
//! Nothing here panics or judges: an odd answer comes back as it was seen, and the tests decide.
//! A new transport implements [`Wire`] in a file of its own.

#![allow(dead_code, reason = "each test uses only a part")]

#[path = "xmpp_bosh.rs"]
mod bosh;
#[path = "xmpp_c2s.rs"]
mod c2s;
#[path = "xmpp_http.rs"]
mod http;
#[path = "xmpp_line.rs"]
mod line;
#[path = "xmpp_room.rs"]
mod room;
#[path = "xmpp_sasl.rs"]
mod sasl;
#[path = "xmpp_websocket.rs"]
mod websocket;
#[path = "xmpp_xml.rs"]
mod xml;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use room::{bare, statuses};

#[allow(unused_imports, reason = "each test uses only a part")]
pub use self::{
    bosh::Bosh,
    c2s::C2s,
    http::{Http, Reply, Route, get, plain_get},
    line::{Endpoint, Line, PATIENCE, dial, start_tls, trusting},
    room::{Join, read_join},
    sasl::{Login, challenge, field},
    websocket::Websocket,
    xml::{Element, escape},
};

/// Why something was not granted, in the server's words where it had any.
///
/// `condition` is the XMPP condition (`not-authorized`, `not-allowed`, `host-unknown`…), or one of
/// ours: `no-answer`, `transport`, `tls`, `http-401` (any status), `not-xmpp`, `not-offered`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    pub condition: String,
    pub text: String,
}

impl Refusal {
    pub fn new(condition: &str, text: impl Into<String>) -> Self {
        Refusal {
            condition: condition.to_owned(),
            text: text.into(),
        }
    }

    /// From an element that holds a condition and perhaps a `<text/>`, such as `<failure/>`.
    pub fn read(holder: &Element) -> Self {
        let condition = holder.children.iter().find(|child| child.local() != "text");
        Refusal {
            condition: condition.map_or("", Element::local).to_owned(),
            text: holder
                .child("text")
                .map_or("", |text| &text.text)
                .to_owned(),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let condition = match error.kind() {
            io::ErrorKind::InvalidData => "tls",
            _ if line::timed_out(&error) => "no-answer",
            _ => "transport",
        };
        Refusal::new(condition, error.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.condition, self.text)
    }
}

impl std::error::Error for Refusal {}

/// What a session remembers between two calls.
#[derive(Debug)]
pub struct Session {
    /// The SASL mechanisms last offered, kept after the login.
    pub mechanisms: Vec<String>,
    /// Stanzas that arrived while another was waited for, oldest first.
    pub inbox: VecDeque<Element>,
    /// The full JID after a login.
    pub jid: Option<String>,
    /// How long [`Client`] waits for an answer; [`PATIENCE`] unless a test sets less.
    pub patience: Duration,
    serial: u32,
}

impl Session {
    /// Takes the mechanisms from `<stream:features/>`; there are none after the login.
    fn note_features(&mut self, features: &Element) {
        if let Some(offer) = features.find("mechanisms") {
            let offered = offer.find_all("mechanism").into_iter();
            self.mechanisms = offered.map(|name| name.text.clone()).collect();
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Session {
            mechanisms: Vec::new(),
            inbox: VecDeque::new(),
            jid: None,
            patience: PATIENCE,
            serial: 0,
        }
    }
}

/// One transport.
pub trait Wire {
    /// The XMPP host that the stream is for.
    fn domain(&self) -> &str;
    fn session(&self) -> &Session;
    fn session_mut(&mut self) -> &mut Session;
    /// Opens the stream, to the point where mechanisms are known. A second call does nothing.
    fn open(&mut self) -> Result<(), Refusal>;
    /// Begins the stream anew after SASL.
    fn restart(&mut self) -> Result<(), Refusal>;
    fn send(&mut self, xml: &str) -> Result<(), Refusal>;
    /// The next stanza from the wire, or `None` when there is none until then.
    fn receive(&mut self, until: Instant) -> Result<Option<Element>, Refusal>;
    /// Ends the stream politely. Dropping ends it rudely.
    fn close(&mut self) -> Result<(), Refusal>;
}

/// What every transport can do.
pub trait Client: Wire {
    /// The mechanisms last offered; empty before [`Wire::open`].
    fn mechanisms(&self) -> &[String] {
        &self.session().mechanisms
    }

    fn login_anonymous(&mut self) -> Result<String, Refusal> {
        self.login(&Login::Anonymous)
    }

    /// Opens, authenticates and binds; gives the full JID.
    fn login(&mut self, login: &Login) -> Result<String, Refusal> {
        self.open()?;
        sasl::authenticate(self, login)?;
        self.restart()?;
        let bound = self.ask(
            "set",
            "",
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
        )?;
        let Some(jid) = bound.find("jid") else {
            return Err(bound.child("error").map_or_else(
                || Refusal::new("not-xmpp", bound.raw.clone()),
                Refusal::read,
            ));
        };
        self.session_mut().jid = Some(jid.text.clone());
        Ok(jid.text.clone())
    }

    /// Joins as a Jitsi client does, without asking for a history.
    fn join(&mut self, room_jid: &str, nick: &str) -> Join {
        self.join_saying(room_jid, nick, "")
    }

    /// Joins with more in the presence, for example a `<password/>` inside its own `<x/>`.
    fn join_saying(&mut self, room_jid: &str, nick: &str, more: &str) -> Join {
        let (me, room) = (format!("{room_jid}/{nick}"), room_jid.to_lowercase());
        let muc = "<x xmlns='http://jabber.org/protocol/muc'/>";
        let presence = format!("<presence to='{}'>{muc}{more}</presence>", escape(&me));
        let answer = self.exchange(&presence, &mut |stanza| is_own(stanza, &room));
        match answer {
            Ok(presence) => read_join(&presence),
            Err(refusal) if refusal.condition == "no-answer" => Join::NoAnswer,
            Err(Refusal { condition, text }) => Join::Refused {
                kind: String::new(),
                condition,
                text,
                lobby: None,
            },
        }
    }

    /// Waits until one's own presence in the room shows this role, and gives the last one seen.
    ///
    /// Rights come a moment after the join, in a presence of their own: [`Client::join`] cannot
    /// tell. `None`: nothing new was said of oneself in that time.
    fn becomes(&mut self, room_jid: &str, role: &str, patience: Duration) -> Option<Join> {
        let (until, room) = (Instant::now() + patience, room_jid.to_lowercase());
        let (mut seen, mut others) = (None, VecDeque::new());
        while let Ok(Some(stanza)) = self.next(until) {
            if !is_own(&stanza, &room) {
                others.push_back(stanza);
                continue;
            }
            let standing = read_join(&stanza);
            let there = matches!(&standing, Join::Joined { role: now, .. } if now == role);
            seen = Some(standing);
            if there {
                break;
            }
        }
        others.append(&mut self.session_mut().inbox);
        self.session_mut().inbox = others;
        seen
    }

    /// Sends an `<iq/>` that has an id and gives the answer as it came, or what went wrong.
    fn iq(&mut self, xml: &str) -> String {
        let sent = xml::read_all(xml.as_bytes());
        let id = sent.first().and_then(|iq| iq.attribute("id"));
        match self.answer_to(xml, id.unwrap_or_default()) {
            Ok(answer) => answer.raw,
            Err(refusal) => refusal.to_string(),
        }
    }

    /// Sends an `<iq/>` made of its parts; `to` may be empty. An error answer is an answer.
    fn ask(&mut self, kind: &str, to: &str, payload: &str) -> Result<Element, Refusal> {
        self.session_mut().serial += 1;
        let id = format!("ask{}", self.session().serial);
        let to = match to {
            "" => String::new(),
            to => format!(" to='{}'", escape(to)),
        };
        self.answer_to(
            &format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>"),
            &id,
        )
    }

    fn answer_to(&mut self, xml: &str, id: &str) -> Result<Element, Refusal> {
        self.exchange(xml, &mut |stanza| {
            let kind = stanza.attribute("type");
            let answer = kind == Some("result") || kind == Some("error");
            stanza.local() == "iq" && answer && stanza.attribute("id") == Some(id)
        })
    }

    /// Sends and waits for the stanza that is wanted; others go to the inbox.
    fn exchange(
        &mut self,
        xml: &str,
        wanted: &mut dyn FnMut(&Element) -> bool,
    ) -> Result<Element, Refusal> {
        self.send(xml)?;
        let until = Instant::now() + self.session().patience;
        while let Some(stanza) = self.receive(until)? {
            if wanted(&stanza) {
                return Ok(stanza);
            }
            self.session_mut().inbox.push_back(stanza);
        }
        Err(Refusal::new("no-answer", format!("to {xml}")))
    }

    /// The oldest stanza not yet seen, from the inbox or from the wire.
    fn next(&mut self, until: Instant) -> Result<Option<Element>, Refusal> {
        match self.session_mut().inbox.pop_front() {
            Some(stanza) => Ok(Some(stanza)),
            None => self.receive(until),
        }
    }

    /// Waits for a stanza that somebody else causes; what comes before it is dropped.
    fn wait_for(
        &mut self,
        patience: Duration,
        wanted: &mut dyn FnMut(&Element) -> bool,
    ) -> Result<Element, Refusal> {
        let until = Instant::now() + patience;
        while let Some(stanza) = self.next(until)? {
            if wanted(&stanza) {
                return Ok(stanza);
            }
        }
        Err(Refusal::new("no-answer", "nothing of the kind came"))
    }

    /// Answers somebody's `<iq/>` with a result; nothing is sent for what is not a question.
    fn answer(&mut self, question: &Element, payload: &str) -> Result<(), Refusal> {
        self.reply("result", question, payload)
    }

    /// Answers a ping, and says of everything else that it is not known here.
    fn answer_politely(&mut self, question: &Element) -> Result<(), Refusal> {
        if question.child("ping").is_some() {
            return self.answer(question, "");
        }
        let condition = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
        let error = format!("<error type='cancel'>{condition}</error>");
        self.reply("error", question, &error)
    }

    fn reply(&mut self, kind: &str, question: &Element, payload: &str) -> Result<(), Refusal> {
        let asked = matches!(question.attribute("type"), Some("get" | "set"));
        if question.local() != "iq" || !asked {
            return Ok(());
        }
        let id = escape(question.attribute("id").unwrap_or_default());
        let to = match question.attribute("from") {
            Some(from) => format!(" to='{}'", escape(from)),
            None => String::new(),
        };
        self.send(&format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>"))
    }
}

impl<T: Wire + ?Sized> Client for T {}

/// Whether a stanza is the room's presence for oneself, or the room's refusal.
fn is_own(stanza: &Element, room: &str) -> bool {
    let from = stanza.attribute("from").unwrap_or_default();
    let error = stanza.attribute("type") == Some("error");
    let own = error || statuses(stanza).contains(&110);
    stanza.local() == "presence" && bare(from).to_lowercase() == room && own
}
