//! A whole site on real servers: Prosody behind nginx and behind Caddy, as `jitsi-install try`
//! stands it up, asked by XMPP clients, by bare HTTP and by a browser.
//!
//! What is not on the machine is skipped with a line `SKIPPED: …` on stderr; `CHECK_STRICT=1`
//! makes that a failure. `JITSI_PROSODY_PLUGINS=DIR` runs the same cases on Jitsi's own plugins.
//! Only `focus` is always a stand-in (`standin_focus.rs`). To add a case: a line in the file that
//! is named after its subject; every file collects its failures in [`cases::Cases`] and fails once.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests look at a real machine"
)]
#![allow(
    unreachable_pub,
    reason = "the XMPP clients are written like a library"
)]

mod browser;
mod cases;
mod conference;
mod doctor;
mod guests;
mod machine;
mod mint;
mod services;
mod signalling;
mod signin;
mod site;
mod standin_focus;
mod tokens;
mod trial;
mod trial_accounts;
mod web;
mod web_echo;
mod web_facts;
mod xmpp;
