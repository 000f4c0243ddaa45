//! From a mail in the outbox to what goes over the wire (RFC 5322): both parts, a number under our
//! own name, and the word that no machine should answer (RFC 3834).

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::Trouble;
use crate::account::post::Mail;

/// Who writes.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Sender {
    from: Mailbox,
    /// The host of the service's address: the right side of every Message-ID.
    domain: String,
}

/// A mail as it is sent.
pub(super) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

impl Sender {
    /// The sender of the settings, or `no-reply` at the service's own host.
    pub(super) fn new(from: &str, public_url: &str) -> Result<Self, Trouble> {
        let rest = public_url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().map(|ip| format!("[IPv6:{ip}]")),
            None => authority.split(':').next().map(|name| {
                let is_address = name.parse::<std::net::IpAddr>().is_ok();
                if is_address {
                    format!("[{name}]")
                } else {
                    name.to_owned()
                }
            }),
        };
        let domain = host.unwrap_or_default();
        let usual = format!(
            "no-reply@{}",
            if domain.starts_with('[') {
                "localhost"
            } else {
                &domain
            }
        );
        let from = if from.is_empty() { &usual } else { from };
        let from = from
            .parse()
            .map_err(|_| Trouble::Lasting(format!("`mail.from`: `{from}` is no sender")))?;
        Ok(Self { from, domain })
    }

    /// How we introduce ourselves to a server.
    pub(super) fn domain(&self) -> &str {
        &self.domain
    }

    /// Writes a mail out. What could begin a header of its own is refused, not repaired.
    pub(super) fn write(&self, mail: &Mail, id: &str, millis: i64) -> Result<Letter, Trouble> {
        for (what, text) in [("address", &mail.recipient), ("subject", &mail.subject)] {
            if text.chars().any(char::is_control) {
                return Err(Trouble::Lasting(format!(
                    "its {what} has a control character"
                )));
            }
        }
        let to = mail
            .recipient
            .parse::<lettre::Address>()
            .map_err(|_| Trouble::Lasting("its recipient is no address".into()))?;
        let word = |name, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let millis = u64::try_from(millis).unwrap_or_default();
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.as_str())
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{id}@{}>", self.domain)))
            .raw_header(word("Auto-Submitted", "auto-generated"))
            .raw_header(word("X-Auto-Response-Suppress", "All"));
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone());
        let built = if mail.html.is_empty() {
            builder.singlepart(text)
        } else {
            let html = SinglePart::builder()
                .header(ContentType::TEXT_HTML)
                .body(mail.html.clone());
            builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
        };
        let message = built.map_err(|error| Trouble::Lasting(error.to_string()))?;
        Ok(Letter {
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(recipient: &str, subject: &str) -> Mail {
        Mail {
            recipient: recipient.into(),
            subject: subject.into(),
            text: "Guten Tag, Änn.\n.\nFrom here".into(),
            html: "<p>Guten Tag, Änn.</p>".into(),
        }
    }

    #[test]
    fn what_the_wire_carries() {
        let sender = Sender::new(
            "Meetings Ä <no-reply@example.org>",
            "https://meet.example.org:8443/a",
        )
        .unwrap();
        let letter = sender
            .write(&mail("ann@example.org", "Bestätigen"), "018f", 0)
            .unwrap();
        let text = String::from_utf8(letter.bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "Message-ID: <018f@meet.example.org>",
            "Auto-Submitted: auto-generated",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "To: ann@example.org",
            "MIME-Version: 1.0",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}\n{head}");
        }
        assert!(text.is_ascii(), "any server must take it: {text}");
        assert!(head.contains("multipart/alternative"), "{head}");
        let plain = body.find("text/plain").unwrap();
        assert!(
            plain < body.find("text/html").unwrap(),
            "the better part is the last"
        );
        assert_eq!(
            letter.envelope.from().unwrap().to_string(),
            "no-reply@example.org"
        );
    }

    #[test]
    fn nothing_begins_a_header() {
        let sender = Sender::new("", "https://meet.example.org").unwrap();
        for hostile in [
            mail("ann@example.org\r\nBcc: ben@example.org", "Hello"),
            mail("ann@example.org", "Hello\r\nBcc: ben@example.org"),
            mail("ann@example.org", "Hello\nBcc: ben@example.org"),
            mail("ann@example.org, ben@example.org", "Hello"),
            mail("<ann@example.org> SIZE=1", "Hello"),
            mail("", "Hello"),
        ] {
            assert!(matches!(
                sender.write(&hostile, "018f", 0),
                Err(Trouble::Lasting(_))
            ));
        }
    }

    #[test]
    fn a_site_without_a_name_has_a_sender_too() {
        for (url, from, domain) in [
            (
                "https://meet.example.org/a",
                "no-reply@meet.example.org",
                "meet.example.org",
            ),
            ("http://127.0.0.1:8480", "no-reply@localhost", "[127.0.0.1]"),
            ("http://[::1]:8480/a", "no-reply@localhost", "[IPv6:::1]"),
        ] {
            let sender = Sender::new("", url).unwrap();
            assert_eq!(
                (sender.from.to_string().as_str(), sender.domain()),
                (from, domain)
            );
        }
    }
}
