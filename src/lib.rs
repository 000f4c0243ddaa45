//! A **site** file is read and checked; with the **platform** and the **secrets** it becomes a
//! **layout**; the layout compared with the machine is a **plan**; the plan is carried out with a
//! **journal** that can take every step back.
//!
//! Each bold word is a module and a type, and nothing flows back. The rooms stand on floors, and
//! a module may only name modules of the floors below it or those that stand before it on its own
//! floor; `tests/floors.rs` holds the list and reads the sources.

// GROUND: words; pure, but for what is printed
pub mod command;
pub mod name;
pub mod reader;
pub mod secret;

// FIRST: what is said and what is known
#[cfg(feature = "install")]
pub mod keystore;
#[cfg(feature = "install")]
pub mod recipe;
pub mod render;
#[cfg(feature = "install")]
pub mod site;

#[cfg(feature = "install")]
pub mod platform;
#[cfg(feature = "install")]
pub mod token;

#[cfg(feature = "install")]
pub mod package;

// SECOND: what is wanted, and the books
#[cfg(feature = "install")]
pub mod resource;

#[cfg(feature = "install")]
pub mod plan;

#[cfg(feature = "install")]
pub mod journal;
#[cfg(feature = "install")]
pub mod service;

#[cfg(feature = "install")]
pub mod doctor;

#[cfg(feature = "accounts")]
pub mod account;

// THIRD: put together
#[cfg(feature = "accounts")]
pub mod web;

#[cfg(feature = "install")]
pub mod layout;

#[cfg(feature = "install")]
pub mod apply;

// FOURTH: the only room that touches the machine
#[cfg(feature = "install")]
pub mod host;

#[cfg(feature = "accounts")]
pub mod desk;

// ROOF
#[cfg(feature = "install")]
pub mod cli;
