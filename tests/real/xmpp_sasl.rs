//! SASL: ANONYMOUS, PLAIN (RFC 4616), SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677), without
//! channel binding.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{Client, Element, Refusal};

const NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// How to log in. Names are local parts, without `@host`.
#[derive(Debug, Clone)]
pub enum Login {
    Anonymous,
    Plain {
        user: String,
        password: String,
    },
    ScramSha1 {
        user: String,
        password: String,
    },
    ScramSha256 {
        user: String,
        password: String,
    },
    /// A mechanism and the bytes of its first message, to see how a server takes them.
    Raw(&'static str, Vec<u8>),
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

    pub fn scram_sha_256(user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        Login::ScramSha256 { user, password }
    }

    /// The name that the server offers it under.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Login::Anonymous => "ANONYMOUS",
            Login::Plain { .. } => "PLAIN",
            Login::ScramSha1 { .. } => "SCRAM-SHA-1",
            Login::ScramSha256 { .. } => "SCRAM-SHA-256",
            Login::Raw(mechanism, _) => mechanism,
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
        Login::ScramSha1 { user, password } => scram::<Sha1Keys, C>(client, user, password)?,
        Login::ScramSha256 { user, password } => scram::<Sha256Keys, C>(client, user, password)?,
        Login::Raw(mechanism, message) => {
            say(client, &auth(mechanism, &STANDARD.encode(message)))?;
        }
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

/// What SCRAM asks of a hash.
trait Keys {
    const MECHANISM: &'static str;
    fn hash(bytes: &[u8]) -> Vec<u8>;
    fn hmac(key: &[u8], message: &[u8]) -> Vec<u8>;
    fn derive(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Vec<u8>;
}

macro_rules! keys {
    ($name:ident, $hash:ty, $derive:ident, $length:literal, $mechanism:literal) => {
        struct $name;

        impl Keys for $name {
            const MECHANISM: &'static str = $mechanism;

            fn hash(bytes: &[u8]) -> Vec<u8> {
                <$hash>::digest(bytes).to_vec()
            }

            fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
                let mut mac = match Hmac::<$hash>::new_from_slice(key) {
                    Ok(mac) => mac,
                    Err(_) => unreachable!("HMAC takes keys of any length"),
                };
                mac.update(message);
                mac.finalize().into_bytes().to_vec()
            }

            fn derive(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
                // By the library whose speed does not depend on how these tests are built.
                let mut salted = [0; $length];
                pbkdf2::derive(pbkdf2::$derive, rounds, salt, password, &mut salted);
                salted.to_vec()
            }
        }
    };
}

keys!(Sha1Keys, Sha1, PBKDF2_HMAC_SHA1, 20, "SCRAM-SHA-1");
keys!(Sha256Keys, Sha256, PBKDF2_HMAC_SHA256, 32, "SCRAM-SHA-256");

/// Begins SCRAM, and gives its first message without the header and the server's challenge:
/// nonce, salt and iterations.
pub fn challenge<C: Client + ?Sized>(
    client: &mut C,
    mechanism: &str,
    user: &str,
) -> Result<(String, String), Refusal> {
    let mut chance = [0; 18];
    getrandom::fill(&mut chance).map_err(|error| odd(&format!("no chance: {error}")))?;
    let nonce = STANDARD.encode(chance);
    let user = user.replace('=', "=3D").replace(',', "=2C");
    let first = format!("n={user},r={nonce}");
    let hello = STANDARD.encode(format!("n,,{first}"));
    let challenge = data(&say(client, &auth(mechanism, &hello))?)?;
    if !field(&challenge, "r")?.starts_with(&nonce) {
        return Err(odd("the nonce is not ours"));
    }
    Ok((first, challenge))
}

fn scram<K: Keys, C: Client + ?Sized>(
    client: &mut C,
    user: &str,
    password: &str,
) -> Result<(), Refusal> {
    let (first, challenge) = challenge(client, K::MECHANISM, user)?;
    let salt = STANDARD.decode(field(&challenge, "s")?);
    let salt = salt.map_err(|_| odd("the salt is not base64"))?;
    let rounds = field(&challenge, "i")?.parse();
    let rounds = rounds.map_err(|_| odd("the iteration count is no number above 0"))?;

    let salted = K::derive(password.as_bytes(), &salt, rounds);
    let last = format!("c=biws,r={}", field(&challenge, "r")?);
    let signed = format!("{first},{challenge},{last}");
    let client_key = K::hmac(&salted, b"Client Key");
    let signature = K::hmac(&K::hash(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(k, s)| k ^ s)
        .collect();

    let answer = STANDARD.encode(format!("{last},p={}", STANDARD.encode(proof)));
    let answer = format!("<response xmlns='{NAMESPACE}'>{answer}</response>");
    let success = data(&say(client, &answer)?)?;
    let expected = K::hmac(&K::hmac(&salted, b"Server Key"), signed.as_bytes());
    match field(&success, "v")? == STANDARD.encode(expected) {
        true => Ok(()),
        false => Err(odd("the server does not know the password")),
    }
}

fn data(element: &Element) -> Result<String, Refusal> {
    let bytes = STANDARD.decode(element.text.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| odd(&element.raw))
}

pub fn field<'a>(message: &'a str, key: &str) -> Result<&'a str, Refusal> {
    let mut fields = message.split(',').filter_map(|field| field.split_once('='));
    let found = fields.find(|(name, _)| *name == key);
    found.map(|(_, value)| value).ok_or_else(|| odd(message))
}

fn odd(text: &str) -> Refusal {
    Refusal::new("not-xmpp", text)
}
