//! A renewal while people are in meetings: nobody is dropped whom nginx's own reload would not drop.

use std::io::{Read, Write};
use std::net::SocketAddr;

use super::cases::{are_here, say};
use super::lego::left;
use super::place::{DOMAIN, Place, fingerprint_of};
use super::xmpp::{Client, Endpoint, Line, Route, Websocket, trusting};

/// How many of each kind.
const MANY: usize = 50;

/// People in meetings, and people who have read a page and may read another.
struct Crowd {
    meeting: Vec<Websocket>,
    reading: Vec<Line>,
}

impl Crowd {
    /// All come through the web server, which must show this certificate.
    fn arrive(place: &Place, certificate: &str) -> Self {
        let trust = trusting(&[certificate]).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], place.https));
        let site = Endpoint::tls(address, DOMAIN, trust);
        let meeting = (0..MANY).map(|_| {
            let route = Route::new(&site, "/xmpp-websocket");
            let mut client = Websocket::on(route, &format!("guest.{DOMAIN}"));
            client.login_anonymous().unwrap();
            client
        });
        let reading = (0..MANY).map(|_| site.connect().unwrap());
        let mut crowd = Self {
            meeting: meeting.collect(),
            reading: reading.collect(),
        };
        assert_eq!(crowd.answered(), (MANY, MANY));
        crowd
    }

    /// How many of each kind are answered on the connection that they have.
    fn answered(&mut self) -> (usize, usize) {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        let meeting = self.meeting.iter_mut().filter_map(|client| {
            let answer = client.ask("get", "", ping).ok()?;
            (answer.attribute("type") == Some("result")).then_some(())
        });
        let reading = self.reading.iter_mut().filter_map(|line| reads(line).ok());
        (meeting.count(), reading.count())
    }
}

/// Asks for a page without contents.
fn reads(line: &mut Line) -> std::io::Result<()> {
    write!(line, "GET /_unlock HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        line.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    if answer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

#[test]
fn a_renewal_drops_nobody_whom_a_reload_would_not() {
    if !are_here(&["openssl", "nginx", "prosody"]) {
        return;
    }
    let mut place = Place::new("lego", "nginx");
    place.start_prosody();
    place.start_nginx();
    let own = place.read(&format!("etc/jitsi/certs/{DOMAIN}.crt"));
    place.everybody_shows(&fingerprint_of(&own));

    let mut before = Crowd::arrive(&place, &own);
    place.reload_nginx();
    place.new_workers();
    let plain = before.answered();
    drop(before);

    let mut before = Crowd::arrive(&place, &own);
    let new = left(&place);
    let said = place.renew();
    assert!(said.contains("nginx: renewed"), "{said}");
    assert_eq!(
        before.answered(),
        (MANY, MANY),
        "files alone change nothing"
    );
    place.reload_nginx();
    place.reload_prosody();
    place.new_workers();
    place.everybody_shows(&fingerprint_of(&new));
    let renewed = before.answered();

    say(&format!(
        "of {MANY} websockets and {MANY} idle connections a reload leaves {plain:?}, a renewal {renewed:?}"
    ));
    assert_eq!(plain.0, MANY, "nobody in a meeting is dropped");
    assert_eq!(renewed, plain);
    let mut after = Crowd::arrive(&place, &new);
    assert_eq!(after.answered(), (MANY, MANY));
    assert_eq!(before.answered().0, MANY, "old and new side by side");
    assert!(place.runs("nginx") && place.runs("prosody"), "as started");
}
