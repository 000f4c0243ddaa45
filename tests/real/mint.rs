//! Tokens: good ones made by the library, others by hand, since the library makes no bad ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jitsi_install::secret::Secret;
use jitsi_install::token::{Signer, Wish, mint};
use serde_json::{Value, json};

/// The key of a site, and what its tokens must say.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) secret: String,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) domain: String,
}

impl Desk {
    /// A token of the library for one room.
    pub(crate) fn token(&self, room: &str, moderator: bool) -> String {
        self.token_for(&self.domain, room, moderator)
    }

    /// The same with a subject of one's own, such as a tenant.
    pub(crate) fn token_for(&self, subject: &str, room: &str, moderator: bool) -> String {
        let wish = Wish {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            subject: subject.to_owned(),
            room: room.to_owned(),
            name: Some("Ada".to_owned()),
            email: None,
            avatar: None,
            id: None,
            moderator,
            life: 600,
        };
        let signer = Signer::Hs256(Secret::new(self.secret.clone()));
        match mint(&wish, &signer, now()) {
            Ok(token) => token,
            Err(error) => panic!("no token: {error}"),
        }
    }

    /// The claims of a good moderator, for spoiling.
    pub(crate) fn claims(&self, room: &str) -> Value {
        json!({
            "iss": self.issuer, "aud": self.audience, "sub": self.domain, "room": room,
            "nbf": now() - 10, "exp": now() + 600,
            "context": { "user": { "name": "Mallory", "moderator": true, "affiliation": "owner" } },
        })
    }

    /// Good claims but for one.
    pub(crate) fn spoiled(&self, room: &str, claim: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims(room);
        claims[claim] = value.into();
        signed("HS256", &claims, &self.secret)
    }
}

/// Any claims, with any `alg`; `none` leaves the signature empty.
pub(crate) fn signed(alg: &str, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": alg, "typ": "JWT" });
    let text = format!("{}.{}", part(&header), part(claims));
    let key = secret.as_bytes();
    let signature = match alg {
        "HS256" => mac::<Hmac<sha2::Sha256>>(key, &text),
        "HS512" => mac::<Hmac<sha2::Sha512>>(key, &text),
        _ => Vec::new(),
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

/// The claims of a token, unchecked.
pub(crate) fn claims_of(token: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}
