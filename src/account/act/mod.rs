//! One file for each thing that a person, an administrator or the clock does.

pub mod csv;
