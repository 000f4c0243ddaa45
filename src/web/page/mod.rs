//! One file per page: reads the form, calls the act, shows how it went.

pub mod account;
pub mod admin;
pub mod home;
pub mod language;
pub mod public;
