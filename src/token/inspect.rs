//! A token is taken apart, and every reason to refuse it is named.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Serialize;
use serde_json::Value;

use crate::secret::Secret;

/// How tokens are checked.
pub enum Verifier {
    /// HMAC with SHA-256.
    Hs256(Secret<String>),
    /// RSA with SHA-256, by a public key in PEM.
    Rs256(String),
}

/// What the site expects of a token.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `sub`, besides `*`.
    pub subject: String,
    /// The room that should be opened; `None` leaves it unchecked.
    pub room: Option<String>,
}

/// One finding about a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Is it in order?
    pub ok: bool,
    /// The claim or header field.
    pub about: String,
    /// What was found; lower case, no full stop.
    pub what: String,
}

/// A token taken apart.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Would the site accept it?
    pub accepted: bool,
    /// The header as JSON.
    pub header: Value,
    /// The claims as JSON.
    pub claims: Value,
    /// Everything that was checked.
    pub findings: Vec<Finding>,
}

/// Takes a token apart and says what a site would make of it.
#[must_use]
pub fn inspect(token: &str, verifier: &Verifier, expected: &Expectation, now: i64) -> Report {
    let mut findings = Vec::new();
    let mut say = |ok: bool, about: &str, what: String| {
        findings.push(Finding {
            ok,
            about: about.to_owned(),
            what,
        })
    };
    let header = part(token, 0);
    let claims = part(token, 1);
    let (Some(header), Some(claims)) = (header, claims) else {
        say(
            false,
            "token",
            "is not a JWT: three parts in base64url, divided by dots, are expected".to_owned(),
        );
        return Report {
            accepted: false,
            header: Value::Null,
            claims: Value::Null,
            findings,
        };
    };
    let alg = header["alg"].as_str().unwrap_or("none").to_owned();
    let (wanted, key) = match verifier {
        Verifier::Hs256(secret) => (
            "HS256",
            Ok(DecodingKey::from_secret(secret.reveal().as_bytes())),
        ),
        Verifier::Rs256(pem) => ("RS256", DecodingKey::from_rsa_pem(pem.as_bytes())),
    };
    if alg == wanted {
        say(true, "alg", format!("is {alg}"));
        let mut rules = Validation::new(if wanted == "HS256" {
            Algorithm::HS256
        } else {
            Algorithm::RS256
        });
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        match key.and_then(|key| jsonwebtoken::decode::<Value>(token, &key, &rules)) {
            Ok(_) => say(true, "signature", "is right".to_owned()),
            Err(error) => say(false, "signature", format!("is wrong: {error}")),
        }
    } else {
        say(
            false,
            "alg",
            format!(
                "is `{}`, and the site accepts {wanted} only",
                crate::name::excerpt(&alg)
            ),
        );
    }
    if wanted == "RS256" {
        let kid = header["kid"].as_str();
        say(
            kid.is_some(),
            "kid",
            kid.map_or(
                "is missing: Prosody finds the key by it".to_owned(),
                |kid| format!("is `{}`", crate::name::excerpt(kid)),
            ),
        );
    }
    claims_findings(&claims, expected, now, &mut say);
    Report {
        accepted: findings.iter().all(|finding| finding.ok),
        header,
        claims,
        findings,
    }
}

