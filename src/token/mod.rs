//! Jitsi's meeting tokens: claims to signed text and back, with the reason of every refusal.
//!
//! The claims are those that Prosody's `auth_token` and `token_verification` read. Unlike them,
//! this room never makes a token without `room`, `exp`, `nbf` and `sub`: one without `exp` would be
//! good for ever, and one without `room` leaves the client hanging. The time is an argument.
//!
//! `mint` makes them, `inspect` takes them apart. To add a claim: its field in `mint`, its finding
//! in `inspect`, and a row in `docs/tokens.md`.

mod inspect;
mod mint;

pub use inspect::{Expectation, Finding, Report, Verifier, inspect};
pub use mint::{LONGEST_LIFE, Signer, TokenError, Wish, link, mint, room_name};
