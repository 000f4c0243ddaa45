//! Who gets in, through nginx and through Caddy, by BOSH and by WebSocket.
//!
//! One site per web server; the subjects (`tokens`, `guests`, `conference`, `services`, `machine`)
//! are asked one after the other on it.

use std::time::Duration;

use super::cases::{Cases, are_here};
use super::site::{DOMAIN, Server, Site, Transport, Visit};
use super::standin_focus::StandinFocus;
use super::xmpp::{Client, Join, Wire};
use super::{conference, guests, machine, services, tokens};

/// What every subject gets.
pub(crate) struct Round<'a> {
    pub(crate) site: &'a Site,
    pub(crate) focus: &'a StandinFocus,
    pub(crate) transport: Transport,
    pub(crate) cases: &'a mut Cases,
}

impl Round<'_> {
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}: {name}", self.transport.name())
    }

    /// A room that no other round uses.
    pub(crate) fn room(&self, name: &str) -> String {
        format!("{name}-{}", self.transport.name())
    }

    fn stream(&self, host: &str, tenant: &str, query: &[(&str, &str)]) -> Box<dyn Wire> {
        let (transport, headers) = (self.transport, &[][..]);
        self.site.visit(&Visit {
            transport,
            host,
            tenant,
            query,
            headers,
        })
    }

    /// Somebody with a token, or with none, at the token host.
    pub(crate) fn with_token(&self, room: &str, token: Option<&str>) -> Box<dyn Wire> {
        self.with_token_below("", room, token)
    }

    pub(crate) fn with_token_below(
        &self,
        tenant: &str,
        room: &str,
        token: Option<&str>,
    ) -> Box<dyn Wire> {
        match token {
            Some(token) => self.stream(DOMAIN, tenant, &[("room", room), ("token", token)]),
            None => self.stream(DOMAIN, tenant, &[("room", room)]),
        }
    }

    /// Somebody at the guest host, who may bring a token that should not count.
    pub(crate) fn guest(&self, room: &str, token: Option<&str>) -> Box<dyn Wire> {
        let host = format!("guest.{DOMAIN}");
        match token {
            Some(token) => self.stream(&host, "", &[("room", room), ("token", token)]),
            None => self.stream(&host, "", &[("room", room)]),
        }
    }

    /// The same as the last two with one more header.
    pub(crate) fn with_header(
        &self,
        host: &str,
        query: &[(&str, &str)],
        header: (&str, &str),
    ) -> Box<dyn Wire> {
        self.site.visit(&Visit {
            transport: self.transport,
            host,
            tenant: "",
            query,
            headers: &[header],
        })
    }

    /// A guest who is logged in; what goes wrong there is noted.
    pub(crate) fn guest_inside(&mut self, room: &str, token: Option<&str>) -> Box<dyn Wire> {
        let mut guest = self.guest(room, token);
        let name = self.named("a guest gets on the guest host");
        self.cases.must(&name, guest.login_anonymous());
        guest
    }

    /// A bearer of a token who is logged in.
    pub(crate) fn bearer(&mut self, room: &str, token: &str) -> Box<dyn Wire> {
        let mut bearer = self.with_token(room, Some(token));
        let name = self.named("a good token connects");
        self.cases.must(&name, bearer.login_anonymous());
        bearer
    }

    /// How somebody fared in a room.
    pub(crate) fn standing(&mut self, name: &str, join: Join, affiliation: &str, role: &str) {
        let name = self.named(name);
        let fits = matches!(&join, Join::Joined { affiliation: a, role: r, .. } if a == affiliation && r == role);
        self.cases.holds(&name, fits, || {
            format!("got  {join:?}\n    want {affiliation}/{role}")
        });
    }

    pub(crate) fn refused(&mut self, name: &str, join: &Join, condition: &str, text: &str) {
        let name = self.named(name);
        let fits = matches!(join, Join::Refused { condition: c, text: t, .. } if c == condition && t.contains(text));
        self.cases.holds(&name, fits, || {
            format!("got  {join:?}\n    want {condition}: {text}")
        });
    }

    /// Refused, and shown the lobby of that room in place.
    pub(crate) fn waits(&mut self, name: &str, join: &Join, room: &str) {
        let name = self.named(name);
        let wanted = format!("{room}@lobby.{DOMAIN}");
        let fits = matches!(join, Join::Refused { condition, lobby: Some(lobby), .. }
            if condition == "registration-required" && *lobby == wanted);
        self.cases.holds(&name, fits, || {
            format!("got  {join:?}\n    want the lobby {wanted}")
        });
    }
}

/// The address of a room.
pub(crate) fn conference_room(room: &str) -> String {
    format!("{room}@conference.{DOMAIN}")
}

fn everything(server: Server) {
    if !are_here(&["prosody", server.name()]) {
        return;
    }
    let site = Site::start(server);
    let mut cases = Cases::new(&format!("signalling through {}", server.name()));
    machine::fresh(&site, &mut cases);
    let mut brewery = services::log_in(&site, &mut cases);
    let focus = StandinFocus::start(
        site.c2s,
        &format!("auth.{DOMAIN}"),
        site.auth_trust(),
        &site.focus_password,
    );
    if let Some(focus) = cases.must("focus starts", focus) {
        for transport in Transport::ALL {
            let mut round = Round {
                site: &site,
                focus: &focus,
                transport,
                cases: &mut cases,
            };
            tokens::refused(&mut round);
            tokens::rooms(&mut round);
            tokens::tenants(&mut round);
            tokens::headers(&mut round);
            guests::wait_for_a_host(&mut round);
            guests::closed_rooms(&mut round);
            conference::through_the_proxy(&mut round);
        }
        cases.same("focus went on to the end", focus.end(), None);
    }
    if let Some(brewery) = &mut brewery {
        services::brewery_was_closed(brewery, &mut cases);
    }
    drop(brewery);
    machine::used(&site, &mut cases);
    for wrong in site.end() {
        cases.holds("nothing is left", false, || wrong);
    }
    cases.finish();
}

#[test]
fn through_nginx() {
    everything(Server::Nginx);
}

#[test]
fn through_caddy() {
    everything(Server::Caddy);
}

/// How long to wait at most for something that comes.
pub(crate) const LONG: Duration = Duration::from_secs(15);
