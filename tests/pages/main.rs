//! The pages of visitors and members on a real SQLite file, asked as a browser asks: every act,
//! done well and done badly.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests make folders and say what they see"
)]

mod alike;
mod asvs;
mod door;
mod hostile;
mod house;
mod links;
mod member;
mod signing_in;
mod signing_up;
mod table;
