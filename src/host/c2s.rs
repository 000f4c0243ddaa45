//! A small XMPP client (RFC 6120) on loopback, for the doctor: it logs in as Jicofo and the bridge
//! do, over c2s with STARTTLS and SASL, and leaves at once.
//!
//! It binds no resource, so whoever is logged in under the same account notices nothing. The
//! password is not sent: with SCRAM-SHA-1 it is proved, with PLAIN it goes inside TLS to the
//! holder of the one certificate that the account trusts.

use std::io::{Read, Write};
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::line::{self, Line, PATIENCE};
use super::scram;
use super::stanza::{condition, elements, inner};
use crate::doctor::{Admission, LogIn};

/// Bytes of a conversation that are read.
const MOST: usize = 1 << 20;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Tries a log-in; see [`Probe::log_in`](crate::doctor::Probe::log_in).
///
/// # Errors
/// Why it did not come to a log-in.
pub fn log_in(order: &LogIn<'_>) -> Result<Admission, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], order.port));
    let mut plain = Talk::new(Line::dial(address)?);
    let features = plain.begin(&order.host)?;
    if !features.contains("<starttls") {
        return Err(format!("no STARTTLS for {} at {address}", order.host));
    }
    plain.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")?;
    plain.hear(|heard| heard.contains("<proceed").then_some(()))?;
    let (line, certificates) = line::secure(plain.stream, &order.host)?;
    let trusted = CertificateDer::from_pem_slice(order.trusted.as_bytes())
        .map_err(|_| "the certificate to trust is none")?;
    if certificates.first().map(Vec::as_slice) != Some(trusted.as_ref()) {
        return Ok(Admission {
            certificates,
            login: None,
        });
    }
    let mut talk = Talk::new(line);
    let features = talk.begin(&order.host)?;
    let offered: Vec<String> = elements(&features, "mechanism")
        .into_iter()
        .map(inner)
        .collect();
    let login = if offered.iter().any(|name| name == "SCRAM-SHA-1") {
        talk.prove(order)?
    } else if offered.iter().any(|name| name == "PLAIN") {
        talk.tell(order)?
    } else {
        Err(format!("no way to log in among `{}`", offered.join(" ")))
    };
    // Prosody closes the stream by itself after this; nobody waits for it.
    let _ = talk.say("</stream:stream>");
    Ok(Admission {
        certificates,
        login: Some(login),
    })
}

/// A stream and what was heard on it and not yet used.
struct Talk<S> {
    stream: S,
    heard: String,
}

