//! SASL: ANONYMOUS, PLAIN (RFC 4616) and SCRAM-SHA-1 (RFC 5802), without channel binding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use super::{Client, Element, Refusal};

const NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// How to log in. Names are local parts, without `@host`.
#[derive(Debug, Clone)]
pub enum Login {
    Anonymous,
    Plain { user: String, password: String },
    ScramSha1 { user: String, password: String },
}

impl Login {
    pub fn plain(user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        Login::Plain { user, password }
    }

    pub fn scram_sha_1(user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        Login::ScramSha1 { user, password }
    }

    /// The name that the server offers it under.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Login::Anonymous => "ANONYMOUS",
            Login::Plain { .. } => "PLAIN",
            Login::ScramSha1 { .. } => "SCRAM-SHA-1",
        }
    }
}

/// Goes through SASL on a stream that is open. A mechanism that is not offered is not tried.
pub fn authenticate<C: Client + ?Sized>(client: &mut C, login: &Login) -> Result<(), Refusal> {
    let mechanism = login.mechanism();
    let offered = client.mechanisms();
    if !offered.iter().any(|name| name == mechanism) {
        let text = format!("{mechanism} is not among `{}`", offered.join(" "));
        return Err(Refusal::new("not-offered", text));
    }
    match login {
        Login::Anonymous => {
            say(client, &auth(mechanism, ""))?;
        }
        Login::Plain { user, password } => {
            let message = STANDARD.encode(format!("\0{user}\0{password}"));
            say(client, &auth(mechanism, &message))?;
        }
        Login::ScramSha1 { user, password } => scram(client, user, password)?,
    }
    Ok(())
}

/// Sends and gives the data of `<challenge/>` or `<success/>`; `<failure/>` is a refusal.
fn say<C: Client + ?Sized>(client: &mut C, xml: &str) -> Result<Element, Refusal> {
    let answer = client.exchange(xml, &mut |stanza| {
        matches!(stanza.local(), "success" | "challenge" | "failure")
    })?;
    match answer.local() {
        "failure" => Err(Refusal::read(&answer)),
        _ => Ok(answer),
    }
}

fn auth(mechanism: &str, data: &str) -> String {
    format!("<auth xmlns='{NAMESPACE}' mechanism='{mechanism}'>{data}</auth>")
}

fn scram<C: Client + ?Sized>(client: &mut C, user: &str, password: &str) -> Result<(), Refusal> {
    let mut chance = [0; 18];
    getrandom::fill(&mut chance).map_err(|error| odd(&format!("no chance: {error}")))?;
    let nonce = STANDARD.encode(chance);
    let user = user.replace('=', "=3D").replace(',', "=2C");
    let first = format!("n={user},r={nonce}");

    let hello = STANDARD.encode(format!("n,,{first}"));
    let challenge = data(&say(client, &auth("SCRAM-SHA-1", &hello))?)?;
    let server_nonce = field(&challenge, "r")?;
    if !server_nonce.starts_with(&nonce) {
        return Err(odd("the nonce is not ours"));
    }
    let salt = STANDARD.decode(field(&challenge, "s")?);
    let salt = salt.map_err(|_| odd("the salt is not base64"))?;
    let rounds = field(&challenge, "i")?.parse();
    let rounds = rounds.map_err(|_| odd("the iteration count is not a number"))?;

    let mut salted = [0; 20];
    pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), &salt, rounds, &mut salted);
    let last = format!("c=biws,r={server_nonce}");
    let signed = format!("{first},{challenge},{last}");
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&Sha1::digest(client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(k, s)| k ^ s)
        .collect();

    let answer = STANDARD.encode(format!("{last},p={}", STANDARD.encode(proof)));
    let answer = format!("<response xmlns='{NAMESPACE}'>{answer}</response>");
    let success = data(&say(client, &answer)?)?;
    let expected = hmac(&hmac(&salted, b"Server Key"), signed.as_bytes());
    match field(&success, "v")? == STANDARD.encode(expected) {
        true => Ok(()),
        false => Err(odd("the server does not know the password")),
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = match Hmac::<Sha1>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn data(element: &Element) -> Result<String, Refusal> {
    let bytes = STANDARD.decode(element.text.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| odd(&element.raw))
}

fn field<'a>(message: &'a str, key: &str) -> Result<&'a str, Refusal> {
    let mut fields = message.split(',').filter_map(|field| field.split_once('='));
    let found = fields.find(|(name, _)| *name == key);
    found.map(|(_, value)| value).ok_or_else(|| odd(message))
}

fn odd(text: &str) -> Refusal {
    Refusal::new("not-xmpp", text)
}
