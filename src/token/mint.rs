//! A wish becomes a signed token, or a link with one.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

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