impl<S: Read + Write> Talk<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            heard: String::new(),
        }
    }

    fn say(&mut self, text: &str) -> Result<(), String> {
        self.stream
            .write_all(text.as_bytes())
            .and_then(|()| self.stream.flush())
            .map_err(|error| format!("the stream broke off: {error}"))
    }

    /// Reads until `wanted` finds its answer.
    fn hear<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let mut chunk = [0; 8192];
        loop {
            if let Some(found) = wanted(&self.heard) {
                self.heard.clear();
                return Ok(found);
            }
            if self.heard.contains("<stream:error") {
                let why = condition(&self.heard).unwrap_or_default();
                return Err(format!("Prosody ends the stream: `{why}`"));
            }
            match self.stream.read(&mut chunk) {
                Ok(count) if count > 0 && self.heard.len() < MOST => {
                    let text = String::from_utf8_lossy(&chunk[..count]);
                    self.heard.push_str(&text);
                }
                Ok(_) => return Err("Prosody hung up".to_owned()),
                Err(_) => return Err(format!("no answer in {} s", PATIENCE.as_secs())),
            }
        }
    }

    /// Opens a stream, and gives its features.
    fn begin(&mut self, host: &str) -> Result<String, String> {
        self.say(&format!(
            "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        ))?;
        self.hear(|heard| {
            elements(heard, "stream:features")
                .first()
                .map(|all| (*all).to_owned())
        })
    }

    /// What SASL answers: data, or the condition of a refusal.
    fn answer(&mut self) -> Result<Result<String, String>, String> {
        self.hear(|heard| {
            let data = ["challenge", "success"]
                .into_iter()
                .find_map(|name| elements(heard, name).first().copied().map(inner));
            data.map(Ok).or_else(|| condition(heard).map(Err))
        })
    }

    /// SCRAM-SHA-1: neither side says the password, and both show that they know it.
    fn prove(&mut self, order: &LogIn<'_>) -> Result<Result<(), String>, String> {
        let mut random = [0; 18];
        super::random(&mut random);
        let first = scram::First::new(order.user, &STANDARD.encode(random));
        let hello = STANDARD.encode(format!("n,,{first}"));
        self.say(&format!(
            "<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{hello}</auth>"
        ))?;
        let challenge = match self.answer()? {
            Ok(data) => plain(&data)?,
            Err(condition) => return Ok(Err(condition)),
        };
        let last = first
            .last(&challenge, order.password.reveal())
            .ok_or("what came is no SCRAM")?;
        let response = STANDARD.encode(&last.message);
        self.say(&format!("<response xmlns='{SASL}'>{response}</response>"))?;
        Ok(match self.answer()? {
            Ok(data) if plain(&data)? == last.expected => Ok(()),
            Ok(_) => Err("Prosody does not know the password itself".to_owned()),
            Err(condition) => Err(condition),
        })
    }

    /// PLAIN (RFC 4616).
    fn tell(&mut self, order: &LogIn<'_>) -> Result<Result<(), String>, String> {
        let words = STANDARD.encode(format!("\0{}\0{}", order.user, order.password.reveal()));
        self.say(&format!(
            "<auth xmlns='{SASL}' mechanism='PLAIN'>{words}</auth>"
        ))?;
        Ok(self.answer()?.map(drop))
    }
}

fn plain(data: &str) -> Result<String, String> {
    let bytes = STANDARD.decode(data.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| "what came is no SASL".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread::JoinHandle;

    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use rustls_pki_types::PrivateKeyDer;

    use super::*;
    use crate::secret::Secret;

    const STREAM: &str = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>";

    /// A server for one visitor; what it gives back is what it heard.
    fn server(
        serve: impl FnOnce(TcpStream) -> String + Send + 'static,
    ) -> (u16, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let served = std::thread::spawn(move || serve(listener.accept().expect("a visitor").0));
        (port, served)
    }

    fn heard(stream: &mut impl Read, until: &str) -> String {
        let (mut text, mut chunk) = (String::new(), [0; 4096]);
        while !text.contains(until) {
            match stream.read(&mut chunk) {
                Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&chunk[..count])),
                _ => break,
            }
        }
        text
    }

    fn certificate() -> (String, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let params = rcgen::CertificateParams::new(vec!["auth.meet.example.org".to_owned()]);
        let made = params.expect("names").self_signed(&key);
        (made.expect("a certificate").pem(), key)
    }

    /// Prosody with one mechanism, to a visitor who may begin TLS.
    fn prosody(
        certificate: &str,
        key: &rcgen::KeyPair,
        mechanism: &'static str,
        verdict: &'static str,
    ) -> (u16, JoinHandle<String>) {
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        server(move |mut plain| {
            let _ = heard(&mut plain, "<stream:stream");
            let offer = "<stream:features><starttls/></stream:features>";
            plain
                .write_all(format!("{STREAM}{offer}").as_bytes())
                .expect("said");
            let _ = heard(&mut plain, "<starttls");
            plain.write_all(b"<proceed/>").expect("said");
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .expect("a pair");
            let session = ServerConnection::new(Arc::new(config)).expect("TLS");
            let mut inside = StreamOwned::new(session, plain);
            let mut all = heard(&mut inside, "<stream:stream");
            let offer = format!(
                "{STREAM}<stream:features><mechanisms><mechanism>{mechanism}</mechanism></mechanisms></stream:features>"
            );
            let _ = inside.write_all(offer.as_bytes());
            all.push_str(&heard(&mut inside, "</auth>"));
            let _ = inside.write_all(verdict.as_bytes());
            all
        })
    }

    fn visit(port: u16, trusted: &str) -> Result<Admission, String> {
        log_in(&LogIn {
            port,
            host: "auth.meet.example.org".to_owned(),
            user: "jvb",
            password: &Secret::new("hunter2".to_owned()),
            trusted,
        })
    }

    #[test]
    fn a_password_is_told_to_the_trusted_one_alone() {
        let (ours, key) = certificate();
        let words = STANDARD.encode("\0jvb\0hunter2");

        let (port, served) = prosody(&ours, &key, "PLAIN", "<success/>");
        let admission = visit(port, &ours).expect("a visit");
        assert_eq!(admission.login, Some(Ok(())));
        assert_eq!(admission.certificates.len(), 1);
        assert!(served.join().expect("served").contains(&words));

        let refusal = "<failure><not-authorized/></failure>";
        let (port, served) = prosody(&ours, &key, "PLAIN", refusal);
        let admission = visit(port, &ours).expect("a visit");
        assert_eq!(admission.login, Some(Err("not-authorized".to_owned())));
        served.join().expect("served");

        let (theirs, their_key) = certificate();
        let (port, served) = prosody(&theirs, &their_key, "PLAIN", "<success/>");
        let admission = visit(port, &ours).expect("a visit");
        assert_eq!(admission.login, None);
        assert_eq!(served.join().expect("served"), "");

        let (port, served) = prosody(&ours, &key, "ANONYMOUS", "");
        let admission = visit(port, &ours).expect("a visit");
        let why = admission.login.and_then(Result::err);
        assert_eq!(why.as_deref(), Some("no way to log in among `ANONYMOUS`"));
        served.join().expect("served");
    }

    #[test]
    fn what_is_no_prosody_is_named() {
        let (ours, _) = certificate();
        for (answer, why) in [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "Prosody hung up"),
            (
                "<stream:features></stream:features>",
                "no STARTTLS for auth.meet.example.org",
            ),
            (
                "<stream:error><host-unknown/></stream:error>",
                "`host-unknown`",
            ),
            (
                "<stream:features><starttls/></stream:features><proceed/>",
                "Prosody hung up",
            ),
        ] {
            let (port, served) = server(move |mut plain| {
                plain.write_all(answer.as_bytes()).expect("said");
                let _ = plain.shutdown(std::net::Shutdown::Write);
                heard(&mut plain, "never")
            });
            let said = visit(port, &ours).expect_err("no Prosody");
            assert!(said.contains(why), "{said}");
            served.join().expect("served");
        }
    }
}