fn claims_findings(
    claims: &Value,
    expected: &Expectation,
    now: i64,
    say: &mut dyn FnMut(bool, &str, String),
) {
    let text = |name: &str| claims[name].as_str().map(crate::name::excerpt);
    match text("iss") {
        Some(_) if claims["iss"] == expected.issuer.as_str() => {
            say(true, "iss", format!("is `{}`", expected.issuer))
        }
        Some(iss) => say(
            false,
            "iss",
            format!("is `{iss}`, and the site accepts `{}`", expected.issuer),
        ),
        None => say(
            false,
            "iss",
            format!("is missing; the site accepts `{}`", expected.issuer),
        ),
    }
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if audiences.contains(&expected.audience.as_str()) {
        say(true, "aud", format!("has `{}`", expected.audience));
    } else if audiences.is_empty() {
        say(
            false,
            "aud",
            format!("is missing; the site accepts `{}`", expected.audience),
        );
    } else {
        say(
            false,
            "aud",
            format!(
                "is `{}`, and the site accepts `{}`",
                crate::name::excerpt(&audiences.join(", ")),
                expected.audience
            ),
        );
    }
    match claims["sub"].as_str() {
        Some(sub) if sub == "*" || sub.eq_ignore_ascii_case(&expected.subject) => {
            say(true, "sub", format!("is `{}`", crate::name::excerpt(sub)))
        }
        Some(sub) => say(
            false,
            "sub",
            format!(
                "is `{}`: it opens rooms of that tenant only, not those of `{}`",
                crate::name::excerpt(sub),
                expected.subject
            ),
        ),
        None => say(false, "sub", "is missing".to_owned()),
    }
    let is_pattern = claims["context"]["room"]["regex"] == Value::Bool(true);
    match (claims["room"].as_str(), &expected.room) {
        (None, _) => say(
            false,
            "room",
            "is missing: the client would hang".to_owned(),
        ),
        (Some(""), _) => say(false, "room", "is empty".to_owned()),
        (Some("*"), _) => say(true, "room", "is `*`: every room".to_owned()),
        (Some(room), _) if is_pattern => say(
            true,
            "room",
            format!(
                "is the Lua pattern `{}`, which only Prosody can try",
                crate::name::excerpt(room)
            ),
        ),
        (Some(room), None) => say(true, "room", format!("is `{}`", crate::name::excerpt(room))),
        (Some(room), Some(wanted)) if room.to_lowercase() == wanted.to_lowercase() => {
            say(true, "room", format!("is `{}`", crate::name::excerpt(room)))
        }
        (Some(room), Some(wanted)) => {
            say(
                false,
                "room",
                format!(
                    "is `{}`, and does not open `{}`",
                    crate::name::excerpt(room),
                    crate::name::excerpt(wanted)
                ),
            );
        }
    }
    let age = |seconds: i64| match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    match &claims["exp"] {
        Value::Number(number) => {
            let exp = seconds(number);
            if exp > now {
                say(true, "exp", format!("ends in {}", age(exp - now)));
            } else {
                say(false, "exp", format!("ended {} ago", age(now - exp)));
            }
        }
        Value::Null => say(
            false,
            "exp",
            "is missing: Prosody would accept this token for ever".to_owned(),
        ),
        _ => say(false, "exp", "is not a number".to_owned()),
    }
    match &claims["nbf"] {
        Value::Number(number) if seconds(number) > now => {
            say(
                false,
                "nbf",
                format!(
                    "begins in {}: are both clocks right?",
                    age(seconds(number) - now)
                ),
            );
        }
        Value::Number(_) => say(true, "nbf", "has begun".to_owned()),
        Value::Null => {}
        _ => say(false, "nbf", "is not a number".to_owned()),
    }
    let user = &claims["context"]["user"];
    let moderates = user["moderator"] == Value::Bool(true)
        || user["moderator"] == "true"
        || matches!(
            user["affiliation"].as_str(),
            Some("owner" | "moderator" | "teacher")
        );
    say(
        true,
        "context.user",
        if moderates {
            "moderates"
        } else {
            "does not moderate"
        }
        .to_owned(),
    );
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a time far outside i64 saturates, which is what is meant"
)]
fn seconds(number: &serde_json::Number) -> i64 {
    number
        .as_i64()
        .unwrap_or_else(|| number.as_f64().map_or(0, |seconds| seconds as i64))
}

/// One part of a token as JSON.
fn part(token: &str, place: usize) -> Option<Value> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    if parts.len() != 3 {
        return None;
    }
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[place]).ok()?).ok()?;
    value.is_object().then_some(value)
}
