//! People without a token: they wait for a host, and whatever they bring, they stay guests.

use std::time::Instant;

use super::mint::signed;
use super::signalling::{LONG, Round, conference_room};
use super::site::{DOMAIN, Transport};
use super::xmpp::{Client, Join, Refusal, Wire};

/// From the closed door to the plain participant.
pub(crate) fn wait_for_a_host(round: &mut Round<'_>) {
    let desk = round.site.desk.clone();
    let room = round.room("guests");
    let address = conference_room(&room);
    let lobby = format!("{room}@lobby.{DOMAIN}");

    let mut guest = round.guest_inside(&room, None);
    let jid = guest.session().jid.clone().unwrap_or_default();
    let name = round.named("a guest's address is of the guest host");
    let at_guests = jid.contains(&format!("@guest.{DOMAIN}/"));
    round.cases.holds(&name, at_guests, || jid);
    let join = guest.join(&address, "guest");
    round.refused("a guest makes no room", &join, "not-allowed", "");
    round.focus.create_room(&address);
    let join = guest.join(&address, "guest");
    round.waits("a guest waits", &join, &room);
    let join = guest.join(&lobby, "guest");
    round.standing("a guest enters the lobby", join, "none", "participant");

    let forged = signed(
        "HS256",
        &desk.claims(&room),
        "not the secret, but long enough for it",
    );
    let good = desk.token(&room, true);
    let brought = [
        ("garbage", "garbage"),
        ("a forged token", &forged),
        ("a good token", &good),
    ];
    for (what, token) in brought {
        let mut sly = round.guest_inside(&room, Some(token));
        let join = sly.join(&address, "sly");
        round.waits(&format!("a guest with {what} waits"), &join, &room);
        let _ = sly.close();
    }
    let bearer = format!("Bearer {good}");
    let header = ("Authorization", bearer.as_str());
    let mut sly = round.with_header(&format!("guest.{DOMAIN}"), &[("room", &room)], header);
    let name = round.named("a guest with a Bearer header gets on the guest host");
    round.cases.must(&name, sly.login_anonymous());
    let join = sly.join(&address, "sly");
    round.waits("a guest with a Bearer header waits", &join, &room);
    let _ = sly.close();

    let mut thief = round.bearer(&room, &desk.token("elsewhere", true));
    let join = thief.join(&address, "thief");
    round.refused(
        "a token for another room is no host",
        &join,
        "not-allowed",
        "mismatched",
    );
    let mut second = round.guest_inside(&room, None);
    let join = second.join(&address, "second");
    round.waits("after that, guests still wait", &join, &room);

    let mut host = round.bearer(&room, &desk.token(&room, false));
    let join = host.join(&address, "host");
    round.standing("the host", join, "member", "participant");
    let told = guest.wait_for(LONG, &mut |stanza| stanza.find("destroy").is_some());
    let to = told.map(|stanza| {
        let place = stanza.find("destroy").and_then(|end| end.attribute("jid"));
        place.unwrap_or_default().to_owned()
    });
    let name = round.named("those in the lobby are sent into the room");
    round.cases.same(&name, to, Ok(address.clone()));
    let join = guest.join(&address, "guest");
    round.standing("a guest, once the host is in", join, "none", "participant");
    let mut sly = round.guest_inside(&room, Some(&good));
    let join = sly.join(&address, "sly");
    round.standing(
        "a guest with a good token, once the host is in",
        join,
        "none",
        "participant",
    );
    let _ = host.close();
    let mut late = round.guest_inside(&room, None);
    let join = late.join(&address, "late");
    round.standing(
        "a guest, after the host has left",
        join,
        "none",
        "participant",
    );
    for mut stream in [guest, second, sly, late, thief] {
        let _ = stream.close();
    }
    round.focus.leave_room(&address);
}

/// Nobody from the web gets where the bridges report, nor makes a room anywhere.
pub(crate) fn closed_rooms(round: &mut Round<'_>) {
    let room = round.room("closed");
    let token = round.site.desk.token("*", true);
    let people = [
        ("a guest", round.guest_inside(&room, None)),
        ("a moderator", round.bearer(&room, &token)),
    ];
    for (who, mut stream) in people {
        let places = [
            format!("jvbbrewery@internal.auth.{DOMAIN}"),
            format!("evil-{}@internal.auth.{DOMAIN}", round.transport.name()),
            format!("{room}@lobby.{DOMAIN}"),
            format!("{room}@breakout.{DOMAIN}"),
        ];
        for place in places {
            let seen = knock(&mut *stream, round.transport, &place);
            let stays_out = matches!(&seen, Ok(None | Some(Join::Refused { .. })));
            let name = round.named(&format!("{who} stays out of {place}"));
            round.cases.holds(&name, stays_out, || format!("{seen:?}"));
        }
        let _ = stream.close();
    }
}

/// Joins and pings one's own server behind it, so that an answer which does not come is known
/// not to come without much waiting. `None`: no answer.
fn knock(stream: &mut dyn Wire, transport: Transport, room: &str) -> Result<Option<Join>, Refusal> {
    let muc = "http://jabber.org/protocol/muc";
    let join = format!("<presence to='{room}/evil'><x xmlns='{muc}'/></presence>");
    let ping = "type='get' id='behind'><ping xmlns='urn:xmpp:ping'/></iq>";
    match transport {
        // a frame holds one stanza; a BOSH body holds many, and saves a wait
        Transport::Websocket => {
            stream.send(&join)?;
            stream.send(&format!("<iq {ping}"))?;
        }
        Transport::Bosh => {
            stream.send(&format!("{join}<iq xmlns='jabber:client' {ping}"))?;
        }
    }
    let until = Instant::now() + LONG;
    while let Some(stanza) = stream.receive(until)? {
        let of_room = stanza
            .attribute("from")
            .unwrap_or_default()
            .starts_with(room);
        if stanza.local() == "presence" && of_room {
            return Ok(Some(super::xmpp::read_join(&stanza)));
        }
        if stanza.attribute("id") == Some("behind") {
            return Ok(None);
        }
    }
    Err(Refusal::new("no-answer", "to a ping"))
}
