//! What a room says to somebody who joins it (XEP-0045, and Jitsi's lobby).

use super::{Element, Refusal};

/// How a room answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    Joined {
        /// `owner`, `admin`, `member` or `none`.
        affiliation: String,
        /// `moderator` or `participant`.
        role: String,
        /// 110 is oneself, 201 a room made by this join.
        statuses: Vec<u16>,
    },
    Refused {
        /// The type of the error: `auth`, `cancel`, `wait`; empty when the stream itself broke.
        kind: String,
        condition: String,
        text: String,
        /// The lobby room offered in place.
        lobby: Option<String>,
    },
    NoAnswer,
}

/// A JID without its resource.
pub fn bare(jid: &str) -> &str {
    jid.split('/').next().unwrap_or_default()
}

/// The numbers of the `<status/>` elements in a room's presence.
pub fn statuses(presence: &Element) -> Vec<u16> {
    let codes = presence.find_all("status").into_iter();
    codes
        .filter_map(|status| status.attribute("code")?.parse().ok())
        .collect()
}

/// Reads a presence of one's own, or one that refuses.
pub fn read_join(presence: &Element) -> Join {
    if presence.attribute("type") == Some("error") {
        let error = presence.child("error").cloned().unwrap_or_default();
        let lobby = presence.find("lobbyroom");
        let conditions = error.children.iter();
        let named = conditions.filter(|child| child.local() != "lobbyroom");
        let Refusal { condition, text } = Refusal::read(&Element {
            children: named.cloned().collect(),
            ..Element::default()
        });
        return Join::Refused {
            kind: error.attribute("type").unwrap_or_default().to_owned(),
            condition,
            text,
            lobby: lobby.map(|room| room.text.clone()),
        };
    }
    let item = presence.find("item").cloned().unwrap_or_default();
    let said = |name: &str| item.attribute(name).unwrap_or_default().to_owned();
    Join::Joined {
        affiliation: said("affiliation"),
        role: said("role"),
        statuses: statuses(presence),
    }
}

#[cfg(test)]
mod tests {
    use super::super::xml::read_all;
    use super::*;

    #[test]
    fn a_room_that_refuses_may_offer_its_lobby() {
        let presence = read_all(
            b"<presence type='error' from='r@c/me'><error code='407' type='auth'>\
            <registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
            <text>wait</text></error><lobbyroom>r@lobby</lobbyroom></presence>",
        );
        let refused = Join::Refused {
            kind: "auth".to_owned(),
            condition: "registration-required".to_owned(),
            text: "wait".to_owned(),
            lobby: Some("r@lobby".to_owned()),
        };
        assert_eq!(read_join(&presence[0]), refused);
    }
}
