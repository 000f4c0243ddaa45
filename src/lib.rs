//! A **site** file is read and checked; with the **platform** and the **secrets** it becomes a
//! **layout**; the layout compared with the machine is a **plan**; the plan is carried out with a
//! **journal** that can take every step back.
//!
//! Each bold word is a module and a type, and nothing flows back. The rooms stand on floors, and
//! a module may only name modules of the floors below it or those that stand before it on its own
//! floor; `tests/floors.rs` holds the list and reads the sources.

// GROUND: words; pure
pub mod name;
pub mod secret;

// FIRST: what is said and what is known
pub mod keystore;
pub mod recipe;
pub mod render;
pub mod site;

pub mod platform;
pub mod token;

pub mod package;

// SECOND: what is wanted, and the books
pub mod resource;

pub mod plan;

pub mod journal;
pub mod service;

pub mod doctor;

// THIRD: put together
pub mod layout;

pub mod apply;

// FOURTH: the only room that touches the machine
pub mod host;

// ROOF
pub mod cli;
