//! Jitsi's meeting tokens: claims to signed text and back, with the reason of every refusal.
//!
//! The claims are those that Prosody's `auth_token` and `token_verification` read. Unlike them,
//! this room never makes a token without `room`, `exp`, `nbf` and `sub`: one without `exp` would be
//! good for ever, and one without `room` leaves the client hanging. The time is an argument.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde_json::Value;

use crate::secret::Secret;

/// Longest life that a minted token may have: a token is a key to a room, not an account.
pub const LONGEST_LIFE: i64 = 30 * 86_400;

/// Seconds that a token is valid before its making, for clocks that are a little behind.
const LEEWAY: i64 = 10;

/// How tokens are signed.
pub enum Signer {
    /// HMAC with SHA-256.
    Hs256(Secret<String>),
    /// RSA with SHA-256: a private key in PEM, and the id of its public half.
    Rs256 {
        /// PKCS#1 or PKCS#8.
        private_key: Secret<String>,
        /// `kid`.
        key_id: String,
    },
}

/// How tokens are checked.
pub enum Verifier {
    /// HMAC with SHA-256.
    Hs256(Secret<String>),
    /// RSA with SHA-256, by a public key in PEM.
    Rs256(String),
}

/// What a token should allow, and whom.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `iss`: the site's `app_id`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `sub`: the site's domain, or the tenant.
    pub subject: String,
    /// The room, or `*` for all.
    pub room: String,
    /// Shown to others.
    pub name: Option<String>,
    /// Shown to others.
    pub email: Option<String>,
    /// Address of a picture.
    pub avatar: Option<String>,
    /// Stable id of the person.
    pub id: Option<String>,
    /// May they moderate?
    pub moderator: bool,
    /// Seconds until it ends.
    pub life: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    room: &'a str,
    nbf: i64,
    exp: i64,
    context: ContextClaim<'a>,
}

#[derive(Serialize)]
struct ContextClaim<'a> {
    user: UserClaim<'a>,
}

#[derive(Serialize)]
struct UserClaim<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
    // `token_affiliation` reads both; every other value means a plain member.
    affiliation: &'static str,
    moderator: bool,
}

/// A wish that cannot be granted, or a key that cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The room's name cannot be one.
    #[error("`{room}` is no room name: {why}")]
    Room {
        /// What was asked for.
        room: String,
        /// Why not.
        why: &'static str,
    },
    /// Too short or too long a life.
    #[error("a token may last from 1 second to 30 days")]
    Life,
    /// A text is far too long or has control characters.
    #[error("`{0}` is longer than 500 characters or has a control character")]
    Text(&'static str),
    /// The key is wrong.
    #[error("the signing key: {0}")]
    Key(String),
}

/// A room's name as the web application makes it: lower case. Empty names, `/`, `?` and what the
/// web server refuses in a path are refused.
///
/// # Errors
/// Says why it can be none.
pub fn room_name(room: &str) -> Result<String, TokenError> {
    let refuse = |why| {
        Err(TokenError::Room {
            room: crate::name::excerpt(room),
            why,
        })
    };
    if room == "*" {
        return Ok(room.to_owned());
    }
    if room.is_empty() || room.chars().count() > 200 {
        return refuse("it has no characters, or over 200");
    }
    if room
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || "/?&:'\"#%@<>\\*".contains(c))
    {
        return refuse("it may not have spaces or any of / ? & : ' \" # % @ < > \\ *");
    }
    if room.starts_with('.') {
        return refuse("it may not begin with a dot");
    }
    Ok(room.to_lowercase())
}

/// Makes a token.
///
/// # Errors
/// When the wish makes no sense or the key cannot sign.
pub fn mint(wish: &Wish, signer: &Signer, now: i64) -> Result<String, TokenError> {
    let room = room_name(&wish.room)?;
    if !(1..=LONGEST_LIFE).contains(&wish.life) {
        return Err(TokenError::Life);
    }
    let texts = [
        ("name", wish.name.as_ref()),
        ("email", wish.email.as_ref()),
        ("avatar", wish.avatar.as_ref()),
        ("id", wish.id.as_ref()),
    ];
    for (what, text) in texts {
        if text.is_some_and(|text| text.chars().count() > 500 || text.chars().any(char::is_control))
        {
            return Err(TokenError::Text(what));
        }
    }
    let claims = Claims {
        aud: &wish.audience,
        iss: &wish.issuer,
        sub: &wish.subject,
        room: &room,
        nbf: now - LEEWAY,
        exp: now + wish.life,
        context: ContextClaim {
            user: UserClaim {
                id: wish.id.as_deref(),
                name: wish.name.as_deref(),
                email: wish.email.as_deref(),
                avatar: wish.avatar.as_deref(),
                affiliation: if wish.moderator { "owner" } else { "member" },
                moderator: wish.moderator,
            },
        },
    };
    let key_error = |error: jsonwebtoken::errors::Error| TokenError::Key(error.to_string());
    let (header, key) = match signer {
        Signer::Hs256(secret) => (
            Header::new(Algorithm::HS256),
            EncodingKey::from_secret(secret.reveal().as_bytes()),
        ),
        Signer::Rs256 {
            private_key,
            key_id,
        } => {
            let mut header = Header::new(Algorithm::RS256);
            header.kid = Some(key_id.clone());
            (
                header,
                EncodingKey::from_rsa_pem(private_key.reveal().as_bytes()).map_err(key_error)?,
            )
        }
    };
    jsonwebtoken::encode(&header, &claims, &key).map_err(key_error)
}

/// A link that opens a room with a token. The token stands in the fragment, which browsers keep
/// out of requests, logs and `Referer`.
#[must_use]
pub fn link(authority: &str, room: &str, token: &str) -> String {
    format!(
        "https://{authority}/{}#jwt=%22{token}%22",
        percent_encoded(room)
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$()+,;=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
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
