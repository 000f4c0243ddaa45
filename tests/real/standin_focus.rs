//! A stand-in for Jicofo: **not Jicofo**, only the part that a client needs to get into a room.
//!
//! Like Jicofo it logs in as `focus@auth.DOM` over STARTTLS, sends presence, joins rooms under the
//! nick `focus` (Jitsi's `muc_meeting_id` holds everybody else back until that nick is in) and
//! answers `<conference/>` questions, which reach it through the `client_proxy` component. Also
//! like Jicofo it does not answer that component's request for a subscription: without the roster
//! entry made at installation the questions never arrive. It knows no bridges, no Jingle, no
//! health checks and no moderation.

#![allow(dead_code, reason = "each test uses only a part")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use super::xmpp::{C2s, Client, Element, Join, Login, PATIENCE, Refusal, Wire, escape};

const NICK: &str = "focus";

/// A `<conference/>` question as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `focus.DOM/CLIENT` when it came through the proxy.
    pub from: String,
    pub room: String,
}

/// Runs until dropped.
#[derive(Debug)]
pub struct StandinFocus {
    /// The full JID that the server gave it.
    pub jid: String,
    orders: Sender<Order>,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    questions: Vec<Question>,
    end: Option<Refusal>,
}

#[derive(Debug)]
enum Order {
    Create(String, Sender<Join>),
    Leave(String),
    Stop,
}

impl StandinFocus {
    /// Logs in as `focus` at `auth_domain` and starts to serve.
    pub fn start(
        addr: SocketAddr,
        auth_domain: &str,
        trust: Arc<ClientConfig>,
        password: &str,
    ) -> Result<Self, Refusal> {
        let mut wire = C2s::new(addr, auth_domain, Some(trust));
        let jid = wire.login(&Login::scram_sha_1("focus", password))?;
        wire.send("<presence/>")?;
        let (orders, received) = channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let desk = Desk {
            wire,
            address: format!("focus@{auth_domain}"),
            rooms: BTreeMap::new(),
            seen: Arc::clone(&seen),
        };
        let thread = std::thread::spawn(move || desk.serve(&received));
        Ok(StandinFocus {
            jid,
            orders,
            seen,
            thread: Some(thread),
        })
    }

    /// Joins the room, which makes it if it is not there. Asked again, it says the same again.
    pub fn create_room(&self, room_jid: &str) -> Join {
        let (answer, answered) = channel();
        let order = Order::Create(room_jid.to_owned(), answer);
        match self.orders.send(order) {
            // a join waits for `PATIENCE`, and another one may be under way
            Ok(()) => answered
                .recv_timeout(PATIENCE * 3)
                .unwrap_or(Join::NoAnswer),
            Err(_) => Join::NoAnswer,
        }
    }

    /// Leaves the room, which ends it when nobody else is in.
    pub fn leave_room(&self, room_jid: &str) {
        // a stand-in that has stopped has left already
        let _ = self.orders.send(Order::Leave(room_jid.to_owned()));
    }

    /// The questions so far, oldest first.
    pub fn questions(&self) -> Vec<Question> {
        self.look(|seen| seen.questions.clone())
    }

    /// Why it stopped, if it did so by itself.
    pub fn end(&self) -> Option<Refusal> {
        self.look(|seen| seen.end.clone())
    }

    fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        let seen = self.seen.lock();
        at(&seen.unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Drop for StandinFocus {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Desk {
    wire: C2s,
    address: String,
    rooms: BTreeMap<String, Join>,
    seen: Arc<Mutex<Seen>>,
}

impl Desk {
    fn serve(mut self, orders: &Receiver<Order>) {
        if let Err(refusal) = self.work(orders)
            && let Ok(mut seen) = self.seen.lock()
        {
            seen.end = Some(refusal);
        }
    }

    fn work(&mut self, orders: &Receiver<Order>) -> Result<(), Refusal> {
        loop {
            match orders.try_recv() {
                Ok(Order::Create(room, answer)) => {
                    // the test may have stopped waiting
                    let _ = answer.send(self.create(&room)?);
                }
                Ok(Order::Leave(room)) => self.leave(&room)?,
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return self.wire.close(),
                Err(TryRecvError::Empty) => {}
            }
            let soon = Instant::now() + Duration::from_millis(50);
            if let Some(stanza) = self.wire.next(soon)? {
                self.answer(&stanza)?;
            }
        }
    }

    fn answer(&mut self, stanza: &Element) -> Result<(), Refusal> {
        let Some(question) = stanza.child("conference") else {
            return self.wire.answer_politely(stanza);
        };
        let said = |of: &Element, name| of.attribute(name).unwrap_or_default().to_owned();
        let (from, room) = (said(stanza, "from"), said(question, "room"));
        if let Ok(mut seen) = self.seen.lock() {
            let room = room.clone();
            seen.questions.push(Question { from, room });
        }
        let ready = matches!(self.create(&room)?, Join::Joined { .. });
        let (room, address) = (escape(&room), &self.address);
        self.wire.answer(
            stanza,
            &format!(
                "<conference xmlns='http://jitsi.org/protocol/focus' room='{room}' \
                 ready='{ready}' focusjid='{address}'>\
                 <property name='authentication' value='false'/></conference>"
            ),
        )
    }

    /// Errors: only those that end the stream; a room that refuses is an answer.
    fn create(&mut self, room: &str) -> Result<Join, Refusal> {
        if let Some(known) = self.rooms.get(room) {
            return Ok(known.clone());
        }
        let join = self.wire.join(room, NICK);
        if matches!(join, Join::Joined { .. }) {
            self.configure(room)?;
            self.rooms.insert(room.to_owned(), join.clone());
        }
        Ok(join)
    }

    /// Accepts the room's settings, all JIDs visible to all, as Jicofo asks for.
    fn configure(&mut self, room: &str) -> Result<(), Refusal> {
        let field =
            |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
        let fields = [
            field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"),
            field("muc#roomconfig_whois", "anyone"),
        ];
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'>{}</x>",
            fields.concat()
        );
        let owner = "http://jabber.org/protocol/muc#owner";
        let query = format!("<query xmlns='{owner}'>{form}</query>");
        self.wire.ask("set", room, &query)?;
        Ok(())
    }

    fn leave(&mut self, room: &str) -> Result<(), Refusal> {
        if self.rooms.remove(room).is_none() {
            return Ok(());
        }
        let me = escape(&format!("{room}/{NICK}"));
        self.wire
            .send(&format!("<presence to='{me}' type='unavailable'/>"))
    }
}
